"""`/api/engines`: the child processes that run models here, and how to stop one."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from ingle.errors import NotFound
from ingle.runtime import Runtime

__all__ = ["routes"]


class EngineDescription(BaseModel):
    """An engine that runs, starts or failed. Times are in UTC."""

    name: str = Field(description="The model that it runs.")
    state: str
    pid: int | None
    memory_bytes: int | None = Field(description="What it holds now.")
    expected_bytes: int | None = Field(description="What it may grow to.")
    context_tokens: int | None = Field(description="The context window of one call.")
    slots: int | None = Field(description="How many calls it answers at the same time.")
    leases: int = Field(description="How many calls it is answering.")
    started_at: datetime | None
    last_used_at: datetime | None
    failures: int = Field(description="How often it failed in a row.")
    next_try_s: float = Field(description="How long calls are refused because of that.")
    last_error: str | None


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room. An engine is started by the first call to its model."""
    router = APIRouter(prefix="/engines", tags=["engines"])
    supervisor = runtime.supervisor

    @router.get("")
    async def list_engines() -> list[EngineDescription]:
        """The engines that run, start or failed."""
        return [
            EngineDescription.model_validate(status, from_attributes=True)
            for status in supervisor.status()
        ]

    @router.get("/{name}/log")
    async def show_log(name: str) -> list[str]:
        """The last lines of an engine's log."""
        return supervisor.log_tail(name)

    @router.delete("/{name}", status_code=204)
    async def stop_engine(name: str) -> None:
        """Stop an engine once its calls have ended, or `drain_s` later. A new call starts it."""
        if all(status.name != name for status in supervisor.status()):
            raise NotFound(f"No engine {name!r} is running. GET /api/engines lists those that are.")
        await supervisor.stop(name)

    return router
