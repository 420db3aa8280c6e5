"""What is put right in an engine's bytes while they pass, at any split."""

from __future__ import annotations

import json

import pytest

from ingle.server.stream_repairs import MessageOpening, Opening, RenamedModel, Repair

PIECE = b'data: {"choices":[{"index":0,"delta":{"content":"\xf0\x9f\x98\x80"}}],"id":"c","model":"m","timings":{}}\n\n'


def _through(repair: Repair, data: bytes, size: int) -> bytes:
    parts = [repair.feed(data[at : at + size]) for at in range(0, len(data), size)]
    return b"".join(parts) + repair.end()


@pytest.mark.parametrize("size", [1, 2, 7, 13, 1000])
def test_the_name_asked_for_stands_in_every_chunk_at_any_split(size: int) -> None:
    """And the same letters inside a text stay."""
    said = json.dumps({"content": '"model":"demo"'}, separators=(",", ":")).encode()
    data = b'data: {"model":"demo","x":%b}\n\ndata: {"model":"demo"}\n\n' % said
    expected = b'data: {"model":"local/demo","x":%b}\n\ndata: {"model":"local/demo"}\n\n' % said
    assert _through(RenamedModel("demo", "local/demo"), data, size) == expected


def test_an_event_that_is_whole_is_not_held_back() -> None:
    """A stream is not slowed down by the search for the name."""
    assert RenamedModel("demo", "x").feed(b'data: {"a":1}\n\n') == b'data: {"a":1}\n\n'


@pytest.mark.parametrize("size", [1, 30, 1000])
def test_a_chat_that_begins_without_its_role_gets_it(size: int) -> None:
    """llama.cpp leaves it out where the first token is only a part of a character."""
    passed = _through(Opening(), PIECE + b"data: [DONE]\n\n", size)
    opening, _, rest = passed.partition(b"\n\n")
    assert json.loads(opening.removeprefix(b"data: ")) == {
        "choices": [
            {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
        ],
        "id": "c",
        "model": "m",
    }
    assert rest == PIECE + b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    "stream",
    [
        b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}\n\n',
        b'data: {"error":{"message":"x"}}\n\n',
        b"data: [DONE]\n\n",
        b"data: {broken\n\n",
        b"data: {",
        b"",
    ],
)
def test_any_other_beginning_passes_as_it_is(stream: bytes) -> None:
    """Errors, broken events and streams without any."""
    assert _through(Opening(), stream, 5) == stream


def test_anthropics_stream_that_begins_in_the_middle_gets_its_start() -> None:
    """Their client gives up on a stream without `message_start`."""
    stream = b'event: content_block_start\ndata: {"type":"content_block_start"}\n\n'
    opening, _, rest = _through(MessageOpening("demo"), stream, 9).partition(b"\n\n")
    kind, data = opening.split(b"\n")
    assert kind == b"event: message_start"
    assert json.loads(data.removeprefix(b"data: "))["message"]["model"] == "demo"
    assert rest == stream
