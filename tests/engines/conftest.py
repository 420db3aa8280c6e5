"""Real engines on small models with random weights."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ingle.engines.supervisor import Supervisor
from ingle.models.manifest import Model
from ingle.models.store import Models
from ingle.settings import load_settings
from ingle.testing.tiny_model import ModelShape, write_model
from ingle.upstream.client import Client
from ingle.upstream.target import Target

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


async def call(target: Target, endpoint: str, body: object = None, key: str | None = "own") -> Any:
    """The status and the JSON of an answer."""
    headers = {"Authorization": f"Bearer {target.api_key if key == 'own' else key}"} if key else {}
    async with aiohttp.ClientSession(headers=headers) as session:
        method = "GET" if body is None else "POST"
        async with session.request(method, target.url(endpoint), json=body) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            return answer.status, json.loads(text) if is_json else text
