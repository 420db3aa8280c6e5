"""One piece of work over many rows, so many at the same time, with its results in a file.

The window of rows that are being worked on, or wait to be written, has a bound, so memory does not
grow with the number of rows. It knows nothing about what is done with a row.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ingle.errors import IngleError
from ingle.runs.events import fault_of
from ingle.runs.result_lines import Ended
from ingle.runs.results import Results
from ingle.runs.rows import Row

__all__ = ["Progress", "RowWork", "run_batch"]

RowWork = Callable[[Mapping[str, Any]], Awaitable[Any]]
"""The output for a row's values. What it raises is that row's fault."""

_READ_AT_ONCE = 64
_WINDOW_A_WORKER = 4

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is. `done` counts what earlier processes did, too, and failed rows."""

    done: int
    failed: int
    rate: float
    """Rows a second, since this process began."""


async def run_batch(
    rows: Iterator[Row],
    results: Results,
    work: RowWork,
    *,
    concurrency: int,
    is_ordered: bool = False,
    show: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Do the work of each row that is not done, and add how it ended; how far it came.

    Results come in the order in which rows end; `is_ordered` keeps that of the rows, and then a
    slow row lets only so many others get ahead of it. `show` is called after each write. Cancelling
    it stops the work; what has ended is written.

    Raises:
        InvalidRequest: the rows cannot be read on.
        Conflict: a row that is done has other values now.
        StorageError: results cannot be written.
    """
    batch = _Batch(results, work, concurrency, is_ordered, show)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(batch.read(rows))
            group.create_task(batch.write())
            for _ in range(concurrency):
                group.create_task(batch.work())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None  # the first stopped the others
    finally:
        await batch.write_rest()
    return batch.progress()


class _Batch:
    def __init__(
        self,
        results: Results,
        work: RowWork,
        concurrency: int,
        is_ordered: bool,
        show: Callable[[Progress], None],
    ) -> None:
        self._results = results
        self._work = work
        self._workers = concurrency
        self._is_ordered = is_ordered
        self._show = show
        self._window = asyncio.Semaphore(concurrency * _WINDOW_A_WORKER)
        self._todo: asyncio.Queue[tuple[int, Row] | None] = asyncio.Queue()
        self._ended: asyncio.Queue[tuple[int, Ended] | None] = asyncio.Queue()
        self._waiting: dict[int, Ended] = {}
        """What has ended and is not written, by its place among the rows of this process."""
        self._next = 0
        self._adding: asyncio.Task[None] | None = None
        self._began = time.monotonic()
        self._earlier = results.done

    def progress(self) -> Progress:
        """How far it is."""
        done = self._results.done
        seconds = time.monotonic() - self._began
        return Progress(done, self._results.failed, (done - self._earlier) / max(seconds, 1e-9))

    async def read(self, rows: Iterator[Row]) -> None:
        """Hand out the rows that are not done, as places in the window get free."""
        place = 0
        async with aclosing(self._not_done(rows)) as found:
            async for row in found:
                await self._window.acquire()
                self._todo.put_nowait((place, row))
                place += 1
        for _ in range(self._workers):
            self._todo.put_nowait(None)

    async def _not_done(self, rows: Iterator[Row]) -> AsyncGenerator[Row, None]:
        def some() -> list[Row]:
            return list(islice((row for row in rows if not self._results.is_done(row)), most))

        most = 1  # the first rows go at once, however long it takes to read more
        while chunk := await asyncio.to_thread(some):
            for row in chunk:
                yield row
            most = _READ_AT_ONCE

    async def work(self) -> None:
        """Work on one row after the other."""
        while (taken := await self._todo.get()) is not None:
            place, row = taken
            self._ended.put_nowait((place, await self._end(row)))
        self._ended.put_nowait(None)

    async def _end(self, row: Row) -> Ended:
        if row.fault is not None:
            return Ended(row, fault=fault_of(row.fault))
        try:
            return Ended(row, await self._work(row.values))
        except IngleError as error:
            return Ended(row, fault=fault_of(error))
        except Exception as error:
            _logger.exception("Row %d failed in a way that was not foreseen", row.number)
            return Ended(row, fault=fault_of(error))

    async def write(self) -> None:
        """Write what has ended, as much at a time as there is."""
        left = self._workers
        while left:
            taken = [await self._ended.get()]
            while not self._ended.empty():
                taken.append(self._ended.get_nowait())
            left -= taken.count(None)
            self._waiting |= dict(filter(None, taken))
            if ready := self._ready():
                self._adding = asyncio.create_task(asyncio.to_thread(self._results.add, ready))
                await asyncio.shield(self._adding)
                for _ in ready:
                    self._window.release()
                self._show(self.progress())

    def _ready(self) -> list[Ended]:
        """What may be written now, in the order in which it is to be."""
        if not self._is_ordered:
            ready = list(self._waiting.values())
            self._waiting.clear()
            return ready
        ready = []
        while self._next in self._waiting:
            ready.append(self._waiting.pop(self._next))
            self._next += 1
        return ready

    async def write_rest(self) -> None:
        """Write what had ended when the batch was stopped."""
        if self._adding is not None:
            await asyncio.wait({self._adding})
        while not self._ended.empty():
            if (taken := self._ended.get_nowait()) is not None:
                self._waiting[taken[0]] = taken[1]
        if ready := self._ready():
            self._results.add(ready)
