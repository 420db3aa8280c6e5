"""What a processor makes, as JSON or as events, written piece by piece.

A stream has `piece` events and then exactly one `output` or `error`; each carries its number in
the stream as `id`, so that who lost the connection can say how far it got. What fails before the
first piece is an HTTP error, streamed or not.
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
from ingle.server.answer import JSON, Answer
from ingle.server.calls import watched
from ingle.server.error_shapes import OPENAI, ErrorShape
from ingle.server.exchange import Exchange

__all__ = ["EventReply", "RunReply"]


class EventReply(Response):
    """Does work when it is sent, and stops it when the caller leaves.

    It writes to the exchange's own answer, past FastAPI, so that nothing wraps a piece, and so
    that whatever ends the call from outside can still say why.
    """

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self._exchange = exchange
        self._number = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the answer."""
        answer = self._exchange.answer
        answer.shape = ErrorShape(
            OPENAI.body,
            lambda error: self._event(b"error", msgspec.json.encode(OPENAI.body(error))),
        )
        async with watched(self._exchange.call, receive, answer):
            try:
                await self._write(answer)
            except IngleError as error:
                await answer.fail(error)

    async def _write(self, answer: Answer) -> None:
        raise NotImplementedError

    async def _write_event(self, kind: bytes, data: bytes, answer: Answer) -> None:
        if not answer.is_started:
            await answer.start_stream()
        await answer.write(self._event(kind, data))

    def _event(self, kind: bytes, data: bytes) -> bytes:
        self._number += 1
        return b"id: %d\nevent: %b\ndata: %b\n\n" % (self._number, kind, data)


class RunReply(EventReply):
    """Runs a processor."""

    def __init__(
        self, pieces: AsyncGenerator[Piece | Output, None], exchange: Exchange, *, is_stream: bool
    ) -> None:
        super().__init__(exchange)
        self._pieces = pieces
        self._is_stream = is_stream

    async def _write(self, answer: Answer) -> None:
        async with aclosing(self._pieces) as pieces:
            async for item in pieces:
                if isinstance(item, Output):
                    output = item.model_dump_json().encode()
                    if not self._is_stream:
                        await answer.whole(b'{"output":%b}' % output, JSON)
                        return
                    await self._write_event(b"output", output, answer)
                elif self._is_stream:
                    await self._write_event(b"piece", msgspec.json.encode(item), answer)
        await answer.finish()
