"""What a batch does with a row: runs an app or a processor on its values."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from ingle.apps.fields import fields_schema
from ingle.cli.values import file_value, is_file_field, read_stdin, read_values, typed_value
from ingle.processors.base import Output
from ingle.processors.catalogue import get_processor, run_processor
from ingle.processors.pieces import value_at
from ingle.processors.validation import validated
from ingle.runs.once import output_of
from ingle.runs.source import is_app, read_source
from ingle.runtime import Runtime

__all__ = ["RowTarget", "open_target"]

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RowTarget:
    """An app or a processor that is to run for many rows."""

    fields: Mapping[str, Any]
    """What it asks, by name, as JSON Schemas."""
    required: Sequence[str]
    given: Values
    """What is the same for all rows."""
    _schema: Mapping[str, Any]
    _work: Callable[[Values], Awaitable[Any]]

    async def run(self, row: Values, columns: Mapping[str, str]) -> Any:
        """The output for a row; `columns` says where fields come from that are called otherwise.

        A text is read by the field's type, as on the command line: a number or JSON where the field
        is no text, and a file as `@PATH` where it is a file.

        Raises:
            IngleError: a value is wrong, or the work failed.
        """
        found = {field: row.get(columns.get(field, field)) for field in self.fields}
        values = {name: value for name, value in found.items() if value is not None}
        for name, value in values.items():
            if isinstance(value, str):
                values[name] = await self._typed(name, value)
        return await self._work({**self.given, **values})

    async def _typed(self, name: str, text: str) -> Any:
        if not is_file_field(name, self._schema):
            return typed_value(text, name, self._schema)
        if not text.startswith("@"):
            return text
        return await asyncio.to_thread(file_value, text, f"the column {name}")


async def open_target(
    name: str, given: Sequence[str], config: Sequence[str], runtime: Runtime
) -> RowTarget:
    """The app or processor of this name; `given` and `config` are the texts of these options.

    Raises:
        IngleError: there is none, it is wrong, or the texts are.
    """
    if not is_app(name):
        return _processor(name, given, config, runtime)
    source = await asyncio.to_thread(read_source, name, runtime.published)
    schema = fields_schema(source.app.fields)
    values = read_values(given, schema, option="--input", read_stdin=read_stdin)
    return RowTarget(
        fields=schema["properties"],
        required=schema["required"],
        given=values,
        _schema=schema,
        _work=lambda values: output_of(source.app, values, runtime.work),
    )


def _processor(
    slug: str, given: Sequence[str], config: Sequence[str], runtime: Runtime
) -> RowTarget:
    processor = get_processor(slug)
    schema = processor.schema()
    values = read_values(given, schema["input"], option="--input", read_stdin=read_stdin)
    settings = read_values(
        config, schema["configuration"], option="--config", read_stdin=read_stdin
    )
    configuration = validated(processor.configuration, settings, "config")

    async def work(row: Values) -> Any:
        pieces = run_processor(slug, row, configuration, runtime.router)
        async with aclosing(pieces):
            async for item in pieces:
                if isinstance(item, Output):
                    return value_at(item.model_dump(mode="json"), processor.result)
        raise AssertionError(f"{slug} ended without an output")  # its contract forbids it

    return RowTarget(
        fields=schema["input"]["properties"],
        required=schema["input"].get("required", []),
        given=values,
        _schema=schema["input"],
        _work=work,
    )
