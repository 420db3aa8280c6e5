"""Published apps as the tools of an MCP server, whatever carries its messages.

Each listed app that the caller may use is a tool: named by its slug, its input the app's fields. A
call is a run like any other. Where the client asks for progress, it is told what the app writes as
it is written; the result has all of it. An app that fails is a tool's error, which the model reads.

Source: https://modelcontextprotocol.io/specification/2025-11-25/server/tools
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ContentBlock,
    ImageContent,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)

from ingle._version import __version__
from ingle.apps.fields import fields_schema
from ingle.apps.problems import InvalidApp
from ingle.errors import IngleError
from ingle.server.app_runs import AppCaller
from ingle.server.run_events import Answered, text_of

__all__ = ["mcp_server"]

Context = ServerRequestContext[dict[str, Any], Any]  # Any: the transport's request, if it has one
FindCaller = Callable[[Context], AppCaller]
"""On whose behalf a message came."""

_PICTURE = re.compile(r"data:(image/[a-z0-9.+-]+);base64,([A-Za-z0-9+/=\s]+)")
_INSTRUCTIONS = "Each tool is an app of this Ingle; what it answers was made by models of its own."


def mcp_server(caller_of: FindCaller) -> Server[dict[str, Any]]:
    """The server; `caller_of` says who may use what."""

    async def list_tools(context: Context, _: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=await _tools(caller_of(context)))

    async def call_tool(context: Context, wanted: CallToolRequestParams) -> CallToolResult:
        return await _call(context, caller_of(context), wanted)

    return Server(
        "ingle",
        version=__version__,
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _tools(caller: AppCaller) -> list[Tool]:
    """All apps that the caller may use."""
    tools = []
    for record in await caller.listed():
        with suppress(InvalidApp):  # one that cannot run here any more
            app = (await caller.find(record.slug)).app
            tools.append(
                Tool(
                    name=_tool_name(record.slug),
                    title=app.name,
                    description=app.description or app.name,
                    input_schema=fields_schema(app.fields),
                )
            )
    return tools


async def _call(
    context: Context, caller: AppCaller, wanted: CallToolRequestParams
) -> CallToolResult:
    slugs = {_tool_name(record.slug): record.slug for record in await caller.listed()}
    slug = slugs.get(wanted.name)
    if slug is None:
        there = ", ".join(slugs) or "none"
        raise MCPError(INVALID_PARAMS, f"There is no tool {wanted.name!r}. There are: {there}.")
    try:
        caller.admit()
        run = await caller.start(await caller.find(slug), wanted.arguments or {}, source="mcp")
        try:
            answered = Answered(run.id, run.log.listen())
            written = 0
            async for text in answered.texts():
                written += len(text)
                await context.session.report_progress(written, message=text)
            return CallToolResult(
                content=_content(answered.output), structured_content=_structured(answered.output)
            )
        finally:
            if not run.log.is_over:  # the client has cancelled the call, or left
                run.cancel()
    except IngleError as error:
        return CallToolResult(content=[TextContent(text=error.message)], is_error=True)


def _tool_name(slug: str) -> str:
    """The name of the slug's tool: models' servers take no dots in one."""
    return slug.replace(".", "_")


def _content(output: Any) -> list[ContentBlock]:
    """The output as what models read: pictures as pictures, all else as text."""
    content: list[ContentBlock] = []
    for part in _parts(output):
        picture = _PICTURE.fullmatch(part) if isinstance(part, str) else None
        if picture:
            content.append(ImageContent(mime_type=picture[1], data=picture[2]))
        else:
            content.append(TextContent(text=text_of(part)))
    return content


def _parts(output: Any) -> Iterator[Any]:
    """The output; if it has pictures, they are parts of their own."""
    values: Sequence[Any] = ()
    if isinstance(output, list):
        values = output
    elif isinstance(output, dict):
        values = list(output.values())
    if any(isinstance(value, str) and value.startswith("data:image/") for value in values):
        yield from values
    else:
        yield output


def _structured(output: Any) -> dict[str, Any] | None:
    return output if isinstance(output, dict) else None
