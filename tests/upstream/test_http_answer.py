"""One HTTP answer from its bytes: at every split, cut anywhere, and with all that may be wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.upstream.http_answer import HttpAnswer

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nHello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nHe\r\n3;ext=1\r\nllo\r\n0\r\nX-Trailer: 1\r\n\r\n"
)
INTERIM = b"HTTP/1.1 100 Continue\r\nX-Old: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + LENGTH
UNTIL_CLOSE = b"HTTP/1.0 200 OK\r\n\r\nHello"


def answer(*reads: bytes, method: str = "POST", error: Exception | None = None) -> HttpAnswer:
    """The answer that comes of these reads, and then the close."""
    got = HttpAnswer(method)
    for read in reads:
        got.feed(read)
    got.end(error)
    return got


def why(got: HttpAnswer) -> str:
    """What is wrong with an answer."""
    assert got.fault is not None
    return str(got.fault)


@pytest.mark.parametrize("data", [LENGTH, CHUNKED, INTERIM, UNTIL_CLOSE])
def test_every_split_gives_the_same(data: bytes) -> None:
    """Status, body and wholeness do not depend on the reads."""
    for split in range(len(data) + 1):
        got = answer(data[:split], data[split:])
        assert (got.status, got.take(), got.is_whole, got.fault) == (200, b"Hello", True, None)
    got = answer(*(data[i : i + 1] for i in range(len(data))))
    assert (got.status, got.take(), got.is_whole, got.fault) == (200, b"Hello", True, None)


@pytest.mark.parametrize("data", [LENGTH, CHUNKED])
@pytest.mark.parametrize("error", [None, ConnectionResetError()])
def test_cut_anywhere_it_is_not_whole(data: bytes, error: Exception | None) -> None:
    """Whatever is missing, there is a fault, and what came of the body can be read."""
    for end in range(len(data)):
        got = answer(data[:end], error=error)
        assert not got.is_whole
        assert got.fault is not None
        assert b"Hello".startswith(got.take())


def test_what_may_pass_is_what_gave_nothing() -> None:
    """A close before an answer, and a reset before its first byte, may pass; all else does not."""
    head = LENGTH[:-5]
    reset = ConnectionResetError()
    for got, may_pass in [
        (answer(), True),
        (answer(error=reset), True),
        (answer(head[:9]), True),
        (answer(head, error=reset), True),
        (answer(head), False),
        (answer(LENGTH[:-1], error=reset), False),
    ]:
        assert got.fault is not None
        assert got.fault.may_pass == may_pass


def test_a_cut_is_told_with_its_figures() -> None:
    """How much was announced, and how much came."""
    assert why(answer(LENGTH[:-2])) == "the connection was closed after 3 of 5 bytes"
    got = answer(CHUNKED[:-9], error=ConnectionResetError())
    assert why(got) == "the connection was reset before the end of the answer"


def test_without_length_a_reset_is_a_cut() -> None:
    """Only a connection that was closed in good order ends such a body."""
    got = answer(UNTIL_CLOSE, error=ConnectionResetError())
    assert not got.is_whole
    assert got.take() == b"Hello"


@pytest.mark.parametrize("excess", [b"x", b"Hello", LENGTH, b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"])
@pytest.mark.parametrize("head", [LENGTH, LENGTH.replace(b"X-A: b", b"Connection: close")])
def test_more_than_was_announced_is_a_fault(head: bytes, excess: bytes) -> None:
    """What comes after the end, in the same read or the next, is never taken for the body."""
    for reads in ((head + excess,), (head, excess)):
        got = answer(*reads)
        assert got.take() == b"Hello"
        assert why(got) == "the answer is longer than the 5 bytes that it announced"
        assert not got.is_kept_alive
    assert why(answer(CHUNKED + b"x")) == "the answer is longer than it announced"


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x03\x00\x02\x02\x50",
        b"<html>",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/2 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nHello\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\x00c\r\n\r\n",
    ],
)
def test_what_is_not_http_is_nonsense(data: bytes) -> None:
    """What contradicts itself or is another protocol is told apart from what was cut."""
    got = answer(data)
    assert got.fault is not None
    assert got.fault.is_nonsense


def test_a_head_without_end_is_bounded() -> None:
    """Headers for ever end with a fault."""
    got = HttpAnswer("GET")
    got.feed(b"HTTP/1.1 200 OK\r\n")
    for i in range(5000):
        got.feed(b"X-%d: and so on\r\n" % i)
    assert why(got) == "the head of the answer is longer than 65536 bytes"


def test_headers_are_those_of_the_answer() -> None:
    """Neither an interim answer's headers nor trailers are among them."""
    assert answer(INTERIM).headers == [("Content-Length", "5"), ("X-A", "b")]
    assert answer(CHUNKED).headers == [("Transfer-Encoding", "chunked")]


@pytest.mark.parametrize(
    ("head", "is_kept"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
    ],
)
def test_answers_without_a_body_are_whole(head: bytes, is_kept: bool) -> None:
    """They end with their head."""
    got = HttpAnswer("GET")
    got.feed(head)
    assert (got.is_whole, got.is_kept_alive, got.take()) == (True, is_kept, b"")


def test_the_answer_to_head_has_no_body() -> None:
    """Its length is that of a body that does not come."""
    got = HttpAnswer("HEAD")
    got.feed(LENGTH[:-5])
    assert (got.is_whole, got.take()) == (True, b"")


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_at_all_are_survived(data: bytes, has_head: bool) -> None:
    """Whatever a server sends, there is an answer or a fault, and never an exception."""
    got = answer((CHUNKED[:47] if has_head else b"") + data)
    assert got.is_whole or got.fault is not None
