"""Which server answers for a model: an engine of this machine, a connection, or a base URL.

The first of these rules that fits decides:

1. A base URL that the call itself gives.
2. A model named `local/<name>` is this machine's, `<connection>/<name>` that connection's.
3. A provider with a connection of its own name (`localai`) is that connection.
4. This machine, where no name means the default model, and that is `demo` unless set.

It knows nothing about what is asked. See `docs/decisions/0021-who-answers.md`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace

from ingle.errors import EngineMissing, ModelNotFound, UnsupportedInput, UpstreamRefused
from ingle.models.manifest import Capability, Model
from ingle.models.store import Models
from ingle.routing.listing import AvailableModels, ServedModels
from ingle.routing.servers import Server, Servers
from ingle.storage.connections import Connections
from ingle.upstream.client import Client
from ingle.upstream.target import Target

__all__ = ["Route", "Router"]

_LOCAL = "local"
_DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a server. `model` is the name to ask it for; None lets the server choose."""

    target: Target
    model: str | None
    is_local: bool
    _server: Server | None = field(default=None, repr=False)


class Router:
    """Finds the way to a model; belongs to the event loop of its client.

    `lease` starts the engine of a model of this machine and keeps it while it is used.
    """

    def __init__(
        self,
        client: Client,
        models: Models,
        connections: Connections,
        lease: Callable[[Model], AbstractAsyncContextManager[Target]],
        *,
        default_model: str | None = None,
    ) -> None:
        self.client = client
        self._models = models
        self._lease = lease
        self._default_model = default_model or _DEMO
        self._servers = Servers(client, connections)
        self._served = ServedModels(client, self._servers)

    @asynccontextmanager
    async def route(
        self,
        *,
        model: str | None = None,
        base_url: str | None = None,
        provider: str | None = None,
        capability: Capability = "chat",
    ) -> AsyncGenerator[Route, None]:
        """The way to what answers for `model`; an engine stays up while the context is open.

        Raises:
            ModelNotFound: there is no such model; lists those that there are.
            UnsupportedInput: the model of this machine cannot do what `capability` says.
            EngineMissing: no engine of this machine can.
            EngineError: the engine did not start, or went down inside the context.
            UpstreamError: the server has no API that could be called.
        """
        server, name = await self._server(model or None, base_url or None, provider)
        if server is None:
            local = await self._local(name or self._default_model, provider, capability)
            async with self._lease(local) as target:
                yield Route(target, local.name, is_local=True)
            return
        target = await self._servers.target(server)
        name = name or await self._served.only_model(server)
        try:
            yield Route(target, name, is_local=False, _server=server)
        except UpstreamRefused as refused:
            if refused.status == 404 and name in await self._local_names():
                raise ModelNotFound(
                    f"{refused.message} A model {name!r} is installed on this machine; "
                    f"it is called `{_LOCAL}/{name}`."
                ) from refused
            raise

    async def route_again(self, route: Route, refused: UpstreamRefused) -> Route | None:
        """Another way to the same server, if its API is no longer where it was found; else None.

        For who was refused with "not found" on the way `route`, while that is still open.
        """
        if refused.status != 404 or route._server is None:  # noqa: SLF001 -- its own
            return None
        target = await self._servers.target_again(route._server, route.target)
        return replace(route, target=target) if target else None

    async def models(self) -> AvailableModels:
        """All models that can be asked for, and the connections that could not be asked.

        Raises:
            StorageError: the database failed.
        """
        local = await asyncio.to_thread(self._models.list)
        return await self._served.beside(local)

    async def _server(
        self, model: str | None, base_url: str | None, provider: str | None
    ) -> tuple[Server | None, str | None]:
        """The server by the rules, None for this machine; and what the model is called there."""
        if base_url is not None:
            return await self._servers.at(base_url), model
        first, slash, rest = (model or "").partition("/")
        if slash and first == _LOCAL:
            return None, rest or None
        connections = await self._servers.connections() if slash or provider else {}
        if slash and first in connections:
            return await self._servers.of_connection(first), rest or None
        if provider in connections:
            return await self._servers.of_connection(provider), model
        return None, model

    async def _local(self, name: str, provider: str | None, capability: Capability) -> Model:
        """The model of this machine.

        Raises:
            ModelNotFound: there is none of this name.
            UnsupportedInput: it cannot do what is asked.
        """
        try:
            local = await asyncio.to_thread(self._models.get, name)
        except ModelNotFound as error:
            raise ModelNotFound(f"{error.message} {await self._elsewhere(provider)}") from error
        return local

    async def _elsewhere(self, provider: str | None) -> str:
        """How to name a model that is not on this machine."""
        names = list(await self._servers.connections())
        if names:
            return f"A connection's model is named with it, such as `{names[0]}/NAME`."
        return ""

    async def _local_names(self) -> set[str]:
        return {local.name for local in await asyncio.to_thread(self._models.list)}
