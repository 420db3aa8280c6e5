"""`/api/suggestions`: good open models that fit this machine, from the list that Ingle brings."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from ingle.models.curated import CuratedModel, Task, suggest
from ingle.runtime import Runtime

__all__ = ["routes"]


class SuggestedModel(BaseModel):
    """A model of the list, and which quantisation a pull would choose here."""

    model: CuratedModel
    quant: str
    size_bytes: int = Field(description="Approximate.")


class Suggestions(BaseModel):
    """The most capable first."""

    memory_bytes: int = Field(description="What engines may use here; the list is cut to it.")
    suggestions: list[SuggestedModel]


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room."""
    router = APIRouter(prefix="/suggestions", tags=["models"])

    @router.get("")
    def list_suggestions(task: Task | None = None) -> Suggestions:
        """Good open models that fit into this machine's memory. Needs no network."""
        memory_bytes = runtime.supervisor.limit.ram_bytes
        found = suggest(memory_bytes, task)
        return Suggestions(
            memory_bytes=memory_bytes,
            suggestions=[SuggestedModel.model_validate(one, from_attributes=True) for one in found],
        )

    return router
