"""One model's engine through its life: started once for all who wait, used, ended, restarted."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Literal

from ingle.engines.backoff import Backoff
from ingle.engines.loading import how_to_load
from ingle.engines.process import EngineProcess, Launch
from ingle.engines.room import Room
from ingle.engines.running import RunningEngine
from ingle.errors import (
    Busy,
    EngineCrashed,
    EngineError,
    IngleError,
    QueueFull,
    UpstreamCut,
    UpstreamError,
    UpstreamInvalid,
    UpstreamUnreachable,
)
from ingle.models.manifest import Model
from ingle.settings import Settings

__all__ = ["Engine", "EngineState"]

EngineState = Literal["stopped", "starting", "ready", "stopping", "failed"]
"""`stopping` takes no calls and ends when its last one has; `failed` waits for its next try."""

_NOTICE_S = 0.5
"""How long after a broken connection the end of its process may be noticed."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """How a start failed; each of its callers gets an error of its own."""

    error: IngleError

    def again(self) -> IngleError:
        return type(self.error)(self.error.message)


class Engine:
    """The engine of a model, whether or not it runs now; belongs to one event loop."""

    def __init__(self, name: str, settings: Settings, room: Room) -> None:
        self.name = name
        self.is_pinned = name in settings.pinned_models
        self.running: RunningEngine | None = None
        self.backoff = Backoff()
        self._settings = settings
        self._room = room
        self._starting: asyncio.Task[_Failure | None] | None = None
        self._tried: Model | None = None
        self._callers = 0
        self._is_closed = False
        self._idle_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def state(self) -> EngineState:
        """What it does now."""
        if self._starting is not None:
            return "starting"
        if self.running is not None:
            return "ready" if self.running.is_taking_calls else "stopping"
        return "failed" if self.backoff.failures else "stopped"

    async def acquire(self, model: Model) -> RunningEngine:
        """The running engine with one more lease, started if need be; `release` must follow.

        A caller who is cancelled leaves a start to the others, or to the next one.

        Raises:
            EngineError: it cannot be started.
            QueueFull: as many callers wait for it already as may.
            Busy: others hold the memory and are at work, or Ingle is about to stop.
        """
        self._refuse_beyond_queue(model)
        self._callers += 1
        try:
            while not self._is_closed:
                running = self.running
                if running is None:
                    await self._start_once(model)
                elif not running.is_taking_calls:
                    await running.settled()
                elif running.model != model and not running.leases:
                    await running.leave()
                else:
                    return self._lease(running)
            raise Busy(f"Ingle is about to stop, so {self.name!r} is not run. Try again later.")
        finally:
            self._callers -= 1
            self._room.look()

    def release(self, running: RunningEngine) -> None:
        """Give a lease back; after the last one the idle time begins."""
        running.unlease()
        if running is self.running:
            self._begin_idle_time(running)
        self._room.look()

    async def explain(self, running: RunningEngine, error: UpstreamError) -> EngineCrashed | None:
        """The crash behind the error of a call; None if the process lives.

        Where the connection broke, waits up to half a second for the process to be seen dead.
        """
        if isinstance(error, UpstreamCut | UpstreamInvalid | UpstreamUnreachable):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_NOTICE_S):
                    await running.process.ended.wait()
        if not running.process.ended.is_set():
            return None
        return self._crash(running, "This call is lost; the next one starts the engine again.")

    async def stop(self, *, drain_s: float) -> None:
        """End it after the calls that run, or after `drain_s`; new calls wait and start it anew."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait({self._starting})
        if (running := self.running) is None:
            return
        running.retire()
        await running.drained(drain_s)
        await running.leave()

    async def close(self) -> None:
        """End it at once, for good."""
        self._is_closed = True
        await self.stop(drain_s=0)
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _refuse_beyond_queue(self, model: Model) -> None:
        """Let one more call in: so many as there are slots are answered, the others wait.

        llama.cpp itself lets any number wait, each with its connection and its request.
        """
        slots, inside = model.slots or self._settings.slots, self._callers
        if self.running is not None:
            slots, inside = self.running.fit.slots or slots, inside + self.running.leases
        if inside >= slots + self._settings.queue:
            raise QueueFull(
                f"{inside - slots} calls wait for the model {self.name!r} already, beside the "
                f"{slots} that it answers at a time. Try again later, ask another model, or raise "
                "`queue` or `slots`."
            )

    def _lease(self, running: RunningEngine) -> RunningEngine:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        running.lease()
        return running

    def _begin_idle_time(self, running: RunningEngine) -> None:
        """Stop it later, if nobody comes until then; the next lease ends the idle time."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if self.is_pinned:
            return
        self._idle_timer = asyncio.get_running_loop().call_later(
            self._settings.idle_stop_s, self._stop_if_idle, running
        )

    def _stop_if_idle(self, running: RunningEngine) -> None:
        if running.is_idle:
            running.end()

    async def _start_once(self, model: Model) -> None:
        """Wait for the start under way, or begin one.

        Raises:
            EngineError, Busy: it failed, for all who wait for it.
        """
        if self._starting is None:
            self._starting = asyncio.create_task(self._start(model), name=f"start {self.name}")
            self._starting.add_done_callback(self._start_is_over)
        starting = self._starting
        await asyncio.wait({starting})  # unlike awaiting the task, leaves it alone when cancelled
        if starting.cancelled():
            raise Busy(f"The engine of {self.name!r} was stopped while it started. Try again.")
        if failure := starting.result():
            raise failure.again() from failure.error

    async def _start(self, model: Model) -> _Failure | None:
        if model != self._tried:  # another file may do better
            self._tried = model
            self.backoff.ended_well()
        try:
            if refusal := self.backoff.refusal(self.name, now=time.monotonic()):
                raise refusal
            loading = await asyncio.to_thread(
                how_to_load, model, self._settings, limit=self._room.limit
            )
            await self._room.enter(self.name, loading.size.memory)
            try:
                process = await self._start_process(loading.launch)
            except BaseException:
                self._room.left(self.name)
                raise
            running = RunningEngine(
                model,
                loading.size,
                process,
                is_expected=lambda: self._callers > 0,
                is_pinned=self.is_pinned,
            )
            self.running = running
            self._room.settle(self.name, running)
            self._begin_idle_time(running)
            self._own(self._watch(running))
        except (EngineError, Busy) as error:
            return _Failure(error)
        return None

    def _start_is_over(self, _: asyncio.Task[_Failure | None]) -> None:
        self._starting = None

    async def _start_process(self, launch: Launch) -> EngineProcess:
        try:
            start_s = launch.start_s or self._settings.engine_start_s
            return await EngineProcess.start(launch, within_s=start_s)
        except EngineError as error:
            self.backoff.failed(error, now=time.monotonic())
            raise

    async def _watch(self, running: RunningEngine) -> None:
        """Take note of the end of a process, whoever ended it."""
        await running.process.ended.wait()
        if running.is_ending:
            self.backoff.ended_well()
        else:
            crash = self._crash(running, "The next call starts the engine again.")
            self.backoff.failed(
                crash, now=time.monotonic(), lived_s=time.monotonic() - running.ready_at
            )
        self.running = None
        self._room.left(self.name)
        running.has_gone()

    def _crash(self, running: RunningEngine, advice: str) -> EngineCrashed:
        process = running.process
        if running.is_ending:
            return EngineCrashed(
                f"The engine of {self.name!r} was stopped while it answered. {advice}"
            )
        return EngineCrashed(
            f"The engine of {self.name!r} (process {process.pid}) {process.how_it_ended()}{advice}"
        )

    def _own(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, name=f"engine {self.name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
