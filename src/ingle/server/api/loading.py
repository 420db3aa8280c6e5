"""`/api` as a whole, imported at the first request for it.

FastAPI takes a third of a second to import, which neither `/v1` nor the start has to wait for.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ingle.errors import NotFound
from ingle.runtime import Runtime
from ingle.server.asgi import App, Message
from ingle.server.body import read_body
from ingle.server.exchange import Exchange

__all__ = ["Api", "answer_api"]


class Api:
    """The FastAPI application of a runtime, made when it is first needed."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._making = asyncio.Lock()
        self._app: App | None = None

    async def app(self) -> App:
        """The application."""
        async with self._making:
            if self._app is None:
                self._app = await asyncio.to_thread(self._make)
        return self._app

    def _make(self) -> App:
        from ingle.server.api.description import described_api

        return described_api(self._runtime)


async def answer_api(exchange: Exchange) -> None:
    """Answer a request to `/api`; its body is read here, within the bounds of every other one."""
    settings = exchange.runtime.settings
    body = await read_body(exchange.request, settings.max_body_bytes, settings.body_s)
    is_read = False

    async def receive() -> Message:
        nonlocal is_read
        if is_read:
            return await exchange.request.receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    app = await exchange.api.app()
    exchange.request.scope["ingle"] = exchange
    await exchange.answer.hand_over(app, replace(exchange.request, receive=receive))
