"""How much memory a model takes, which context fits, and what goes to a GPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ingle.engines.devices import Device, gpus
from ingle.engines.fit import Fit, fit
from ingle.engines.memory import Memory, engines_limit
from ingle.errors import ModelTooLarge
from ingle.models.gguf import read_header
from ingle.models.manifest import Model
from ingle.models.text_options import Part, TextOptions
from ingle.settings import load_settings
from ingle.testing.tiny_model import ModelShape, write_model

InstallModel = Callable[..., Model]

MIB = 2**20
PLENTY = Memory(1000 * MIB)
PROCESS = 40 * MIB + 259 * 200
NETWORK = 512 * (3 * 128 + 5 * 64 + 259) * 4  # activations of a batch, and its logits once more
TOKEN = 2 * 2 * (16 + 16) * 2  # layers, key/value heads, widths of both, bytes of f16


def mask(cells: int) -> int:
    return 512 * cells * 2


def cache(cells: int) -> int:
    """One context with what is noted of its tokens, in whole MiB."""
    return -(-cells * (TOKEN + 16) // MIB) * MIB


def test_the_estimate_adds_up(install: InstallModel) -> None:
    """Weights, a cache a slot, one more for prompts, the buffers of a batch and the process."""
    model = install("m")

    size = fit(model, slots=4, context_tokens=None, limit=PLENTY)

    assert (size.context_tokens, size.slots) == (8192, 4)
    assert size.parts == {
        "weights": model.path.stat().st_size,
        "context": 4 * 8192 * 256,
        "prompt cache": 3 * MIB,
        "buffers": NETWORK + mask(8192),
        "process": PROCESS,
    }
    assert size.memory == Memory(sum(size.parts.values()))


def test_each_type_of_cache_has_its_size(install: InstallModel) -> None:
    """Keys of 34 bytes for 32 numbers, and values of 18."""
    text = TextOptions(cache_type_k="q8_0", cache_type_v="q4_0")
    model = replace(install("m"), text=text)

    size = fit(model, slots=1, context_tokens=1024, limit=PLENTY)

    assert size.kv_bytes == 1024 * 2 * 2 * (16 * 34 + 16 * 18) // 32


def test_a_draft_model_counts_with_its_own_cache(install: InstallModel, tmp_path: Path) -> None:
    """What guesses for a model takes its weights, its context in each slot, and its buffers."""
    model = install("m")
    path = write_model(tmp_path / "draft.gguf", ModelShape(layers=1))
    draft = Part(path, path.stat().st_size, 0, read_header(path))
    alone = fit(model, slots=2, context_tokens=1024, limit=PLENTY)

    both = fit(
        replace(model, text=TextOptions(draft=draft)), slots=2, context_tokens=1024, limit=PLENTY
    )

    assert both.weights_bytes - alone.weights_bytes == path.stat().st_size
    assert both.kv_bytes - alone.kv_bytes == 2 * 1024 * TOKEN // 2
    assert both.buffers_bytes == 2 * alone.buffers_bytes


def test_a_context_beyond_the_training_is_cut(install: InstallModel) -> None:
    """No model is given more context than it was trained for, unless its manifest stretches it."""
    model = install("m", **{"llama.context_length": 1024})
    stretched = replace(model, text=TextOptions(rope_scaling="yarn"))

    assert fit(model, slots=1, context_tokens=9999, limit=PLENTY).context_tokens == 1024
    assert fit(model, slots=1, context_tokens=None, limit=PLENTY).context_tokens == 1024
    assert fit(stretched, slots=1, context_tokens=9999, limit=PLENTY).context_tokens == 9999


def room_for(model: Model, tokens: int, slots: int) -> Memory:
    """Just enough for so much context."""
    kept = slots * tokens * TOKEN + cache(tokens)
    return Memory(model.size_bytes + PROCESS + NETWORK + mask(tokens) + kept)


def test_where_none_was_asked_for_the_context_is_what_fits(install: InstallModel) -> None:
    """In little memory a model gets a smaller context rather than none."""
    model = install("m")
    limit = room_for(model, 1024, slots=4)

    size = fit(model, slots=4, context_tokens=None, limit=limit)

    assert size.context_tokens == 1024
    assert size.memory == limit


def test_a_refusal_names_the_context_that_would_fit(install: InstallModel) -> None:
    """A context that was asked for is not cut in silence; taking the advice works, one more not."""
    model = install("m")
    limit = room_for(model, 1024, slots=4)

    with pytest.raises(ModelTooLarge, match=r"A context of 1,024 tokens would fit") as caught:
        fit(model, slots=4, context_tokens=1025, limit=limit)

    assert "4 slots of 1,025 tokens (weights 0 MiB, context 1 MiB, " in caught.value.message
    assert f"process 40 MiB), and engines may take {limit}." in caught.value.message
    assert fit(model, slots=4, context_tokens=1024, limit=limit).slots == 4


def test_a_model_that_can_never_fit_is_refused(install: InstallModel) -> None:
    """Where not even the smallest context fits, the advice is another model."""
    with pytest.raises(ModelTooLarge, match="No context would fit: take a smaller model"):
        fit(install("m"), slots=4, context_tokens=None, limit=Memory(1 * MIB))


@pytest.mark.parametrize(("weights", "is_mapped"), [("q8_0", True), ("q4_0", False)])
def test_weights_that_are_copied_are_not_mapped(
    tmp_path: Path, weights: str, is_mapped: bool
) -> None:
    """What llama.cpp copies into another order is not also held as pages of the file."""
    path = write_model(
        tmp_path / "m.gguf", ModelShape(weights="q4_0" if weights == "q4_0" else "q8_0")
    )
    model = Model("m", path, path.stat().st_size, read_header(path), capabilities=("chat",))

    assert fit(model, slots=1, context_tokens=512, limit=PLENTY).maps_file is is_mapped


def on_gpu(model: Model, gpu_mib: float, gpu_layers: int | None = None) -> Fit:
    model = replace(model, text=TextOptions(gpu_layers=gpu_layers))
    limit = Memory(1000 * MIB, int(gpu_mib * MIB))
    return fit(model, slots=1, context_tokens=1024, limit=limit)


def test_as_many_layers_as_fit_go_to_the_gpu(install: InstallModel) -> None:
    """Weights and cache by layers, the output counting as one, with the buffers of a batch."""
    model = install("m")  # two layers and the output
    whole = fit(model, slots=1, context_tokens=1024, limit=PLENTY)
    layered = whole.weights_bytes + whole.kv_bytes
    buffers = whole.buffers_bytes / MIB
    assert (whole.gpu_layers, whole.gpu_bytes) == (None, 0)

    everything = on_gpu(model, 1000)
    assert (everything.gpu_layers, everything.gpu_bytes) == (3, layered + whole.buffers_bytes)
    assert everything.memory.ram_bytes == whole.memory.ram_bytes - everything.gpu_bytes

    some = on_gpu(model, buffers + 0.7 * layered / MIB)
    assert (some.gpu_layers, some.gpu_bytes) == (2, layered * 2 // 3 + whole.buffers_bytes)
    assert on_gpu(model, buffers / 2).memory == whole.memory


def test_the_manifest_says_how_many_layers_go_there(install: InstallModel) -> None:
    """All for -1, none for 0; a number that does not fit is refused, and says what to change."""
    model = install("m")

    assert on_gpu(model, 1000, gpu_layers=-1).gpu_layers == 3
    assert on_gpu(model, 1000, gpu_layers=1).gpu_layers == 1
    assert on_gpu(model, 1000, gpu_layers=0).gpu_bytes == 0
    with pytest.raises(ModelTooLarge, match=r"1 MiB on the GPU\. .* lower `gpu_layers`, or"):
        on_gpu(model, 1, gpu_layers=3)


@pytest.mark.usefixtures("home")
def test_the_gpu_is_a_part_of_the_budget() -> None:
    """Nine tenths of what GPUs have of their own; a GPU without memory of its own adds nothing."""
    devices = [Device("A", "gpu", 10_000), Device("B", "gpu", 20_000), Device("C", "igpu", 5_000)]
    told = load_settings(overrides={"memory_limit_bytes": 500})
    set_by_hand = load_settings(overrides={"memory_limit_bytes": 500, "gpu_memory_limit_bytes": 7})

    assert engines_limit(told, lambda: devices) == Memory(500, 27_000)
    assert engines_limit(told, list) == Memory(500)
    assert engines_limit(set_by_hand, lambda: devices) == Memory(500, 7)


def test_this_machines_gpus_are_those_that_llama_cpp_sees() -> None:
    """None of them is the processor."""
    assert "cpu" not in {device.type for device in gpus()}
