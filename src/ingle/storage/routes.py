"""The routes: names that stand for models, from settings and from the database.

A name in the file wins over the database. Those from the file are read here and changed where they
are written. It does not know which of the models are there, nor which server answers.
"""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ingle.errors import Conflict, InvalidRequest, NotFound
from ingle.settings import Settings, Source
from ingle.settings.values import Pick, check_route_name, check_target_models
from ingle.storage import tables
from ingle.storage.database import Database

__all__ = ["NamedRoute", "NamedRoutes", "Pick", "name_conflict"]


@dataclass(frozen=True, slots=True)
class NamedRoute:
    """A name that stands for `models`, each `connection/model` or `local/model`.

    `pick` says which is tried first: the `first` always, or each in turn (`round_robin`). The
    others follow in their order when it fails.
    """

    name: str
    models: tuple[str, ...]
    pick: Pick
    source: Source


class NamedRoutes:
    """Lists, reads and changes routes. Every method blocks on the database."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._versions = itertools.count(1)
        self._version = 0

    @property
    def version(self) -> int:
        """Another number after each change made through this object, as of `Connections`."""
        return self._version

    def list(self) -> builtins.list[NamedRoute]:
        """All routes by name, each name once.

        Raises:
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            stored = transaction.execute(sa.select(tables.routes)).all()
        found = {row.name: _from_row(row) for row in stored}
        found |= {name: self._from_settings(name) for name in self._settings.routes}
        return [found[name] for name in sorted(found)]

    def get(self, name: str) -> NamedRoute:
        """The route of this name.

        Raises:
            NotFound: there is none; lists those that there are.
            StorageError: the database failed.
        """
        routes = {route.name: route for route in self.list()}
        if name not in routes:
            raise NotFound(
                f"There is no route {name!r}. There are: {', '.join(routes) or 'none'}. "
                "`ingle routes add NAME MODEL…` makes one."
            )
        return routes[name]

    def save(
        self, name: str, models: Collection[str], pick: Pick, *, installed: Collection[str]
    ) -> NamedRoute:
        """Make the route, or put this one in its place. A model without a slash is this machine's.

        `installed` are the models of this machine, of which a route may hide none.

        Raises:
            InvalidRequest: the name cannot be one; there are no models, or one is a route or of a
                connection that is not there; `param` says which.
            Conflict: an installed model has this name, or the file sets a route of this name.
            StorageError: the database failed; nothing was changed.
        """
        route = _checked(name, models, pick)
        if name in installed:
            raise name_conflict(name)
        self._refuse_from_settings(name)
        with self._database.writing() as transaction:
            self._check_models(transaction, route)
            transaction.execute(sa.delete(tables.routes).where(tables.routes.c.name == name))
            transaction.execute(
                sa.insert(tables.routes).values(
                    name=name,
                    models=list(route.models),
                    pick=route.pick,
                    updated_at=datetime.now(UTC),
                )
            )
        self._changed()
        return route

    def remove(self, name: str) -> None:
        """Delete the route; the models stay.

        Raises:
            NotFound: there is none; lists those that there are.
            Conflict: it is set in the file.
            StorageError: the database failed; nothing was changed.
        """
        self._refuse_from_settings(name)
        with self._database.writing() as transaction:
            done = transaction.execute(sa.delete(tables.routes).where(tables.routes.c.name == name))
        if not done.rowcount:
            self.get(name)
        self._changed()

    def _check_models(self, transaction: sa.Connection, route: NamedRoute) -> None:
        connections = {*transaction.scalars(sa.select(tables.connections.c.name))}
        connections |= self._settings.connections.keys()
        routes = {*transaction.scalars(sa.select(tables.routes.c.name)), route.name}
        routes |= self._settings.routes.keys()
        for model in route.models:
            place, _, served = model.partition("/")
            if place == "local" and served in routes:
                what = "itself" if served == route.name else f"the route {served!r}"
                raise InvalidRequest(
                    f"The route {route.name!r} cannot lead to {what}: a route leads to models. "
                    "Name the models themselves.",
                    param="models",
                )
            if place != "local" and place not in connections:
                raise InvalidRequest(
                    f"{model!r} names no connection: there are {', '.join(sorted(connections)) or 'none'}. "
                    f"`ingle connections add {place} URL` makes it; local/MODEL is this machine's.",
                    param="models",
                )

    def _changed(self) -> None:
        """Only after the commit: else a reader could keep the old state under the new number."""
        self._version = next(self._versions)

    def _from_settings(self, name: str) -> NamedRoute:
        setting = self._settings.routes[name]
        source = self._settings.source(f"routes.{name}.models")
        return NamedRoute(name, setting.models, setting.pick, source)

    def _refuse_from_settings(self, name: str) -> None:
        if name in self._settings.routes:
            source = self._settings.source(f"routes.{name}.models")
            raise Conflict(
                f"The route {name!r} is set by the {source}, which wins over what is kept here. "
                "Change it there, or take it out there first."
            )


def name_conflict(name: str) -> Conflict:
    """The error for a route and an installed model of one name: neither may hide the other."""
    return Conflict(
        f"{name!r} is the name of an installed model, and a route of that name would hide it. "
        f"Give the route another name; the model is also called `local/{name}`.",
        param="model",
    )


def _checked(name: str, models: Collection[str], pick: Pick) -> NamedRoute:
    param = "name"
    try:
        check_route_name(name)
        param = "models"
        targets = check_target_models(tuple(models))
    except ValueError as error:
        raise InvalidRequest(f"{str(error)[0].upper()}{str(error)[1:]}.", param=param) from error
    return NamedRoute(name, targets, pick, Source("database"))


def _from_row(row: sa.Row[Any]) -> NamedRoute:  # Any: mypy does not know a row's columns
    return NamedRoute(row.name, tuple(row.models), row.pick, Source("database"))
