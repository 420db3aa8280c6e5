"""Which server answers for a model: an engine of this machine, a connection, or a base URL.

The first of these rules that fits decides:

1. A base URL that the call itself gives.
2. A model named `local/<name>` is this machine's, `<connection>/<name>` that connection's.
3. A provider with a connection of its own name (`localai`) is that connection.
4. This machine, where no name means the default model, and that is `demo` unless set; for images
   it is `demo-image`.

It knows nothing about what is asked. See `docs/decisions/0021-who-answers.md`.
"""

from __future__ import annotations

import asyncio
import time
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

__all__ = ["Capability", "Route", "Router"]

_LOCAL = "local"
_FRESH_S = 1.0
_DEMO = "demo"
_DEMO_IMAGE = "demo-image"


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
        default_image_model: str | None = None,
    ) -> None:
        self.client = client
        self._models = models
        self._lease = lease
        self._default_model = default_model or _DEMO
        self._default_image_model = default_image_model or _DEMO_IMAGE
        self._servers = Servers(client, connections)
        self._served = ServedModels(client, self._servers)
        self._seen: dict[str, tuple[Model, float]] = {}  # no longer than the list of models

    @asynccontextmanager
    async def route(
        self,
        *,
        model: str | None = None,
        base_url: str | None = None,
        provider: str | None = None,
        capability: Capability | None = None,
    ) -> AsyncGenerator[Route, None]:
        """The way to what answers for `model`; an engine stays up while the context is open.

        `capability` is what a model of this machine has to be able to do; of another server's it
        is not known.

        Raises:
            ModelNotFound: there is no such model; lists those that there are.
            UnsupportedInput: the model cannot do that.
            EngineMissing: no model of this machine can.
            EngineError: the engine did not start, or went down inside the context.
            UpstreamError: the server has no API that could be called.
        """
        default = self._default_image_model if capability == "images" else self._default_model
        server, name = await self._server(model or None, base_url or None, provider, default)
        if server is None:
            local = await self._local(name, capability, default)
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
                    f"it is called `{_LOCAL}/{name}`.",
                    param="model",
                ) from refused
            if refused.status in (401, 403) and server.connection is None:
                raise _with_hint(
                    refused,
                    "A key is sent only to a server that is a connection: "
                    "`ingle connections add NAME URL` makes it one.",
                ) from refused
            raise

    async def route_again(self, route: Route, refused: UpstreamRefused) -> Route | None:
        """Another way to the same server, if its API is no longer where it was found; else None.

        For who was refused with "not found" on the way `route`, while that is still open.
        """
        if refused.status != 404 or route._server is None:
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
        self, model: str | None, base_url: str | None, provider: str | None, default: str
    ) -> tuple[Server | None, str | None]:
        """The server by the rules, None for this machine; and what the model is called there."""
        if base_url is not None:
            return await self._servers.at(base_url), model
        may_be_elsewhere = provider is not None or "/" in (model or default)
        connections = await self._servers.connections() if may_be_elsewhere else {}
        has_connection = provider is not None and provider in connections
        named = model if model or has_connection else default
        first, slash, rest = (named or "").partition("/")
        if slash and first == _LOCAL:
            return None, rest or None
        if slash and first in connections:
            return await self._servers.of_connection(first), rest or None
        if provider is not None and has_connection:
            return await self._servers.of_connection(provider), model
        return None, model

    async def _installed(self, name: str) -> Model:
        """The model as its files were at most a second ago: looking costs more than all the rest."""
        now_s = time.monotonic()
        model, until_s = self._seen.get(name, (None, 0.0))
        if model is None or until_s < now_s:
            self._seen.pop(name, None)
            model = await asyncio.to_thread(self._models.get, name)
            self._seen[name] = model, now_s + _FRESH_S
        return model

    async def _local(self, name: str | None, capability: Capability | None, default: str) -> Model:
        """The model of this machine; without a name the default one, or another that can do it."""
        try:
            model = await self._installed(name or default)
        except ModelNotFound as error:
            if name is not None or default != _DEMO_IMAGE:
                message = f"{error.message}{await self._elsewhere()}"
                raise ModelNotFound(message, param="model") from error
            model = None  # a package may come without it
        if model is not None and (capability is None or capability in model.capabilities):
            return model
        able = [
            other
            for other in await asyncio.to_thread(self._models.list)
            if capability in other.capabilities
        ]
        if able and (name is None or model is None):
            return able[0]
        if able and model is not None:
            names = ", ".join(other.name for other in able)
            raise UnsupportedInput(
                f"The model {model.name!r} is not made for {capability}. Installed models that "
                f"are: {names}.",
                param="model",
            )
        raise EngineMissing(
            f"No model of this machine is made for {capability}. Give the `base_url` of a server "
            "that has one, or connect it for good: `ingle connections add localai URL`."
        )

    async def _elsewhere(self) -> str:
        """A hint at the models of connections, if there are any."""
        names = list(await self._servers.connections())
        return f" A connection's model is called such as `{names[0]}/NAME`." if names else ""

    async def _local_names(self) -> set[str]:
        return {model.name for model in await asyncio.to_thread(self._models.list)}


def _with_hint(refused: UpstreamRefused, hint: str) -> UpstreamRefused:
    return UpstreamRefused(
        f"{refused.message} {hint}",
        url=refused.url,
        status=refused.status,
        server_message=refused.server_message,
        partial=refused.partial,
        param=refused.param,
    )
