"""uvicorn's HTTP protocol, with bounds on what comes before an application is called.

uvicorn waits for ever for a request's head and collects headers without end, so slow or endless
callers could hold connections and memory. Source of the idea: RFC 9112, section 9.8, and nginx's
`client_header_timeout` and `large_client_header_buffers`.
"""

from __future__ import annotations

import asyncio

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["BoundedProtocol"]

HEAD_S = 20.0
"""A request's head must be whole so long after its connection or its first byte came."""

MAX_HEAD_BYTES = 64 * 1024

REST_S = 10.0
"""The rest of a request that was answered already may still come for so long."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    _deadline: asyncio.TimerHandle | None = None
    _is_in_head = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self._set_deadline(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(
                    b"431 Request Header Fields Too Large",
                    f"The request's head has more than {MAX_HEAD_BYTES:,} bytes.",
                )

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0
        self._set_deadline(HEAD_S)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._clear_deadline()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._clear_deadline()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body:
            self._set_deadline(REST_S)

    def send_400_response(self, msg: str) -> None:
        self._refuse(b"400 Bad Request", f"{msg} It is not HTTP as RFC 9112 has it.")

    def _set_deadline(self, within_s: float) -> None:
        self._clear_deadline()
        self._deadline = self.loop.call_later(within_s, self._is_late)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _is_late(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._set_deadline(HEAD_S)  # the request before it is still being answered
        elif self._is_in_head:
            self._refuse(
                b"408 Request Timeout", f"The request's head did not come within {HEAD_S:g} s."
            )
        else:
            self.transport.close()

    def _refuse(self, status: bytes, message: str) -> None:
        """Answer what never became a request, and close."""
        self._is_in_head = False
        if self.transport.is_closing():
            return
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        body = msgspec.json.encode({"error": error})
        self.transport.write(
            b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n%b" % (status, len(body), body)
        )
        self.transport.close()
