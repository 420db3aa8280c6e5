"""The scripted upstream does what its scripts say, on a real socket."""

from __future__ import annotations

import asyncio
import base64

import openai
import pytest

from ingle.testing import (
    Answer,
    Fault,
    ScriptedUpstream,
    chat_answer,
    chat_stream,
    completion_answer,
    completion_stream,
    error,
    events,
    hang_up,
    images,
    models,
    reset,
)


async def raw(upstream: ScriptedUpstream, request: bytes) -> bytes:
    """All that a server sends to a client of one request."""
    port = int(upstream.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    finally:
        writer.close()


GET = b"GET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_the_official_client_understands_it() -> None:
    """Chat, streams, completions, models, images and errors are as OpenAI sends them."""
    scripts = (
        chat_answer("Hello"),
        chat_stream("Hel", "lo", has_usage=True),
        completion_answer("one", "two"),
        completion_stream("on", "e"),
        models("a", "b"),
        images(base64.b64encode(b"png").decode()),
    )
    async with (
        ScriptedUpstream(*scripts) as upstream,
        openai.AsyncOpenAI(base_url=f"{upstream.url}/v1", api_key="x", max_retries=0) as client,
    ):
        whole = await client.chat.completions.create(model="m", messages=[])
        assert whole.choices[0].message.content == "Hello"
        stream = await client.chat.completions.create(model="m", messages=[], stream=True)
        chunks = [chunk async for chunk in stream]
        texts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        assert "".join(texts) == "Hello"
        assert chunks[-1].usage is not None
        completion = await client.completions.create(model="m", prompt="p", n=2)
        assert [choice.text for choice in completion.choices] == ["one", "two"]
        words = await client.completions.create(model="m", prompt="p", stream=True)
        assert "".join([chunk.choices[0].text async for chunk in words]) == "one"
        assert [model.id async for model in client.models.list()] == ["a", "b"]
        made = await client.images.generate(prompt="p")
        assert made.data is not None
        assert made.data[0].b64_json == "cG5n"
        upstream.script(error(400, "too long", code="context_length_exceeded"))
        with pytest.raises(openai.BadRequestError, match="too long") as caught:
            await client.embeddings.create(model="m", input="x")
    assert caught.value.code == "context_length_exceeded"


async def test_answers_come_in_order_and_the_last_again() -> None:
    """Each answer is given once, and then the last that fits."""
    async with ScriptedUpstream(error(503, "a"), error(500, "b")) as upstream:
        statuses = []
        for _ in range(3):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", int(upstream.url.rpartition(":")[2])
            )
            writer.write(GET)
            statuses.append((await reader.readline()).split()[1])
            writer.close()
    assert statuses == [b"503", b"500", b"500"]


async def test_an_answer_for_an_endpoint_waits_for_it() -> None:
    """Requests for other endpoints get another answer, or 404."""
    only_models = models("a").framed("close")
    async with ScriptedUpstream(only_models) as upstream:
        upstream.script(hang_up())
        assert await raw(upstream, GET) == b""
        assert (await raw(upstream, GET.replace(b"/x", b"/models"))).startswith(b"HTTP/1.1 200")
        assert [request.path for request in upstream.requests] == ["/v1/x", "/v1/models"]


async def test_a_request_is_recorded() -> None:
    """Method, path, headers in lower case, and the body."""
    async with ScriptedUpstream(Answer(framing="close")) as upstream:
        body = b'{"a": 1}'
        await raw(upstream, b"POST /v1/x?y HTTP/1.1\r\nX-A: B\r\nContent-Length: 8\r\n\r\n" + body)
        request = await upstream.received(1)
    assert (request.method, request.path) == ("POST", "/v1/x?y")
    assert request.headers["x-a"] == "B"
    assert request.json == {"a": 1}
    assert not request.left.is_set()


async def test_framing_is_as_asked() -> None:
    """By length, by chunks, by closing, or bytes as they are."""
    answer = Answer((b"He", b"llo"))
    async with ScriptedUpstream(
        answer.framed("close"), Answer((b"raw",), framing="none")
    ) as upstream:
        assert (await raw(upstream, GET)).endswith(b"Connection: close\r\n\r\nHello")
        assert await raw(upstream, GET) == b"raw"
    chunked = events({"a": 1}).cut_after(1)
    async with ScriptedUpstream(chunked) as upstream:
        got = await raw(upstream, GET)
    assert got.endswith(b'\r\n\r\n10\r\ndata: {"a": 1}\n\n\r\n')
    async with ScriptedUpstream(answer.cut_after(1)) as upstream:
        assert (await raw(upstream, GET)).endswith(b"Content-Length: 5\r\n\r\nHe")


async def test_faults_happen() -> None:
    """A reset is a reset, and a stall ends when the client leaves."""
    async with ScriptedUpstream(reset(), Answer((b"x", Fault.STALL))) as upstream:
        with pytest.raises(ConnectionResetError):
            await raw(upstream, GET)
        task = asyncio.create_task(raw(upstream, GET))
        request = await upstream.received(2)
        assert not request.left.is_set()
        task.cancel()
        await asyncio.wait_for(request.left.wait(), 1)
        with pytest.raises(asyncio.CancelledError):
            await task


def test_an_answer_is_a_value() -> None:
    """Changing one gives another; the first stays as it was."""
    answer = chat_stream("Hel", "lo")
    assert answer.cut_after(1).parts == (answer.parts[0], Fault.HANG_UP)
    assert answer.in_pieces(1).body == answer.body
    assert len(answer.in_pieces(1).parts) == len(answer.body)
    assert answer.trickled(0.5).parts[:2] == (0.5, answer.parts[0])
    changed = answer.with_headers({"content-type": "text/plain"})
    assert changed.headers == (("content-type", "text/plain"),)
    assert answer == chat_stream("Hel", "lo")
