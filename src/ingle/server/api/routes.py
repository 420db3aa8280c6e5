"""`/api/routes`: names that stand for models; and a call to each, to see which answer."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from ingle.runtime import Runtime
from ingle.storage.routes import NamedRoute

__all__ = ["routes"]


class RouteRequest(BaseModel):
    """What a route leads to."""

    model_config = ConfigDict(extra="forbid")

    models: list[str] = Field(
        description="CONNECTION/MODEL, or local/MODEL for this machine's.",
        examples=[["local/demo", "box/llama-3.1-8b"]],
    )
    pick: Literal["first", "round_robin"] = Field(
        "first", description="Which one is tried first: the first always, or each in turn."
    )


class RouteDescription(RouteRequest):
    """A name that stands for models. The others follow in their order when one fails."""

    name: str
    source: str = Field(description="Where it is set: the database or the file.")


class ModelOfRoute(BaseModel):
    """One model of a route, and whether it could be asked now."""

    model: str
    is_there: bool
    error: str | None


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room. What blocks on the database runs in FastAPI's threads."""
    router = APIRouter(prefix="/routes", tags=["routes"])
    named = runtime.routes

    @router.get("")
    def list_routes() -> list[RouteDescription]:
        """All routes."""
        return [_described(route) for route in named.list()]

    @router.get("/{name}")
    def show_route(name: str) -> RouteDescription:
        """One route."""
        return _described(named.get(name))

    @router.put("/{name}")
    def save_route(name: str, wanted: RouteRequest) -> RouteDescription:
        """Make a route, or put this one in its place."""
        installed = runtime.models.names()
        return _described(named.save(name, wanted.models, wanted.pick, installed=installed))

    @router.delete("/{name}", status_code=204)
    def remove_route(name: str) -> None:
        """Remove a route; its models stay."""
        named.remove(name)

    @router.post("/{name}/test")
    async def test_route(name: str) -> list[ModelOfRoute]:
        """Look for each model of a route: whether it is installed, or its connection lists it."""
        route = await run_in_threadpool(named.get, name)
        found = await runtime.router.test(route)
        return [
            ModelOfRoute(model=model, is_there=error is None, error=error and error.message)
            for model, error in found.items()
        ]

    return router


def _described(route: NamedRoute) -> RouteDescription:
    return RouteDescription(
        name=route.name, models=list(route.models), pick=route.pick, source=str(route.source)
    )
