"""`ingle processors`: which there are, and the fields of one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ingle.cli.completion import complete_processor
from ingle.cli.terminal import AsJson, print_json, print_table

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
        rows = [(found.slug, found.name, found.description) for found in PROCESSORS.values()]
        print_table({"PROCESSOR": "", "NAME": "", "WHAT IT DOES": "dim"}, rows)


def _print_processor(schema: dict[str, Any]) -> None:
    from rich.text import Text

    from ingle.cli.fields import fields

    print(f"{schema['slug']}  {schema['name']}\n{schema['description']}")
    for part in ("input", "configuration", "output"):
        print()
        rows = [
            (
                field.name,
                field.type,
                Text("required", style="bold") if field.is_required else field.default,
                field.meaning,
            )
            for field in fields(schema[part])
        ]
        print_table({part.upper(): "", "TYPE": "", "DEFAULT": "", "MEANING": "dim"}, rows)
    print(f"\nIts JSON Schemas: `ingle processors {schema['slug']} --json`")
