"""One HTTP answer being written. It knows how far it got, so a failure ends it rightly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from ingle.errors import IngleError
from ingle.server.asgi import App, Headers, Message, Request, Send
from ingle.server.error_shapes import OPENAI, ErrorShape, retry_after_s

__all__ = ["EVENT_STREAM", "JSON", "Answer"]

JSON = b"application/json"
EVENT_STREAM = b"text/event-stream; charset=utf-8"
_STREAM_HEADERS: Headers = [
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx holds a stream back without it
]


class Answer:
    """Writes one answer to `send`, whole or piece by piece.

    `shape` is how errors look to this caller, `label` what the answer counts as in the metrics;
    who knows the resource sets them.
    """

    def __init__(self, send: Send, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self._send = send
        self._headers = list(headers)
        self._is_stream = False
        self._begun = 0
        self._done = 0
        self.shape: ErrorShape = OPENAI
        self.label = "other"
        self.status = 0
        self.is_complete = False
        self.first_byte_at: float | None = None

    @property
    def is_started(self) -> bool:
        """Whether the status line is out, so that it can no longer say what went wrong."""
        return self.status != 0

    @property
    def writes(self) -> int:
        """How many writes of the body the caller has taken."""
        return self._done

    @property
    def waiting_write(self) -> int | None:
        """The number of the write that waits for the caller to take it, if one does."""
        return self._begun if self._begun != self._done else None

    def pass_through(self, around: Callable[[Send], Send]) -> None:
        """Let all that is sent from now on go through `around(send)`, which may change it."""
        self._send = around(self._send)

    def add_header(self, name: bytes, value: bytes) -> None:
        """Send this header too, on whatever answer it will be."""
        self._headers.append((name, value))

    async def json(self, payload: Any, status: int = 200, headers: Headers | None = None) -> None:
        """Answer with `payload` as JSON. Any: whatever msgspec can encode."""
        await self.whole(msgspec.json.encode(payload), JSON, status, headers)

    async def whole(
        self, body: bytes, content_type: bytes, status: int = 200, headers: Headers | None = None
    ) -> None:
        """Answer with a body that is all there."""
        length = b"%d" % len(body)
        told = [(b"content-type", content_type), (b"content-length", length), *(headers or [])]
        await self.start(status, told)
        await self._send_last(body)

    async def hand_over(self, app: App, request: Request) -> None:
        """Let another ASGI application write the answer."""

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                message["headers"] = [*message.get("headers", []), *self._headers]
                await self._send(message)
            elif message.get("more_body"):
                await self.write(message["body"])
            else:
                await self._send_last(message.get("body", b""))

        await app(request.scope, request.receive, send)

    async def start(self, status: int, headers: Headers) -> None:
        """Send the status and the headers."""
        self.status = status
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [*headers, *self._headers],
            }
        )

    async def start_stream(self, content_type: bytes = EVENT_STREAM) -> None:
        """Send the head of a stream, such as one of server-sent events."""
        self._is_stream = True
        await self.start(200, [(b"content-type", content_type), *_STREAM_HEADERS])

    async def write(self, data: bytes) -> None:
        """Send bytes of the body; waits while the caller does not take them."""
        if self.first_byte_at is None and data:
            self.first_byte_at = time.perf_counter()
        self._begun += 1  # no clock is read and no timer set for each piece
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        self._done += 1

    async def finish(self) -> None:
        """End the body: what was written is the whole answer."""
        await self._send_last(b"")

    async def fail(self, error: IngleError) -> None:
        """End the answer with `error`, as what has been sent so far allows.

        Nothing sent: an error with its status. A stream begun: one last event, then its end. A
        body begun that cannot say it: left without its end, so that the server breaks the
        connection and nobody takes the part for the whole.
        """
        if not self.is_started:
            headers: Headers = []
            if (seconds := retry_after_s(error)) is not None:
                headers.append((b"retry-after", b"%d" % seconds))
            await self.json(self.shape.body(error), error.http_status, headers)
        elif self._is_stream and not self.is_complete:
            await self._send_last(self.shape.event(error))

    async def _send_last(self, data: bytes) -> None:
        if self.first_byte_at is None:
            self.first_byte_at = time.perf_counter()
        self._begun += 1
        await self._send({"type": "http.response.body", "body": data, "more_body": False})
        self._done += 1
        self.is_complete = True
