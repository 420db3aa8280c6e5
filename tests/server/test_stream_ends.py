"""Whether a stream was whole, at any split of its bytes."""

from __future__ import annotations

import pytest

from ingle.server.endpoints import ENDPOINTS
from ingle.server.stream_ends import StreamEnd

PIECE = b'data: {"choices":[{"delta":{"content":"%b"},"finish_reason":null}]}\n\n'


def _is_whole(path: str, stream: bytes, size: int) -> bool:
    end = StreamEnd()
    for at in range(0, len(stream), size):
        end.feed(stream[at : at + size])
    return end.is_whole(ENDPOINTS[path].stream_ends)


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("path", "last"),
    [
        ("chat/completions", b"data: [DONE]\n\n"),
        ("completions", b'data: {"choices":[{"text":"","finish_reason":"stop"}]}\n\n'),
        ("completions", b'data: {"choices":[{"text":"","finish_reason": "length"}]}\n\n'),
        ("chat/completions", b'data: {"error":{"message":"x"}}\n\n'),
        ("responses", b'event: response.completed\ndata: {"response":{"usage":{"x":1}}}\n\n'),
        ("responses", b'event: response.failed\ndata: {"response":{"usage":null}}\n\n'),
        ("messages", b'event: message_stop\ndata: {"type":"message_stop"}\n\n'),
    ],
)
def test_each_way_to_end_is_known(path: str, last: bytes, size: int) -> None:
    """And nothing that may stand in a text is taken for one."""
    text = rb"data: [DONE] \n\"finish_reason\":\"stop\" event: x"
    stream = PIECE % text
    assert not _is_whole(path, stream, size)
    assert _is_whole(path, stream + last, size)


def test_the_last_bytes_are_kept() -> None:
    """A bounded number of them."""
    end = StreamEnd()
    end.feed(b"a" * 5000)
    end.feed(b"b")
    assert end.tail == b"a" * 4095 + b"b"
