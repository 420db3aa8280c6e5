"""One piece of native work at a time, in a thread of its own, as a stream that can be left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from ingle.errors import Busy, IngleError

__all__ = ["Outlet", "Turns"]

_T = TypeVar("_T")


class Outlet(Generic[_T]):
    """Where work puts what it makes, from its own thread."""

    def __init__(self, put: Callable[[_T], None]) -> None:
        self._put = put
        self._unwanted = threading.Event()

    def is_unwanted(self) -> bool:
        """Whether nobody waits for more, so that the work should stop soon."""
        return self._unwanted.is_set()

    def put(self, item: _T) -> bool:
        """Hand an item over; whether the work is unwanted."""
        if not self._unwanted.is_set():
            self._put(item)
        return self._unwanted.is_set()

    def close(self) -> None:
        """Nobody waits any more."""
        self._unwanted.set()


class Turns:
    """Does the work of one caller at a time, in the order they came.

    At most `most_waiting` callers wait; one more is refused at once.
    """

    def __init__(self, *, most_waiting: int = 16) -> None:
        self._most_waiting = most_waiting
        self._waiting = 0
        self._turn = asyncio.Lock()
        # One thread for all: native libraries keep state a thread.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="speech")

    async def stream(self, work: Callable[[Outlet[_T]], None]) -> AsyncGenerator[_T]:
        """What `work` puts out in its thread, in its turn. It must be closed (`aclosing`).

        Items wait here without bound, as work is never held up by a slow reader: bound the work.
        Closed or cancelled, it waits until the work has noticed that it is unwanted.

        Raises:
            Busy: too many wait already.
            IngleError: the work failed, after the items before.
        """
        await self._take_turn()
        items: asyncio.Queue[_T | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        outlet = Outlet[_T](lambda item: _hand_over(loop, items, item))

        def is_over(_: asyncio.Future[None]) -> None:
            self._turn.release()
            items.put_nowait(None)

        working = loop.run_in_executor(self._thread, work, outlet)
        working.add_done_callback(is_over)
        try:
            while (item := await items.get()) is not None:
                yield item
            working.result()
        finally:
            outlet.close()
            await _settled(working)

    def close(self) -> None:
        """Give the thread up without waiting for it."""
        self._thread.shutdown(wait=False)

    async def _take_turn(self) -> None:
        if self._turn.locked() and self._waiting >= self._most_waiting:
            raise Busy(
                f"{self._waiting} requests already wait for this model, which answers one at a "
                "time. Try again in a while."
            )
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1


def _hand_over(loop: asyncio.AbstractEventLoop, items: asyncio.Queue[_T | None], item: _T) -> None:
    loop.call_soon_threadsafe(items.put_nowait, item)


async def _settled(working: asyncio.Future[None]) -> None:
    """Wait for the end of the work, however often the waiting task is cancelled again.

    Its native part cannot be cut short, and the next must not begin beside it.
    """
    while not working.done():
        try:
            await asyncio.wait({working})
        except asyncio.CancelledError:
            continue
    error = working.exception()
    if error is not None and not isinstance(error, IngleError):
        raise error
