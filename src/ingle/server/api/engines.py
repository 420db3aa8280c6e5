"""`/api/engines`: the child processes that run models here, and how to stop one."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from ingle.errors import NotFound
from ingle.runtime import Runtime

__all__ = ["routes"]


class EngineDescription(BaseModel):
    """An engine that runs or is about to. Times are in UTC."""

    name: str = Field(description="The model that it runs.")
    state: str
    pid: int | None
    memory_bytes: int | None
    leases: int = Field(description="How many calls it is answering.")
    started_at: datetime | None
    last_used_at: datetime


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room. An engine is started by the first call to its model."""
    router = APIRouter(prefix="/engines", tags=["engines"])
    supervisor = runtime.supervisor

    @router.get("")
    async def list_engines() -> list[EngineDescription]:
        """The engines that run or are about to."""
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
        """Stop an engine; calls that it is answering fail. The next call starts it again."""
        if not await supervisor.stop(name):
            raise NotFound(f"No engine {name!r} is running. GET /api/engines lists those that are.")

    return router
