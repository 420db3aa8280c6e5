"""The event decoder is right at every split of the bytes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.upstream.sse import EventDecoder

LIMIT = 1000

CASES = {
    "ordinary": (b'data: {"a":1}\n\ndata: {"b":2}\n\n', [b'{"a":1}', b'{"b":2}'], None),
    "done": (b"data: 1\n\ndata: [DONE]\n\ndata: 2\n\n", [b"1"], "done"),
    "done alone": (b"data: [DONE]\n\n", [], "done"),
    "done without a space, with spaces after": (b"data:[DONE] \n\n", [], "done"),
    "done twice": (b"data: 1\n\ndata: [DONE]\n\ndata: [DONE]\n\n", [b"1"], "done"),
    "no space": (b"data:1\n\ndata:2\n\n", [b"1", b"2"], None),
    "only one space is taken off": (b"data:  1 \n\n", [b" 1 "], None),
    "CRLF": (b"data: 1\r\n\r\ndata: 2\r\n\r\n", [b"1", b"2"], None),
    "CR": (b"data: 1\r\rdata: 2\r\r", [b"1", b"2"], None),
    "mixed line ends": (
        b"data: 1\r\n\ndata: 2\n\r\ndata: 3\r\rdata: 4\n\n",
        [b"1", b"2", b"3", b"4"],
        None,
    ),
    "BOM": (b"\xef\xbb\xbfdata: 1\n\n", [b"1"], None),
    "BOM later is text": (b"data: 1\n\n\xef\xbb\xbfdata: 2\n\ndata: 3\n\n", [b"1", b"3"], None),
    "comments": (b": hi\n\n: ping\ndata: 1\n: in between\n\n:\n\n", [b"1"], None),
    "other fields": (b"event: message\nid: 7\nretry: 10\ndata: 1\n\nfoo\nbar: 2\n\n", [b"1"], None),
    "an id before a comment is no event": (b"id: 1\n\n: ping\n\ndata: 1\n\n", [b"1"], None),
    "several data lines": (b'data: {"a":\ndata: 1}\n\ndata: 2\n\n', [b'{"a":\n1}', b"2"], None),
    "empty data is no event": (b"data: \n\ndata\n\ndata: 1\n\n", [b"1"], None),
    "many blank lines": (b"\n\n\ndata: 1\n\n\n\n\ndata: 2\n\n\n", [b"1", b"2"], None),
    "the text data: inside": (b'data: "data: x"\n\n', [b'"data: x"'], None),
    "multi-byte characters": (
        'data: "Zoë 👩‍👩‍👧 日本"\n\n'.encode(),
        ['"Zoë 👩‍👩‍👧 日本"'.encode()],
        None,
    ),
    "an error event": (b"data: 1\n\nevent: error\ndata: {}\n\ndata: 2\n\n", [b"1"], "error"),
    "llama.cpp's old errors": (b"data: 1\n\nerror: {}\n\ndata: 2\n\n", [b"1"], "error"),
    "an event name holds for one event": (b"event: error\n\ndata: 1\n\n", [b"1"], None),
    "no blank line at the end": (b"data: 1\n\ndata: 2\n", [b"1", b"2"], None),
    "no line end at the end": (b"data: 1\n\ndata: 2", [b"1", b"2"], None),
    "done without a line end": (b"data: 1\n\ndata: [DONE]", [b"1"], "done"),
    "cut in a field's name": (b"data: 1\n\ndat", [b"1"], None),
    "nothing": (b"", [], None),
}


def decoded(*reads: bytes) -> tuple[list[bytes], str | None]:
    """What comes of these reads, and how the stream ended."""
    decoder = EventDecoder(LIMIT)
    events = [event for read in reads for event in decoder.feed(read)]
    return events + decoder.finish(), decoder.ended


@pytest.mark.parametrize("name", CASES)
def test_every_split_in_two_gives_the_same(name: str) -> None:
    """The events do not depend on where the bytes are split."""
    data, events, ended = CASES[name]
    for split in range(len(data) + 1):
        assert decoded(data[:split], data[split:]) == (events, ended), split


@pytest.mark.parametrize("name", CASES)
def test_every_byte_by_itself_gives_the_same(name: str) -> None:
    """The events do not depend on the size of the reads."""
    data, events, ended = CASES[name]
    assert decoded(*(data[i : i + 1] for i in range(len(data)))) == (events, ended)


@given(
    st.lists(st.sampled_from([case[0] for case in CASES.values()]), max_size=4).map(b"".join)
    | st.lists(
        st.sampled_from(
            [
                b"data: ",
                b"data:",
                b"[DONE]",
                b"{}",
                b"\n",
                b"\r",
                b"\r\n",
                b"\n\n",
                b":",
                b"event: error",
                b"\xef\xbb\xbf",
                b"x",
                b"error:",
            ]
        ),
        max_size=40,
    ).map(b"".join),
    st.lists(st.integers(0, 400), max_size=12),
)
def test_any_split_gives_the_same_as_none(data: bytes, cuts: list[int]) -> None:
    """Whatever the bytes are, how they are split makes no difference."""
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert decoded(*(data[a:b] for a, b in pairwise(edges))) == decoded(data)


def test_an_event_is_given_as_soon_as_its_blank_line_has_come() -> None:
    """No event waits for a byte after it, also where lines end with CR."""
    decoder = EventDecoder(LIMIT)
    assert decoder.feed(b"data: 1\n\nda") == [b"1"]
    assert decoder.feed(b"ta: 2\r\n\r") == [b"2"]
    assert decoder.feed(b"\n") == []
    assert decoder.feed(b"data: 3\r\r") == [b"3"]


def test_an_error_keeps_its_data() -> None:
    """What an error event says can be read."""
    decoder = EventDecoder(LIMIT)
    assert decoder.feed(b'data: 1\n\nevent: error\ndata: {"message":"x"}\n\n') == [b"1"]
    assert (decoder.ended, decoder.error) == ("error", b'{"message":"x"}')


@pytest.mark.parametrize("size", [1, 7, 64, 5000])
def test_an_event_without_end_is_bounded(size: int) -> None:
    """A line that is longer than the limit ends the stream, after the events before it."""
    decoder = EventDecoder(100)
    data = b"data: 1\n\ndata: " + b"x" * 200 + b"\n\ndata: 2\n\n"
    events = [e for i in range(0, len(data), size) for e in decoder.feed(data[i : i + size])]
    assert events == [b"1"]
    assert decoder.ended == "overflow"


def test_an_event_at_the_limit_passes() -> None:
    """The limit counts the bytes of an event's lines, and holds for each event, not their sum."""
    line = b"data: " + b"x" * 93 + b"\n"
    assert len(line) == 100
    decoder = EventDecoder(100)
    assert decoder.feed((line + b"\n") * 3) == [b"x" * 93] * 3
    assert decoder.ended is None
    assert decoder.feed(b"data: " + b"x" * 94 + b"\n\n") == []
    assert decoder.ended == "overflow"


def test_many_lines_of_one_event_are_bounded_together() -> None:
    """Short lines that never end their event are bounded too."""
    decoder = EventDecoder(100)
    for _ in range(20):
        assert decoder.feed(b": still here\n") == []
    assert decoder.ended == "overflow"
