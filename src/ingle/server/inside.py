"""Requests that Ingle makes to itself, without a socket: for batches, and for work in background."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ingle.errors import IngleError
from ingle.server.answer import Answer
from ingle.server.asgi import Headers, Message, Request, Send
from ingle.server.calls import Call
from ingle.server.exchange import Handler

__all__ = ["Inside", "InsideAnswer", "Respond"]

_log = logging.getLogger(__name__)

Respond = Callable[[Handler, Request, Answer, Call, str | None], Awaitable[None]]
"""Lets a handler answer, in the name of an API key's id or of nobody's."""


@dataclass(frozen=True, slots=True)
class InsideAnswer:
    """A whole answer; header names are in lower case."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Inside:
    """Asks what `respond` answers."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond

    async def post(
        self,
        handler: Handler,
        path: str,
        body: bytes,
        key_id: str | None,
        *,
        around: Callable[[Send], Send] | None = None,
    ) -> InsideAnswer:
        """What `handler` answers to a POST of JSON, an error too. It goes through `around`, as it comes.

        Cancelling stops the work, as a caller does who leaves.
        """
        begun: list[Message] = []
        parts: list[bytes] = []
        is_read = False

        async def receive() -> Message:
            nonlocal is_read
            if is_read:
                await asyncio.Event().wait()  # this caller never leaves: it is cancelled
            is_read = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.append(message)
            else:
                parts.append(message.get("body", b""))

        headers: Headers = [(b"content-type", b"application/json"), (b"host", b"localhost")]
        scope = {
            "type": "http",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "query_string": b"",
            "headers": headers,
        }
        answer, call = Answer(send if around is None else around(send)), Call()
        request = Request(scope, receive)
        try:
            await call.run(self._answered(handler, request, answer, call, key_id))
        except IngleError as error:
            await answer.fail(error)
        except Exception as error:  # noqa: BLE001 -- the outermost edge of a request
            _log.exception("A request inside: %s", path)
            what = f"Something went wrong inside Ingle ({type(error).__name__}). See the log."
            await answer.fail(IngleError(what))
        (start,) = begun
        return InsideAnswer(start["status"], dict(start["headers"]), b"".join(parts))

    async def _answered(
        self, handler: Handler, request: Request, answer: Answer, call: Call, key_id: str | None
    ) -> None:
        await self._respond(handler, request, answer, call, key_id)
