"""A client, and servers that speak no more of HTTP than a test needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from ingle.upstream.client import Client
from ingle.upstream.target import Target

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Handler], Awaitable[Target]]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """An open client."""
    async with Client() as client:
        yield client


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a server that handles each connection so; it gives where to call it."""
    servers: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None]] = set()

    async def start(handle: Handler) -> Target:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await handle(reader, writer)
                writer.close()
                await writer.wait_closed()
            except (asyncio.CancelledError, ConnectionError):
                writer.transport.abort()

        servers.append(await asyncio.start_server(connected, "127.0.0.1", 0, limit=2000))
        return Target(f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}/v1")

    yield start
    for server in servers:
        server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
