"""A router over real connections, the installed models, and engines that only say their name."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import ingle.models
from ingle.errors import EngineCrashed, UpstreamError
from ingle.models.manifest import Model
from ingle.models.store import Models
from ingle.routing import Router
from ingle.settings import load_settings
from ingle.storage.connections import Connections
from ingle.storage.database import Database
from ingle.storage.routes import NamedRoutes
from ingle.upstream.client import Client
from ingle.upstream.target import Target


class House:
    """The parts that a router stands on, and the leases that it has taken."""

    def __init__(self, home: Path, database: Database) -> None:
        settings = load_settings()
        self.database = database
        self.models = Models(settings)
        self.connections = Connections(database, settings)
        self.routes = NamedRoutes(database, settings)
        self.leased: list[str] = []
        self._home = home

    def install(self, *names: str) -> None:
        """Put the demo model under further names."""
        folder = self._home / "models"
        folder.mkdir(exist_ok=True)
        demo = Path(ingle.models.__file__).parent / "demo" / "chat.gguf"
        for name in names:
            (folder / f"{name}.gguf").symlink_to(demo)

    def lose_key(self) -> None:
        """Delete the file that the connections' keys are encrypted with."""
        (self._home / "secret.key").unlink()

    @asynccontextmanager
    async def lease(self, model: Model) -> AsyncGenerator[Target, None]:
        """An engine that is there while it is leased."""
        self.leased.append(model.name)
        try:
            yield Target("http://127.0.0.1:9/v1", "engine-key", f"engine {model.name}")
        except UpstreamError as error:  # as the supervisor does for an engine that went down
            raise EngineCrashed(f"engine {model.name} went down") from error
        finally:
            self.leased.remove(model.name)

    def install_image_model(self, name: str) -> None:
        """Make a folder that looks like an image model's."""
        folder = self._home / "models" / name
        folder.mkdir(parents=True)
        (folder / "model_index.json").write_text("{}")

    def router(
        self,
        client: Client,
        default_model: str | None = None,
        default_image_model: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Router:
        """A router over these."""
        return Router(
            client,
            self.models,
            self.connections,
            self.routes,
            self.lease,
            default_model=default_model,
            default_image_model=default_image_model,
            clock=clock,
        )


@pytest.fixture
def house(home: Path) -> Generator[House, None, None]:
    """No connections, and what comes with Ingle."""
    database = Database.open(load_settings())
    yield House(home, database)
    database.close()


@pytest.fixture
async def client() -> AsyncGenerator[Client, None]:
    """A client for scripted servers."""
    async with Client() as client:
        yield client
