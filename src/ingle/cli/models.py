"""`ingle models`: what is installed on this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.completion import complete_model
from ingle.cli.engines import ps, run, stop
from ingle.cli.importing import import_models
from ingle.cli.pull import pull
from ingle.cli.suggest import suggest
from ingle.cli.terminal import AsJson, count, note, print_json, print_pairs, print_table, size
from ingle.cli.verify import verify

if TYPE_CHECKING:
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
        print_json([_as_json(model) for model in found])
        return
    rows = [(model.name, *_told(model).values()) for model in found]
    print_table({"MODEL": "", "SIZE": "", "PARAMETERS": "", "CONTEXT": "", "CAN": "dim"}, rows)
    for file in damaged:
        note(f"{file.name}: {file.error.message}")


@group.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show what is known of one model."""
    model = _store().get(name)
    if as_json:
        print_json(_as_json(model))
        return
    told = {"name": model.name, **_told(model)}
    if model.header:
        told["architecture"] = model.header.architecture
    told["engine"] = model.engine
    told["file"] = f"{model.path}{' (comes with Ingle)' if model.is_builtin else ''}"
    print_pairs(told.items())


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


def _told(model: Model) -> dict[str, str]:
    """What people want to know of a model."""
    tokens = _context_tokens(model)
    return {
        "size": size(model.size_bytes),
        "parameters": count(model.parameters) if model.parameters else "-",
        "context": f"{tokens:,} tokens" if tokens else "-",
        "can": ", ".join(model.capabilities),
    }


def _as_json(model: Model) -> dict[str, object]:
    return {
        "name": model.name,
        "engine": model.engine,
        "path": str(model.path),
        "size_bytes": model.size_bytes,
        "parameters": model.parameters,
        "architecture": model.header.architecture if model.header else None,
        "context_tokens": _context_tokens(model) or None,
        "capabilities": model.capabilities,
        "is_builtin": model.is_builtin,
    }


def _context_tokens(model: Model) -> int:
    """The context window that the manifest sets, else the one that the file gives; 0 if none."""
    return model.context_tokens or (model.header.context_tokens if model.header else 0)
