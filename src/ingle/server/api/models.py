"""`/api/models`: the models that can be asked for, here and at every connection."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field
from starlette.responses import Response

from ingle.engines.verdict import verdict
from ingle.runtime import Runtime
from ingle.server.api.engines import EngineDescription
from ingle.server.api.model_description import (
    InstalledDescription,
    ModelDetails,
    described,
    detailed,
)
from ingle.server.api.pull_description import InstalledModel
from ingle.server.api.pull_reply import PullReply
from ingle.server.api.pulls import PullRequest, begin
from ingle.server.api.replies import event_stream
from ingle.server.models_api import remove_installed

__all__ = ["routes"]


class ModelDescription(BaseModel):
    """A model that can be asked for."""

    id: str
    owned_by: str = Field(description="A connection's name, or `local` for this machine.")
    installed: InstalledDescription | None = Field(description="Only of a model of this machine.")


class ConnectionFault(BaseModel):
    """A connection whose models are not known."""

    connection: str
    error: str


class DamagedModelDescription(BaseModel):
    """What lies in the models folder, should be a model, and cannot be used."""

    name: str
    path: str
    error: str


class ModelsDescription(BaseModel):
    """All models, and where there may be more."""

    models: list[ModelDescription]
    faults: list[ConnectionFault]
    damaged: list[DamagedModelDescription]


class WaitingPullRequest(PullRequest):
    """What to pull, and how to be told."""

    stream: bool = Field(False, description="Answer with a stream of events.")


class VerdictDescription(BaseModel):
    """What was compared of a model's files, and what is wrong."""

    name: str
    compared: Literal["sha256", "header", "files"] = Field(
        description="`sha256`: every byte of what was pulled. Of others: `header`, that a GGUF "
        "file is as long as it says; `files`, that an image model has all its parts."
    )
    faults: list[str] = Field(description="Empty if nothing is wrong.")


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room. A name may hold slashes, so what is fixed comes first."""
    router = APIRouter(prefix="/models", tags=["models"])

    @router.get("")
    async def list_models() -> ModelsDescription:
        """All models that can be asked for. Also files that cannot be used, and silent connections."""
        found = await runtime.router.models()
        installed = {one.name: one for one in await run_in_threadpool(runtime.models.list)}
        damaged = await run_in_threadpool(runtime.models.damaged)
        return ModelsDescription(
            models=[
                ModelDescription(
                    id=one.id,
                    owned_by=one.owned_by,
                    installed=described(installed[one.id])
                    if one.owned_by == "local" and one.id in installed
                    else None,
                )
                for one in found.models
            ],
            faults=[
                ConnectionFault(connection=fault.connection, error=fault.error.message)
                for fault in found.faults
            ],
            damaged=[
                DamagedModelDescription(name=one.name, path=str(one.path), error=one.error.message)
                for one in damaged
            ],
        )

    @router.post(
        "/pull",
        response_model=InstalledModel,
        responses=event_stream(
            "What is installed; or, with `stream`, events: `progress` any number of times and "
            "then one `installed` or one `error`."
        ),
    )
    async def pull_model(wanted: WaitingPullRequest, request: Request) -> Response:
        """Pull a model and wait for its end. It goes on when the caller leaves."""
        after = runtime.pulls.feed.number
        begun = await begin(runtime, wanted)
        return PullReply(
            runtime.pulls.feed, request.scope["ingle"], after, begun.id, is_stream=wanted.stream
        )

    @router.post("/{name:path}/load")
    async def load_model(name: str) -> EngineDescription:
        """Start the engine of a model of this machine, so that its first call does not wait."""
        model = await run_in_threadpool(runtime.models.get, name)
        async with runtime.supervisor.lease(model):
            running = _engine(runtime, model.name)
        assert running is not None, "it was just leased"
        return running

    @router.post("/{name:path}/stop", status_code=204)
    async def stop_model(name: str) -> None:
        """Stop a model's engine once its calls have ended, if it runs. A new call starts it."""
        model = await run_in_threadpool(runtime.models.get, name)
        await runtime.supervisor.stop(model.name)

    @router.post("/{name:path}/verify")
    async def verify_model(name: str) -> VerdictDescription:
        """Compare a model's files with what was pulled. It reads every byte: seconds a gigabyte."""
        model = await run_in_threadpool(runtime.models.get, name)
        return VerdictDescription.model_validate(await verdict(model), from_attributes=True)

    @router.get("/{name:path}")
    async def show_model(name: str) -> ModelDetails:
        """All that is known of a model of this machine. Also how much memory it would take."""
        model = await run_in_threadpool(runtime.models.get, name)
        running = _engine(runtime, model.name)
        limit = runtime.supervisor.limit
        return await run_in_threadpool(detailed, model, runtime.settings, limit, running)

    @router.delete("/{name:path}", status_code=204)
    async def remove_model(name: str) -> None:
        """Stop a model's engine and delete its files, whole or damaged."""
        await remove_installed(runtime, name)

    return router


def _engine(runtime: Runtime, name: str) -> EngineDescription | None:
    """The engine of a model, if there is one."""
    for status in runtime.supervisor.status():
        if status.name == name:
            return EngineDescription.model_validate(status, from_attributes=True)
    return None
