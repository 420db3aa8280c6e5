"""Whether a model of llama.cpp fits in memory: the estimate, and the context that fits.

It counts bytes by formulas and knows nothing of what else runs. What it counts, and how far that is
from what an engine then holds, is in docs/engines.md.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from ingle.engines.buffers import batch_tokens, buffer_bytes, process_bytes
from ingle.engines.key_value_cache import checkpoint_bytes, slot_bytes
from ingle.engines.memory import Memory
from ingle.errors import ModelTooLarge
from ingle.models.gguf import GgufHeader
from ingle.models.manifest import Model

__all__ = ["Fit", "fit"]

_CONTEXT_UNIT = 256  # llama.cpp rounds a slot's context up to this
_USUAL_CONTEXT = 8192
_SMALLEST_CONTEXT = 512
_LARGEST_CONTEXT = 2**24
_MIB = 2**20

_CELL_BYTES = 16
"""What llama.cpp notes of each token that it puts aside; seen: 12. A cache of prompts that is smaller
than one whole context takes none of that length."""

_REPACKED = frozenset({2, 10, 12, 20, 39})
"""The ggml_types Q4_0, Q2_K, Q4_K, IQ4_NL and MXFP4, which llama.cpp copies into another order for
the processor. Of a mapped file both would count as held, the copy and the pages it was made from."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a model is to be loaded and what that should take at most, in bytes.

    Each of the `slots` has a context window of `context_tokens`. `cache_bytes` is for prompts of
    conversations that have lost their slot: one full context. `gpu_bytes` of it all lie on the GPU,
    with `gpu_layers`; None leaves these to llama.cpp. `maps_file` says that the weights are the
    file's own pages.
    """

    context_tokens: int
    slots: int
    weights_bytes: int
    kv_bytes: int
    cache_bytes: int
    buffers_bytes: int
    process_bytes: int
    gpu_bytes: int = 0
    gpu_layers: int | None = None
    maps_file: bool = True

    @property
    def memory(self) -> Memory:
        """All that the engine's process should take at most, here and on the GPU."""
        return Memory(sum(self.parts.values()) - self.gpu_bytes, self.gpu_bytes)

    @property
    def parts(self) -> dict[str, int]:
        """What it is made of, for people."""
        return {
            "weights": self.weights_bytes,
            "context": self.kv_bytes,
            "prompt cache": self.cache_bytes,
            "buffers": self.buffers_bytes,
            "process": self.process_bytes,
        }


def fit(model: Model, *, slots: int, context_tokens: int | None, limit: Memory) -> Fit:
    """How to load a model within a limit.

    A context that is asked for is given, up to what the model was trained for, or beyond where its
    manifest stretches that with `rope_scaling`. Without one it is 8,192 tokens, or as many of them
    as fit.

    Raises:
        ModelTooLarge: it cannot be loaded within the limit; names the context that could be.
    """
    trained = _trained_context(model)
    wanted = min(trained, context_tokens or _USUAL_CONTEXT)
    fitting = _largest_context(model, slots, limit)
    least = wanted if context_tokens else min(wanted, _SMALLEST_CONTEXT)
    if _rounded(least) > fitting:
        raise _too_large(_estimate(model, slots, least, limit), model, min(fitting, trained), limit)
    return _estimate(model, slots, min(wanted, fitting), limit)


def _trained_context(model: Model) -> int:
    if model.text.rope_scaling not in (None, "none"):
        return _LARGEST_CONTEXT
    return _header(model).context_tokens or _USUAL_CONTEXT


def _header(model: Model) -> GgufHeader:
    assert model.header is not None, "llama.cpp runs GGUF files, and they have a header"
    return model.header


def _estimate(model: Model, slots: int, context_tokens: int, limit: Memory) -> Fit:
    """All parts for one context; the layers that fit on the GPU are put there."""
    header, text = _header(model), model.text
    batch = batch_tokens(model, context_tokens)
    cells = _rounded(context_tokens)
    types = text.cache_type_k or "f16", text.cache_type_v or "f16"
    in_slot = slot_bytes(header, cells, batch, *types)
    checkpoints = checkpoint_bytes(header, cells, *types)
    kept = slots * (in_slot + checkpoints)
    buffers = buffer_bytes(model, header, cells, batch)
    if text.draft is not None:
        kept += slots * slot_bytes(text.draft.header, cells, batch, "f16", "f16")
        buffers += buffer_bytes(model, text.draft.header, cells, batch)
    weights = model.size_bytes + sum(part.size_bytes for part in text.parts)
    layers, on_gpu = _on_gpu(model, weights + kept, buffers, limit)
    return Fit(
        context_tokens=context_tokens,
        slots=slots,
        weights_bytes=weights,
        kv_bytes=kept,
        cache_bytes=-(-(in_slot + checkpoints + cells * _CELL_BYTES) // _MIB) * _MIB,
        buffers_bytes=buffers,
        process_bytes=process_bytes(header),
        gpu_bytes=on_gpu,
        gpu_layers=layers,
        maps_file=not _is_mostly_repacked(header),
    )


def _on_gpu(
    model: Model, layered_bytes: int, buffers: int, limit: Memory
) -> tuple[int | None, int]:
    """How many layers go to the GPU, and the bytes there; (the manifest's number, 0) without one.

    Weights and cache are spread evenly over the layers, of which the output counts as one; the
    buffers are needed there as soon as one layer is.
    """
    layers, wanted = _header(model).layers + 1, model.text.gpu_layers
    if not limit.gpu_bytes or wanted == 0:
        return wanted, 0
    if wanted is None:
        count = min(layers, max(0, limit.gpu_bytes - buffers) * layers // max(1, layered_bytes))
    else:
        count = layers if wanted < 0 else min(wanted, layers)
    return count, layered_bytes * count // layers + buffers if count else 0


def _is_mostly_repacked(header: GgufHeader) -> bool:
    sizes = dict(header.bytes_by_type)
    return 2 * sum(sizes.get(kind, 0) for kind in _REPACKED) > sum(sizes.values())


def _rounded(context_tokens: int) -> int:
    return -(-context_tokens // _CONTEXT_UNIT) * _CONTEXT_UNIT


def _largest_context(model: Model, slots: int, limit: Memory) -> int:
    """The largest context, a multiple of 256 tokens, that fits; 0 if none does."""

    def is_too_much(units: int) -> bool:
        needed = _estimate(model, slots, units * _CONTEXT_UNIT, limit).memory
        return not needed.fits_in(limit)

    most = _rounded(_trained_context(model)) // _CONTEXT_UNIT
    return _CONTEXT_UNIT * bisect_right(range(1, most + 1), False, key=is_too_much)


def _too_large(needed: Fit, model: Model, fitting: int, limit: Memory) -> ModelTooLarge:
    if fitting:
        advice = f"A context of {fitting:,} tokens would fit: set `context_tokens` to that"
    else:
        advice = "No context would fit: take a smaller model or a smaller quantisation of it"
    remedy = "or raise `memory_limit_bytes`"
    if needed.memory.gpu_bytes > limit.gpu_bytes:
        remedy = "lower `gpu_layers`, or raise `gpu_memory_limit_bytes`"
    parts = ", ".join(f"{name} {size / _MIB:,.0f} MiB" for name, size in needed.parts.items())
    return ModelTooLarge(
        f"Model {model.name!r} needs about {needed.memory} with {needed.slots} slots of "
        f"{needed.context_tokens:,} tokens ({parts}), and engines may take {limit}. "
        f"{advice}, use fewer `slots`, {remedy}."
    )
