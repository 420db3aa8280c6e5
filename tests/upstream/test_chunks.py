"""Reading a stream: every chunk that came, and whether the answer is whole."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from ingle.errors import UpstreamCut, UpstreamError, UpstreamInvalid, UpstreamRefused
from ingle.testing import Answer, chat_stream, completion_stream, events
from ingle.upstream.call import Call
from ingle.upstream.chunks import ChunkReader
from ingle.upstream.limits import Limits
from ingle.upstream.target import Target
from ingle.upstream.wire import ChatChunk, CompletionChunk

LIMITS = Limits()


def reader(limits: Limits = LIMITS) -> ChunkReader[ChatChunk]:
    """A reader of chat chunks."""
    target = Target("http://h/v1", "sk-key", "there")
    call = Call("POST", "http://h/v1/chat/completions", target, limits)
    return ChunkReader(call, 200, msgspec.json.Decoder(ChatChunk).decode)


def read(data: bytes, limits: Limits = LIMITS) -> tuple[str | list[str], UpstreamError | None]:
    """The text of a stream and its fault."""
    chunks = reader(limits)
    chunks.feed(data)
    if not chunks.is_done:
        chunks.finish()
    return chunks.text, chunks.fault


def piece(text: str, index: int = 0, finish: str | None = None) -> dict[str, Any]:
    """A chunk with one choice."""
    choice = {"index": index, "delta": {"content": text}, "finish_reason": finish}
    return {"id": "c", "choices": [choice]}


WHOLE = chat_stream("Zoë ", "日本", has_usage=True)
MULTI = events(piece("a", 1), piece("b", 0), piece("", 0, "stop"), piece("", 1, "length"), "[DONE]")


@pytest.mark.parametrize("answer", [WHOLE, chat_stream("Zoë ", "日本", has_done=False)])
def test_a_whole_answer_is_whole_at_every_split(answer: Answer) -> None:
    """Split anywhere, all chunks come, and there is no fault."""
    data = answer.body
    for split in range(len(data) + 1):
        chunks = reader()
        got = chunks.feed(data[:split]) + chunks.feed(data[split:])
        if not chunks.is_done:
            got += chunks.finish()
        assert (chunks.text, chunks.fault) == ("Zoë 日本", None)
        assert "".join(choice.written for chunk in got for choice in chunk.choices) == "Zoë 日本"


def test_cut_anywhere_an_answer_is_never_whole() -> None:
    """Up to its finish reason, whatever is missing of a stream makes it a fault."""
    data = chat_stream("Hel", "lo", has_done=False).in_pieces(1000).body
    for end in range(len(data) - 1):
        text, fault = read(data[:end])
        if end < len(data) - 2:
            assert fault is not None, data[:end]
            assert "Hello".startswith(str(text))


def test_choices_are_kept_apart() -> None:
    """With several choices, the text is a list of theirs, and each needs its end."""
    assert read(MULTI.body) == (["b", "a"], None)
    text, fault = read(events(piece("a", 1), piece("b", 0, "stop"), "[DONE]").body)
    assert text == ["b", "a"]
    assert isinstance(fault, UpstreamCut)
    assert "without a finish reason for choice 1" in fault.message


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "an empty body came"),
        (b"\n\n", "an empty body came"),
        (b"<!doctype html><title>Welcome &amp; hello</title>", "an HTML page ('Welcome & hello')"),
        (b'{"id": "x", "choices": []}', "plain JSON came where a stream of events"),
        (b"Bad gateway\n", "text that begins with 'Bad gateway' came"),
        (b'data: {"choices": null}\n\n', "Expected `array`, got `null` - at `$.choices`"),
        (b'data: {"choices": [{"delta": 5}]}\n\n', "got `int` - at `$.choices[0].delta`"),
        (b'data: {"choices": [\n\n', "is not valid JSON"),
        (b'data: {"model": "\xff"}\n\n', "is not valid JSON"),
        (b'data: {"model": "\\ud800"}\n\n', "is not valid JSON"),
        (b'data: {"usage": {"x": ' + b"[" * 5000 + b"\n\n", "is not valid JSON"),
    ],
)
def test_what_is_no_stream_of_chunks_is_invalid(data: bytes, says: str) -> None:
    """An answer of the wrong kind is told apart from one that was cut."""
    _, fault = read(data)
    assert isinstance(fault, UpstreamInvalid)
    assert says in fault.message
    assert fault.url == "http://h/v1/chat/completions"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b": ping\n\n", "without a single choice"),
        (b"data: [DONE]\n\n", "without a single choice"),
        (events({"choices": [], "usage": {}}, "[DONE]").body, "without a single choice"),
        (b'data: {"usage": {}}\n\n', "without a single choice"),
        (chat_stream("Hello", finish_reason=None).body, "without a finish reason for choice 0"),
        (chat_stream("Hello", finish_reason="").body, "without a finish reason for choice 0"),
        (events(piece("Hello")).body + b'data: {"cho', "in the middle of an event"),
    ],
)
def test_an_unfinished_answer_is_cut(data: bytes, says: str) -> None:
    """A stream that ends well as HTTP, but not as an answer, was cut."""
    _, fault = read(data)
    assert isinstance(fault, UpstreamCut)
    assert says in fault.message


@pytest.mark.parametrize(
    ("data", "status", "says"),
    [
        (
            events(piece("Hi"), {"error": {"message": "out of memory", "code": 500}}).body,
            500,
            "out of memory",
        ),
        (events(piece("Hi"), {"error": "gone"}).body, 200, "gone"),
        (events(piece("Hi"), {**piece("x"), "error": {"message": "halt"}}).body, 200, "halt"),
        (events(piece("Hi")).body + b'event: error\ndata: {"message": "halt"}\n\n', 200, "halt"),
        (events(piece("Hi")).body + b'error: {"code": 400, "message": "halt"}\n\n', 400, "halt"),
        (events(piece("Hi")).body + b"event: error\ndata: halt\n\n", 200, "halt"),
        (events(piece("Hi")).body + b'data: {"error": {"message": "halt"}}', 200, "halt"),
    ],
)
def test_an_error_in_the_stream_is_the_servers_own(data: bytes, status: int, says: str) -> None:
    """What the server says goes on, with the text that came before it."""
    text, fault = read(data)
    assert isinstance(fault, UpstreamRefused)
    assert (text, fault.status, fault.server_message) == ("Hi", status, says)


def test_an_error_as_plain_json_is_the_servers_own() -> None:
    """A server that answers a stream's request with an error and status 200 is understood."""
    _, fault = read(b'{"error": {"message": "no such model"}}')
    assert isinstance(fault, UpstreamRefused)
    assert fault.server_message == "no such model"


def test_an_error_that_is_null_is_none() -> None:
    """A chunk may say that there is no error."""
    assert read(events({**piece("Hi", 0, "stop"), "error": None}).body) == ("Hi", None)


def test_chunks_before_a_bad_event_are_given() -> None:
    """What came before the fault is not lost, though it came in the same read."""
    chunks = reader()
    got = chunks.feed(events(piece("a"), piece("b"), "{", piece("c")).body)
    assert [chunk.choices[0].written for chunk in got] == ["a", "b"]
    assert isinstance(chunks.fault, UpstreamInvalid)
    assert chunks.text == "ab"


def test_a_stream_is_bounded() -> None:
    """An event that is too long, and a stream that is too long, end it."""
    _, fault = read(events(piece("x" * 200)).body, Limits(line_bytes=100))
    assert isinstance(fault, UpstreamInvalid)
    assert "longer than 100 bytes" in fault.message
    chunks = reader(Limits(stream_bytes=1000))
    while not chunks.is_done:
        chunks.feed(events(piece("and on")).body)
    assert isinstance(chunks.fault, UpstreamInvalid)
    assert "longer than 1000 bytes" in chunks.fault.message


def test_legacy_completions_are_read_by_the_same_rules() -> None:
    """The chunks of `completions` carry text, and need a finish reason too."""
    call = Call("POST", "http://h/v1/completions", Target("http://h/v1"), Limits())
    for finish, is_whole in (("stop", True), (None, False)):
        chunks = ChunkReader(call, 200, msgspec.json.Decoder(CompletionChunk).decode)
        chunks.feed(completion_stream("Hel", "lo", finish_reason=finish).body)
        assert chunks.text == "Hello"
        assert (chunks.fault is None) == is_whole


def test_a_chunk_keeps_what_the_raw_answer_needs() -> None:
    """Tool calls, reasoning, log probabilities, usage and timings are there for the fold."""
    call = {"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": "{"}}
    delta = {"role": "assistant", "reasoning_content": "hm", "tool_calls": [call]}
    choice = {"index": 2, "delta": delta, "logprobs": {"content": []}, "finish_reason": "stop"}
    head = {"id": "c", "created": 7, "model": "m", "system_fingerprint": "s"}
    more = {"usage": {"total_tokens": 3}, "timings": {"n": 1}, "something": "new"}
    chunk = reader().feed(
        b"data: " + json.dumps({**head, "choices": [choice], **more}).encode() + b"\n\n"
    )[0]
    kept = msgspec.to_builtins(chunk)
    assert {name: kept[name] for name in (*head, "usage", "timings")} == {
        **head,
        "usage": {"total_tokens": 3},
        "timings": {"n": 1},
    }
    assert kept["choices"][0]["delta"]["tool_calls"] == [call]
    assert kept["choices"][0]["delta"]["reasoning_content"] == "hm"
    assert kept["choices"][0]["logprobs"] == {"content": []}
    assert kept["choices"][0]["index"] == 2
