"""Which models there are to ask for: those of this machine and those of every connection."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from ingle.errors import IngleError, ModelNotFound, UpstreamTimeout
from ingle.models.manifest import Model
from ingle.routing.servers import Server, Servers
from ingle.upstream.client import Client
from ingle.upstream.limits import Limits
from ingle.upstream.wire import ModelList

__all__ = ["AvailableModels", "Fault", "ModelEntry", "ServedModels"]

_LIST_S = 2.0
"""How long a server may take to list its models; with this one, the list has to do without it."""

_FRESH_S = 15.0
"""How long a list, or that there was none, is taken to be still right."""

_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """What can be asked for by its `id`, or an alias. `owned_by` is a connection, `local`, or
    `route`."""

    id: str
    owned_by: str
    created: int | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A connection whose models are not known, and why."""

    connection: str
    error: IngleError


@dataclass(frozen=True, slots=True)
class AvailableModels:
    """What is there, this machine's models first, then the routes, and where there may be more."""

    models: tuple[ModelEntry, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Listed:
    at: float
    models: tuple[ModelEntry, ...]
    error: IngleError | None


class ServedModels:
    """What servers say that they have, asked at most every 15 s for each; for one event loop."""

    def __init__(self, client: Client, servers: Servers) -> None:
        self._client = client
        self._servers = servers
        self._listed: OrderedDict[tuple[str, str], _Listed] = OrderedDict()

    async def only_model(self, server: Server) -> str | None:
        """The model's name if the server has just one; else it is for the server to choose."""
        listed = await self._list(server)
        return listed.models[0].id if len(listed.models) == 1 else None

    async def beside(self, local: Iterable[Model], routes: Iterable[str]) -> AvailableModels:
        """These models of this machine, these routes, and every connection's `connection/model`.

        All connections are asked at the same time; one that does not answer in 2 s is a fault.

        Raises:
            StorageError: the database failed.
        """
        own = [ModelEntry(model.name, "local", aliases=model.aliases) for model in local]
        taken = {name for entry in own for name in (entry.id, *entry.aliases)}
        own += [ModelEntry(name, "route") for name in routes if name not in taken]
        connections = await self._servers.connections()
        async with asyncio.TaskGroup() as group:
            asked = {name: group.create_task(self._list_connection(name)) for name in connections}
        listed = {name: task.result() for name, task in asked.items()}
        served = [
            ModelEntry(f"{name}/{entry.id}", name, entry.created)
            for name, answer in listed.items()
            for entry in answer.models
        ]
        faults = [Fault(name, answer.error) for name, answer in listed.items() if answer.error]
        return AvailableModels((*own, *served), tuple(faults))

    async def find(self, server: Server, model: str) -> None:
        """Return if the server lists the model now.

        Raises:
            ModelNotFound: it does not; says what it lists.
            IngleError: it could not be asked.
        """
        answer = await self._ask(server)
        if answer.error is not None:
            raise answer.error
        names = [entry.id for entry in answer.models]
        if model not in names:
            raise ModelNotFound(
                f"{server.name} ({server.address}) lists no model {model!r}. It lists: "
                f"{', '.join(names[:20]) or 'none'}."
            )

    async def _list_connection(self, name: str) -> _Listed:
        try:
            return await self._list(await self._servers.of_connection(name))
        except IngleError as error:
            return _Listed(_now(), (), error)

    async def _list(self, server: Server) -> _Listed:
        """What the server has, or the error instead; asked anew if the last time was long ago."""
        key = (server.name, server.address)
        known = self._listed.get(key)
        if known is None or _now() - known.at > _FRESH_S:
            known = self._listed[key] = await self._ask(server)
            if len(self._listed) > _REMEMBERED:
                self._listed.popitem(last=False)
        return known

    async def _ask(self, server: Server) -> _Listed:
        try:
            async with asyncio.timeout(_LIST_S):
                target = await self._servers.target(server)
                answer = await self._client.get(
                    target, "models", into=ModelList, limits=Limits(tries=1)
                )
        except IngleError as error:
            return _Listed(_now(), (), error)
        except TimeoutError:
            late = UpstreamTimeout(
                f"{server.name} ({server.address}) did not list its models within {_LIST_S:g} s. "
                f"Check it with `ingle connections test {server.name}`.",
                url=server.address,
            )
            return _Listed(_now(), (), late)
        entries = [ModelEntry(model.id, server.name, model.created) for model in answer.data]
        return _Listed(_now(), tuple(entries), None)


def _now() -> float:
    return asyncio.get_running_loop().time()
