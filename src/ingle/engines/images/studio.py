"""One drawing at a time, in a thread of its own; others wait their turn, up to a bound."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ingle.engines.images.picture import Picture
from ingle.engines.images.pipeline import Drawing, DrawingStopped, Pipeline, Step
from ingle.errors import Busy

__all__ = ["Draw", "Progress", "Studio"]

Draw = Callable[[Drawing, Callable[[Step], None]], Awaitable[Picture]]


@dataclass(frozen=True, slots=True)
class Progress:
    """What the studio does now: `step` of `steps` of a drawing (0 of 0 when idle)."""

    is_drawing: bool
    step: int
    steps: int
    waiting: int


class Studio:
    """Lends its one pipeline to a caller at a time, in the order they came.

    At most `waiting_limit` callers wait; one more is refused at once.
    """

    def __init__(self, pipeline: Pipeline, *, waiting_limit: int = 8) -> None:
        self._pipeline = pipeline
        self._waiting_limit = waiting_limit
        self._turns = asyncio.Lock()
        self._waiting = 0
        self._step = (0, 0)
        # One thread for all drawings: native libraries keep caches a thread.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="drawing")

    @property
    def progress(self) -> Progress:
        return Progress(self._turns.locked(), *self._step, self._waiting)

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[Draw]:
        """Waits for the turn, then gives the function that draws, until the block ends.

        Raises:
            Busy: too many wait already.
        """
        if self._turns.locked() and self._waiting >= self._waiting_limit:
            raise Busy(
                f"{self._waiting} requests already wait for this image model, which draws one at "
                "a time. Try again in a while."
            )
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield self._draw
        finally:
            self._step = (0, 0)
            self._turns.release()

    async def _draw(self, drawing: Drawing, on_step: Callable[[Step], None]) -> Picture:
        """The finished picture; `on_step` is called in the event loop after each step.

        Cancelled, it stops the drawing between two steps and only then lets go.
        """
        loop = asyncio.get_running_loop()
        is_unwanted = threading.Event()

        def tell(step: Step) -> None:
            self._step = (step.number, step.total)
            on_step(step)

        def after_step(step: Step) -> bool:
            if not is_unwanted.is_set():
                loop.call_soon_threadsafe(tell, step)
            return is_unwanted.is_set()

        drawn = loop.run_in_executor(self._thread, self._pipeline.draw, drawing, after_step)
        try:
            return await asyncio.shield(drawn)
        except asyncio.CancelledError:
            is_unwanted.set()
            await _settled(drawn)
            raise

    def close(self) -> None:
        """Gives the thread up without waiting for it; all turns have ended by then."""
        self._thread.shutdown(wait=False)


async def _settled(drawn: asyncio.Future[Picture]) -> None:
    """Waits until the drawing has ended, however often the waiting task is cancelled again.

    Its native step cannot be cut short, and the next drawing must not begin beside it.
    """
    while not drawn.done():
        try:
            await asyncio.wait({drawn})
        except asyncio.CancelledError:
            continue
    error = drawn.exception()
    if error is not None and not isinstance(error, DrawingStopped):
        raise error
