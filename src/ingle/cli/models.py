"""`ingle models`: what is installed on this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.completion import complete_model
from ingle.cli.terminal import AsJson, note, print_json, print_pairs, print_table, size

if TYPE_CHECKING:
    from ingle.models.manifest import Model
    from ingle.models.store import Models

group = typer.Typer(
    help="List, show and remove the models of this machine.", invoke_without_command=True
)

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_model)]


@group.callback()
def models(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_models(as_json)


@group.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the installed models."""
    found = _store().list()
    if as_json:
        print_json([_as_json(model) for model in found])
        return
    rows = [
        (model.name, size(model.size_bytes), _tokens(model), ", ".join(model.capabilities))
        for model in found
    ]
    print_table({"MODEL": "", "SIZE": "", "CONTEXT": "", "CAN": "dim"}, rows)


@group.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show what is known of one model."""
    model = _store().get(name)
    if as_json:
        print_json(_as_json(model))
        return
    print_pairs(
        [
            ("name", model.name),
            ("engine", model.engine),
            ("can", ", ".join(model.capabilities)),
            ("context", _tokens(model)),
            ("size", size(model.size_bytes)),
            ("file", str(model.path)),
        ]
    )


@group.command("rm")
def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a model's files from this machine."""
    store = _store()
    model = store.get(name)
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Remove {model.path} ({size(model.size_bytes)})?", abort=True, err=True)
    store.remove(name)
    note(f"Removed {model.path}.")


def _store() -> Models:
    from ingle.models.store import Models
    from ingle.settings import load_settings

    return Models(load_settings())
