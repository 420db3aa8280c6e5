"""The MCP server: apps as tools, asked by the official client over HTTP and stdio."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ImageContent, TextContent
from tests.server.app_texts import ECHO, asking, published
from tests.server.conftest import Caller, running, settings_for

from ingle.testing import ScriptedUpstream, chat_stream, models

PICTURE = """\
name: Picture
steps:
  made: {use: ingle/template, input: {text: "data:image/png;base64,AAAA"}}
output: {picture: "{{ made }}", words: "A dot."}
"""


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[ClientSession, None]:
    """A client of the server."""
    async with streamable_http_client(f"{url}/mcp") as streams, ClientSession(*streams) as session:
        told = await session.initialize()
        assert told.server_info.name == "ingle"
        yield session


def text_of(result: CallToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, TextContent))


async def test_apps_are_tools(call: Caller) -> None:
    """By their slugs, with what they ask as the schema; a wrong call is an error to be read."""
    with published(call, "echo.it", ECHO):
        async with connected(call.url) as session:
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            assert tools["echo_it"].description == "Says it again."
            assert tools["echo_it"].input_schema["required"] == ["words"]
            answer = await session.call_tool("echo_it", {"words": "hi"})
            wrong = await session.call_tool("echo_it", {"word": "hi"})
            with pytest.raises(MCPError, match="There is no tool 'nope'"):
                await session.call_tool("nope", {})
    assert (text_of(answer), answer.is_error) == ("You said: hi", False)
    assert wrong.is_error
    assert "Did you mean `words`?" in text_of(wrong)


async def test_what_is_written_is_told_as_progress(call: Caller) -> None:
    """To clients that ask for it."""
    told: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    async with ScriptedUpstream(
        models("scripted"), chat_stream("Good ", "morning").trickled(0.05)
    ) as upstream:
        with published(call, "asked", asking(upstream.url)):
            async with connected(call.url) as session:
                answer = await session.call_tool("asked", {"question": "?"}, progress_callback=hear)
    assert text_of(answer) == "".join(told) == "Good morning"
    assert len(told) > 1


async def test_pictures_are_pictures(call: Caller) -> None:
    """Beside the words, and as a structure."""
    with published(call, "picture", PICTURE):
        async with connected(call.url) as session:
            answer = await session.call_tool("picture", {})
    picture, words = answer.content
    assert isinstance(picture, ImageContent)
    assert (picture.mime_type, picture.data, text_of(answer)) == ("image/png", "AAAA", "A dot.")
    assert answer.structured_content == {
        "picture": "data:image/png;base64,AAAA",
        "words": words.text if isinstance(words, TextContent) else None,
    }


def test_a_foreign_page_or_host_is_refused(call: Caller) -> None:
    """As everywhere."""
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"Accept": "application/json, text/event-stream"}
    assert call("POST", "/mcp", ping, headers=accept).status == 200
    for header in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        assert call("POST", "/mcp", ping, headers={**accept, **header}).status == 403
    assert call("GET", "/mcp", headers=accept).status == 405


@pytest.mark.slow
async def test_a_desktop_client_starts_it_by_itself(tmp_path: Path) -> None:
    """`ingle mcp` speaks over stdin and stdout, on the same apps."""
    settings = settings_for(tmp_path)
    with running(settings) as serving, published(Caller(serving.url), "echo", ECHO):
        command = StdioServerParameters(
            command=sys.executable,
            args=["-m", "ingle", "mcp"],
            env={**os.environ, "INGLE_HOME": str(tmp_path)},
        )
        async with stdio_client(command) as streams, ClientSession(*streams) as session:
            await session.initialize()
            answer = await session.call_tool("echo", {"words": "hi"})
    assert text_of(answer) == "You said: hi"
