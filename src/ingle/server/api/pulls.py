"""`/api/pulls`: models that are being fetched, whoever asked for them and wherever that one is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from ingle.errors import NotAllowed
from ingle.models.pull.source import LocalSource
from ingle.models.pull.status import PullStatus
from ingle.runtime import Runtime
from ingle.server.api.pull_description import PullDescription, described
from ingle.server.api.pull_reply import PullEventsReply
from ingle.server.api.replies import event_stream
from ingle.server.exchange import Exchange

__all__ = ["PullRequest", "begin", "routes"]

_EVENTS = (
    "Events `started`, `progress` any number of times, and then one of `installed`, `error`, "
    "`paused` and `cancelled`. Each has its number as `id`, and as data the pull as it is then. "
    "With `Last-Event-ID` they go on after that one; progress that is outdated is left out."
)


LastEventId = Annotated[
    int,
    Header(alias="Last-Event-ID", ge=0, description="The number of the last event that was seen."),
]


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


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room."""
    router = APIRouter(prefix="/pulls", tags=["pulls"])
    pulls = runtime.pulls

    @router.get("")
    async def list_pulls() -> list[PullDescription]:
        """The pulls that are under way, paused, failed or just done. Also those of another process."""
        return [described(status) for status in await pulls.list()]

    @router.post("", status_code=202)
    async def begin_pull(wanted: PullRequest) -> PullDescription:
        """Begin a pull, join it, or go on with it. It goes on when the caller leaves."""
        return described(await begin(runtime, wanted))

    @router.get("/events", response_class=Response, responses=event_stream(_EVENTS))
    async def follow_pulls(request: Request, last: LastEventId = 0) -> Response:
        """What happens to all pulls, as events, from what is kept on."""
        exchange: Exchange = request.scope["ingle"]
        return PullEventsReply(pulls.feed, exchange, last)

    @router.get("/{pull_id}")
    async def show_pull(pull_id: str) -> PullDescription:
        """One pull."""
        return described(await pulls.get(pull_id))

    @router.get(
        "/{pull_id}/events",
        response_class=Response,
        responses={**event_stream(_EVENTS), 204: {"description": "Nothing more will come of it."}},
    )
    async def follow_pull(pull_id: str, request: Request, last: LastEventId = 0) -> Response:
        """What happens to one pull, as events, to its end."""
        is_running = (await pulls.get(pull_id)).state == "running"
        if not is_running and not pulls.feed.kept(last, pull_id):
            return Response(status_code=204)  # which tells a browser not to come again
        return PullEventsReply(pulls.feed, request.scope["ingle"], last, pull_id)

    @router.post("/{pull_id}/pause")
    async def pause_pull(pull_id: str) -> PullDescription:
        """Stop a pull and keep what has come."""
        return described(await pulls.pause(pull_id))

    @router.post("/{pull_id}/resume")
    async def resume_pull(pull_id: str) -> PullDescription:
        """Go on with a pull that is paused or has failed."""
        from ingle.models.pull.install import Options

        return described(await pulls.resume(pull_id, Options(memory_bytes=_memory(runtime))))

    @router.delete("/{pull_id}", status_code=204)
    async def cancel_pull(pull_id: str) -> None:
        """Stop a pull and remove what has come. One that has ended is only listed no more."""
        await pulls.cancel(pull_id)

    return router


async def begin(runtime: Runtime, wanted: PullRequest) -> PullStatus:
    """Begin the pull that a caller wants.

    Raises:
        NotAllowed: its source is a file of this machine, which callers may not choose.
        InvalidRequest, Busy: see `Pulls.start`.
    """
    from ingle.models.pull.install import Options, read_source

    place = await run_in_threadpool(read_source, wanted.source)
    if isinstance(place, LocalSource):
        raise NotAllowed(
            "Files of this machine are imported, not pulled. On it, POST /api/models/import or run "
            "`ingle models import PATH`."
        )
    options = Options(
        name=wanted.name,
        memory_bytes=_memory(runtime),
        rate_bytes_s=wanted.rate_bytes_s,
        is_fresh=wanted.fresh,
    )
    return await runtime.pulls.start(wanted.source, options)


def _memory(runtime: Runtime) -> int:
    """What engines may use here, which a quantisation is chosen for."""
    return runtime.supervisor.limit.ram_bytes
