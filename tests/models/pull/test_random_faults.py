"""Many faults at once, at random: what is installed is right, whatever happened on the way."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from ingle.errors import UpstreamError
from ingle.settings import Settings
from ingle.testing.file_server import FileServer, ServedFile

Pulling = Any  # of conftest, which no test can import
Gguf = Any

SIZE = 400_000


def spoil(file: ServedFile, dice: random.Random) -> None:
    """Let anything go wrong with the next answers."""
    file.etag = dice.choice([None, 'W/"weak"', f'"{file.sha256}"'])
    file.ignores_ranges = dice.random() < 0.3
    file.ignores_validators = dice.random() < 0.3
    file.is_chunked = dice.random() < 0.3
    file.cuts = [dice.randrange(SIZE) for _ in range(dice.randrange(6))]
    file.statuses = dice.choices([429, 500, 503], k=dice.choice([0, 0, 1, 2]))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
async def test_faults(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf, seed: int
) -> None:
    """Cuts, cancelled pulls, ignored ranges and changing files end in the file that is served last."""
    dice = random.Random(seed)
    has_digest = seed % 2 == 0
    file = server.serve("/x.gguf", gguf(SIZE, mark=b"0"))
    for round_ in range(4):
        if not has_digest and dice.random() < 0.3:
            file = server.serve("/x.gguf", gguf(SIZE, mark=str(round_ + 1).encode()))
        spoil(file, dice)
        demanded = f"#sha256={file.sha256}" if has_digest else ""
        running = asyncio.create_task(pulling(f"{server.url}/x.gguf{demanded}", interval_s=0.005))
        if dice.random() < 0.5:
            await asyncio.wait({running}, timeout=dice.random() * 0.05)
            running.cancel()
        with suppress(UpstreamError, asyncio.CancelledError):
            done = await running
            if not done.was_there:
                assert (done.path / "x.gguf").read_bytes() == file.content
    server.files["/x.gguf"] = replace(file, cuts=[], statuses=[], is_held=asyncio.Event())
    done = await pulling(f"{server.url}/x.gguf{demanded}", is_fresh=seed % 3 == 0)
    if not done.was_there:
        assert (done.path / "x.gguf").read_bytes() == file.content
