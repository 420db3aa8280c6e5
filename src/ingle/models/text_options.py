"""How a text model is run where its own file does not say so, or says otherwise.

The names are llama.cpp's, which does what they say; None leaves it to llama.cpp, or to the model's
own file. It knows nothing about how they are written down or handed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ingle.models.gguf import GgufHeader, Pooling
from ingle.models.parameters import Parameters

__all__ = [
    "CacheType",
    "Lora",
    "Part",
    "ReasoningFormat",
    "RopeScaling",
    "TextOptions",
]

CacheType = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]
"""The type of a number in the key/value cache."""

ReasoningFormat = Literal["none", "auto", "deepseek", "deepseek-legacy"]
"""Where what a model thinks before it answers goes: `deepseek` is `reasoning_content`, `none` leaves
it in the answer."""

RopeScaling = Literal["none", "linear", "yarn", "longrope"]


@dataclass(frozen=True, slots=True)
class Part:
    """A file that works together with the model's own. Another file is another part."""

    path: Path
    size_bytes: int
    modified_ns: int
    header: GgufHeader = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lora:
    """An adapter, and how strongly it changes the model; 1 is as it was trained."""

    part: Part
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class TextOptions:
    """Two that are equal may share an engine.

    `gpu_layers` is how many layers go to the GPU, all for -1. `projector` gives the model eyes,
    `draft` guesses `draft_tokens` at a time for it.
    """

    chat_template: str | None = field(default=None, repr=False)
    chat_template_arguments: Mapping[str, object] = field(default_factory=dict, hash=False)
    reasoning_format: ReasoningFormat | None = None
    reasoning_tokens: int | None = None
    parameters: Parameters = field(default_factory=Parameters)
    pooling: Pooling | None = None
    gpu_layers: int | None = None
    cache_type_k: CacheType | None = None
    cache_type_v: CacheType | None = None
    flash_attention: bool | None = None
    threads: int | None = None
    batch_tokens: int | None = None
    rope_scaling: RopeScaling | None = None
    rope_frequency_base: float | None = None
    rope_frequency_scale: float | None = None
    projector: Part | None = None
    draft: Part | None = None
    draft_tokens: int | None = None
    lora: tuple[Lora, ...] = ()

    @property
    def parts(self) -> Iterator[Part]:
        """All files beside the model's own."""
        yield from (part for part in (self.projector, self.draft) if part is not None)
        yield from (lora.part for lora in self.lora)
