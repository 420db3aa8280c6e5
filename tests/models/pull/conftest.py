"""A web server that misbehaves, small models, and pulling with little patience."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ingle.models.pull.install import Options, pull
from ingle.models.pull.patience import Patience
from ingle.models.pull.progress import Installed, Progress
from ingle.settings import Settings, load_settings
from ingle.testing.file_server import FileServer, file_server

PATIENCE = Patience(connect_s=5, idle_s=0.3, tries=3, pause_s=0.01, longest_pause_s=0.02)

Gguf = Callable[..., bytes]


@pytest.fixture
def gguf() -> Gguf:
    """Make a whole GGUF file without tensors; `mark` makes its content another."""

    def make(size: int = 300_000, mark: bytes = b"a") -> bytes:
        key, value = b"general.architecture", b"llama"
        head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)
        head += struct.pack("<Q", len(key)) + key + struct.pack("<IQ", 8, len(value)) + value
        head += mark * 64
        return head + (bytes(range(256)) * (size // 256 + 1))[: size - len(head)]

    return make


@pytest.fixture
async def server() -> AsyncGenerator[FileServer, None]:
    async with file_server() as running:
        yield running


@pytest.fixture
async def elsewhere() -> AsyncGenerator[FileServer, None]:
    """A second server, on another port: another origin."""
    async with file_server() as running:
        yield running


@pytest.fixture
def settings(home: Path, server: FileServer, tmp_path: Path) -> Settings:
    """Settings whose hub and registry are the stub, and whose caches are empty."""
    return load_settings(
        environ={
            "INGLE_HOME": str(home),
            "INGLE_HUGGINGFACE_URL": server.url,
            "INGLE_HUGGINGFACE_TOKEN": "hf_secret",
            "INGLE_HUGGINGFACE_CACHE": str(tmp_path / "hub"),
            "INGLE_OLLAMA_REGISTRY_URL": server.url,
            "INGLE_OLLAMA_MODELS": str(tmp_path / "ollama"),
        }
    )


@dataclass
class Pulling:
    """Pulls to the end, and keeps what was told."""

    settings: Settings
    told: list[Progress] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, source: str, **options: Any) -> Installed:  # Any: those of Options
        options = {"patience": PATIENCE, "interval_s": 0.02, **options}
        events: list[Progress | Installed] = []
        async with aclosing(pull(source, self.settings, Options(**options))) as running:
            async for event in running:
                events.append(event)
                if isinstance(event, Progress):
                    self.told.append(event)
                    self._news.set()
        (end,) = [event for event in events if isinstance(event, Installed)]
        assert events[-1] is end
        return end

    async def until(self, has_come: Callable[[], bool]) -> None:
        """Return when this holds; it is looked at after each progress that is told."""
        while not has_come():
            self._news.clear()
            await self._news.wait()

    @property
    def notes(self) -> list[str]:
        return [progress.note for progress in self.told if progress.note]


@pytest.fixture
def pulling(settings: Settings) -> Pulling:
    return Pulling(settings)
