"""`/api/engines`: the child processes that run models here, and how to stop one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from ingle.engines.activity import Activity
from ingle.engines.supervisor import EngineStatus
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
    gpu_bytes: int | None = Field(description="What it should take of the GPU's memory.")
    context_tokens: int | None = Field(description="The context window of one call.")
    slots: int | None = Field(description="How many calls it answers at the same time.")
    leases: int = Field(description="How many calls it is answering, or keeps waiting for a slot.")
    slots_used: int | None = Field(
        None, description="Slots at work now. Null where the engine does not tell, as below."
    )
    context_used_tokens: int | None = Field(
        None, description="Tokens of conversations that it keeps, in all slots together."
    )
    tokens_s: float | None = Field(
        None, description="Tokens a second of one answer, on average since it was started."
    )
    is_pinned: bool = Field(description="Whether it stays, idle or not.")
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
        """The engines that run, start or failed. Each of llama.cpp is asked what it does."""
        doing = await supervisor.activity(runtime.client)
        return [_described(status, doing.get(status.name)) for status in supervisor.status()]

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


def _described(status: EngineStatus, doing: Activity | None) -> EngineDescription:
    told = EngineDescription.model_validate(status, from_attributes=True)
    return told.model_copy(update=asdict(doing)) if doing else told
