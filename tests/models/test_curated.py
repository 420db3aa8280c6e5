"""The list of good models: it is whole, can be pulled by, and fits itself to memory."""

from __future__ import annotations

import pytest

from ingle.models.curated import Task, curated, suggest
from ingle.models.pull.quantisation import Listed, variants
from ingle.models.pull.source import HubSource, parse_source

GB = 10**9
BITS = {"Q4_K_M": (4.3, 7.0), "Q5_K_M": (5.3, 6.2), "Q6_K": (6.4, 7.0), "Q8_0": (8.2, 9.2)}


def test_every_entry_can_be_pulled() -> None:
    """Names are unique, sources are parsed, quantisations are ones that are known."""
    names = [model.name for model in curated()]
    assert len(set(names)) == len(names) > 20
    for model in curated():
        assert isinstance(parse_source(model.source), HubSource), model.name
        assert model.purpose.endswith("."), model.name
        for quant in model.gigabytes:
            (found,) = variants([Listed(f"x-{quant}.gguf", 1)])
            assert found.quant == quant, model.name


def test_sizes_are_plausible() -> None:
    """Sizes and numbers of parameters agree: bits a weight are those of the quantisation."""
    for model in curated():
        for quant, size in model.gigabytes.items():
            bits = size * 8 / model.parameters
            low, high = BITS.get(quant, (4.0, 16.5))
            assert low <= bits <= high, (model.name, quant, bits)


@pytest.mark.parametrize("task", ["chat", "code", "vision", "embeddings", "rerank"])
def test_each_task_has_something_small(task: Task) -> None:
    """For everything but large code models there is something for 6 GB."""
    assert suggest(6 * GB, task), task


@pytest.mark.parametrize(
    ("memory_gb", "name", "quant"),
    [
        (1.3, "qwen3-0.6b", "Q8_0"),
        (6, "qwen3-4b", "Q4_K_M"),
        (12, "qwen3-14b", "Q4_K_M"),
        (100, "gpt-oss-120b", "MXFP4"),
    ],
)
def test_suggestions(memory_gb: float, name: str, quant: str) -> None:
    """The most capable chat model that fits comes first."""
    best = suggest(int(memory_gb * GB), "chat")[0]
    assert (best.model.name, best.quant) == (name, quant)


def test_nothing_fits() -> None:
    """A machine without memory gets no suggestion."""
    assert suggest(1) == []
