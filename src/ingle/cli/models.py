"""`ingle models`: what is installed on this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.completion import complete_model
from ingle.cli.engines import ps, run, stop
from ingle.cli.importing import import_models
from ingle.cli.model_facts import as_json as model_as_json
from ingle.cli.model_facts import context, facts, lines, options
from ingle.cli.pull import pull
from ingle.cli.suggest import suggest
from ingle.cli.terminal import (
    AsJson,
    count,
    note,
    print_json,
    print_pairs,
    print_table,
    size,
    visible,
)
from ingle.cli.verify import verify

if TYPE_CHECKING:
    from rich.text import Text

    from ingle.models.manifest import Model
    from ingle.models.store import Models

group = typer.Typer(
    help="Pull, list, run, check and remove models of this machine.",
    invoke_without_command=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_model)]


@group.callback()
def models(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_models(as_json)


@group.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the installed models, and files that should be models and are not."""
    store = _store()
    found, damaged = store.list(), store.damaged()
    if as_json:
        print_json([model_as_json(model) for model in found])
        return
    rows = [
        (
            _names(model),
            size(model.size_bytes) if model.size_bytes else "-",
            count(model.parameters) if model.parameters else "-",
            context(model) or "-",
            ", ".join(model.capabilities),
        )
        for model in found
    ]
    print_table({"MODEL": "", "SIZE": "", "PARAMETERS": "", "CONTEXT": "", "CAN": "dim"}, rows)
    for file in damaged:
        note(f"{file.name}: {file.error.message}")


@group.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show what is known of one model, and what its manifest sets."""
    from ingle.settings import load_settings

    model = _store().get(name)
    if as_json:
        print_json(model_as_json(model))
        return
    print_pairs(facts(model, load_settings()))
    if told := options(model):
        print_pairs([("", ""), *lines(told)])


@group.command("rm")
def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a model's files from this machine."""
    store = _store()
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Remove the files of {name}?", abort=True, err=True)
    store.remove(name)
    note(f"Removed {name}.")


group.command("pull")(pull)
group.command("ps")(ps)
group.command("run")(run)
group.command("stop")(stop)
group.command("verify")(verify)
group.command("import")(import_models)
group.command("suggest")(suggest)


def _store() -> Models:
    from ingle.models.store import Models
    from ingle.settings import load_settings

    return Models(load_settings())


def _names(model: Model) -> Text:
    """The name, and dimmed behind it its first alias and how many more there are."""
    from rich.text import Text

    more = f" +{len(model.aliases) - 1}" if len(model.aliases) > 1 else ""
    also = f" = {model.aliases[0]}{more}" if model.aliases else ""
    return Text.assemble(visible(model.name), (visible(also), "dim"))
