"""The engines of this machine: started when a call needs them, shared, and kept within memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from ingle.engines.activity import Activity, activity
from ingle.engines.engine import Engine, EngineState
from ingle.engines.memory import Memory, engines_limit, resident_bytes
from ingle.engines.room import Room
from ingle.errors import Busy, IngleError, NotFound, UpstreamError
from ingle.models.manifest import Model
from ingle.settings import Settings
from ingle.upstream.client import Client
from ingle.upstream.target import Target

__all__ = ["EngineStatus", "Supervisor"]


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """One engine as it is now. What only a running one has is None; times are UTC.

    `memory_bytes` is what it holds, `expected_bytes` what it may grow to, and `gpu_bytes` what it
    should take on the GPU. `leases` are the calls that it answers, those included that wait for a
    slot. `failures` are those in a row, and `next_try_s` tells how long calls are refused because
    of them.
    """

    name: str
    state: EngineState
    is_pinned: bool
    pid: int | None = None
    port: int | None = None
    memory_bytes: int | None = None
    expected_bytes: int | None = None
    gpu_bytes: int | None = None
    context_tokens: int | None = None
    slots: int | None = None
    leases: int = 0
    started_at: datetime | None = None
    last_used_at: datetime | None = None
    failures: int = 0
    next_try_s: float = 0.0
    last_error: str | None = None


class Supervisor:
    """Leases engines to callers of one event loop; leaving the context ends them all."""

    def __init__(self, settings: Settings, *, room: Room | None = None) -> None:
        self._settings = settings
        self._room = room or Room(Memory(0))
        self._has_room = room is not None
        self._engines: dict[str, Engine] = {}
        self._not_preloaded: dict[str, IngleError] = {}
        self._is_closing = False

    async def __aenter__(self) -> Self:
        if not self._has_room:
            self._room.limit = await asyncio.to_thread(engines_limit, self._settings)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closing = True
        await asyncio.gather(*(engine.close() for engine in self._engines.values()))

    @property
    def limit(self) -> Memory:
        """What all engines together may take."""
        return self._room.limit

    @property
    def evictions(self) -> int:
        """How many engines had to leave for others so far."""
        return self._room.evictions

    @asynccontextmanager
    async def lease(self, model: Model) -> AsyncGenerator[Target, None]:
        """The address of a model's engine, which stays up while the context is open.

        The first caller starts it, and all who come meanwhile wait for the same start. If the
        engine dies, the `UpstreamError` that this causes in the context leaves it as
        `EngineCrashed`, and the next lease starts the engine again.

        Raises:
            ModelFileInvalid, ModelTooLarge, EngineMissing, EngineStartFailed: it cannot be started.
            QueueFull: as many callers wait for it already as may.
            Busy: other models hold the memory and are at work, or pinned; or Ingle is about to
                stop.
        """
        if self._is_closing:
            raise Busy(
                f"Ingle is about to stop, so {model.name!r} is not started. Try again later."
            )
        engine = self._engines.get(model.name)
        if engine is None:
            engine = self._engines[model.name] = Engine(model.name, self._settings, self._room)
        running = await engine.acquire(model)
        self._not_preloaded.pop(model.name, None)
        try:
            yield running.process.target
        except UpstreamError as error:
            if crash := await engine.explain(running, error):
                raise crash from error
            raise
        finally:
            engine.release(running)

    async def preload(self, name: str, find: Callable[[str], Model]) -> IngleError | None:
        """Start a model's engine before it is asked for; the error if that fails.

        `status` tells of the failure until a call starts the engine. `find` may block.
        """
        self._not_preloaded.pop(name, None)
        try:
            async with self.lease(await asyncio.to_thread(find, name)):
                return None
        except IngleError as error:
            self._not_preloaded[name] = error
            return error

    def status(self) -> list[EngineStatus]:
        """The engines that run, start or failed, by name. May be called from any thread."""
        pinned = self._settings.pinned_models
        told = {
            name: EngineStatus(name, "failed", name in pinned, last_error=error.message)
            for name, error in self._not_preloaded.items()
        }
        for engine in list(self._engines.values()):
            if engine.state != "stopped":
                told[engine.name] = _status(engine)
        return [told[name] for name in sorted(told)]

    async def activity(self, client: Client) -> dict[str, Activity]:
        """What the engines of llama.cpp do now, by name; asks each of them, all at once."""
        targets = {
            name: engine.running.process.target
            for name, engine in self._engines.items()
            if engine.running is not None and engine.running.model.engine == "llama"
        }
        told = await asyncio.gather(*(activity(client, target) for target in targets.values()))
        return {name: one for name, one in zip(targets, told, strict=True) if one is not None}

    def log_tail(self, name: str) -> list[str]:
        """The last lines that a running engine wrote to its log, at most 200.

        Raises:
            NotFound: no engine of this name runs.
        """
        engine = self._engines.get(name)
        if engine is None or engine.running is None:
            raise NotFound(f"No engine runs for {name!r}. The first call to the model starts one.")
        return engine.running.process.log.lines()

    async def stop(self, name: str) -> None:
        """End a model's engine when its running calls have ended, or after `drain_s`.

        Calls that come later start it again. Nothing happens if none runs.
        """
        if engine := self._engines.get(name):
            await engine.stop(drain_s=self._settings.drain_s)


def _status(engine: Engine) -> EngineStatus:
    backoff = engine.backoff
    told = EngineStatus(
        name=engine.name,
        state=engine.state,
        is_pinned=engine.is_pinned,
        failures=backoff.failures,
        next_try_s=max(0.0, backoff.next_try_at - time.monotonic()),
        last_error=backoff.last_error.message if backoff.last_error else None,
    )
    if (running := engine.running) is None:
        return told
    return replace(
        told,
        pid=running.process.pid,
        port=running.process.port,
        memory_bytes=resident_bytes(running.process.pid),
        expected_bytes=running.fit.memory.ram_bytes,
        gpu_bytes=running.fit.memory.gpu_bytes,
        context_tokens=running.fit.context_tokens,
        slots=running.fit.slots,
        leases=running.leases,
        started_at=running.started_at,
        last_used_at=running.last_used_at,
    )
