"""One thread that writes rows for everybody, all that wait at a time in one transaction.

A transaction costs many times what a row does, so those who wait share one: the more there is to
write, the cheaper is each. It does not know what the rows mean.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from ingle.storage.database import BUSY_S, Database, Recording, Statement

__all__ = ["Rows", "Writer"]

Row = Mapping[str, Any]  # Any: values of the columns' own types
Rows = Sequence[tuple[Statement, Row]]
"""Statements and what each is executed with."""

_MOST_AT_ONCE = 1000
"""How many writes share a transaction at most, so that the first of them does not wait for long."""


@dataclass(slots=True, eq=False)
class _Write:
    make: Callable[[], Rows]
    done: asyncio.Future[None]
    rows: Rows = ()
    error: Exception | None = None


class Writer:
    """Writes rows from one event loop; `guard` is called in each transaction and may refuse it.

    `order` are all statements there are, in the order in which a transaction executes them.
    """

    def __init__(
        self,
        database: Database,
        order: Sequence[Statement],
        guard: Callable[[Recording], None],
    ) -> None:
        self._database = database
        self._order = {id(statement): statement for statement in order}
        self._guard = guard
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._kept = ExitStack()
        self._recording: Recording | None = None
        self._thread = threading.Thread(target=self._work, name="ingle-writer", daemon=True)
        self._thread.start()

    async def write(self, make: Callable[[], Rows]) -> None:
        """Returns when the rows are committed. `make` makes them, in the writer's thread.

        They are written even if the caller is cancelled meanwhile.

        Raises:
            StorageError: the database failed, or `guard` refused it; none of the rows was written.
            IngleError: what `make` raised.
        """
        done = self._loop.create_future()
        self._queue.put(_Write(make, done))
        await done

    async def close(self) -> None:
        """Write all that waits, and end the thread."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        is_open = True
        while is_open:
            group, is_open = self._next()
            if group:
                self._write(group)
                self._loop.call_soon_threadsafe(_tell, group)
        self._kept.close()

    def _next(self) -> tuple[list[_Write], bool]:
        """What waits, when there is something, and whether there can be more."""
        group: list[_Write] = []
        while True:
            write = self._queue.get()
            if write is None:
                return group, False
            group.append(write)
            if len(group) == _MOST_AT_ONCE or self._queue.empty():
                return group, True

    def _write(self, group: list[_Write]) -> None:
        ready: list[_Write] = []
        for write in group:
            try:
                write.rows = write.make()
                ready.append(write)
            except Exception as error:  # noqa: BLE001 -- told to who waits; the others go on
                write.error = error
        until = time.monotonic() + BUSY_S
        fault = self._commit(ready)
        if fault is None:
            return
        for write in ready:
            # What failed may be one's own fault, so each gets a transaction of its own; but nobody
            # waits for a locked database longer than alone.
            is_alone = len(ready) == 1 or time.monotonic() > until
            write.error = fault if is_alone else self._commit([write])

    def _commit(self, group: Sequence[_Write]) -> Exception | None:
        together: dict[int, list[Row]] = {key: [] for key in self._order}
        for write in group:
            for statement, row in write.rows:
                together[id(statement)].append(row)
        try:
            if self._recording is None:
                self._recording = self._kept.enter_context(self._database.recording())
            with self._recording.writing():
                self._guard(self._recording)
                for key, rows in together.items():
                    if rows:
                        self._recording.execute(self._order[key], rows)
        except Exception as error:  # noqa: BLE001 -- told to who waits, who would wait for ever
            self._recording = None  # it may be the connection that is broken
            self._kept.close()
            return error
        return None


def _tell(group: Sequence[_Write]) -> None:
    for write in group:
        if write.done.cancelled():
            continue
        if write.error is None:
            write.done.set_result(None)
        else:
            write.done.set_exception(write.error)
