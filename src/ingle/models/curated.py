"""A list of good open models that comes with Ingle, matched to this machine's memory.

It is data from the time of its making and needs no network; what a repository really holds is asked
when a model is pulled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from ingle.errors import ModelTooLarge
from ingle.models.pull.quantisation import Choice, Listed, Variant, choose

__all__ = ["CuratedModel", "Suggestion", "Task", "curated", "suggest"]

Task = Literal["chat", "code", "vision", "embeddings", "rerank"]


class CuratedModel(BaseModel):
    """A model of the list. Sizes are approximate: `gigabytes` (10^9 bytes) by quantisation.

    `parameters` are billions; `active` those that one token uses, if they are not all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str
    source: str
    tasks: tuple[Task, ...] = Field(min_length=1)
    parameters: float = Field(gt=0)
    active: float | None = None
    gigabytes: dict[str, float] = Field(min_length=1)
    projector_gigabytes: float = 0
    licence: str
    purpose: str = Field(alias="for")

    def choice(self, memory_bytes: int) -> Choice:
        """The quantisation that a pull would choose here, going by the approximate sizes.

        Raises:
            ModelTooLarge: none fits.
        """
        listed = [_variant(self, quant, size) for quant, size in self.gigabytes.items()]
        return choose(listed, None, memory_bytes)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A model that fits this machine, and in which quantisation; `size_bytes` is approximate."""

    model: CuratedModel
    quant: str
    size_bytes: int


class _List(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: str
    models: tuple[CuratedModel, ...]


@cache
def curated() -> Sequence[CuratedModel]:
    """The whole list, small to large in each group."""
    text = resources.files("ingle.models").joinpath("curated.yaml").read_text("utf-8")
    return _List.model_validate(yaml.safe_load(text)).models


def suggest(memory_bytes: int, task: Task | None = None) -> list[Suggestion]:
    """The models that fit into so much memory with a context, the most capable first.

    `memory_bytes` is what engines may use. What is more capable is told by the number of
    parameters, which is right within a generation of models and rough between them.
    """
    found = []
    for model in curated():
        if task is not None and task not in model.tasks:
            continue
        try:
            variant = model.choice(memory_bytes).variant
        except ModelTooLarge:
            continue
        found.append(Suggestion(model, variant.quant, variant.size_bytes))
    return sorted(found, key=lambda suggestion: -suggestion.model.parameters)


def _variant(model: CuratedModel, quant: str, gigabytes: float) -> Variant:
    size = int((gigabytes + model.projector_gigabytes) * 1e9)
    return Variant(quant, (Listed(f"{model.name}-{quant}.gguf", size),))
