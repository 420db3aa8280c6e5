"""What a model answers with where a caller does not say: temperature, end marks, a system prompt."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

__all__ = ["Parameters"]

Fraction = Annotated[float, Field(ge=0, le=1)]
Penalty = Annotated[float, Field(ge=-2, le=2)]
Stop = Annotated[str, StringConstraints(min_length=1, max_length=256)]


def _listed(told: object) -> object:
    return (told,) if isinstance(told, str) else told


class Parameters(BaseModel):
    """Defaults of a request to a text model; None leaves it to llama.cpp.

    The names are those of requests. `system_prompt` comes first in a chat that has none.
    `max_tokens` bounds an answer, `repeat_last_n` is how many tokens `repeat_penalty` looks back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Fraction | None = None
    top_k: Annotated[int, Field(ge=0)] | None = None
    min_p: Fraction | None = None
    typical_p: Fraction | None = None
    repeat_penalty: Annotated[float, Field(ge=0, le=10)] | None = None
    repeat_last_n: Annotated[int, Field(ge=-1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32 - 1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    stop: Annotated[tuple[Stop, ...], BeforeValidator(_listed), Field(max_length=16)] = ()
    system_prompt: Annotated[str, StringConstraints(min_length=1)] | None = None
