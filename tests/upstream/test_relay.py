"""Answers passed on as they come."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable

import pytest

from ingle.errors import UpstreamCut, UpstreamRefused, UpstreamTimeout, UpstreamUnreachable
from ingle.testing import (
    Answer,
    Fault,
    Framing,
    ScriptedUpstream,
    chat_stream,
    error,
    json_answer,
    redirect,
    reset,
)
from ingle.upstream.client import Client
from ingle.upstream.limits import Limits
from ingle.upstream.relay import Relayed
from ingle.upstream.target import Target

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Handler], Awaitable[Target]]

CHAT = "chat/completions"
HELLO = chat_stream("Hel", "lo")
SOON = Limits(idle_s=0.2, backoff_s=0.01)


async def read_into(body: bytearray, relayed: Relayed) -> None:
    """Read a body to its end, which may be an error."""
    async for part in relayed:
        body += part


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
async def test_bytes_pass_as_they_came(client: Client, framing: Framing) -> None:
    """Status, headers and body are those of the server."""
    answer = HELLO.framed(framing).with_headers({"X-Request-Id": "r1"})
    async with (
        ScriptedUpstream(answer) as upstream,
        client.relay("POST", upstream.target(), CHAT, b"{}") as relayed,
    ):
        body = b"".join([part async for part in relayed])
    assert relayed.status == 200
    assert body == HELLO.body
    headers = dict(relayed.headers)
    assert headers["Content-Type"] == "text/event-stream"
    assert headers["X-Request-Id"] == "r1"
    assert headers.get("Content-Length") == (str(len(body)) if framing == "length" else None)


async def test_the_head_does_not_wait_for_the_body(client: Client) -> None:
    """A caller learns the status as soon as the server has said it."""
    gate = asyncio.Event()
    async with (
        ScriptedUpstream(HELLO.paused_before(0, gate)) as upstream,
        client.relay("POST", upstream.target(), CHAT, b"{}") as relayed,
    ):
        assert relayed.status == 200
        gate.set()
        assert b"".join([part async for part in relayed]) == HELLO.body


async def test_only_what_concerns_both_ends_passes(client: Client) -> None:
    """The caller's keys, cookies and connection stay here, and so do the server's."""
    answer = json_answer({}).with_headers(
        {
            "Connection": "X-Hop",
            "X-Hop": "1",
            "Keep-Alive": "timeout=5",
            "Set-Cookie": "a=b",
            "Access-Control-Allow-Origin": "*",
            "Strict-Transport-Security": "max-age=1",
            "WWW-Authenticate": "Basic",
            "Retry-After": "7",
        }
    )
    sent = [
        ("Host", "ingle.example"),
        ("Authorization", "Bearer the-callers"),
        ("X-API-Key", "the-callers"),
        ("Cookie", "session=1"),
        ("Origin", "http://page.example"),
        ("Connection", "keep-alive, X-Mine"),
        ("X-Mine", "1"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "999"),
        ("Accept-Encoding", "gzip"),
        ("Content-Type", "application/json"),
        ("OpenAI-Beta", "x"),
        ("user-agent", "mine/1"),
    ]
    async with ScriptedUpstream(answer) as upstream:
        target = upstream.target("sk-theirs")
        async with client.relay("POST", target, "x", b"{}", sent) as relayed:
            assert b"".join([part async for part in relayed]) == b"{}"
        got = dict(upstream.requests[0].headers)
    assert dict(relayed.headers) == {
        "Content-Type": "application/json",
        "Content-Length": "2",
        "Retry-After": "7",
    }
    assert got == {
        "host": upstream.url.removeprefix("http://"),
        "accept-encoding": "identity",
        "authorization": "Bearer sk-theirs",
        "content-length": "2",
        "content-type": "application/json",
        "openai-beta": "x",
        "user-agent": "mine/1",
    }


async def test_compressed_bytes_stay_compressed(client: Client) -> None:
    """What the server compressed is passed on with the header that says so."""
    folded = gzip.compress(b"{}")
    answer = Answer((folded,)).with_headers({"Content-Encoding": "gzip"})
    async with (
        ScriptedUpstream(answer) as upstream,
        client.relay("GET", upstream.target(), "x") as relayed,
    ):
        assert b"".join([part async for part in relayed]) == folded
    assert ("Content-Encoding", "gzip") in relayed.headers


@pytest.mark.parametrize("status", [201, 400, 404, 429, 500, 503])
async def test_every_status_passes(client: Client, status: int) -> None:
    """An error of the server is an answer like any other; it is not tried again."""
    async with ScriptedUpstream(error(status, "so")) as upstream:
        async with client.relay("DELETE", upstream.target(), "models/a") as relayed:
            body = b"".join([part async for part in relayed])
        assert (relayed.status, body) == (status, error(status, "so").body)
        assert [request.method for request in upstream.requests] == ["DELETE"]


async def test_a_reset_before_the_head_is_tried_again(client: Client) -> None:
    """Nothing had come of an answer, so nothing is lost."""
    async with ScriptedUpstream(reset(), json_answer({})) as upstream:
        async with client.relay("POST", upstream.target(), "x", b"{}", limits=SOON) as relayed:
            assert relayed.status == 200
        assert len(upstream.requests) == 2


async def test_no_answer_raises_at_once(client: Client) -> None:
    """Without a head there is nothing to pass on."""
    async with ScriptedUpstream(redirect("http://other.example/")) as upstream:
        with pytest.raises(UpstreamRefused):
            async with client.relay("GET", upstream.target(), "x"):
                pytest.fail("There was an answer.")
        target = upstream.target()
    with pytest.raises(UpstreamUnreachable):
        async with client.relay("GET", target, "x", limits=SOON):
            pytest.fail("There was an answer.")


@pytest.mark.parametrize(
    ("how", "raised"),
    [(Fault.HANG_UP, UpstreamCut), (Fault.RESET, UpstreamCut), (Fault.STALL, UpstreamTimeout)],
)
async def test_a_body_that_breaks_off_raises_after_its_bytes(
    client: Client, how: Fault, raised: type[Exception]
) -> None:
    """What had come was given; then comes the error, and never an end as if all were well."""
    got = bytearray()
    async with (
        ScriptedUpstream(HELLO.cut_after(2, how)) as upstream,
        client.relay("POST", upstream.target(), CHAT, b"{}", limits=SOON) as relayed,
    ):
        with pytest.raises(raised):
            await read_into(got, relayed)
    assert got == HELLO.body[: len(got)]
    assert b"Hel" in got


async def test_leaving_a_relay_stops_the_server(client: Client) -> None:
    """A caller who leaves closes the connection within a quarter of a second."""
    async with ScriptedUpstream(HELLO.cut_after(2, Fault.STALL)) as upstream:
        async with client.relay("POST", upstream.target(), CHAT, b"{}") as relayed:
            async for _ in relayed:
                break
        await asyncio.wait_for(upstream.requests[0].left.wait(), 0.25)


async def test_cancelling_a_relay_stops_the_server(client: Client) -> None:
    """So does a caller whose task is cancelled."""

    async def pass_on() -> None:
        async with client.relay("POST", upstream.target(), CHAT, b"{}") as relayed:
            async for _ in relayed:
                pass

    async with ScriptedUpstream(HELLO.cut_after(2, Fault.STALL)) as upstream:
        task = asyncio.create_task(pass_on())
        await upstream.received(1)
        task.cancel()
        await asyncio.wait_for(upstream.requests[0].left.wait(), 0.25)
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_slow_reader_makes_the_server_wait(client: Client, serve: Serve) -> None:
    """Not more than a bounded part of a body is held for a reader who takes his time."""
    taken = 0
    parts = 400

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (parts * 100_000))
        while taken < parts:
            taken += 1
            writer.write(b"x" * 100_000)
            await writer.drain()

    async with client.relay("GET", await serve(answer), "x") as relayed:
        before = -1
        while taken != before:  # until the server gets no further
            before = taken
            await asyncio.sleep(0.05)
        assert 0 < taken < parts
        size = 0
        async for part in relayed:
            size += len(part)
            assert len(part) < 2_000_000
    assert (size, taken) == (parts * 100_000, parts)
