"""Batches from their begin to their end, whatever happens in between.

What is answered is known by what stands in the two journals, so that a batch that was cut short
goes on with the lines that have no answer yet. A lock keeps two processes off the same batch.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from contextlib import suppress
from pathlib import Path

from ingle.errors import IngleError, NotFound, StorageError
from ingle.models.pull.lock import exclusive
from ingle.server.inside import Inside
from ingle.server.openai.batch_lines import Journal, check_asks
from ingle.server.openai.batch_work import BatchWork
from ingle.storage.files import Files
from ingle.storage.openai_batches import OpenAIBatch, OpenAIBatches

__all__ = ["BatchRunner"]

_LOOK_S = 1.0
"""How often a batch at work writes how far it is, and looks whether it shall end."""

_STORAGE_S = 30.0
"""After so long it is tried again what a disk or a database has failed."""

_log = logging.getLogger(__name__)


class BatchRunner:
    """Runs the batches of one database; belongs to one event loop. `run` is its life.

    `folder` is where batches at work have their journals, `at_once` how many lines of all batches
    are asked side by side, `max_bytes` the longest line; `is_shared` says that other machines may
    use the same database.
    """

    def __init__(
        self,
        batches: OpenAIBatches,
        files: Files,
        inside: Inside,
        folder: Path,
        *,
        at_once: int,
        max_bytes: int,
        is_shared: bool,
    ) -> None:
        self._batches = batches
        self._files = files
        self._inside = inside
        self._folder = folder
        self._max_bytes = max_bytes
        self._is_shared = is_shared
        self._slots = asyncio.Semaphore(at_once)
        self._added: asyncio.Queue[str] = asyncio.Queue()
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Take up what was left, and run what is added, until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take_up())
            while True:
                batch_id = await self._added.get()
                tasks.create_task(self._guarded(batch_id), name=batch_id)

    async def _take_up(self) -> None:
        while True:
            try:
                for batch in await asyncio.to_thread(self._batches.unfinished):
                    self.add(batch.id)
            except StorageError as error:
                _log.warning("The unfinished batches are not known. %s", error)
                await asyncio.sleep(_STORAGE_S)
            else:
                return

    def add(self, batch_id: str) -> None:
        """Run this batch, which is kept already."""
        self._added.put_nowait(batch_id)

    def stop_asking(self, batch_id: str) -> None:
        """Ask no more lines of a batch that is to be cancelled; what is being asked is dropped."""
        if task := self._asking.get(batch_id):
            task.cancel()

    async def _guarded(self, batch_id: str) -> None:
        try:
            async with exclusive(self._folder / f"{batch_id}.lock", _wait_quietly):
                await self._work(batch_id)
        except StorageError as error:  # such as of a full disk: what is answered stays, so wait
            _log.warning("The batch %s waits. %s", batch_id, error)
            await asyncio.sleep(_STORAGE_S)
            self.add(batch_id)
        except Exception as error:  # noqa: BLE001 -- the outermost edge of a batch
            _log.exception("The batch %s", batch_id)
            what = error.message if isinstance(error, IngleError) else type(error).__name__
            with suppress(IngleError):  # the log has it
                await self._fail(batch_id, "server_error", what)

    async def _work(self, batch_id: str) -> None:
        batch = await asyncio.to_thread(self._batches.get, batch_id)
        if batch.state != "finalizing" and not batch.is_over:
            path = await self._input(batch)
            if path is None:
                return
            if batch.state == "validating":
                batch = await self._validated(batch, path)
            if batch.state in ("in_progress", "cancelling"):
                batch = await self._asked(batch, path)
        if batch.state == "finalizing":
            await asyncio.to_thread(self._finish, batch)

    async def _validated(self, batch: OpenAIBatch, path: Path) -> OpenAIBatch:
        total, faults = await asyncio.to_thread(check_asks, path, batch.endpoint, self._max_bytes)
        if faults:
            return await asyncio.to_thread(
                self._batches.move, batch.id, "failed", "validating", errors=faults
            )
        await asyncio.to_thread(
            self._batches.count, batch.id, total=total, completed=0, failed=0, usage={}
        )
        return await asyncio.to_thread(self._batches.move, batch.id, "in_progress", "validating")

    async def _asked(self, batch: OpenAIBatch, path: Path) -> OpenAIBatch:
        """The batch after all its lines have an answer, or as many as could be had."""
        output = await asyncio.to_thread(Journal.open, self._journal(batch, "output"))
        errors = await asyncio.to_thread(Journal.open, self._journal(batch, "errors"))
        work = BatchWork(
            batch,
            path,
            output,
            errors,
            inside=self._inside,
            slots=self._slots,
            max_bytes=self._max_bytes,
        )
        asking = asyncio.create_task(work.ask_all())
        if _shall_end(batch):
            asking.cancel()
        self._asking[batch.id] = asking
        try:
            while not asking.done():
                await self._look(work, asking)
        finally:
            del self._asking[batch.id]
            asking.cancel()
            await asyncio.wait({asking})
        if not asking.cancelled() and (group := asking.exception()):
            raise group.exceptions[0] if isinstance(group, ExceptionGroup) else group
        batch = await asyncio.to_thread(self._batches.get, batch.id)
        if asking.cancelled():
            why = "cancelled" if batch.state == "cancelling" else "expired"
            await asyncio.to_thread(work.give_up, why)
        await self._count(work)
        return await asyncio.to_thread(
            self._batches.move, batch.id, "finalizing", "in_progress", "cancelling"
        )

    async def _look(self, work: BatchWork, asking: asyncio.Task[None]) -> None:
        """Wait a little, then see how far it is and whether it shall end."""
        await asyncio.wait({asking}, timeout=_LOOK_S)
        await self._count(work)
        batch = await asyncio.to_thread(self._batches.get, work.batch.id)
        if _shall_end(batch):
            asking.cancel()

    async def _count(self, work: BatchWork) -> None:
        await asyncio.to_thread(
            self._batches.count,
            work.batch.id,
            total=work.batch.total,
            completed=len(work.output.done),
            failed=len(work.errors.done),
            usage=dict(work.output.usage),
        )

    def _finish(self, batch: OpenAIBatch) -> None:
        """Make files of the journals, then end. Done again after it was cut short it ends the same.

        Blocks.
        """
        for name, file_id, lines in (
            ("output", batch.output_file_id, batch.completed),
            ("errors", batch.error_file_id, batch.failed),
        ):
            if lines:
                self._files.take(
                    self._journal(batch, name),
                    file_id=file_id,
                    filename=f"{batch.id}_{name}.jsonl",
                    purpose="batch_output",
                    key_id=batch.key_id,
                    expires_in_s=batch.output_expires_s,
                )
        if "cancelling_at" in batch.moments:
            self._batches.move(batch.id, "cancelled", "finalizing")
        elif batch.moments["finalizing_at"] >= batch.expires_at:
            self._batches.move(batch.id, "expired", "finalizing")
        else:
            self._batches.move(batch.id, "completed", "finalizing")
        shutil.rmtree(self._folder / batch.id, ignore_errors=True)

    async def _input(self, batch: OpenAIBatch) -> Path | None:
        """Where the lines that ask are. None if they are gone, and the batch has failed then; or if
        they are on another machine, which runs it.
        """
        try:
            stored = await asyncio.to_thread(self._files.get, batch.input_file_id, batch.key_id)
        except NotFound as error:
            await self._fail(batch.id, "input_file_not_found", error.message)
            return None
        if not await asyncio.to_thread(stored.path.exists):
            if self._is_shared:
                return None
            message = f"The bytes of {batch.input_file_id} are gone. Upload it again."
            await self._fail(batch.id, "input_file_not_found", message)
            return None
        return stored.path

    async def _fail(self, batch_id: str, code: str, message: str) -> None:
        fault = {"code": code, "line": None, "message": message, "param": None}
        await asyncio.to_thread(
            self._batches.move,
            batch_id,
            "failed",
            *("validating", "in_progress", "finalizing", "cancelling"),
            errors=[fault],
        )

    def _journal(self, batch: OpenAIBatch, name: str) -> Path:
        return self._folder / batch.id / f"{name}.jsonl"


def _shall_end(batch: OpenAIBatch) -> bool:
    return batch.state == "cancelling" or time.time() >= batch.expires_at


def _wait_quietly() -> None:
    """Another process runs this batch; it is taken up here should that one end."""
