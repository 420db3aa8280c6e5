"""What a step does: a processor, another app, or a model with tools."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Any

from ingle.apps.app import App
from ingle.apps.fields import read_input
from ingle.errors import AppNotFound, InvalidRequest
from ingle.processors.base import Output
from ingle.processors.catalogue import get_processor, run_processor
from ingle.processors.pieces import Piece
from ingle.runs.agent import agent
from ingle.runs.events import OutputPiece
from ingle.runs.executor import Call, NoRecord, Work, execute
from ingle.runs.log import RunLog
from ingle.runs.mcp_tools import mcp_functions
from ingle.runs.tools import Function, RunApp, app_function, processor_function

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = ["FindApp", "work_of"]

FindApp = Callable[[str], App | None]
"""The published app of a slug."""

_DEEPEST = 8
"""How deep apps may be steps of each other: one that calls itself ends with a clear error."""


def work_of(
    router: Router, find_app: FindApp, *, mcp_commands: Collection[str] = (), depth: int = 0
) -> Work:
    """What does the work of steps, on this router's event loop.

    `mcp_commands` are those that apps may start as servers of tools.
    """

    def run_app(slug: str, app: App | None, values: Any, key: str) -> AsyncGenerator[Any, None]:
        inner = work_of(router, find_app, mcp_commands=mcp_commands, depth=depth + 1)
        return _app(slug, app, values, key, inner, depth)

    def work(call: Call) -> AsyncGenerator[Piece | Output | dict[str, Any], None]:
        if call.tools:
            return _agent(call, router, find_app, run_app, mcp_commands)
        if call.step.use.startswith("app/"):
            slug = call.step.use.removeprefix("app/")
            return run_app(slug, find_app(slug), call.input, call.key)
        return _processor(call, router)

    return work


def _processor(call: Call, router: Router) -> AsyncGenerator[Piece | Output, None]:
    processor = get_processor(call.step.use)
    config = call.config
    if "idempotency_key" in processor.configuration.model_fields:
        config = {"idempotency_key": call.key, **config}
    return run_processor(processor.slug, call.input, config, router)


async def _agent(
    call: Call,
    router: Router,
    find_app: FindApp,
    run_app: RunApp,
    mcp_commands: Collection[str],
) -> AsyncGenerator[Piece | dict[str, Any], None]:
    """A model with tools; servers of tools live as long as this."""
    async with AsyncExitStack() as stack:
        functions: dict[str, Function] = {}
        for tool in call.tools:
            if tool.use is None:
                servers = mcp_functions(tool, commands=mcp_commands, reach=router.reach)
                found = await stack.enter_async_context(servers)
            elif tool.use.startswith("app/"):
                slug = tool.use.removeprefix("app/")
                found = [app_function(tool, slug, find_app(slug), run_app)]
            else:
                found = [processor_function(tool, tool.use, router)]
            for function in found:
                if function.name in functions:
                    raise InvalidRequest(
                        f"Two tools are called {function.name!r}. Rename `{tool.name}`."
                    )
                functions[function.name] = function
        pieces = await stack.enter_async_context(
            aclosing(agent(call, tuple(functions.values()), router))
        )
        async for piece in pieces:
            yield piece


async def _app(
    slug: str, app: App | None, values: Any, key: str, work: Work, depth: int
) -> AsyncGenerator[Piece | dict[str, Any], None]:
    """Another app as a step. Its own steps are not recorded: cut short, it runs again as one."""
    if depth >= _DEEPEST:
        raise InvalidRequest(
            f"The app `{slug}` is the {_DEEPEST + 1}th in a row that is a step of another. Does an "
            "app use itself?"
        )
    if app is None:
        raise AppNotFound(f"There is no app {slug!r}. `ingle apps list` shows all.")
    log = RunLog()
    running = asyncio.create_task(
        execute(
            app,
            read_input(app.fields, values),
            run=key,
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
