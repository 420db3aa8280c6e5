"""What `ingle doctor` looks at of Ingle's own: whether what the settings name is in order."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ingle.cli.check import Check, State
from ingle.cli.machine import owner_of_port
from ingle.cli.terminal import size
from ingle.errors import Conflict, IngleError
from ingle.settings import Settings

if TYPE_CHECKING:
    from ingle.storage.connections import Connection
    from ingle.upstream.client import Client

__all__ = ["check_ingle"]

_LITTLE_DISK_BYTES = 2_000_000_000  # less than one small model's file
_NO_DISK_BYTES = 50_000_000


def check_ingle(settings: Settings) -> Iterator[Check]:
    """Whether what these settings name is there and in order."""
    yield _check_folder(settings.home)
    yield _check_disk(settings.home)
    yield _check_port(settings.host, settings.port)
    yield from _check_models(settings)
    yield from _check_database(settings)


def _check_folder(home: Path) -> Check:
    existing = _nearest_existing(home)
    if not os.access(existing, os.W_OK | os.X_OK) or not existing.is_dir():
        return Check(
            "data folder",
            "fail",
            f"{home} cannot be written to",
            "Give this user the right to it, or set INGLE_HOME to a folder that is yours.",
        )
    return Check("data folder", "ok", f"{home}{'' if existing == home else ' (not made yet)'}")


def _check_disk(home: Path) -> Check:
    free = shutil.disk_usage(_nearest_existing(home)).free
    finding = f"{size(free)} free for models"
    if free >= _LITTLE_DISK_BYTES:
        return Check("disk", "ok", finding)
    state: State = "warn" if free >= _NO_DISK_BYTES else "fail"
    return Check(
        "disk", state, finding, "Free some space, or set INGLE_HOME to a folder on another disk."
    )


def _nearest_existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _check_port(host: str, port: int) -> Check:
    from ingle.server.listener import ingle_at, listen

    try:
        with closing(listen(host, port)):
            return Check("port", "ok", f"{host}:{port} is free")
    except Conflict as error:
        if version := ingle_at(host, port):
            return Check("port", "ok", f"Ingle {version} is running at {host}:{port}")
        owner = owner_of_port(port)
        return Check("port", "warn", f"{error.message}{f' It is {owner}.' if owner else ''}")
    except IngleError as error:
        return Check("port", "fail", error.message)


def _check_models(settings: Settings) -> Iterator[Check]:
    from ingle.models.store import Models

    models = Models(settings)
    names = [model.name for model in models.list()]
    if names:
        yield Check("models", "ok", f"whole: {', '.join(names)}")
    for damaged in models.damaged():
        yield Check("models", "warn", damaged.error.message)
    if "demo" not in names:
        yield Check(
            "demo model",
            "fail",
            "the file of the model that comes with Ingle is missing or damaged",
            "`pip install --force-reinstall --no-deps ingle` puts it back.",
        )
    if settings.default_model and "/" not in settings.default_model:
        try:
            models.get(settings.default_model)
        except IngleError as error:
            yield Check("default model", "fail", error.message)


def _check_database(settings: Settings) -> Iterator[Check]:
    """The database, if there is one yet, and the connections in it and in the settings."""
    from ingle.storage.connections import Connections
    from ingle.storage.database import Database

    if not settings.home.exists() and settings.database_url is None and not settings.connections:
        yield Check("database", "ok", "not made yet")
        return
    try:
        with closing(Database.open(settings)) as database:
            connections = Connections(database, settings).list()
    except IngleError as error:
        yield Check("database", "fail", error.message)
        return
    yield Check("database", "ok", "opens and is up to date")
    yield from asyncio.run(_check_connections(connections))


async def _check_connections(connections: Sequence[Connection]) -> list[Check]:
    """Whether each connection's server answers; all are asked at the same time."""
    from ingle.upstream.client import Client

    async with Client() as client, asyncio.TaskGroup() as group:
        asked = [group.create_task(_check_connection(client, one)) for one in connections]
    return [task.result() for task in asked]


async def _check_connection(client: Client, connection: Connection) -> Check:
    from ingle.upstream.probe import probe

    name = f"connection {connection.name}"
    if connection.key_fault:
        return Check(name, "fail", f"its key cannot be read. {connection.key_fault}")
    try:
        found = await probe(client, connection.base_url, connection.api_key, name=connection.name)
    except IngleError as error:
        return Check(name, "fail", error.message)
    if found.error:
        return Check(name, "warn", found.error.message)
    return Check(
        name,
        "warn" if found.note else "ok",
        f"{found.base_url}: {found.tried[-1].outcome}",
        found.note,
    )
