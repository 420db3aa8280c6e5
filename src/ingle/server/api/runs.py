"""`/api/apps/{app}/run` and `/api/runs`: apps are run, and runs are followed, looked at, stopped."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from ingle.errors import IngleError
from ingle.runs.history import RunRecord, StepRecord
from ingle.runs.runs import RunFilter
from ingle.runtime import Runtime
from ingle.server.api.app_reply import LinesReply, OutputReply, RunEventsReply
from ingle.server.api.replies import event_stream
from ingle.server.app_runs import AppCaller, encoded_events
from ingle.server.exchange import Exchange
from ingle.server.run_events import Answered

__all__ = ["routes"]

_EVENTS = (
    "What happens in the run, to its end: `run_started`, `step_started`, `piece`, `output` and so "
    "on, and last one of `run_ended`, `run_failed` and `run_cancelled`. Each has its number as "
    "`id`. With `Last-Event-ID` or `after` they go on after that one. Leaving does not stop the run."
)
_CSV_CHARACTERS = 64 * 1024
_STATES = Literal["waiting", "running", "ended", "failed", "cancelled"]


class AppRunRequest(BaseModel):
    """What to run an app with."""

    model_config = ConfigDict(extra="forbid")

    input: dict[str, Any] = Field(
        {}, description="By the app's input_schema. A file may be `file:<id>` of POST /api/files."
    )
    stream: bool = Field(
        False,
        description="Answer with lines of JSON as it comes, as LLMStack does; with `Accept: "
        "text/event-stream` with events in any case.",
    )
    version: int | None = Field(None, ge=1, description="Else the one that is published.")


class TokenUsage(BaseModel):
    """What the models were paid in tokens, where their servers say so."""

    prompt_tokens: int
    completion_tokens: int


class SessionName(BaseModel):
    """What the run belongs to."""

    id: str


class RunName(BaseModel):
    """Which run it is."""

    id: str


class AppAnswer(BaseModel):
    """What an app has answered."""

    session: SessionName = Field(
        description="To go on in: POST …/run/{session}. Of an app that is no chat, the run's id."
    )
    run: RunName
    output: Any
    usage: TokenUsage


class Fault(BaseModel):
    """What went wrong."""

    code: str
    message: str
    step: str | None = None
    is_retryable: bool = False


class RunSummary(BaseModel):
    """A run in a list. Times are Unix seconds."""

    id: str
    app: str
    version: int | None = None
    state: _STATES
    session: str | None = None
    parent: str | None = Field(None, description="The run that this one repeats.")
    source: str = Field("", description="Where it was asked for: `api`, `openai`, `mcp`.")
    input: dict[str, Any] = {}
    output: Any = None
    fault: Fault | None = None
    attempt: int = Field(0, description="How often it was begun; more than once after a crash.")
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    thumb: int | None = None
    comment: str | None = None


class StepUsage(BaseModel):
    """What a step's model was paid, and how fast it was."""

    model: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    tokens_per_second: float | None = None


class StepDescription(BaseModel):
    """How a step ended, and what it was sent, secrets masked."""

    step: str
    state: Literal["ended", "skipped", "failed"]
    input: Any = None
    config: Any = None
    output: Any = None
    usage: StepUsage | None = None
    fault: Fault | None = None
    started_at: float
    ended_at: float


class RunDescription(RunSummary):
    """A run with its steps, in the order in which they ended."""

    steps: list[StepDescription] = []


class RunList(BaseModel):
    """A page of runs, the newest first."""

    runs: list[RunSummary]
    next: str | None = Field(description="Give it as `before` for the next page; null at the end.")


class RetryRequest(BaseModel):
    """From where to run again, and with what instead of what there was."""

    model_config = ConfigDict(extra="forbid")

    from_step: str | None = Field(None, description="Else what failed.")
    edits: dict[str, Any] = Field(
        {}, description="Outputs by step, and `input` for another input of the app."
    )


class Feedback(BaseModel):
    """What someone thinks of a run."""

    model_config = ConfigDict(extra="forbid")

    thumb: Literal[1, -1] | None = None
    comment: str | None = Field(None, max_length=10_000)


class Filters(BaseModel):
    """Which runs are meant."""

    app: str | None = None
    state: _STATES | None = None
    session: str | None = None
    parent: str | None = None
    since: float | None = Field(None, description="Made then or later, in Unix seconds.")
    until: float | None = Field(None, description="Made before then, in Unix seconds.")
    search: str | None = Field(None, description="A text of their input or output.")

    def chosen(self, key_id: str | None) -> RunFilter:
        """The same, of this key's runs."""
        told = self.model_dump(exclude={"search"})
        return RunFilter(**told, text=self.search, key_id=key_id)


Filtered = Annotated[Filters, Depends()]
LastEventId = Annotated[int | None, Header(alias="Last-Event-ID", ge=-1)]
After = Annotated[int, Query(ge=-1, description="The number of the last event that was seen.")]


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room."""
    router = APIRouter(tags=["runs"])
    runs = runtime.runs

    async def answered(
        app: str, wanted: AppRunRequest, request: Request, session: str | None
    ) -> Response:
        exchange: Exchange = request.scope["ingle"]
        caller = AppCaller(runtime, exchange.caller, exchange.answer)
        caller.admit()
        found = await caller.find(app, wanted.version)
        made = None
        if session is None and found.app.type != "form":
            key_id = caller.key_id
            made = await asyncio.to_thread(runtime.sessions.create, found.slug, key_id=key_id)
            session = made.id
        try:
            run = await caller.start(found, wanted.input, session=session)
        except IngleError:
            if made is not None:  # nothing was said in it
                await asyncio.to_thread(runtime.sessions.remove, made.id)
            raise
        exchange.answer.add_header(b"x-ingle-run", run.id.encode())
        if "text/event-stream" in request.headers.get("accept", ""):
            events = encoded_events(runs, run.id, -1, caller.key_id)
            return RunEventsReply(events, exchange)
        said = {"session": {"id": session or run.id}, "run": {"id": run.id}}
        reply = LinesReply if wanted.stream else OutputReply
        return reply(said, Answered(run.id, run.log.listen()), exchange)

    @router.post("/apps/{app}/run", response_model=AppAnswer, responses=_RUN)
    async def run_app(app: str, wanted: AppRunRequest, request: Request) -> Response:
        """Run an app, named by its slug or UUID. The run goes on when the caller leaves."""
        return await answered(app, wanted, request, None)

    @router.post("/apps/{app}/run/{session}", response_model=AppAnswer, responses=_RUN)
    async def run_in_session(
        app: str, session: str, wanted: AppRunRequest, request: Request
    ) -> Response:
        """Go on in a session of a chat."""
        return await answered(app, wanted, request, session)

    @router.get("/runs")
    async def list_runs(
        request: Request,
        filters: Filtered,
        before: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    ) -> RunList:
        """Runs, the newest first."""
        found = await runs.list(filters.chosen(_key_id(request)), before=before, limit=limit)
        last = found[-1].id if len(found) == limit else None
        return RunList(runs=[_summary(run) for run in found], next=last)

    @router.get("/runs.csv", response_class=Response, responses=_CSV)
    def export_runs(request: Request, filters: Filtered) -> Response:
        """The same as a table, all of them, as they are read."""
        rows = runs.table(filters.chosen(_key_id(request)))
        named = {"content-disposition": 'attachment; filename="runs.csv"'}
        return StreamingResponse(_csv(rows), media_type="text/csv", headers=named)

    @router.get("/runs/{run}")
    async def show_run(run: str, request: Request) -> RunDescription:
        """One run, with all its steps."""
        record = await runs.get(run, _key_id(request))
        told = _summary(record).model_dump()
        return RunDescription(**told, steps=[_step(step) for step in record.steps])

    @router.get(
        "/runs/{run}/events",
        response_class=Response,
        responses={**event_stream(_EVENTS), 204: {"description": "Nothing more will come of it."}},
    )
    async def follow_run(
        run: str, request: Request, last: LastEventId = None, after: After = -1
    ) -> Response:
        """What happens in a run, from its beginning or after the last event that was seen."""
        key_id = _key_id(request)
        after = after if last is None else last
        events = encoded_events(runs, run, after, key_id)
        log = runs.log(run, key_id)
        if log is None or log.is_over:
            is_over = log is not None or (await runs.get(run, key_id)).ended_at is not None
            if is_over:
                first = await anext(events, b"")
                if not first:
                    return Response(status_code=204)  # which tells a browser not to come again
                events = _beginning_with(first, events)
        return RunEventsReply(events, request.scope["ingle"])

    @router.post("/runs/{run}/cancel", status_code=202)
    async def cancel_run(run: str, request: Request) -> RunName:
        """Stop a run. Its last event tells when it has stopped."""
        await runs.cancel(run, _key_id(request))
        return RunName(id=run)

    @router.post("/runs/{run}/resume", status_code=202)
    async def resume_run(run: str, request: Request) -> RunName:
        """Go on with a run that failed or was cancelled, after its last recorded step."""
        return RunName(id=(await runs.resume(run, _key_id(request))).id)

    @router.post("/runs/{run}/retry", status_code=202)
    async def retry_run(run: str, request: Request, wanted: RetryRequest) -> RunName:
        """A new run of the same, which does not run again what it need not."""
        key_id = _key_id(request)
        return RunName(id=(await runs.retry(run, wanted.from_step, wanted.edits, key_id)).id)

    @router.put("/runs/{run}/feedback", status_code=204)
    async def rate_run(run: str, request: Request, said: Feedback) -> None:
        """Keep what someone thinks of a run, in place of what was kept before."""
        await runs.rate(run, said.thumb, said.comment, _key_id(request))

    @router.delete("/runs/{run}", status_code=204)
    async def remove_run(run: str, request: Request) -> None:
        """Remove a run that is over, with its steps and events."""
        await runs.remove(run, _key_id(request))

    return router


_RUN: dict[int | str, dict[str, Any]] = {  # Any: FastAPI's own type
    200: {
        "description": "The output. With `Accept: text/event-stream` the run's events, as GET "
        "/api/runs/{run}/events has them; else with `stream` lines of JSON, to be merged by key: "
        "`session` and `run`, `output` as often as there is more of it, and last `usage` or "
        "`error`. The header x-ingle-run names the run.",
        "content": {
            "text/event-stream": {"schema": {"type": "string"}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}
_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The table."}
}


def _key_id(request: Request) -> str | None:
    exchange: Exchange = request.scope["ingle"]
    return exchange.caller.key_id


def _summary(run: RunRecord) -> RunSummary:
    told = msgspec.to_builtins(run)
    told.pop("steps", None)
    return RunSummary.model_validate(told)


def _step(step: StepRecord) -> StepDescription:
    return StepDescription.model_validate(msgspec.to_builtins(step))


async def _beginning_with(
    first: bytes, rest: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        async for data in rest:
            yield data


async def _csv(rows: Any) -> AsyncGenerator[str, None]:
    lines = io.StringIO()
    writer = csv.writer(lines)
    async for row in rows:
        writer.writerow(row)
        if lines.tell() > _CSV_CHARACTERS:
            yield lines.getvalue()
            lines = io.StringIO()
            writer = csv.writer(lines)
    yield lines.getvalue()
