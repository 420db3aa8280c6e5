"""The tokens of a stream that passes."""

from __future__ import annotations

import json

import pytest

from ingle.server.decoding import fields_of
from ingle.server.stream_count import CountedStream, asking_for_usage
from ingle.server.told_tokens import told_tokens

TEXT = b'data: {"choices":[{"delta":{"content":"\\"usage\\":{\\"a\\":1}"}}],"usage":null}\n\n'
USAGE = b'data: {"choices": [],"usage": {"prompt_tokens": 5,"completion_tokens": 2}}\n\n'
WITHOUT_CHOICES = b'data: {"id":"x","usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n'
BOTH = b'data: {"choices":[{"delta":{}}],"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n'
DONE = b"data: [DONE]\n\n"


def passed(stream: bytes, size: int, counted: CountedStream) -> bytes:
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    return b"".join(counted.feed(piece) for piece in pieces) + counted.end()


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
@pytest.mark.parametrize("usage", [USAGE, WITHOUT_CHOICES])
def test_the_event_that_only_tells_the_usage_is_taken_out(usage: bytes, size: int) -> None:
    """However the stream is cut; what a model writes is never taken for it."""
    counted = CountedStream()
    counted.takes_usage_out = True
    assert passed(TEXT + TEXT + BOTH + usage + DONE, size, counted) == TEXT + TEXT + BOTH + DONE


def test_what_the_caller_asked_for_stays() -> None:
    """And whatever else passes, byte for byte, while events are counted."""
    counted = CountedStream()
    assert passed(TEXT + USAGE + DONE, 10_000, counted) == TEXT + USAGE + DONE
    assert counted.events == 3


def test_a_line_without_end_is_not_held_for_ever() -> None:
    """Beyond a megabyte it goes on as it is."""
    counted = CountedStream()
    counted.takes_usage_out = True
    assert counted.feed(b"x" * (1 << 19)) == b""
    assert len(counted.feed(b"x" * (1 << 19))) == 1 << 20


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        (None, {"include_usage": True}),
        ({}, {"include_usage": True}),
        ({"include_usage": False, "x": 1}, {"include_usage": True, "x": 1}),
        ({"include_usage": True}, None),
        ("wrong", None),
    ],
)
def test_usage_is_asked_for_once(options: object, asked: object) -> None:
    """What else the options say stays; wrong ones are for the server to refuse."""
    assert asking_for_usage(fields_of(json.dumps({"stream_options": options}).encode())) == asked


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        (USAGE, (5, 2)),
        (b'{"usage":{"input_tokens":7,"output_tokens":9}}', (7, 9)),
        (b'"timings":{"cache_n":4,"prompt_n":3,"predicted_n":6}', (7, 6)),
        (
            b'{"cache_n":1,"prompt_n":3,"predicted_n":6}{"cache_n":2,"prompt_n":3,"predicted_n":7}',
            (5, 7),
        ),
        (b'"prompt_n":3,"predicted_n":6' + USAGE, (5, 2)),
        (b'{"content":"\\"prompt_tokens\\": 5"}', (None, None)),
        (b"", (None, None)),
    ],
)
def test_what_an_answer_tells(told: bytes, counts: tuple[int | None, int | None]) -> None:
    """OpenAI's, Anthropic's and llama.cpp's own words; the last ones count."""
    assert told_tokens(told) == counts
