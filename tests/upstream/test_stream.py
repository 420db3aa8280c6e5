"""Streams over a real connection: what comes, when, and what happens on leaving one."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import aclosing

import pytest

from ingle.errors import (
    UpstreamCut,
    UpstreamError,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from ingle.testing import (
    Answer,
    Fault,
    ScriptedUpstream,
    chat_answer,
    chat_stream,
    completion_stream,
    error,
    page,
)
from ingle.upstream.client import Client
from ingle.upstream.limits import Limits
from ingle.upstream.wire import ChatChunk, CompletionChunk

BODY = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
ONCE = Limits(tries=1, idle_s=0.2)
HELLO = chat_stream("Hel", "lo")


async def read(client: Client, upstream: ScriptedUpstream, limits: Limits = ONCE) -> str:
    """The text of a whole stream."""
    texts = []
    target = upstream.target()
    async for chunks in client.stream(
        target, "chat/completions", BODY, into=ChatChunk, limits=limits
    ):
        texts += [choice.written for chunk in chunks for choice in chunk.choices]
    return "".join(texts)


async def fault(client: Client, answer: Answer, limits: Limits = ONCE) -> UpstreamError:
    """The error in which a stream ends."""
    async with ScriptedUpstream(answer) as upstream:
        with pytest.raises(UpstreamError) as caught:
            await read(client, upstream, limits)
        return caught.value


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize("size", [1, 11, 10_000])
async def test_a_stream_comes_whole(client: Client, framing: str, size: int) -> None:
    """However it is framed and split, every chunk comes and the stream ends."""
    answer = chat_stream("Zoë ", "日本", has_usage=True).framed(framing).in_pieces(size)  # type: ignore[arg-type]  # a parameter
    async with ScriptedUpstream(answer) as upstream:
        assert await read(client, upstream) == "Zoë 日本"
        assert upstream.requests[0].json == BODY
        assert upstream.requests[0].headers["accept"] == "text/event-stream"


async def test_a_chunk_comes_as_soon_as_it_was_sent(client: Client) -> None:
    """No chunk waits for the next one."""
    gates = [asyncio.Event() for _ in HELLO.parts]
    parts = [step for gate, part in zip(gates, HELLO.parts, strict=True) for step in (gate, part)]
    async with ScriptedUpstream(Answer(tuple(parts), framing="chunked")) as upstream:
        stream = client.stream(upstream.target(), "chat/completions", BODY, into=ChatChunk)
        texts = []
        for gate in gates[:3]:
            gate.set()
            texts += [chunk.choices[0].written for chunk in await anext(stream)]
        assert texts == ["", "Hel", "lo"]
        await stream.aclose()


async def test_legacy_completions_are_streamed(client: Client) -> None:
    """The chunks of `completions` have their own type."""
    async with ScriptedUpstream(completion_stream("Hel", "lo")) as upstream:
        stream = client.stream(upstream.target(), "completions", {}, into=CompletionChunk)
        texts = [choice.text async for chunks in stream for c in chunks for choice in c.choices]
    assert texts == ["Hel", "lo", ""]


async def test_a_connection_is_kept_after_a_whole_stream(client: Client) -> None:
    """Streams in turn use one connection, though reading ends with `[DONE]`."""
    async with ScriptedUpstream(HELLO) as upstream:
        for _ in range(3):
            assert await read(client, upstream) == "Hello"
        assert upstream.connections == 1


async def test_what_follows_done_is_not_waited_for(client: Client) -> None:
    """A server that dawdles after `[DONE]` holds nobody up."""
    answer = Answer((*HELLO.parts, b": and on", Fault.STALL), framing="chunked")
    async with ScriptedUpstream(answer) as upstream:
        began = time.monotonic()
        assert await read(client, upstream, Limits(idle_s=5)) == "Hello"
        assert time.monotonic() - began < 1
        await asyncio.wait_for(upstream.requests[0].left.wait(), 1)


# -- faults -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [Fault.HANG_UP, Fault.RESET])
@pytest.mark.parametrize("framing", ["chunked", "length"])
async def test_a_stream_that_breaks_off_is_cut(client: Client, how: Fault, framing: str) -> None:
    """The error holds the text that had come."""
    problem = await fault(client, HELLO.framed(framing).cut_after(2, how))  # type: ignore[arg-type]  # a parameter
    assert isinstance(problem, UpstreamCut)
    assert problem.partial == "Hel"
    assert "before the end" in problem.message or " of " in problem.message


async def test_a_stream_that_ends_by_closing_needs_its_finish_reason(client: Client) -> None:
    """Where closing tells the end, the answer itself tells whether it is whole."""
    problem = await fault(client, HELLO.framed("close").cut_after(3))
    assert isinstance(problem, UpstreamCut)
    assert problem.partial == "Hello"
    assert "without a finish reason" in problem.message


async def test_all_that_came_is_given_before_the_error(client: Client) -> None:
    """Chunks that came in the same moment as the end of the connection are not lost."""
    many = chat_stream(*["x"] * 1000).cut_after(900, Fault.RESET)
    count = 0

    async def read_slowly() -> None:
        nonlocal count
        target = upstream.target()
        async for chunks in client.stream(target, "chat/completions", BODY, into=ChatChunk):
            count += len(chunks)
            await asyncio.sleep(0.05)  # in which the reset arrives

    async with ScriptedUpstream(many) as upstream:
        with pytest.raises(UpstreamCut) as caught:
            await read_slowly()
    # A reset may destroy what the kernel still holds, but nothing that had been read.
    assert count > 1
    assert caught.value.partial == "x" * (count - 1)


async def test_silence_ends_with_the_idle_limit(client: Client) -> None:
    """A stream may take long, but not fall silent; the text so far is kept."""
    problem = await fault(client, HELLO.cut_after(2, Fault.STALL))
    assert isinstance(problem, UpstreamTimeout)
    assert problem.partial == "Hel"
    async with ScriptedUpstream(HELLO.trickled(0.12)) as upstream:
        assert await read(client, upstream) == "Hello"


async def test_time_with_the_caller_is_not_the_servers_silence(client: Client) -> None:
    """A caller who takes long between two chunks does not run into the idle limit."""
    limits = Limits(idle_s=0.1)
    async with ScriptedUpstream(HELLO.in_pieces(50)) as upstream:
        stream = client.stream(
            upstream.target(), "chat/completions", BODY, into=ChatChunk, limits=limits
        )
        texts = [chunk.choices[0].written for chunk in await anext(stream)]
        await asyncio.sleep(0.25)
        texts += [choice.written async for read in stream for c in read for choice in c.choices]
    assert "".join(texts) == "Hello"


async def test_comments_for_ever_end_with_the_total_limit(client: Client) -> None:
    """A server that only says that it is still there is not waited for for ever."""
    pings = Answer(tuple([b": ping\n\n"] * 100), framing="chunked").trickled(0.02)
    problem = await fault(client, pings, Limits(idle_s=0.1, total_s=0.2))
    assert isinstance(problem, UpstreamTimeout)
    assert "within 0.2 s" in problem.message


async def test_a_line_without_end_is_stopped(client: Client) -> None:
    """A line longer than the limit is an error, however it comes."""
    answer = Answer((b"data: " + b"x" * 300_000,), framing="chunked").in_pieces(1000)
    problem = await fault(client, answer, Limits(line_bytes=100_000))
    assert isinstance(problem, UpstreamInvalid)
    assert "longer than 100000 bytes" in problem.message


@pytest.mark.parametrize("answer", [page("<html>"), Answer(), chat_answer("Hi")])
async def test_what_is_no_stream_is_told_so(client: Client, answer: Answer) -> None:
    """Status 200 alone makes no stream."""
    problem = await fault(client, answer)
    assert isinstance(problem, UpstreamInvalid)
    assert "came where a stream of events was asked for" in problem.message


async def test_an_error_instead_of_a_stream(client: Client) -> None:
    """A status that is no success is the server's error, as without streaming."""
    problem = await fault(client, error(400, "context too long", code="context_length_exceeded"))
    assert isinstance(problem, UpstreamRefused)
    assert (problem.status, problem.server_message) == (400, "context too long")


# -- tries ------------------------------------------------------------------------------------------


async def test_a_stream_that_has_not_begun_is_tried_again(client: Client) -> None:
    """A reset after the head, before any piece, costs nothing but time."""
    answers = (error(503, "loading"), HELLO.cut_after(0, Fault.RESET), HELLO)
    async with ScriptedUpstream(*answers) as upstream:
        assert await read(client, upstream, Limits(backoff_s=0.01)) == "Hello"
        assert len(upstream.requests) == 3


async def test_a_stream_that_has_begun_is_not_tried_again(client: Client) -> None:
    """Once something came, the same question might give another answer."""
    async with ScriptedUpstream(HELLO.cut_after(1, Fault.RESET), HELLO) as upstream:
        with pytest.raises(UpstreamCut):
            await read(client, upstream, Limits(backoff_s=0.01))
        assert len(upstream.requests) == 1


# -- leaving ----------------------------------------------------------------------------------------


async def left_within(upstream: ScriptedUpstream, seconds: float) -> bool:
    """Whether the server sees in time that its client has gone."""
    try:
        await asyncio.wait_for(upstream.requests[-1].left.wait(), seconds)
    except TimeoutError:
        return False
    return True


STALLED = HELLO.cut_after(2, Fault.STALL)


async def test_closing_a_stream_stops_the_server(client: Client) -> None:
    """`aclose` closes the connection at once."""
    async with ScriptedUpstream(STALLED) as upstream:
        stream = client.stream(upstream.target(), "chat/completions", BODY, into=ChatChunk)
        async with aclosing(stream):
            await anext(stream)
        assert await left_within(upstream, 0.25)


async def test_breaking_out_of_a_stream_stops_the_server(client: Client) -> None:
    """A stream that nobody holds any more is closed, also without `aclose`."""
    async with ScriptedUpstream(STALLED) as upstream:
        async for _ in client.stream(upstream.target(), "chat/completions", BODY, into=ChatChunk):
            break
        gc.collect()
        assert await left_within(upstream, 0.25)


@pytest.mark.parametrize(
    "answer", [STALLED, HELLO.cut_after(0, Fault.STALL), Answer((Fault.STALL,), framing="none")]
)
async def test_cancelling_a_reader_stops_the_server(client: Client, answer: Answer) -> None:
    """Wherever the task stands, before the head, before the first piece or after it."""
    async with ScriptedUpstream(answer) as upstream:
        task = asyncio.create_task(read(client, upstream, Limits()))
        await upstream.received(1)
        await asyncio.sleep(0.01)
        task.cancel()
        assert await left_within(upstream, 0.25)
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_cancelling_a_call_stops_the_server(client: Client) -> None:
    """A caller who leaves a call without streaming stops it just so."""
    async with ScriptedUpstream(Answer((Fault.STALL,), framing="none")) as upstream:
        task = asyncio.create_task(client.post(upstream.target(), "x", {}, into=bytes))
        await upstream.received(1)
        task.cancel()
        assert await left_within(upstream, 0.25)
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_nothing_is_left_behind(client: Client) -> None:
    """After streams that ended, failed and were left, no task remains."""
    before = asyncio.all_tasks()
    async with ScriptedUpstream(HELLO, STALLED, error(400, "no")) as upstream:
        await read(client, upstream)
        async with aclosing(
            client.stream(upstream.target(), "chat/completions", BODY, into=ChatChunk)
        ) as stream:
            await anext(stream)
        with pytest.raises(UpstreamRefused):
            await read(client, upstream)
    assert asyncio.all_tasks() == before


async def test_many_streams_at_once_share_a_client(client: Client) -> None:
    """A hundred streams side by side each come whole and apart from each other."""
    async with ScriptedUpstream(chat_stream(*map(str, range(20)))) as upstream:
        texts = await asyncio.gather(*(read(client, upstream, Limits()) for _ in range(100)))
    assert set(texts) == {"".join(map(str, range(20)))}


async def test_a_server_that_went_away_between_two_calls(client: Client) -> None:
    """A kept connection that the server has closed in the meantime is replaced."""
    async with ScriptedUpstream(HELLO) as upstream:
        await read(client, upstream)
    with pytest.raises(UpstreamUnreachable, match="connection refused"):
        await read(client, upstream, Limits(backoff_s=0.01))
    async with ScriptedUpstream(HELLO, port=int(upstream.url.rpartition(":")[2])) as upstream:
        assert await read(client, upstream) == "Hello"
