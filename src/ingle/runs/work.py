"""What a step does: a processor, another app, or a model with tools."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from ingle.apps.app import App
from ingle.apps.fields import read_input
from ingle.errors import AppNotFound, InvalidRequest
from ingle.processors.base import Output
from ingle.processors.catalogue import get_processor, run_processor
from ingle.processors.pieces import Piece
from ingle.runs.events import OutputPiece
from ingle.runs.executor import Call, NoRecord, Work, execute
from ingle.runs.log import RunLog

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = ["FindApp", "work_of"]

FindApp = Callable[[str], App | None]
"""The published app of a slug."""

_DEEPEST = 8
"""How deep apps may be steps of each other: one that calls itself ends with a clear error."""


def work_of(router: Router, find_app: FindApp, depth: int = 0) -> Work:
    """What does the work of steps, on this router's event loop."""

    def work(call: Call) -> AsyncGenerator[Piece | Output | dict[str, Any], None]:
        if call.step.use.startswith("app/"):
            return _app(call, router, find_app, depth)
        return _processor(call, router)

    return work


def _processor(call: Call, router: Router) -> AsyncGenerator[Piece | Output, None]:
    processor = get_processor(call.step.use)
    config = call.config
    if "idempotency_key" in processor.configuration.model_fields:
        config = {"idempotency_key": call.key, **config}
    return run_processor(processor.slug, call.input, config, router)


async def _app(
    call: Call, router: Router, find_app: FindApp, depth: int
) -> AsyncGenerator[Piece | dict[str, Any], None]:
    """Another app as a step. Its own steps are not recorded: cut short, it runs again as one."""
    slug = call.step.use.removeprefix("app/")
    if depth >= _DEEPEST:
        raise InvalidRequest(
            f"The app `{slug}` is the {_DEEPEST + 1}th in a row that is a step of another. Does an "
            "app use itself?"
        )
    app = find_app(slug)
    if app is None:
        raise AppNotFound(f"There is no app {slug!r}. `ingle apps list` shows all.")
    log = RunLog()
    walk = _walked(app, call, log, work_of(router, find_app, depth + 1))
    async with aclosing(walk) as items:
        async for item in items:
            yield item


async def _walked(
    app: App, call: Call, log: RunLog, work: Work
) -> AsyncGenerator[Piece | dict[str, Any], None]:
    running = asyncio.create_task(
        execute(
            app,
            read_input(app.fields, call.input),
            run=call.key,
            log=log,
            work=work,
            record=NoRecord(),
        )
    )
    try:
        async for events in log.listen():
            for event in events:
                if isinstance(event, OutputPiece):
                    if event.is_restart:
                        yield Piece(("output",), value=event.text)
                    else:
                        yield Piece(("output",), event.text)
        yield {"output": await running}
    finally:
        running.cancel()
        await asyncio.wait({running})
        if not running.cancelled():
            running.exception()  # seen: who waited for it was told, or has left
