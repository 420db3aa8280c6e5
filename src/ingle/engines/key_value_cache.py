"""How much memory llama.cpp takes for what a conversation has said so far.

A layer with attention keeps a key and a value for each token, or for those in its window only; one
without keeps a state of fixed size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ingle.models.gguf import GgufHeader
from ingle.models.text_options import CacheType

__all__ = ["checkpoint_bytes", "slot_bytes"]

_BYTES_OF_32: Mapping[CacheType, int] = {
    "f32": 128,
    "f16": 64,
    "bf16": 64,
    "q8_0": 34,
    "q5_1": 24,
    "q5_0": 22,
    "q4_1": 20,
    "q4_0": 18,
    "iq4_nl": 18,
}
"""Of 32 numbers with their scale. Source: ggml's block types, ggml-common.h."""

_STATE_NUMBER_BYTES = 4
_WINDOW_UNIT = 256  # llama.cpp rounds the cache of a window up to this
_CHECKPOINT_TOKENS = 8192  # llama.cpp's `checkpoint_min_step`
_LAST_CHECKPOINTS = 2  # it makes these near the end of each prompt


def slot_bytes(
    header: GgufHeader, cells: int, batch: int, key_type: CacheType, value_type: CacheType
) -> int:
    """Bytes that one slot keeps for a context of `cells` tokens.

    Two tensors (keys, values) a layer, each of shape (cells, kv_heads, width); source: Shazeer
    2019, arXiv:1911.02150. A layer with a window needs cells for that and for a batch only
    (llama-kv-cache-iswa.cpp), one without attention its state (`gguf_layers.state_numbers`).
    """
    window = min(cells, header.window_tokens + batch)
    window = min(cells, -(-window // _WINDOW_UNIT) * _WINDOW_UNIT)
    a_head = _head_bytes(header, key_type, value_type)
    attended = sum(
        heads * (window if is_windowed else cells) for heads, is_windowed in _layers(header)
    )
    return attended * a_head // 32 + _state_bytes(header)


def checkpoint_bytes(
    header: GgufHeader, cells: int, key_type: CacheType, value_type: CacheType
) -> int:
    """Bytes of the copies that a slot keeps of what cannot be wound back; most models have none.

    They are of the layers with a window and of states: two near the end of a prompt, and one for
    each 8,192 tokens before (seen in llama.cpp's log).
    """
    in_windows = sum(heads for heads, is_windowed in _layers(header) if is_windowed)
    kept = in_windows * min(cells, header.window_tokens)
    one = kept * _head_bytes(header, key_type, value_type) // 32 + _state_bytes(header)
    return one * (_LAST_CHECKPOINTS + cells // _CHECKPOINT_TOKENS)


def _layers(header: GgufHeader) -> Iterator[tuple[int, bool]]:
    """The heads of each layer that keep keys and values, and whether for a window only."""
    windowed = header.windowed or (False,) * len(header.kv_heads)
    return zip(header.kv_heads, windowed, strict=False)


def _head_bytes(header: GgufHeader, key_type: CacheType, value_type: CacheType) -> int:
    """Bytes of 32 tokens' keys and values in one head."""
    values = 0 if header.is_mla else header.value_width * _BYTES_OF_32[value_type]
    return header.key_width * _BYTES_OF_32[key_type] + values


def _state_bytes(header: GgufHeader) -> int:
    without_attention = sum(not heads for heads in header.kv_heads)
    return without_attention * header.state_numbers * _STATE_NUMBER_BYTES
