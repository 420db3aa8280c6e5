"""Which server answers for a model: an engine of this machine, a connection, or a base URL.

The first of these rules that fits decides:

1. A base URL that the call itself gives.
2. A model named `local/<name>` is this machine's, `<connection>/<name>` that connection's.
3. A route's name stands for its models, each of which is named as in 2.
4. A provider with a connection of its own name (`localai`) is that connection.
5. This machine, where no name means the default model, and that is `demo` unless set; for images
   it is `demo-image`, for speech `demo-voice`.

It knows nothing about what is asked. See `docs/decisions/0021-who-answers.md` and, for routes,
`0025-routes-and-circuits.md`.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Self

from ingle.errors import (
    IngleError,
    ModelNotFound,
    NotAllowed,
    UpstreamError,
    UpstreamRefused,
)
from ingle.models.manifest import Capability, Model
from ingle.models.store import Models
from ingle.routing.health import Health
from ingle.routing.here import DEMO_IMAGE, Here
from ingle.routing.listing import AvailableModels, ServedModels
from ingle.routing.named import Named
from ingle.routing.route import Route
from ingle.routing.servers import Server, Servers
from ingle.routing.tries import Tries
from ingle.storage.connections import Connection, Connections
from ingle.storage.routes import NamedRoute, NamedRoutes
from ingle.upstream.client import Client
from ingle.upstream.reach import Reach
from ingle.upstream.target import Target

__all__ = ["Capability", "Router"]

_LOCAL = "local"
_DEMO = "demo"
_DEMO_VOICE = "demo-voice"
_PUBLIC = Reach()


class Router:
    """Finds the way to a model; belongs to the event loop of its client.

    `lease` starts the engine of a model of this machine and keeps it while it is used. `reach` is
    what may be called besides models, by processors that ask the web.
    """

    def __init__(
        self,
        client: Client,
        models: Models,
        connections: Connections,
        routes: NamedRoutes,
        lease: Callable[[Model], AbstractAsyncContextManager[Target]],
        *,
        default_model: str | None = None,
        default_image_model: str | None = None,
        reach: Reach = _PUBLIC,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client = client
        self.reach = reach
        self._models = models
        self._lease = lease
        self._default_model = default_model or _DEMO
        self._default_image_model = default_image_model or DEMO_IMAGE
        self._servers = Servers(client, connections)
        self._served = ServedModels(client, self._servers)
        self._here = Here(models)
        self._routes = Named(routes, models)
        self._health: dict[str, tuple[str, Health]] = {}
        self._clock = clock
        self._allows: Callable[[str], bool] | None = None
        self.used: Callable[[int, int, int], None] | None = None

    def for_caller(
        self, allows: Callable[[str], bool], used: Callable[[int, int, int], None]
    ) -> Self:
        """The same router, over the same parts, for a caller whose use is limited and counted.

        `allows` says of a name whether it may be asked: as `models` lists it, and for a server that
        is no connection its address and the model. `used` takes the tokens of prompts and of
        completions, and the images, of each answer that a processor gets.
        """
        router = copy.copy(self)
        router._allows, router.used = allows, used
        return router

    async def tries(
        self,
        *,
        model: str | None = None,
        base_url: str | None = None,
        provider: str | None = None,
        capability: Capability | None = None,
    ) -> Tries:
        """The ways to what answers for `model`, in the order in which to try them: `route` of one
        model, or one for each model of a route of that name.

        Raises:
            Conflict: it is a route's name and an installed model's.
            NotAllowed: the caller may not ask for this route.
            StorageError: the database failed.
        """
        named = None if base_url else await self._named(model, provider, capability)
        if named is None:
            way = self.route(
                model=model, base_url=base_url, provider=provider, capability=capability
            )
            return Tries(None, [(model or "", way)])
        self._check_allowed(named.name)
        ways = [
            (one, self._route_of(named, one, capability)) for one in self._routes.in_turn(named)
        ]
        return Tries(named, ways)

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
        default = self._default(capability)
        server, name = await self._server(model or None, base_url or None, provider, default)
        if server is None:
            try:
                local = await self._local(name, capability, default)
            except ModelNotFound:
                self._check_allowed(name or default)  # else the error would list what there is
                raise
            self._check_allowed(local.name)
            async with self._to_engine(local) as route:
                yield route
            return
        self._check_allowed(f"{server.name if server.connection else server.address}/{name or ''}")
        async with self._elsewhere(server, name) as route:
            yield route

    @asynccontextmanager
    async def _route_of(
        self, named: NamedRoute, model: str, capability: Capability | None
    ) -> AsyncGenerator[Route, None]:
        """The way to one of a route's models."""
        place, _, name = model.partition("/")
        if place == _LOCAL:
            local = await self._local(name, capability, name)
            async with self._to_engine(local, named) as route:
                yield route
            return
        server = await self._servers.of_connection(place)
        async with self._elsewhere(server, name, named) as route:
            yield route

    @asynccontextmanager
    async def _to_engine(
        self, local: Model, named: NamedRoute | None = None
    ) -> AsyncGenerator[Route, None]:
        """The way to a model of this machine, whose engine is started if it is not up."""
        async with self._lease(local) as target:
            yield Route(
                target,
                local.command.serves if local.command else local.name,
                is_local=local.command is None,
                named=named,
                system_prompt=local.text.parameters.system_prompt,
            )

    @asynccontextmanager
    async def _elsewhere(
        self, server: Server, name: str | None, named: NamedRoute | None = None
    ) -> AsyncGenerator[Route, None]:
        """The way to a model of another server, whose health it notes.

        Raises:
            CircuitOpen: the server is left alone for now.
        """
        # An address that a call gives has no circuit.
        health = self.health(server.connection) if server.connection else None
        is_trying = health.enter(server.address) if health else False
        try:
            target = await self._servers.target(server)
            name = name or await self._served.only_model(server)
            yield Route(target, name, is_local=False, named=named, server=server, health=health)
        except UpstreamError as error:
            if health:
                health.failed(error)
            if isinstance(error, UpstreamRefused):
                await self._explain(error, server, name)
            raise
        finally:
            if health and is_trying:
                health.leave()

    async def _explain(self, refused: UpstreamRefused, server: Server, name: str | None) -> None:
        """Return if there is nothing to add.

        Raises:
            ModelNotFound: the server has no such model, but this machine has one.
            UpstreamRefused: the same, with how to give the server a key.
        """
        if refused.status == 404 and name in await asyncio.to_thread(self._models.names):
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

    async def route_again(self, route: Route, refused: UpstreamRefused) -> Route | None:
        """Another way to the same server, if its API is no longer where it was found; else None.

        For who was refused with "not found" on the way `route`, while that is still open.
        """
        if refused.status != 404 or route.server is None:
            return None
        target = await self._servers.target_again(route.server, route.target)
        return replace(route, target=target) if target else None

    async def models(self) -> AvailableModels:
        """All models and routes that can be asked for, and the connections that could not be asked.

        Raises:
            StorageError: the database failed.
        """
        local = await asyncio.to_thread(self._models.list)
        found = await self._served.beside(local, await self._routes.all())
        if self._allows is None:
            return found
        allowed = [entry for entry in found.models if self._allows(entry.id)]
        return replace(found, models=tuple(allowed))

    async def test(self, named: NamedRoute) -> Mapping[str, IngleError | None]:
        """Each model of a route, and why it could not be asked now, if so.

        No model is run and no circuit asked: a connection is to list the model within 2 s.

        Raises:
            StorageError: the database failed.
        """
        async with asyncio.TaskGroup() as group:
            asked = {model: group.create_task(self._fault_of(model)) for model in named.models}
        return {model: task.result() for model, task in asked.items()}

    async def _fault_of(self, model: str) -> IngleError | None:
        place, _, name = model.partition("/")
        try:
            if place == _LOCAL:
                await asyncio.to_thread(self._models.get, name)
            else:
                await self._served.find(await self._servers.of_connection(place), name)
        except IngleError as error:
            return error
        return None

    def health(self, connection: Connection) -> Health:
        """The health of a connection; one that was given another address begins anew."""
        known, health = self._health.get(connection.name, ("", None))
        if health is None or known != connection.base_url:
            health = Health(connection.name, clock=self._clock)
            self._health[connection.name] = connection.base_url, health
        return health

    def _check_allowed(self, name: str) -> None:
        if self._allows is not None and not self._allows(name):
            raise NotAllowed(
                f"This API key may not ask the model {name!r}. `GET /v1/models` lists those that "
                "it may ask; `ingle keys change` allows more.",
                param="model",
            )

    def _default(self, capability: Capability | None) -> str:
        if capability == "speech":
            return _DEMO_VOICE
        return self._default_image_model if capability == "images" else self._default_model

    async def _named(
        self, model: str | None, provider: str | None, capability: Capability | None
    ) -> NamedRoute | None:
        """The route of this name, if one is meant; of none where a provider's connection is.

        Raises:
            Conflict: an installed model has the name, too.
        """
        if not model:
            if not await self._routes.all():
                return None
            if provider is not None and provider in await self._servers.connections():
                return None
            model = self._default(capability)
        return await self._routes.get(model)

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

    async def is_here(self, model: str | None, capability: Capability) -> bool:
        """Whether this machine has the model, or without a name any that can do that."""
        return await self._here.has((model or "").removeprefix(f"{_LOCAL}/") or None, capability)

    async def _local(self, name: str | None, capability: Capability | None, default: str) -> Model:
        """The model of this machine; of one that is not there, the error names other places too."""
        try:
            return await self._here.find(name, capability, default)
        except ModelNotFound as error:
            message = f"{error.message}{await self._other_places()}"
            raise ModelNotFound(message, param="model") from error

    async def _other_places(self) -> str:
        """A hint at the models of connections, if there are any."""
        names = list(await self._servers.connections())
        return f" A connection's model is called such as `{names[0]}/NAME`." if names else ""


def _with_hint(refused: UpstreamRefused, hint: str) -> UpstreamRefused:
    return UpstreamRefused(
        f"{refused.message} {hint}",
        url=refused.url,
        status=refused.status,
        server_message=refused.server_message,
        partial=refused.partial,
        param=refused.param,
    )
