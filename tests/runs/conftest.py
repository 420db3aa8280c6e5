"""A router as a running Ingle has it, but for engines: steps here call scripted servers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager

import pytest

from ingle.models.manifest import Model
from ingle.models.store import Models
from ingle.routing import Router
from ingle.settings import Settings, load_settings
from ingle.storage.connections import Connections
from ingle.storage.database import Database
from ingle.storage.routes import NamedRoutes
from ingle.upstream.client import Client
from ingle.upstream.reach import Reach
from ingle.upstream.target import Target


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a home that no test here changes."""
    return load_settings(environ={"INGLE_HOME": str(tmp_path_factory.mktemp("home"))})


@pytest.fixture(scope="session")
def database(settings: Settings) -> Generator[Database, None, None]:
    """A real one, with no connections and no routes."""
    database = Database.open(settings)
    yield database
    database.close()


@pytest.fixture(scope="session")
def connections(database: Database, settings: Settings) -> Connections:
    """No connections."""
    return Connections(database, settings)


@pytest.fixture
async def router(
    settings: Settings, database: Database, connections: Connections
) -> AsyncGenerator[Router, None]:
    """A router with no connections and no engines; steps may call scripted servers."""
    routes = NamedRoutes(database, settings)
    async with Client() as client:
        yield Router(
            client,
            Models(settings),
            connections,
            routes,
            _no_engine,
            reach=Reach.allowing(["127.0.0.1"]),
        )


def _no_engine(model: Model) -> AbstractAsyncContextManager[Target]:
    raise AssertionError(f"no test here starts an engine, as of {model.name}")
