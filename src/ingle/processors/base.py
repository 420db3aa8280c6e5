"""What a processor is: a typed function from an input and a configuration to an output.

A processor is a value. It can be listed, described as JSON Schema and run by its slug; it knows
nothing about apps, runs, HTTP servers or the terminal.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from ingle.processors.pieces import Path, Piece

if TYPE_CHECKING:  # to list the processors takes neither an HTTP client nor a database
    from ingle.routing import Router

__all__ = ["Configuration", "Input", "Output", "Processor"]


class Input(BaseModel):
    """What a processor works on. An unknown field is an error that names it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Configuration(BaseModel):
    """How a processor works. An unknown field is an error that names it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Output(BaseModel):
    """What a processor makes. Its JSON has the names of `fold`, whatever Python calls them."""

    model_config = ConfigDict(
        frozen=True, serialize_by_alias=True, validate_by_alias=True, validate_by_name=True
    )


I = TypeVar("I", bound=Input)  # noqa: E741 -- input, configuration, output: the field's own letters
C = TypeVar("C", bound=Configuration)
O = TypeVar("O", bound=Output)  # noqa: E741


@dataclass(frozen=True, slots=True)
class Processor(Generic[I, C, O]):
    """A typed function with a name.

    `run` yields pieces and then, as its last item, the whole output. The pieces fold to that
    output's own JSON, without the fields whose names begin with an underscore. Closing it early
    stops the work. `result` is where in the output that stands which people want of it: the text,
    the first image.
    """

    slug: str
    name: str
    description: str
    input: type[I]
    configuration: type[C]
    output: type[O]
    result: Path
    run: Callable[[I, C, Router], AsyncGenerator[Piece | O, None]]

    def schema(self) -> dict[str, Any]:
        """Name, slug, description and the JSON Schemas of input, configuration and output."""
        return {
            "slug": self.slug,
            "name": self.name,
            "description": self.description,
            "input": self.input.model_json_schema(),
            "configuration": self.configuration.model_json_schema(),
            "output": self.output.model_json_schema(mode="serialization"),
        }
