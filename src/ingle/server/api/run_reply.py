"""What a processor makes, as JSON or as events, written piece by piece.

A stream has `piece` events and then exactly one `output` or `error`; each carries its number in
the stream as `id`, so that who lost the connection can say how far it got.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingle.errors import IngleError
from ingle.processors.base import Output
from ingle.processors.pieces import Piece
from ingle.server.api.replies import error_reply
from ingle.server.calls import watched
from ingle.server.error_shapes import OPENAI
from ingle.server.exchange import Exchange

__all__ = ["RunReply"]

_HEAD = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class RunReply(Response):
    """Runs the processor when it is sent, and stops it when the caller leaves."""

    def __init__(
        self, pieces: AsyncGenerator[Piece | Output, None], exchange: Exchange, *, is_stream: bool
    ) -> None:
        super().__init__()
        self._pieces = pieces
        self._exchange = exchange
        self._is_stream = is_stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the answer."""
        exchange = self._exchange
        async with (
            watched(exchange.call, receive, exchange.answer),
            aclosing(self._pieces) as pieces,
        ):
            if self._is_stream:
                await _stream(pieces, send)
                return
            try:
                output = [item async for item in pieces if isinstance(item, Output)][0]
            except IngleError as error:
                await error_reply(error)(scope, receive, send)
                return
            body = b'{"output":%b}' % output.model_dump_json().encode()
            await Response(body, media_type="application/json")(scope, receive, send)


async def _stream(pieces: AsyncGenerator[Piece | Output, None], send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _HEAD})
    number = 0
    try:
        async for item in pieces:
            number += 1
            if isinstance(item, Output):
                event = _event(number, b"output", item.model_dump_json().encode())
            else:
                event = _event(number, b"piece", msgspec.json.encode(item))
            await send({"type": "http.response.body", "body": event, "more_body": True})
    except IngleError as error:
        event = _event(number + 1, b"error", msgspec.json.encode(OPENAI.body(error)))
        await send({"type": "http.response.body", "body": event, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _event(number: int, kind: bytes, data: bytes) -> bytes:
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (number, kind, data)
