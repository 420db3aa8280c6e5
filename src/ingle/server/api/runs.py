"""`/api/apps/{app}/run` and `/api/runs`: apps are run, and runs are followed, looked at, stopped."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from ingle.errors import IngleError
from ingle.runtime import Runtime
from ingle.server.api.app_reply import LinesReply, OutputReply, RunEventsReply
from ingle.server.api.replies import event_stream
from ingle.server.api.run_description import (
    AppAnswer,
    AppRunRequest,
    Feedback,
    Filters,
    RetryRequest,
    RunDescription,
    RunList,
    RunName,
    run_summary,
    step_description,
)
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
        return RunList(runs=[run_summary(run) for run in found], next=last)

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
        told = run_summary(record).model_dump()
        return RunDescription(**told, steps=[step_description(step) for step in record.steps])

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
