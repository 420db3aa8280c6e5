"""The servers that can be called: connections by name, and any address that a call gives.

Says where exactly their API is, asking each server once, and which key may go there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ingle.errors import (
    ConfigurationError,
    ConnectionNotFound,
    InvalidRequest,
    StorageError,
    UpstreamError,
)
from ingle.routing.fresh import Fresh
from ingle.storage.connections import Connection, Connections
from ingle.upstream.base_url import candidates
from ingle.upstream.client import Client
from ingle.upstream.probe import BaseUrls
from ingle.upstream.target import Target

__all__ = ["Server", "Servers"]

_log = logging.getLogger(__name__)

_PROBE_AGAIN_S = 60.0
"""A server that says "not found" is asked at most so often where its API is by now."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server: its name for messages, and its connection or the address that a call gave."""

    name: str
    address: str
    connection: Connection | None

    @property
    def api_key(self) -> str | None:
        """The key that it wants. One of another server is never sent."""
        return self.connection.api_key if self.connection else None


class Servers:
    """Finds servers and the base URLs of their APIs; belongs to one event loop."""

    def __init__(self, client: Client, connections: Connections) -> None:
        self._client = client
        self._connections = connections
        self._base_urls = BaseUrls(client)
        self._known: Fresh[Mapping[str, Connection]] = Fresh(connections, self._read, {})
        self._probed_at: dict[str, float] = {}

    async def connections(self) -> Mapping[str, Connection]:
        """All connections by name.

        Raises:
            StorageError: the database failed.
        """
        return await self._known.get()

    async def of_connection(self, name: str) -> Server:
        """The server of a connection.

        Raises:
            ConnectionNotFound: there is none of this name.
            StorageError: the database failed, or the key cannot be read.
        """
        connection = (await self.connections()).get(name)
        if connection is None:
            raise ConnectionNotFound(f"There is no connection {name!r}.")
        if connection.key_fault is not None:
            raise StorageError(f"The key of {name!r} cannot be read. {connection.key_fault}")
        return Server(name, connection.base_url, connection)

    async def at(self, address: str) -> Server:
        """The server at an address as a person wrote it, which may be that of a connection.

        Raises:
            InvalidRequest: the text is no address.
            StorageError: the database failed.
        """
        try:
            meant = _meant(address)
        except ConfigurationError as error:
            raise InvalidRequest(error.message, param="config.base_url") from error
        for connection in (await self.connections()).values():
            if meant == _meant_by(connection):
                return await self.of_connection(connection.name)
        return Server("the configuration", address, None)

    async def target(self, server: Server) -> Target:
        """Where to call it, found out by asking it unless that is known.

        Raises:
            UpstreamError: no API was found there.
            ConfigurationError: the connection's base URL is no address.
        """
        connection = server.connection
        if connection is not None and connection.resolved_url is not None:
            return Target(connection.resolved_url, connection.api_key, server.name)
        base_url = await self._base_urls.resolve(server.address, server.api_key, name=server.name)
        await self._remember(server, base_url)
        return Target(base_url, server.api_key, server.name)

    async def target_again(self, server: Server, used: Target) -> Target | None:
        """Where to call a server whose API is elsewhere by now; None if it is where it was.

        It is asked at most once a minute: a server may have other reasons to say "not found".
        """
        now = _now()
        recent = {at: then for at, then in self._probed_at.items() if now - then < _PROBE_AGAIN_S}
        self._probed_at = {**recent, server.address: now}
        if server.address in recent:
            return None
        self._base_urls.forget(server.address)
        try:
            base_url = await self._base_urls.resolve(
                server.address, server.api_key, name=server.name
            )
        except UpstreamError:
            return None  # the call's own error says more
        if base_url == used.base_url:
            return None
        await self._remember(server, base_url)
        return Target(base_url, server.api_key, server.name)

    async def _remember(self, server: Server, base_url: str) -> None:
        """Keep it for later processes too, where it belongs to a connection."""
        if server.connection is None:
            return
        try:
            await asyncio.to_thread(self._connections.remember, server.connection, base_url)
        except StorageError as error:  # this process knows it, and a call need not fail for that
            _log.warning("The base URL of %s was not kept: %s", server.name, error)

    def _read(self) -> Mapping[str, Connection]:
        return {connection.name: connection for connection in self._connections.list()}


def _meant_by(connection: Connection) -> frozenset[str]:
    """The base URLs that a connection's address may mean; none if it is no address."""
    try:
        return _meant(connection.base_url)
    except ConfigurationError:
        return frozenset()


@lru_cache(maxsize=256)
def _meant(address: str) -> frozenset[str]:
    """The base URLs that an address may mean. Parsing takes 20 us, and most are met again."""
    return frozenset(candidates(address))


def _now() -> float:
    return asyncio.get_running_loop().time()
