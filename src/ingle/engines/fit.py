"""Whether a model of llama.cpp fits in memory: the estimate, and the context that fits.

It counts bytes by formulas and knows nothing of what else runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingle.errors import ModelTooLarge
from ingle.models.gguf import GgufHeader
from ingle.models.manifest import Model

__all__ = ["Fit", "fit", "kv_bytes_a_token"]

_KV_ITEM_BYTES = 2  # f16, llama.cpp's default
_BATCH_TOKENS = 512  # n_ubatch: so many tokens go through the network at a time
_FLOAT_BYTES = 4
_PROCESS_BYTES = 48 * 1024 * 1024  # Python, llama.cpp and its threads; measured: 42 to 48
_CONTEXT_UNIT = 256  # llama.cpp rounds a slot's context up to this
_USUAL_CONTEXT = 8192
_SMALLEST_CONTEXT = 512


@dataclass(frozen=True, slots=True)
class Fit:
    """How a model is to be loaded and what that should take, in bytes.

    Each of the `slots` has a context window of `context_tokens`. `cache_bytes` is for prompts of
    conversations that have lost their slot: one full context.
    """

    context_tokens: int
    slots: int
    weights_bytes: int
    kv_bytes: int
    cache_bytes: int
    overhead_bytes: int

    @property
    def total_bytes(self) -> int:
        """All that the engine's process should take at most."""
        return self.weights_bytes + self.kv_bytes + self.cache_bytes + self.overhead_bytes


def fit(model: Model, *, slots: int, context_tokens: int | None, limit_bytes: int) -> Fit:
    """How to load a model within a limit.

    A context that is asked for is given, up to what the model was trained for. Without one it is
    8,192 tokens, or as many of them as fit.

    Raises:
        ModelTooLarge: it cannot be loaded within the limit; names the context that could be.
    """
    trained = _header(model).context_tokens or _USUAL_CONTEXT
    wanted = min(trained, context_tokens or _USUAL_CONTEXT)
    fitting = _largest_context(model, slots, limit_bytes)
    least = wanted if context_tokens else min(wanted, _SMALLEST_CONTEXT)
    if fitting < least:
        raise _too_large(_estimate(model, slots, least), model, fitting, limit_bytes)
    return _estimate(model, slots, min(wanted, fitting))


def kv_bytes_a_token(header: GgufHeader) -> int:
    """Bytes of key/value cache for one token: a key and a value a head, in each layer.

    Source: Shazeer 2019, arXiv:1911.02150. Models with windowed or recurrent layers take less.
    """
    return sum(header.kv_heads) * (header.key_width + header.value_width) * _KV_ITEM_BYTES


def _header(model: Model) -> GgufHeader:
    assert model.header is not None, "llama.cpp runs GGUF files, and they have a header"
    return model.header


def _estimate(model: Model, slots: int, context_tokens: int) -> Fit:
    """The estimate: weights, key/value cache, one context of prompt cache, buffers and process.

    The buffers of a batch are its logits and the widest activations at a time (gate, up and their
    product beside three of the model's width), as 32-bit floats, as in llama.cpp's graph.
    """
    header = _header(model)
    padded = -(-context_tokens // _CONTEXT_UNIT) * _CONTEXT_UNIT
    context_bytes = padded * kv_bytes_a_token(header)
    batch = context_tokens if header.purpose != "generate" else _BATCH_TOKENS
    widths = header.vocabulary + 3 * header.feed_forward + 3 * header.width
    return Fit(
        context_tokens=context_tokens,
        slots=slots,
        weights_bytes=model.size_bytes,
        kv_bytes=slots * context_bytes,
        cache_bytes=context_bytes,
        overhead_bytes=_PROCESS_BYTES + batch * widths * _FLOAT_BYTES,
    )


def _largest_context(model: Model, slots: int, limit_bytes: int) -> int:
    """The largest context, a multiple of 256 tokens, that fits; 0 if none does."""
    least = _estimate(model, slots, _CONTEXT_UNIT).total_bytes
    step = _estimate(model, slots, 2 * _CONTEXT_UNIT).total_bytes - least
    if least > limit_bytes:
        return 0
    if step == 0:
        return _header(model).context_tokens or _USUAL_CONTEXT
    return _CONTEXT_UNIT * (1 + (limit_bytes - least) // step)


def _too_large(needed: Fit, model: Model, fitting: int, limit_bytes: int) -> ModelTooLarge:
    if fitting:
        advice = f"A context of {fitting:,} tokens would fit: set `context_tokens` to that"
    else:
        advice = "No context would fit: take a smaller model or a smaller quantisation of it"
    return ModelTooLarge(
        f"Model {model.name!r} needs about {_mib(needed.total_bytes)} with {needed.slots} slots of "
        f"{needed.context_tokens:,} tokens (weights {_mib(needed.weights_bytes)}, context "
        f"{_mib(needed.kv_bytes + needed.cache_bytes)}, buffers {_mib(needed.overhead_bytes)}), "
        f"and engines may take {_mib(limit_bytes)}. {advice}, use fewer `slots`, or raise "
        "`memory_limit_bytes`."
    )


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:,.0f} MiB"
