"""The tools of MCP servers, as functions that a model may call.

A server is a URL (streamable HTTP) or a command, which is started and speaks on its standard input
and output. It lives as long as the step. A URL may lead where apps may call (`http_allow`). A
command is started only if Settings list it (`mcp_commands`), for an app's text may come from
anywhere. See `docs/decisions/0086-agents-and-mcp.md`.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import re
import shlex
import tempfile
from collections.abc import AsyncGenerator, Collection, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from ingle.apps.app import Tool
from ingle.errors import IngleError, InvalidRequest, NotAllowed, ToolServerFailed
from ingle.processors.legacy_functions import NO_PARAMETERS
from ingle.processors.web import is_web_url
from ingle.runs.tools import Function
from ingle.upstream.call import show
from ingle.upstream.explain import printable
from ingle.upstream.reach import Reach

if TYPE_CHECKING:  # takes a second to import, so only where a step has such a tool
    import mcp
    from mcp.client._transport import Transport
    from mcp_types import CallToolResult
    from mcp_types import Tool as McpTool

__all__ = ["mcp_functions"]

T = TypeVar("T")

START_S = 60.0
"""How long a server may take to start and to say what it has; `npx` may have to download it."""

_STOP_S = 10.0
_MOST_PAGES = 100
_MOST_TOOLS = 128
"""So many functions OpenAI's API takes."""

_logger = logging.getLogger(__name__)


@asynccontextmanager
async def mcp_functions(
    tool: Tool, *, commands: Collection[str], reach: Reach, start_s: float = START_S
) -> AsyncGenerator[list[Function], None]:
    """The tools of the server that `tool.mcp` names, each called `<tool>_<its name>`.

    Within `start_s` the server has to be there, and again to say what it has.
    Leaving the context ends the connection, and the process of a command.

    Raises:
        NotAllowed: its command is not listed, or its URL leads to a private address.
        InvalidRequest: `only` names a tool that the server does not have.
        ToolServerFailed: it did not start, or did not answer.
    """
    await asyncio.to_thread(importlib.import_module, "mcp")
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        server = _Server(tool, said, commands=commands, reach=reach)
        try:
            yield _wanted(tool, await server.start(start_s), server)
        finally:
            await server.stop()


class _Server:
    """A connection that lives in a task of its own, which enters and leaves it."""

    def __init__(
        self, tool: Tool, said: TextIO, *, commands: Collection[str], reach: Reach
    ) -> None:
        self.name = _shown(tool)
        self._transport, self._refused = _transport(tool, said, commands=commands, reach=reach)
        self._said = said
        self._client: mcp.Client | None = None
        self._is_up = asyncio.Event()
        self._stop = asyncio.Event()
        self._life: asyncio.Task[None] | None = None

    async def start(self, start_s: float) -> list[McpTool]:
        """Connect, and list its tools."""
        self._life = asyncio.create_task(self._live(), name=f"MCP server {self.name}")
        up = asyncio.create_task(self._is_up.wait())
        try:
            await asyncio.wait(
                {self._life, up}, timeout=start_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            up.cancel()
        if self._life.done():
            raise self._failed("did not start", self._life.exception())
        if not self._is_up.is_set():
            raise self._failed(f"did not answer within {start_s:g} s", None)
        return await self._while_up(self._tools(), within_s=start_s)

    async def call(self, name: str, arguments: dict[str, Any]) -> Any:
        """What one of its tools gives.

        Raises:
            InvalidRequest: the tool says that it failed.
            ToolServerFailed: the server is gone, or gave no answer.
        """
        assert self._client is not None, "its tools are known, so it was connected"
        result = await self._while_up(self._client.call_tool(name, arguments), within_s=None)
        value = _value(result)
        if result.is_error:
            raise InvalidRequest(value if isinstance(value, str) else str(value))
        return value

    async def stop(self) -> None:
        """End the connection. Who is cancelled meanwhile leaves it to end by itself."""
        self._stop.set()
        if self._life is None:
            return
        if not self._is_up.is_set():
            self._life.cancel()
        _, late = await asyncio.wait({self._life}, timeout=_STOP_S)
        if late:
            self._life.cancel()
            await asyncio.wait({self._life}, timeout=_STOP_S)
        if self._life.done() and not self._life.cancelled() and (error := self._life.exception()):
            _logger.debug("The MCP server %s did not end well: %r", self.name, error)

    async def _live(self) -> None:
        import mcp

        async with mcp.Client(self._transport) as self._client:
            self._is_up.set()
            await self._stop.wait()

    async def _tools(self) -> list[McpTool]:
        assert self._client is not None, "it is connected"
        found: list[McpTool] = []
        cursor = None
        for _ in range(_MOST_PAGES):
            page = await self._client.list_tools(cursor=cursor)
            found += page.tools
            cursor = page.next_cursor
            if cursor is None:
                break
        return found

    async def _while_up(self, asked: Coroutine[Any, Any, T], *, within_s: float | None) -> T:
        """The answer to something that was asked; whatever goes wrong is told in one error."""
        assert self._life is not None, "it was started"
        asking = asyncio.create_task(asked)
        try:
            await asyncio.wait(
                {asking, self._life}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED
            )
            if not asking.done():
                is_gone = self._life.done()
                raise self._failed("has ended" if is_gone else "does not answer", None)
            if error := asking.exception():
                raise self._failed("does not answer as it should", error)
            return asking.result()
        finally:
            if not asking.done():
                asking.cancel()
                await asyncio.wait({asking})

    def _failed(self, how: str, error: BaseException | None) -> IngleError:
        if self._refused:
            return NotAllowed(
                f"{self.name} leads to {', '.join(sorted(set(self._refused)))}, which is not "
                "public. If apps may call it, allow that with the setting `http_allow`."
            )
        cause = _deepest(error)
        words = [f"The MCP server {self.name} {how}"]
        if cause is not None:
            words.append(f": {type(cause).__name__}: {printable(str(cause), 300)}".rstrip(": "))
        self._said.seek(0)
        if last := printable(self._said.read()[-2000:], 400):
            words.append(f". It wrote: {last}")
        advice = "Run it by itself to see whether it works, or take the tool out of the app."
        failed = ToolServerFailed("".join(words).rstrip(".") + f". {advice}")
        failed.__cause__ = error
        return failed


def _transport(
    tool: Tool, said: TextIO, *, commands: Collection[str], reach: Reach
) -> tuple[Transport, list[str]]:
    """How to reach the server; and the addresses that may not be called, as they are met."""
    where = tool.mcp
    refused: list[str] = []
    if isinstance(where, str) and is_web_url(where):
        import httpx2
        from mcp.client.streamable_http import streamable_http_client

        from ingle.runs.mcp_http import guarded_transport

        client = httpx2.AsyncClient(
            transport=guarded_transport(reach, refused),
            timeout=httpx2.Timeout(30, read=300),
            trust_env=False,
        )
        return _owning(client, streamable_http_client(where, http_client=client)), refused
    from mcp.client.stdio import StdioServerParameters, stdio_client

    command = shlex.split(where) if isinstance(where, str) else list(where or ())
    if command not in [shlex.split(listed) for listed in commands]:
        raise NotAllowed(
            f"The app's tool `{tool.name}` would start a program: {shlex.join(command)}. Apps start "
            "only those that the setting `mcp_commands` lists. If you trust it, run `ingle config "
            f"set mcp_commands {shlex.quote(shlex.join(command))}`."
        )
    parameters = StdioServerParameters(command=command[0], args=command[1:])
    return stdio_client(parameters, errlog=said), refused


@asynccontextmanager
async def _owning(client: Any, transport: Transport) -> AsyncGenerator[Any, None]:
    """A transport that closes its HTTP client. Any: what passes between parts of `mcp`."""
    async with client, transport as streams:
        yield streams


def _wanted(tool: Tool, found: list[McpTool], server: _Server) -> list[Function]:
    names = [one.name for one in found]
    if missing := [name for name in tool.only or () if name not in names]:
        raise InvalidRequest(
            f"`only` of the tool `{tool.name}` names {', '.join(missing)}, which the MCP server "
            f"{server.name} does not have. It has: {', '.join(names) or 'no tools'}."
        )
    wanted = [one for one in found if tool.only is None or one.name in tool.only]
    if len(wanted) > _MOST_TOOLS:
        raise InvalidRequest(
            f"The MCP server {server.name} has {len(wanted)} tools, and a model takes at most "
            f"{_MOST_TOOLS}. Say which ones with `only`."
        )
    return [_function(tool, one, server) for one in wanted]


def _function(tool: Tool, one: McpTool, server: _Server) -> Function:
    # `tool.input` sets the same fields in all of the server's tools that have them.
    properties = one.input_schema.get("properties", {})
    set_here = {name: value for name, value in tool.input.items() if name in properties}
    shown = {
        **NO_PARAMETERS,
        **one.input_schema,
        "properties": {name: properties[name] for name in properties if name not in set_here},
        "required": [n for n in one.input_schema.get("required", []) if n not in set_here],
    }

    async def call(arguments: dict[str, Any], _: str) -> Any:
        _check(shown, arguments)
        return await server.call(one.name, {**arguments, **set_here})

    name = re.sub(r"[^A-Za-z0-9_-]", "_", f"{tool.name}_{one.name}")[:64]
    description = one.description or one.title or tool.description or ""
    return Function(name, description, shown, call, tool.timeout_s)


def _check(schema: dict[str, Any], arguments: dict[str, Any]) -> None:
    """Go on if the arguments are what the server's schema says.

    Raises:
        InvalidRequest: they are not, in words for the model.
    """
    import jsonschema_rs

    # A schema that cannot be used is for the server to know.
    with suppress(jsonschema_rs.ReferencingError, ValueError):
        patterns = jsonschema_rs.RegexOptions()
        validator = jsonschema_rs.validator_for(
            schema, retriever=_no_other_file, pattern_options=patterns
        )
        wrong = [
            f"{'.'.join(map(str, fault.instance_path)) or 'the arguments'}: {fault.message}"
            for fault in validator.iter_errors(arguments)
        ]
        if wrong:
            raise InvalidRequest(printable("; ".join(wrong), 500) + ". Call it again.")


def _no_other_file(uri: str) -> Any:
    raise ValueError(f"it refers to {uri}, which is not read")


def _value(result: CallToolResult) -> Any:
    """What a tool gave: its texts, with files as data URIs; or its structured content."""
    parts: list[Any] = []
    for part in result.content:
        if part.type == "text":
            parts.append(part.text)
        elif part.type == "image" or part.type == "audio":
            parts.append(f"data:{part.mime_type};base64,{part.data}")
        elif part.type == "resource":
            resource = part.resource
            text = getattr(resource, "text", None)
            blob = f"data:{resource.mime_type};base64,{getattr(resource, 'blob', '')}"
            parts.append(blob if text is None else text)
        else:
            parts.append(str(part.uri))
    if not parts:
        return result.structured_content
    if all(isinstance(part, str) and not part.startswith("data:") for part in parts):
        return "\n".join(parts)
    return parts if len(parts) > 1 else parts[0]


def _shown(tool: Tool) -> str:
    """The server, as people know it."""
    where = tool.mcp
    if isinstance(where, str):
        return show(where) if is_web_url(where) else repr(printable(where, 120))
    return repr(printable(shlex.join(where or ()), 120))


def _deepest(error: BaseException | None) -> BaseException | None:
    """The first cause in a group of errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
