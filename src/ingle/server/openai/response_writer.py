"""What stands between the model's server and who asked for a response: it is put right, and kept.

It is kept before the last of it passes, so that who has a response can go on from it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec

from ingle.server.asgi import Message, Send
from ingle.server.openai.response_form import ENDS, Asked, ResponseEvents, completed, encoded
from ingle.upstream.sse import EventDecoder

__all__ = ["ResponseWriter"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type
Keep = Callable[[Json], Awaitable[None]]

_MAX_EVENT_BYTES = 1 << 26
_SHOWN_BYTES = 300


class ResponseWriter:
    """One answer. `keep` is given the response once it is whole; an error is passed as it is."""

    def __init__(self, asked: Asked, keep: Keep | None) -> None:
        self._asked = asked
        self._keep = keep
        self._start: Message | None = None
        self._parts: list[bytes] = []
        self._events = ResponseEvents(asked)
        self._decoder = EventDecoder(_MAX_EVENT_BYTES)
        self._pass: Callable[[Message, Send], Awaitable[None]] | None = None

    def around(self, send: Send) -> Send:
        """`send`, and all that is done on the way."""

        async def through(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._begin(message, send)
            elif self._pass is not None:
                await self._pass(message, send)
            else:
                await send(message)

        return through

    async def _begin(self, message: Message, send: Send) -> None:
        headers = dict(message["headers"])
        kind = headers.get(b"content-type", b"")
        if message["status"] == 200 and b"content-encoding" not in headers:
            if kind.startswith(b"application/json"):
                self._start, self._pass = message, self._whole
                return
            if kind.startswith(b"text/event-stream"):
                self._pass = self._stream
        await send(message)

    async def _whole(self, message: Message, send: Send) -> None:
        assert self._start is not None, "a body follows its start"
        self._parts.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = b"".join(self._parts)
        told: Json = {}
        with suppress(msgspec.DecodeError):
            told = msgspec.json.decode(body, type=dict)
        if told.get("object") == "response":  # anything else passes as it is
            response = completed(told, self._asked)
            if self._keep is not None:
                await self._keep(response)
            body = msgspec.json.encode(response)
        headers = [pair for pair in self._start["headers"] if pair[0] != b"content-length"]
        headers.append((b"content-length", b"%d" % len(body)))
        await send({**self._start, "headers": headers})
        await send({**message, "body": body})

    async def _stream(self, message: Message, send: Send) -> None:
        told = self._decoder.feed(message.get("body", b""))
        if not message.get("more_body"):
            told += self._decoder.finish()
        if self._decoder.ended == "error" and self._decoder.error:
            told.append(self._decoder.error)
            self._decoder.error = b""
        events = [self._events.put_right(_decoded(event)) for event in told]
        ready = b""
        for event in events:
            if event.get("type") in ENDS and self._keep is not None:
                if ready:
                    await send({**message, "body": ready, "more_body": True})
                    ready = b""
                await self._keep(event["response"])
            ready += encoded(event)
        if ready or not message.get("more_body"):
            await send({**message, "body": ready})


def _decoded(event: bytes) -> Json:
    """The event; what is none, or has no type, is an error."""
    try:
        told: Json = msgspec.json.decode(event, type=dict)
    except msgspec.DecodeError:
        told = {"error": {"message": event[:_SHOWN_BYTES].decode("utf-8", "replace")}}
    return told if "type" in told else {"type": "error", **told}
