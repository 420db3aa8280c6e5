"""The estimate against what the engine then holds: real models, contexts filled to their end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ingle.engines.supervisor import EngineStatus, Supervisor
from ingle.models.manifest import Model
from ingle.models.store import Models
from ingle.models.text_options import TextOptions
from ingle.settings import Settings, load_settings
from ingle.testing.tiny_model import ModelShape, write_model
from ingle.upstream.client import Client
from ingle.upstream.target import Target

WITHIN = 0.15


@dataclass(frozen=True)
class Case:
    """A model, how it is run, and what it is told beside; no shape is the demo model."""

    shape: ModelShape | None
    context_tokens: int
    slots: int
    text: TextOptions = TextOptions()  # noqa: RUF009 -- it is frozen
    pooling: int | None = None


SMALL = ModelShape()
CASES = {
    "llama": Case(SMALL, 2048, 2),
    "demo": Case(None, 2048, 4),
    "one long context": Case(SMALL, 8192, 1),
    "many slots": Case(SMALL, 1024, 16),
    "every head keeps its own": Case(ModelShape(kv_heads=4, layers=8, width=256), 2048, 2),
    "heads share": Case(ModelShape(kv_heads=1, layers=8, width=256), 2048, 2),
    "8-bit cache": Case(
        ModelShape(kv_heads=4, layers=8, width=256),
        2048,
        2,
        TextOptions(cache_type_k="q8_0", cache_type_v="q8_0"),
    ),
    "wide layers": Case(ModelShape(width=256, feed_forward=4096), 1024, 2),
    "wide heads": Case(ModelShape("qwen3", head_width=128, layers=4), 2048, 2),
    "windows": Case(ModelShape("gemma3", layers=12, width=128, head_width=64), 2048, 2),
    "no attention": Case(ModelShape("mamba", layers=12, width=256), 2048, 2),
    "many words": Case(ModelShape(vocabulary=32000), 2048, 2),
    "repacked weights": Case(
        ModelShape(width=512, layers=8, feed_forward=2048, weights="q4_0"), 1024, 1
    ),
    "no flash attention": Case(SMALL, 2048, 2, TextOptions(flash_attention=False)),
    "two hundred million": Case(
        ModelShape(width=1024, layers=18, heads=16, kv_heads=8, feed_forward=2816), 512, 2
    ),
    "vectors of whole texts": Case(SMALL, 2048, 2, pooling=1),
}


async def fill(client: Client, target: Target, case: Case) -> None:
    """Fill each slot twice, so that the cache of prompts fills too; then ask for a vector."""
    for start in (60, 90):
        prompts = [[start + slot] * (case.context_tokens - 8) for slot in range(case.slots)]
        bodies = [{"prompt": prompt, "max_tokens": 4} for prompt in prompts]
        if case.pooling:
            bodies = [{"input": prompt} for prompt in prompts]
        endpoint = "embeddings" if case.pooling else "completions"
        await asyncio.gather(*(client.post(target, endpoint, body, into=bytes) for body in bodies))
    await client.post(target, "embeddings", {"input": [70] * 510}, into=bytes)


async def load_and_fill(model: Model, settings: Settings, case: Case) -> EngineStatus:
    """The engine when all has been asked of it."""
    async with Client() as client, Supervisor(settings) as supervisor:
        async with supervisor.lease(model) as target:
            await fill(client, target, case)
        (status,) = supervisor.status()
    return status


def installed(models: Models, case: Case) -> Model:
    """The case's model."""
    if case.shape is None:
        return models.get("demo")
    models.folder.mkdir(parents=True)
    extra = {f"{case.shape.architecture}.pooling_type": case.pooling} if case.pooling else {}
    write_model(models.folder / "m.gguf", case.shape, extra=extra)
    return models.get("m")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CASES)
async def test_what_an_engine_takes_is_foretold(home: Path, name: str) -> None:
    """Within 15%, for several architectures, contexts, numbers of slots and types of cache."""
    case = CASES[name]
    settings = load_settings(
        overrides={"context_tokens": case.context_tokens, "slots": case.slots, "threads": 1}
    )
    models = Models(settings)
    model = replace(installed(models, case), text=case.text)

    status = await load_and_fill(model, settings, case)

    assert status.expected_bytes is not None
    assert status.memory_bytes is not None
    assert status.expected_bytes == pytest.approx(status.memory_bytes, rel=WITHIN)
