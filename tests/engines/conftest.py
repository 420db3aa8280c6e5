"""Real engines on small models with random weights."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from ingle.engines.supervisor import Supervisor
from ingle.models.manifest import Model
from ingle.models.store import Models
from ingle.settings import load_settings
from ingle.testing.tiny_model import ModelShape, write_model
from ingle.upstream.client import Client

InstallModel = Callable[..., Model]


@pytest.fixture
def install(home: Path) -> InstallModel:
    """Installs a model with random weights under a name, and returns it."""

    def install(name: str, **extra: int | str) -> Model:
        models = Models(load_settings())
        models.folder.mkdir(parents=True, exist_ok=True)
        write_model(models.folder / f"{name}.gguf", ModelShape(), extra=extra)
        return models.get(name)

    return install


@pytest.fixture
async def client() -> AsyncGenerator[Client, None]:
    """A client for the engines' own servers."""
    async with Client() as client:
        yield client


@pytest.fixture
async def supervisor(home: Path) -> AsyncGenerator[Supervisor, None]:
    """A supervisor with two slots an engine and a small context, so that starts are quick."""
    settings = load_settings(overrides={"slots": 2, "context_tokens": 4096, "threads": 1})
    async with Supervisor(settings) as supervisor:
        yield supervisor
