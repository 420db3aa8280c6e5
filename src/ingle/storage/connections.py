"""The connections: servers of the same API, by name, from settings and from the database.

A name in the environment wins over the file, and both over the database. Those from settings are
read here and changed where they are written. It does not talk to any server.
"""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ingle.errors import Conflict, ConnectionNotFound, InvalidRequest, StorageError
from ingle.settings import Settings, Source
from ingle.settings.values import (
    check_base_url,
    check_connection_key,
    check_connection_name,
    mask,
)
from ingle.storage import tables
from ingle.storage.database import Database
from ingle.storage.secrets import Secrets

__all__ = ["Connection", "Connections"]

_STORED = sa.select(tables.connections, tables.resolved_urls.c.resolved_url).outerjoin(
    tables.resolved_urls, tables.resolved_urls.c.base_url == tables.connections.c.base_url
)


@dataclass(frozen=True, slots=True)
class Connection:
    """One server: `base_url` as a person wrote it, `resolved_url` what was found to be called.

    `key_fault` says why the stored key cannot be read; then `api_key` is None.
    """

    name: str
    base_url: str
    resolved_url: str | None
    api_key: str | None = field(repr=False)
    source: Source
    key_fault: str | None = None

    @property
    def masked_key(self) -> str | None:
        """The key as it may be shown; None if there is none."""
        return mask(self.api_key) if self.api_key is not None else None


class Connections:
    """Lists, reads and changes connections. Every method blocks on the database."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._secrets = Secrets(settings.home)
        self._versions = itertools.count(1)
        self._version = 0

    @property
    def version(self) -> int:
        """Another number after each change made through this object.

        Whoever keeps what `list` gave reads this first, and lists again when it has changed.
        """
        return self._version

    def list(self) -> builtins.list[Connection]:
        """All connections by name, each name once; `key_fault` tells of a key that cannot be read.

        Raises:
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            stored = transaction.execute(_STORED).all()
            resolved = _resolved(transaction, self._settings)
        found = {row.name: self._from_row(row) for row in stored}
        found |= {name: self._from_settings(name, resolved) for name in self._settings.connections}
        return [found[name] for name in sorted(found)]

    def get(self, name: str) -> Connection:
        """The connection of this name, ready to be used.

        Raises:
            ConnectionNotFound: there is none; lists those that there are.
            StorageError: the database failed, or the key cannot be read.
        """
        with self._database.reading() as transaction:
            if name in self._settings.connections:
                return self._from_settings(name, _resolved(transaction, self._settings))
            row = transaction.execute(_STORED.where(tables.connections.c.name == name)).first()
        if row is None:
            raise self._not_found(name)
        connection = self._from_row(row)
        if connection.key_fault is not None:
            raise StorageError(
                f"The key of the connection {name!r} cannot be read. {connection.key_fault}"
            )
        return connection

    def save(self, name: str, base_url: str, api_key: str | None) -> Connection:
        """Make the connection, or put this one in its place; without `api_key` it has none.

        Raises:
            InvalidRequest: the name, URL or key cannot be one; `param` says which.
            Conflict: a connection of this name is set in the file or the environment.
            StorageError: the database or the key file failed; nothing was changed.
        """
        name = _checked(check_connection_name, name, "name")
        base_url = _checked(check_base_url, base_url, "base_url")
        key = None if api_key is None else _checked(check_connection_key, api_key, "api_key")
        self._refuse_from_settings(name)
        with self._database.writing() as transaction:
            encrypted = None if key is None else self._encrypted(transaction, name, key)
            _delete(transaction, name, unless_base_url=base_url)
            transaction.execute(
                sa.insert(tables.connections).values(
                    name=name,
                    base_url=base_url,
                    encrypted_api_key=encrypted,
                    updated_at=datetime.now(UTC),
                )
            )
        self._changed()
        return self.get(name)

    def remove(self, name: str) -> None:
        """Delete the connection and its key.

        Raises:
            ConnectionNotFound: there is none; lists those that there are.
            Conflict: it is set in the file or the environment.
            StorageError: the database failed; nothing was changed.
        """
        self._refuse_from_settings(name)
        with self._database.writing() as transaction:
            is_removed = _delete(transaction, name)
        if not is_removed:
            raise self._not_found(name)
        self._changed()

    def remember(self, connection: Connection, resolved_url: str) -> None:
        """Keep what the connection's base URL was found to lead to.

        It belongs to the URL that was asked: if another was saved in the meantime, that one stays
        without.

        Raises:
            StorageError: the database failed.
        """
        with self._database.writing() as transaction:
            _forget(transaction, connection.base_url)
            transaction.execute(
                sa.insert(tables.resolved_urls).values(
                    base_url=connection.base_url,
                    resolved_url=resolved_url,
                    found_at=datetime.now(UTC),
                )
            )
        self._changed()

    def _changed(self) -> None:
        """Only after the commit: else a reader could keep the old state under the new number."""
        self._version = next(self._versions)

    def _from_settings(self, name: str, resolved: Mapping[str, str]) -> Connection:
        setting = self._settings.connections[name]
        return Connection(
            name=name,
            base_url=setting.base_url,
            resolved_url=resolved.get(setting.base_url),
            api_key=setting.api_key,
            source=self._settings.source(f"connections.{name}.base_url"),
        )

    def _from_row(self, row: sa.Row[Any]) -> Connection:  # Any: mypy does not know its columns
        api_key, fault = None, None
        if row.encrypted_api_key is not None:
            try:
                api_key = self._secrets.decrypt(row.encrypted_api_key)
            except StorageError as error:
                fault = error.message
        return Connection(
            name=row.name,
            base_url=row.base_url,
            resolved_url=row.resolved_url,
            api_key=api_key,
            source=Source("database"),
            key_fault=fault,
        )

    def _encrypted(self, transaction: sa.Connection, name: str, api_key: str) -> str:
        """The encrypted key. A new key file is made only if no other row needs the old one."""
        if not self._secrets.has_key():
            others = transaction.scalars(
                sa.select(tables.connections.c.name).where(
                    tables.connections.c.encrypted_api_key.is_not(None),
                    tables.connections.c.name != name,
                )
            ).all()
            if others:
                raise StorageError(
                    f"{self._secrets.path} is missing, and the keys of {', '.join(others)} are "
                    "encrypted with it. Put it back from a backup; or, if it is lost, remove those "
                    "connections (`ingle connections rm NAME`) and make them again."
                )
        return self._secrets.encrypt(api_key)

    def _refuse_from_settings(self, name: str) -> None:
        if name in self._settings.connections:
            source = self._settings.source(f"connections.{name}.base_url")
            raise Conflict(
                f"The connection {name!r} is set by the {source}, which wins over what is kept "
                "here. Change it there, or take it out there first."
            )

    def _not_found(self, name: str) -> ConnectionNotFound:
        names = ", ".join(connection.name for connection in self.list()) or "none"
        return ConnectionNotFound(
            f"There is no connection {name!r}. There are: {names}. "
            "`ingle connections add NAME URL` makes one."
        )


def _resolved(transaction: sa.Connection, settings: Settings) -> dict[str, str]:
    """What the base URLs in the settings were found to lead to."""
    base_urls = [setting.base_url for setting in settings.connections.values()]
    if not base_urls:
        return {}
    table = tables.resolved_urls
    rows = transaction.execute(
        sa.select(table.c.base_url, table.c.resolved_url).where(table.c.base_url.in_(base_urls))
    )
    return {row.base_url: row.resolved_url for row in rows}


def _delete(transaction: sa.Connection, name: str, *, unless_base_url: str | None = None) -> bool:
    """Delete a connection, and what its URL led to unless it stays; whether there was one."""
    row = tables.connections.c.name == name
    base_url = transaction.scalar(sa.select(tables.connections.c.base_url).where(row))
    if base_url is None:
        return False
    if base_url != unless_base_url:
        _forget(transaction, base_url)
    transaction.execute(sa.delete(tables.connections).where(row))
    return True


def _forget(transaction: sa.Connection, base_url: str) -> None:
    table = tables.resolved_urls
    transaction.execute(sa.delete(table).where(table.c.base_url == base_url))


def _checked(check: Callable[[str], str], text: str, param: str) -> str:
    try:
        return check(text)
    except ValueError as error:
        raise InvalidRequest(f"{str(error)[0].upper()}{str(error)[1:]}.", param=param) from error
