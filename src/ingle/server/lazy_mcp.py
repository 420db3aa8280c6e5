"""The MCP server over HTTP, imported and begun at the first request for it.

No session is kept: each request says all that it takes, so that a restart loses nothing. Its streams
are those of one call; there is no other, so only POST is answered.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ingle.errors import Busy
from ingle.server.app_runs import AppCaller
from ingle.server.asgi import App

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from ingle.server.exchange import Exchange
    from ingle.server.mcp_tools import Context

__all__ = ["LazyMcp"]


class LazyMcp:
    """The ASGI application of a runtime's MCP server, made when it is first needed; close it."""

    def __init__(self, max_body_bytes: int) -> None:
        self._max_body_bytes = max_body_bytes
        self._starting = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._app: App | None = None

    async def app(self) -> App:
        """The application.

        Raises:
            Busy: Ingle is stopping.
        """
        async with self._starting:
            if self._stopping.is_set():
                raise Busy("Ingle is stopping and takes no new requests. Try again once it runs.")
            if self._app is None:
                manager = await asyncio.to_thread(self._make)
                has_begun = asyncio.Event()
                self._running = asyncio.create_task(self._run(manager, has_begun))
                await has_begun.wait()
                self._app = manager.handle_request
        return self._app

    async def close(self) -> None:
        """End what is still being answered."""
        self._stopping.set()
        async with self._starting:
            if self._running is not None:
                await self._running

    async def _run(self, manager: StreamableHTTPSessionManager, has_begun: asyncio.Event) -> None:
        # All in one task, as its task group wants to be left by the task that entered it.
        async with manager.run():
            has_begun.set()
            await self._stopping.wait()

    def _make(self) -> StreamableHTTPSessionManager:
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        from ingle.server.mcp_tools import mcp_server

        return StreamableHTTPSessionManager(
            mcp_server(_caller_of), stateless=True, max_request_body_size=self._max_body_bytes
        )


def _caller_of(context: Context) -> AppCaller:
    assert context.request is not None, "over HTTP there is one"
    exchange: Exchange = context.request.scope["ingle"]
    return AppCaller(exchange.runtime, exchange.caller, exchange.answer)
