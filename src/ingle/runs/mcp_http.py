"""HTTP for the `mcp` package that goes only where apps may call (`ingle.upstream.reach`)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx2

from ingle.upstream.reach import Reach

__all__ = ["guarded_transport"]


def guarded_transport(reach: Reach, refused: list[str]) -> httpx2.AsyncBaseTransport:
    """A transport that connects to admitted addresses only; others are added to `refused`."""
    transport = httpx2.AsyncHTTPTransport(trust_env=False)
    # httpx has no parameter for it, and httpcore has: https://www.encode.io/httpcore/network-backends
    transport._pool = httpcore2.AsyncConnectionPool(
        ssl_context=ssl.create_default_context(), network_backend=_Guarded(reach, refused)
    )
    return transport


class _Guarded(httpcore2.AnyIOBackend):
    """Finds the addresses of a name itself, so that those that it checks are those that it calls."""

    def __init__(self, reach: Reach, refused: list[str]) -> None:
        super().__init__()
        self._reach = reach
        self._refused = refused

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,  # Any: as httpcore types a socket's options
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to the first address that admits one."""
        failed: Exception = httpcore2.ConnectError(f"{host} may not be called")
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} is not known: {error}") from error
        for *_, place in found:
            address = str(place[0])
            if not self._reach.admits(host, address):
                self._refused.append(address)
                continue
            try:
                return await super().connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed
