"""`ingle/json_extract`: the JSON in a text, or a part of it, checked by a JSON Schema."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from pydantic import AfterValidator, BeforeValidator, Field

from ingle.errors import InvalidRequest
from ingle.processors.base import Configuration, Input, Output, Processor
from ingle.processors.json_fit import misfits, validator_of
from ingle.processors.json_path import at_path, check_path
from ingle.processors.json_text import find_json
from ingle.processors.pieces import Piece

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = [
    "JSON_EXTRACT",
    "JsonExtractConfiguration",
    "JsonExtractInput",
    "JsonExtractOutput",
]

Json = Any  # Any: a JSON value has no narrower type


def _usable(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    if schema is not None:
        validator_of(schema)
    return schema


def _from_text(schema: object) -> object:
    """A form gives a schema as text."""
    if not isinstance(schema, str):
        return schema
    if not schema.strip():
        return None
    try:
        return msgspec.json.decode(schema)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"it must be a JSON Schema, written as JSON: {error}") from error


class JsonExtractInput(Input):
    """Where the JSON is."""

    text: Json = Field(
        description="The text: JSON, or with JSON in a fenced block or between other words. A "
        "value that is no text is taken as it is."
    )


class JsonExtractConfiguration(Configuration):
    """Which part is wanted, and what it must look like."""

    path: Annotated[str, Field(max_length=500), AfterValidator(check_path)] = Field(
        "",
        description="Which part: a JSONPath such as `$.items[*].name`, which gives a list, or "
        "`items[0].name`, or a JSON Pointer such as `/items/0/name`. Left out: all of it.",
    )
    json_schema: Annotated[
        dict[str, Any] | None, BeforeValidator(_from_text), AfterValidator(_usable)
    ] = Field(
        None,
        description="A JSON Schema that the part must fit. References to other files are refused.",
    )
    required: bool = Field(
        True, description="Whether it is an error if nothing stands at `path`; else null is given."
    )


class JsonExtractOutput(Output):
    """What was found."""

    value: Json = Field(description="The value.")


async def _run(
    input: JsonExtractInput,  # noqa: A002
    configuration: JsonExtractConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | JsonExtractOutput, None]:
    value = await asyncio.to_thread(_extracted, input.text, configuration)
    yield Piece(("value",), value=value)
    yield JsonExtractOutput(value=value)


def _extracted(text: Json, configuration: JsonExtractConfiguration) -> Json:
    value = find_json(text, param="input.text") if isinstance(text, str) else text
    try:
        value = at_path(value, configuration.path, param="config.path")
    except InvalidRequest:
        if configuration.required:
            raise
        return None
    if configuration.json_schema is not None:
        _check(value, configuration.json_schema)
    return value


def _check(value: Json, schema: dict[str, Any]) -> None:
    """Go on if the value fits the schema.

    Raises:
        InvalidRequest: it does not.
    """
    if misfit := misfits(value, schema):
        raise InvalidRequest(
            f"The JSON does not fit `config.json_schema`. {misfit}. "
            "Ask the model for this schema with `response_format`, or loosen it.",
            param="input.text",
        )


JSON_EXTRACT = Processor(
    slug="ingle/json_extract",
    name="JSON extraction",
    description="Finds the JSON in a text, takes a part of it, and checks it by a schema.",
    input=JsonExtractInput,
    configuration=JsonExtractConfiguration,
    output=JsonExtractOutput,
    result=("value",),
    run=_run,
)
