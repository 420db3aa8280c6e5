"""Connections to any number of servers: made when needed, kept for a moment, used again.

Takes nothing from the environment but what OpenSSL reads itself (SSL_CERT_FILE, SSL_CERT_DIR), so
there are no proxies. Knows names, addresses and TLS; knows nothing about requests.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Sequence
from typing import NamedTuple

from aiohappyeyeballs import AddrInfoType, start_connection

from ingle.upstream.connection import Connection
from ingle.upstream.http_answer import HttpFault

__all__ = ["NotSecure", "Origin", "Pool", "UnknownHost"]

# Below the 5 s after which llama.cpp's and uvicorn's servers close an idle connection themselves,
# so that we seldom send on one that is just being closed.
_KEEP_S = 4
# RFC 8305, section 8: how long an address has before the next one is tried beside it.
_NEXT_ADDRESS_S = 0.25
_DROPPED = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE})


class UnknownHost(HttpFault):
    """No address is known for the name."""


class NotSecure(HttpFault):
    """TLS failed: a certificate that is not valid, or a server that does not speak it."""


class Origin(NamedTuple):
    """Who is spoken to: a scheme, a host and a port."""

    scheme: str
    host: str
    port: int


class Pool:
    """Connections that wait to be used again, for at most 4 seconds each."""

    def __init__(self) -> None:
        self._idle: dict[Origin, dict[Connection, asyncio.TimerHandle]] = {}
        self._tls: ssl.SSLContext | None = None
        self._is_closed = False

    async def connect(self, origin: Origin, limit_s: float) -> Connection:
        """A connection for one exchange, used before or new.

        Raises:
            HttpFault: none came about within the limit.
        """
        idle = self._idle.get(origin, {})
        while idle:
            connection, timer = idle.popitem()
            timer.cancel()
            if connection.is_open:
                return connection
        self._idle.pop(origin, None)
        try:
            async with asyncio.timeout(limit_s):
                return await self._open(origin)
        except TimeoutError as error:
            raise HttpFault(f"no connection came about within {limit_s:.3g} s") from error

    def put_back(self, origin: Origin, connection: Connection) -> None:
        """Take a connection after its exchange: kept if it can be used again, closed if not."""
        if not connection.release() or self._is_closed:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        idle = self._idle.setdefault(origin, {})
        idle[connection] = loop.call_later(_KEEP_S, self._expire, origin, connection)

    def close(self) -> None:
        """Close the connections that wait; those in use are closed when they are put back."""
        self._is_closed = True
        for idle in self._idle.values():
            for connection, timer in idle.items():
                timer.cancel()
                connection.close()
        self._idle.clear()

    def _expire(self, origin: Origin, connection: Connection) -> None:
        connection.close()
        idle = self._idle[origin]
        del idle[connection]
        if not idle:
            del self._idle[origin]

    async def _open(self, origin: Origin) -> Connection:
        """A new connection. What goes wrong is told as a person would say it."""
        tls = await self._tls_context() if origin.scheme == "https" else None
        addresses = await _addresses(origin)
        try:
            peer = await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_S)
        except TimeoutError:
            raise
        except OSError as error:
            # Without a number, several addresses failed in several ways.
            may_pass = error.errno in _DROPPED or error.errno is None
            raise HttpFault(f"no connection ({_reason(error)})", may_pass=may_pass) from error
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                Connection, sock=peer, ssl=tls, server_hostname=origin.host if tls else None
            )
        except (ssl.SSLError, ConnectionError) as error:
            raise NotSecure(f"no secure connection ({_tls_reason(error)})") from error
        return connection

    async def _tls_context(self) -> ssl.SSLContext:
        """The authorities that are trusted; reading them takes long enough for a thread."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls


async def _addresses(origin: Origin) -> Sequence[AddrInfoType]:
    """Where a host is. An address in digits needs no resolver, and so no thread."""
    flags = socket.AI_NUMERICHOST
    try:
        return socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM, flags=flags)
    except socket.gaierror:
        loop = asyncio.get_running_loop()
    try:
        return await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise UnknownHost(f"the host name {origin.host!r} is not known ({error})") from error


def _reason(error: OSError) -> str:
    """The operating system's words; of several addresses that failed in several ways, all."""
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _tls_reason(error: OSError) -> str:
    """The words of OpenSSL."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).lower().replace("_", " ")
    return "the server closed the connection; it may not speak https"
