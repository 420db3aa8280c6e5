"""How much memory llama.cpp takes beside weights and cache: for a batch at work, and as a process."""

from __future__ import annotations

from ingle.models.gguf import GgufHeader
from ingle.models.manifest import Model

__all__ = ["batch_tokens", "buffer_bytes", "process_bytes"]

_BATCH_TOKENS = 512  # n_ubatch: so many tokens go through the network at a time
_FLOAT_BYTES = 4
_MASK_BYTES = 2
_SLOW_MASK_BYTES = 6  # without flash attention the mask is kept as 32-bit floats too
_PROCESS_BYTES = 40 * 2**20
"""Python, llama.cpp, its threads, and the work space of its products. Measured: 37 to 42 MiB."""

_TOKEN_BYTES = 200
"""A token of the vocabulary in llama.cpp's tables. Measured with 100,000 tokens: 190."""


def batch_tokens(model: Model, context_tokens: int) -> int:
    """How many tokens go through the network at a time: whole texts where vectors are made."""
    if model.text.batch_tokens is not None:
        return model.text.batch_tokens
    return _BATCH_TOKENS if model.purpose == "generate" else context_tokens


def buffer_bytes(model: Model, header: GgufHeader, cells: int, batch: int) -> int:
    """Bytes for a batch at work, when vectors of a full one have been asked for too.

    - The mask of who sees whom, 16 bits for each token of the batch and each cell of the cache.
    - The widest layer's activations, 32-bit floats: the gate, the other half and their product, and
      five of the model's width; or eight of the inner width of a layer without attention.
    - Or, as they come after that in the same place, the batch's logits, and these once more in the
      buffer that answers are read from: llama.cpp makes the logits of all tokens when vectors are
      asked for.

    Fitted to the sizes that llama.cpp logs for its buffers, and to what its process then holds.
    """
    width = max(header.width, header.heads * header.key_width)
    activations = max(3 * header.feed_forward + 5 * width, 8 * header.inner_width)
    logits = 0 if "bert" in header.architecture else header.vocabulary
    numbers = max(activations, logits) + logits
    return batch * (numbers * _FLOAT_BYTES + _mask_bytes(model, header, cells, batch))


def _mask_bytes(model: Model, header: GgufHeader, cells: int, batch: int) -> int:
    """For one token of a batch: the mask, and without flash attention what it is added to."""
    seen = cells if any(header.kv_heads) else 0
    if any(header.windowed):
        seen += min(cells, header.window_tokens + batch)
    if model.text.flash_attention is False:
        return seen * (_SLOW_MASK_BYTES + header.heads * _FLOAT_BYTES)
    return seen * _MASK_BYTES


def process_bytes(header: GgufHeader) -> int:
    """Bytes of the process before it holds a model, and of the tables of its vocabulary."""
    return _PROCESS_BYTES + header.vocabulary * _TOKEN_BYTES
