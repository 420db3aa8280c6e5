"""What is too large or too slow is refused before any model hears of it."""

from __future__ import annotations

import http.client
from contextlib import closing

import pytest
from tests.server.conftest import MAX_BODY_BYTES, Caller, read_to_end

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"


def test_a_body_that_says_it_is_too_large_is_refused_while_it_is_sent(call: Caller) -> None:
    """The caller gets to read the answer, and the connection goes on."""
    with closing(http.client.HTTPConnection(*call.address, timeout=10)) as connection:
        connection.request("POST", "/v1/chat/completions", b"x" * (8 * MAX_BODY_BYTES))
        answer = connection.getresponse()
        assert answer.status == 413
        assert b"request_too_large" in answer.read()
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200


def test_a_body_that_turns_out_too_large_is_refused(call: Caller) -> None:
    """One that comes in chunks says no size before."""
    with call.raw() as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"%x\r\n" % (2 * MAX_BODY_BYTES) + b"x" * 2 * MAX_BODY_BYTES)
        assert connection.recv(12) == b"HTTP/1.1 413"


def test_a_body_that_comes_too_slowly_is_refused(call: Caller) -> None:
    """After the time that the settings give."""
    with call.raw() as connection:
        connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"request_timeout" in answer


def test_a_caller_that_leaves_in_the_middle_of_its_body_harms_nobody(call: Caller) -> None:
    """The body is shorter than was said."""
    with call.raw() as connection:
        connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
    assert call("GET", "/health").status == 200


def test_a_head_without_end_is_refused(call: Caller) -> None:
    """Nothing of it is kept beyond a bound."""
    with call.raw() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000)
        answer = read_to_end(connection)
    assert answer.startswith(b"HTTP/1.1 431")
    assert b'"error"' in answer


def test_what_is_not_http_is_refused(call: Caller) -> None:
    """In the shape of every other error."""
    with call.raw() as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        answer = read_to_end(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b'"error"' in answer


def test_slow_callers_do_not_keep_others_waiting(call: Caller) -> None:
    """Three hundred unfinished requests would block llama.cpp's server for ten seconds."""
    slow = []
    try:
        for _ in range(300):
            context = call.raw()
            connection = context.__enter__()
            slow.append(context)
            connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        asked = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
        assert call.post("/v1/chat/completions", asked).status == 200
    finally:
        for context in slow:
            context.__exit__(None, None, None)


@pytest.mark.parametrize("upgrade", ["websocket", "h2c"])
def test_no_other_protocol_is_spoken(call: Caller, upgrade: str) -> None:
    """The request is answered as plain HTTP."""
    headers = {"Connection": "Upgrade", "Upgrade": upgrade, "Sec-WebSocket-Version": "13"}
    assert call("GET", "/v1/models", headers=headers).status == 200
