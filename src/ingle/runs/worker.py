"""This process as one that runs apps: known to the others, and found to be gone when it is.

On SQLite all processes are on one machine, so each holds a file's lock, which the system takes from
it when it dies, however that happens: its runs can be taken up at once. On PostgreSQL each says
every few seconds that it lives, by the database's clock, and counts as gone `lease_s` after the
last time. Who counts as gone can record nothing more, be it alive or not.
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import sqlalchemy as sa

from ingle.errors import StorageError
from ingle.ids import new_id
from ingle.models.pull.lock import exclusive, is_held
from ingle.storage import workers
from ingle.storage.database import Database, Recording

__all__ = ["LEASE_S", "Worker", "WorkerGone", "hold_lock"]

LEASE_S = 20.0
"""Longer than a process that works is ever stopped for, and short enough to wait for."""


class WorkerGone(StorageError):
    """This process was taken for gone, and others go on with its runs."""


class Worker:
    """One process' place among those that run apps. Its methods block."""

    def __init__(self, database: Database, lease_s: float) -> None:
        self.id = new_id("worker")
        self._database = database
        self._lease_s = lease_s

    @property
    def lock_file(self) -> Path | None:
        """What this process must hold while it is a worker (`exclusive`); None on PostgreSQL."""
        return self._lock_of(self.id)

    def begin(self) -> None:
        """Become known; the lock is held already.

        Raises:
            StorageError: the database failed.
        """
        place = f"{socket.gethostname()}:{os.getpid()}"
        with self._database.writing() as transaction:
            workers.add_worker(transaction, self.id, place)

    def beat(self) -> bool:
        """Say that this process lives; False if others have taken it for gone.

        Raises:
            StorageError: the database failed.
        """
        if self.lock_file is not None:
            return True  # the lock says so
        with self._database.writing() as transaction:
            return workers.beat(transaction, self.id)

    def guard(self, recording: Recording) -> None:
        """Let nobody take this process for gone until the transaction ends.

        Raises:
            WorkerGone: somebody has.
        """
        if not workers.is_worker(recording, self.id):
            raise WorkerGone(
                "Nothing was recorded: this process was silent for so long that others were given "
                "its runs. They go on there."
            )

    def release_gone(self) -> Sequence[str]:
        """Let the runs of processes that are gone wait for others; the ids of those processes.

        Raises:
            StorageError: the database failed; nothing was changed.
        """
        with self._database.reading() as transaction:
            if not self._gone(transaction):
                return ()
        with self._database.writing() as transaction:
            gone = self._gone(transaction)
            workers.release(transaction, gone)
        for worker in gone:
            if (lock := self._lock_of(worker)) is not None:
                lock.unlink(missing_ok=True)
        return gone

    def end(self) -> None:
        """Be no worker any more; runs that are not over wait for others.

        Raises:
            StorageError: the database failed; others find out by themselves.
        """
        with self._database.writing() as transaction:
            workers.release(transaction, [self.id])

    def _gone(self, transaction: sa.Connection) -> Sequence[str]:
        if self.lock_file is None:
            silent = workers.silent_workers(transaction, self._lease_s)
            return [worker for worker in silent if worker != self.id]
        return [
            worker
            for worker in workers.all_workers(transaction)
            if worker != self.id and (lock := self._lock_of(worker)) and not is_held(lock)
        ]

    def _lock_of(self, worker: str) -> Path | None:
        file = self._database.file
        return file and file.with_name(f"{file.name}.workers") / worker


@asynccontextmanager
async def hold_lock(worker: Worker) -> AsyncGenerator[None, None]:
    """Hold the worker's lock, where there is one.

    Raises:
        StorageError: the file cannot be made, or its file system has no locks.
    """
    if worker.lock_file is None:
        yield
        return
    async with exclusive(worker.lock_file, _nobody_waits):
        yield


_nobody_waits: Callable[[], None] = lambda: None  # noqa: E731 -- no other process knows the name
