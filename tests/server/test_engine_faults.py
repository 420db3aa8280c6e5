"""An engine that a caller leaves, and one that dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.server.conftest import Caller, settings_for

from ingle.runtime import Runtime, open_runtime
from ingle.server.app import create_app
from ingle.server.asgi import Message
from ingle.upstream.target import Target

LONG = {"messages": [{"role": "user", "content": "hi"}], "ignore_eos": True, "max_tokens": 400}


@pytest.fixture
async def runtime(home: Path) -> AsyncIterator[Runtime]:
    """A runtime whose engine can be looked into."""
    async with open_runtime(settings_for(home)) as runtime:
        yield runtime


async def _busy_slots(runtime: Runtime, target: Target) -> int:
    root = Target(target.base_url.removesuffix("/v1"), target.api_key)
    slots = json.loads(await runtime.client.get(root, "slots", into=bytes))
    return sum(slot["is_processing"] for slot in slots)


@pytest.mark.parametrize("is_stream", [True, False])
async def test_when_the_caller_leaves_the_engine_stops(runtime: Runtime, is_stream: bool) -> None:
    """Its slot is free within 250 ms, though hundreds of tokens were asked for."""
    app = create_app(runtime)
    # Slow enough, on any machine, that it would go on for much longer.
    body = json.dumps({**LONG, "n_probs": 1000, "stream": is_stream}).encode()
    leaves = asyncio.Event()
    requests = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if requests:
            return requests.pop()
        await leaves.wait()
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        return

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/chat/completions",
        "headers": [(b"host", b"localhost")],
    }
    async with runtime.supervisor.lease(runtime.models.get("demo")) as target:
        answering = asyncio.create_task(app(scope, receive, send))
        async with asyncio.timeout(10):
            while not await _busy_slots(runtime, target):
                assert not answering.done()
        leaves.set()
        async with asyncio.timeout(0.25):
            await answering
        async with asyncio.timeout(0.25):
            while await _busy_slots(runtime, target):
                pass


async def test_an_engine_that_dies_ends_the_stream_with_an_error_and_comes_back(
    call: Caller,
) -> None:
    """One terminal event, no `[DONE]`, and the next call is answered."""
    body = json.dumps({**LONG, "stream": True, "n_probs": 1000}).encode()
    await asyncio.to_thread(call.post, "/v1/chat/completions", {**LONG, "max_tokens": 1})
    engines = await asyncio.to_thread(call, "GET", "/api/engines")
    [pid] = [engine["pid"] for engine in engines.json if engine["name"] == "demo"]
    reader, writer = await asyncio.open_connection(*call.address)
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    await reader.readuntil(b'"content":"')
    os.kill(pid, signal.SIGKILL)
    rest = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert rest.count(b'data: {"error"') == 1
    assert b'"code":"engine_crashed"' in rest
    assert b"[DONE]" not in rest
    again = await asyncio.to_thread(call.post, "/v1/chat/completions", {**LONG, "max_tokens": 1})
    assert again.status == 200
