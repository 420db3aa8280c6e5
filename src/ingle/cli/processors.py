"""`ingle processors`: which there are, and the fields of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingle.cli.completion import complete_processor
from ingle.cli.terminal import AsJson, print_json, print_table

if TYPE_CHECKING:
    from rich.text import Text

    from ingle.cli.fields import Field

__all__ = ["processors"]


def processors(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            show_default=False,
            autocompletion=complete_processor,
            help="Show this one's fields.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the processors, or show the fields of one."""
    from ingle.processors.catalogue import PROCESSORS, get_processor

    if name is not None:
        schema = get_processor(name).schema()
        print_json(schema) if as_json else _print_processor(schema)
    elif as_json:
        print_json([processor.schema() for processor in PROCESSORS.values()])
    else:
        rows = [(found.slug, found.description) for found in PROCESSORS.values()]
        print_table({"PROCESSOR": "", "WHAT IT DOES": "dim"}, rows)


def _print_processor(schema: dict[str, Any]) -> None:
    from ingle.cli.fields import fields

    print(f"{schema['slug']}  {schema['name']}\n{schema['description']}")
    for part in ("input", "configuration"):
        rows = [
            (field.name, field.type, _default(field), field.meaning)
            for field in fields(schema[part])
        ]
        print()
        print_table({part.upper(): "", "TYPE": "", "DEFAULT": "", "MEANING": "dim"}, rows)
    print()
    made = [(field.name, field.type, field.meaning) for field in fields(schema["output"])]
    print_table({"OUTPUT": "", "TYPE": "", "MEANING": "dim"}, made)
    print(f"\nIts JSON Schemas: `ingle processors {schema['slug']} --json`")


def _default(field: Field) -> Text:
    from rich.text import Text

    return Text("required", "bold") if field.is_required else Text(field.default)
