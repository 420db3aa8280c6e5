"""The routes as calls use them: found by their name, each with whose turn it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from ingle.models.store import Models
from ingle.routing.fresh import Fresh
from ingle.storage.routes import NamedRoute, NamedRoutes, name_conflict

__all__ = ["Named"]

_FRESH_S = 1.0


class Named:
    """The routes of one database and file; for one event loop."""

    def __init__(self, routes: NamedRoutes, models: Models) -> None:
        self._models = models
        self._routes: Fresh[Mapping[str, NamedRoute]] = Fresh(
            routes, lambda: {route.name: route for route in routes.list()}, {}
        )
        # Both by a route's name, so no longer than the routes that there were.
        self._hides_nothing_until_s: dict[str, float] = {}
        self._turns: dict[str, int] = {}

    async def all(self) -> Mapping[str, NamedRoute]:
        """All routes by name.

        Raises:
            StorageError: the database failed.
        """
        return await self._routes.get()

    async def get(self, name: str) -> NamedRoute | None:
        """The route of this name, if there is one.

        Raises:
            Conflict: an installed model has the name, too; looked for once a second.
            StorageError: the database failed.
        """
        named = (await self._routes.get()).get(name)
        if named is not None and self._hides_nothing_until_s.get(name, 0.0) < time.monotonic():
            if name in await asyncio.to_thread(self._models.names):
                raise name_conflict(name)
            self._hides_nothing_until_s[name] = time.monotonic() + _FRESH_S
        return named

    def in_turn(self, named: NamedRoute) -> tuple[str, ...]:
        """The route's models in the order in which the next call tries them."""
        if named.pick == "first":
            return named.models
        turn = self._turns.get(named.name, 0) % len(named.models)
        self._turns[named.name] = turn + 1
        return named.models[turn:] + named.models[:turn]
