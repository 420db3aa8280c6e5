"""The engines of this machine: started when a call needs them, shared, and kept within memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from ingle.engines.engine import Engine, EngineState
from ingle.engines.memory import engines_limit_bytes, resident_bytes
from ingle.engines.room import Room
from ingle.errors import Busy, NotFound, UpstreamError
from ingle.models.manifest import Model
from ingle.settings import Settings
from ingle.upstream.target import Target

__all__ = ["EngineStatus", "Supervisor"]


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """One engine as it is now. What only a running one has is None; times are UTC.

    `memory_bytes` is what it holds, `expected_bytes` what it may grow to. `failures` are those in
    a row, and `next_try_s` tells how long calls are refused because of them.
    """

    name: str
    state: EngineState
    pid: int | None
    port: int | None
    memory_bytes: int | None
    expected_bytes: int | None
    context_tokens: int | None
    slots: int | None
    leases: int
    started_at: datetime | None
    last_used_at: datetime | None
    failures: int
    next_try_s: float
    last_error: str | None


class Supervisor:
    """Leases engines to callers of one event loop; leaving the context ends them all."""

    def __init__(self, settings: Settings, *, room: Room | None = None) -> None:
        self._settings = settings
        self._room = room or Room(settings.memory_limit_bytes or engines_limit_bytes())
        self._engines: dict[str, Engine] = {}
        self._is_closing = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closing = True
        await asyncio.gather(*(engine.close() for engine in self._engines.values()))

    @asynccontextmanager
    async def lease(self, model: Model) -> AsyncGenerator[Target, None]:
        """The address of a model's engine, which stays up while the context is open.

        The first caller starts it, and all who come meanwhile wait for the same start. If the
        engine dies, the `UpstreamError` that this causes in the context leaves it as
        `EngineCrashed`, and the next lease starts the engine again.

        Raises:
            ModelFileInvalid, ModelTooLarge, EngineMissing, EngineStartFailed: it cannot be started.
            Busy: other models hold the memory and are at work, or Ingle is about to stop.
        """
        if self._is_closing:
            raise Busy(
                f"Ingle is about to stop, so {model.name!r} is not started. Try again later."
            )
        engine = self._engines.get(model.name)
        if engine is None:
            engine = self._engines[model.name] = Engine(model.name, self._settings, self._room)
        running = await engine.acquire(model)
        try:
            yield running.process.target
        except UpstreamError as error:
            if crash := await engine.explain(running, error):
                raise crash from error
            raise
        finally:
            engine.release(running)

    def status(self) -> list[EngineStatus]:
        """The engines that run, start or failed, by name. May be called from any thread."""
        engines = sorted(self._engines.values(), key=lambda engine: engine.name)
        return [_status(engine) for engine in engines if engine.state != "stopped"]

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
    running, backoff = engine.running, engine.backoff
    return EngineStatus(
        name=engine.name,
        state=engine.state,
        pid=running.process.pid if running else None,
        port=running.process.port if running else None,
        memory_bytes=resident_bytes(running.process.pid) if running else None,
        expected_bytes=running.fit.total_bytes if running else None,
        context_tokens=running.fit.context_tokens if running else None,
        slots=running.fit.slots if running else None,
        leases=running.leases if running else 0,
        started_at=running.started_at if running else None,
        last_used_at=running.last_used_at if running else None,
        failures=backoff.failures,
        next_try_s=max(0.0, backoff.next_try_at - time.monotonic()),
        last_error=backoff.last_error.message if backoff.last_error else None,
    )
