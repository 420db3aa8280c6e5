"""Tools of real MCP servers, over HTTP and over a process's standard input and output."""

from __future__ import annotations

import asyncio
import shlex
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from ingle.apps.app import Tool
from ingle.errors import InvalidRequest, NotAllowed, ToolServerFailed
from ingle.runs.mcp_tools import mcp_functions
from ingle.runs.tools import Function
from ingle.testing import ScriptedUpstream, silence
from ingle.upstream.reach import Reach

HERE = Reach.allowing(["127.0.0.1"])

SERVER = '''
import os, sys
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver import Image
from mcp.server.mcpserver.exceptions import ToolError

server = MCPServer("tests")

@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b

@server.tool()
def fail(why: str) -> str:
    """Fails."""
    raise ToolError(why)

@server.tool()
def leave() -> str:
    """Ends the server."""
    os._exit(3)

@server.tool()
def picture() -> Image:
    """A picture."""
    return Image(data=b"\\x89PNG" * 400, format="png")

if __name__ == "__main__":
    print("It begins.", file=sys.stderr)
    server.run()
'''


def tool(mcp: str | tuple[str, ...], **more: Any) -> Tool:
    """A tool of an app that names a server."""
    plain = Tool("box", None, mcp, None, {}, {}, None)
    return replace(plain, **more)


@pytest.fixture
def command(tmp_path: Path) -> tuple[str, ...]:
    """A command that starts the server."""
    path = tmp_path / "server.py"
    path.write_text(SERVER)
    return (sys.executable, str(path))


@asynccontextmanager
async def served(path: Path) -> AsyncGenerator[str, None]:
    """The URL of the same server over HTTP, in this process."""
    names: dict[str, Any] = {"__name__": "server"}
    exec(SERVER, names)
    app = names["server"].streamable_http_app()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=1)
        )
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:  # noqa: ASYNC110 -- nobody announces it
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            server.should_exit = True
            await serving


def named(functions: list[Function]) -> dict[str, Function]:
    return {function.name: function for function in functions}


async def test_tools_over_http(tmp_path: Path) -> None:
    """They are listed with their schemas, called, and what they say is wrong is an error."""
    async with (
        served(tmp_path) as url,
        mcp_functions(tool(url), commands=(), reach=HERE) as functions,
    ):
        by_name = named(functions)
        assert sorted(by_name) == ["box_add", "box_fail", "box_leave", "box_picture"]
        add = by_name["box_add"]
        assert add.description == "Adds two numbers."
        assert add.parameters["required"] == ["a", "b"]
        assert await add.call({"a": 2, "b": 3}, "key") == "5"
        with pytest.raises(InvalidRequest, match=r"a: .*integer"):
            await add.call({"a": "two", "b": 3}, "key")
        with pytest.raises(InvalidRequest, match="because"):
            await by_name["box_fail"].call({"why": "because"}, "key")
        assert (await by_name["box_picture"].call({}, "key")).startswith("data:image/png;base64,")


@pytest.mark.slow
async def test_tools_of_a_command(command: tuple[str, ...]) -> None:
    """A listed command is started, used, and gone when the context is left."""
    wanted = tool(command, only=("add",), input={"b": 40})
    listed = [shlex.join(command)]
    async with mcp_functions(wanted, commands=listed, reach=Reach()) as functions:
        assert [function.name for function in functions] == ["box_add"]
        assert "b" not in functions[0].parameters["properties"]
        assert await functions[0].call({"a": 2}, "key") == "42"


@pytest.mark.slow
async def test_server_that_dies(command: tuple[str, ...]) -> None:
    """A call that ends the server is an error, and so is each one after it."""
    listed = [shlex.join(command)]
    async with mcp_functions(tool(command), commands=listed, reach=Reach()) as functions:
        by_name = named(functions)
        with pytest.raises(ToolServerFailed, match=r"MCP server .*It wrote: It begins\."):
            await by_name["box_leave"].call({}, "key")
        with pytest.raises(ToolServerFailed):
            await by_name["box_add"].call({"a": 1, "b": 1}, "key")


async def test_command_that_ends_at_once() -> None:
    """What it wrote is in the error, and what to do."""
    command = (sys.executable, "-c", "import sys; sys.exit('no such folder')")
    with pytest.raises(ToolServerFailed, match=r"no such folder.* Run it by itself"):
        async with mcp_functions(tool(command), commands=[shlex.join(command)], reach=Reach()):
            pass


async def test_command_that_is_not_there() -> None:
    """A program that is not installed is named."""
    with pytest.raises(ToolServerFailed, match=r"'no-such-program-here' did not start"):
        async with mcp_functions(
            tool("no-such-program-here"), commands=["no-such-program-here"], reach=Reach()
        ):
            pass


async def test_command_that_is_not_listed() -> None:
    """An app alone starts no program: the error says how its owner allows it."""
    command = ("touch", "it")
    with pytest.raises(NotAllowed, match=r"ingle config set mcp_commands 'touch it'"):
        async with mcp_functions(tool(command), commands=["touch"], reach=Reach()):
            pass


async def test_private_address_is_refused(tmp_path: Path) -> None:
    """A URL goes where apps may call, and else the error names the setting."""
    async with served(tmp_path) as url:
        with pytest.raises(NotAllowed, match=r"127\.0\.0\.1, which is not public.*http_allow"):
            async with mcp_functions(tool(url), commands=(), reach=Reach()):
                pass


async def test_nothing_listens_there() -> None:
    """A server that is down is an error that names it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        with pytest.raises(ToolServerFailed, match=r"MCP server http://127\.0\.0\.1"):
            async with mcp_functions(tool(url), commands=(), reach=HERE):
                pass


async def test_server_that_never_answers() -> None:
    """Nobody waits for ever for a server to start."""
    async with ScriptedUpstream(silence()) as quiet:
        with pytest.raises(ToolServerFailed, match=r"did not answer within 0\.2 s"):
            async with mcp_functions(tool(quiet.url), commands=(), reach=HERE, start_s=0.2):
                pass


async def test_only_names_what_is_there(tmp_path: Path) -> None:
    """A wrong name in `only` is told, with those that there are."""
    async with served(tmp_path) as url:
        with pytest.raises(InvalidRequest, match=r"names sub, .* It has: add, fail"):
            async with mcp_functions(tool(url, only=("sub",)), commands=(), reach=HERE):
                pass
