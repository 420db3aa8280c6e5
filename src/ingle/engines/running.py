"""A process that serves a model, and who uses it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime

from ingle.engines.loading import Size
from ingle.engines.memory import Memory, resident_bytes
from ingle.engines.process import EngineProcess
from ingle.models.manifest import Model

__all__ = ["RunningEngine"]


class RunningEngine:
    """From when it serves until it is gone; a `Tenant` of the room."""

    def __init__(
        self,
        model: Model,
        size: Size,
        process: EngineProcess,
        is_expected: Callable[[], bool],
        *,
        is_pinned: bool = False,
    ) -> None:
        """`is_expected` tells whether callers wait who will lease it in a moment."""
        now = time.monotonic()
        self.model = model
        self.fit = size
        self.process = process
        self.is_pinned = is_pinned
        self.leases = 0
        self.ready_at = now
        self.used_at = now
        self.started_at = datetime.now(UTC)
        self.last_used_at = self.started_at
        self._is_retired = False
        self._stopping: asyncio.Task[None] | None = None
        self._is_expected = is_expected
        self._gone = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._takes_calls = asyncio.Event()
        self._takes_calls.set()

    @property
    def size(self) -> Memory:
        """What it takes, measured or estimated, whichever is more; on a GPU it is estimated."""
        expected = self.fit.memory
        held = resident_bytes(self.process.pid) or 0
        return Memory(max(expected.ram_bytes, held), expected.gpu_bytes)

    @property
    def is_idle(self) -> bool:
        """Whether nobody uses it, nor is about to."""
        is_expected = self._takes_calls.is_set() and self._is_expected()
        return not (self.leases or is_expected or self.is_ending)

    @property
    def is_ending(self) -> bool:
        """Whether it was told to end."""
        return self._stopping is not None

    @property
    def is_taking_calls(self) -> bool:
        """Whether it may be leased."""
        return self._takes_calls.is_set() and not self.is_ending

    def lease(self) -> None:
        """One more caller uses it."""
        self.leases += 1
        self._drained.clear()
        self._note_use()

    def unlease(self) -> None:
        """One caller less uses it."""
        self.leases -= 1
        if not self.leases:
            self._drained.set()
        self._note_use()

    async def drained(self, within_s: float) -> None:
        """Wait until nobody uses it, but no longer than `within_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._drained.wait()

    def stop_taking_calls(self) -> None:
        """Let new callers wait."""
        self._takes_calls.clear()

    def take_calls(self) -> None:
        """Let waiting callers in, unless it is on its way out."""
        if not (self.is_ending or self._is_retired):
            self._takes_calls.set()

    async def settled(self) -> None:
        """Wait until it takes calls again or is gone."""
        await self._takes_calls.wait()

    def retire(self) -> None:
        """Take no more calls, for good: it is to be ended when the last one is over."""
        self._is_retired = True
        self.stop_taking_calls()

    def end(self) -> asyncio.Task[None]:
        """Begin to end it, once; the task that does so needs nobody to wait for it."""
        if self._stopping is None:
            self.stop_taking_calls()
            self._stopping = asyncio.create_task(self.process.stop(), name="stop an engine")
        return self._stopping

    async def leave(self) -> None:
        """End it and wait until it is gone. If the caller is cancelled, it ends all the same."""
        stopping = self.end()
        await asyncio.wait({stopping})
        await self._gone.wait()

    def has_gone(self) -> None:
        """Its process has ended, and that is known everywhere."""
        self._gone.set()
        self._takes_calls.set()

    def _note_use(self) -> None:
        self.used_at = time.monotonic()
        self.last_used_at = datetime.now(UTC)
