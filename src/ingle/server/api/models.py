"""`/api/models`: the models that can be asked for, here and at every connection; pull and load."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from ingle.engines.memory import engines_limit_bytes
from ingle.errors import NotAllowed
from ingle.models.curated import curated
from ingle.models.pull.install import Options, pull
from ingle.models.pull.source import LocalSource, parse_source
from ingle.runtime import Runtime
from ingle.server.api.engines import EngineDescription
from ingle.server.api.pull_reply import PullReply
from ingle.server.exchange import Exchange

__all__ = ["routes"]


class ModelDescription(BaseModel):
    """A model that can be asked for."""

    id: str
    owned_by: str = Field(description="A connection's name, or `local` for this machine.")


class ConnectionFault(BaseModel):
    """A connection whose models are not known."""

    connection: str
    error: str


class ModelsDescription(BaseModel):
    """All models, and where there may be more."""

    models: list[ModelDescription]
    faults: list[ConnectionFault]


class PullRequest(BaseModel):
    """What to pull, and how."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(
        max_length=4096,
        description="hf:OWNER/REPO:Q4_K_M, ollama:NAME:TAG, oci://REGISTRY/NAME:TAG, a URL of a "
        ".gguf file, or a name of the curated list.",
    )
    name: str | None = Field(None, description="What to call it; else after its file.")
    rate_bytes_s: int | None = Field(None, ge=1, description="At most so many bytes a second.")
    fresh: bool = Field(False, description="Throw away what had come, and begin anew.")
    stream: bool = Field(False, description="Answer with a stream of events.")


class InstalledModel(BaseModel):
    """A model that can be used by its name."""

    name: str
    path: str
    size_bytes: int
    source: str
    was_there: bool = Field(description="The same was installed before; nothing was fetched.")


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room. A model is removed with `DELETE /v1/models/{id}`."""
    router = APIRouter(prefix="/models", tags=["models"])

    @router.get("")
    async def list_models() -> ModelsDescription:
        """All models that can be asked for, and the connections that could not be asked."""
        found = await runtime.router.models()
        return ModelsDescription(
            models=[ModelDescription(id=one.id, owned_by=one.owned_by) for one in found.models],
            faults=[
                ConnectionFault(connection=fault.connection, error=fault.error.message)
                for fault in found.faults
            ],
        )

    @router.post(
        "/pull",
        response_model=InstalledModel,
        responses={
            200: {
                "description": "What is installed; or, with `stream`, events: `progress` any "
                "number of times and then one `installed` or one `error`.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            }
        },
    )
    async def pull_model(wanted: PullRequest, request: Request) -> Response:
        """Download a model and install it. When the caller leaves, it pauses."""
        await run_in_threadpool(_refuse_local, wanted.source)
        settings = runtime.settings
        options = Options(
            name=wanted.name,
            memory_bytes=settings.memory_limit_bytes or engines_limit_bytes(),
            rate_bytes_s=wanted.rate_bytes_s,
            is_fresh=wanted.fresh,
        )
        exchange: Exchange = request.scope["ingle"]
        events = pull(wanted.source, settings, options)
        return PullReply(events, exchange, is_stream=wanted.stream)

    @router.post("/{name:path}/load")
    async def load_model(name: str) -> EngineDescription:
        """Start the engine of a model of this machine, so that its first call does not wait."""
        model = await run_in_threadpool(runtime.models.get, name)
        async with runtime.supervisor.lease(model):
            [status] = [one for one in runtime.supervisor.status() if one.name == model.name]
        return EngineDescription.model_validate(status, from_attributes=True)

    return router


def _refuse_local(source: str) -> None:
    """Return if the source is elsewhere: a caller may not say which files Ingle reads here.

    Raises:
        NotAllowed: it is a path of this machine.
        InvalidRequest: it is no source.
    """
    if source.strip() in {model.name for model in curated()}:
        return
    if isinstance(parse_source(source), LocalSource):
        raise NotAllowed(
            "Files of this machine are not taken over HTTP. Run `ingle models import PATH` on it."
        )
