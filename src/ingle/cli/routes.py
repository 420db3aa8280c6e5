"""`ingle routes`: names that stand for models, here and of connections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ingle.cli.completion import complete_route
from ingle.cli.terminal import AsJson, note, print_json, print_table, spinner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingle.errors import IngleError
    from ingle.settings import Settings
    from ingle.storage.routes import NamedRoute, NamedRoutes

group = typer.Typer(
    help="List, add, test and remove names that stand for models.", invoke_without_command=True
)

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_route)]


@group.callback()
def routes(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_routes(as_json)


@group.command("list")
def list_routes(as_json: AsJson = False) -> None:
    """List the routes and the models that they lead to."""
    with _opened() as (named, _):
        found = named.list()
    if as_json:
        print_json([_as_json(route) for route in found])
    elif found:
        rows = [(one.name, one.pick, ", ".join(one.models), str(one.source)) for one in found]
        print_table({"ROUTE": "", "PICK": "", "MODELS": "", "FROM": "dim"}, rows)
    else:
        note("There are no routes. `ingle routes add NAME MODEL…` adds one.")


@group.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to ask for.")],
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL…", help="CONNECTION/MODEL, or local/MODEL for this machine."),
    ],
    pick: Annotated[
        Literal["first", "round_robin"],
        typer.Option(help="Which is tried first: the first always, or each in turn."),
    ] = "first",
) -> None:
    """Add a route, or change the one of this name.

    The other models are tried in their order when one cannot be reached or fails.
    """
    from ingle.models.store import Models

    with _opened() as (named, settings):
        named.save(name, models, pick, installed=Models(settings).names())
    note(f"Saved. `ingle routes test {name}` looks for its models.")


@group.command("rm")
def remove(name: Name) -> None:
    """Remove a route; its models stay."""
    with _opened() as (named, _):
        named.remove(name)
    note(f"Removed {name}.")


@group.command("test")
def check(name: Name, as_json: AsJson = False) -> None:
    """Look for each model of a route, without running one.

    One of this machine is to be installed, one of a connection to be listed by its server.
    """
    import asyncio

    from ingle.errors import RouteFailed

    with spinner(f"Looking for the models of {name}"):
        found = asyncio.run(_tested(name))
    told = {model: error.message if error else None for model, error in found.items()}
    if as_json:
        print_json([{"model": model, "error": error} for model, error in told.items()])
    else:
        print_table({"MODEL": "", "FOUND": ""}, [(m, error or "yes") for m, error in told.items()])
    if all(found.values()):
        failures = [(model, error) for model, error in found.items() if error]
        raise RouteFailed(
            f"None of the models of {name!r} is there, so that it cannot answer. Correct it with "
            f"`ingle routes add {name} MODEL…`.",
            failures=failures,
        )


async def _tested(name: str) -> Mapping[str, IngleError | None]:
    import asyncio

    from ingle.runtime import open_runtime
    from ingle.settings import load_settings

    async with open_runtime(load_settings()) as runtime:
        return await runtime.router.test(await asyncio.to_thread(runtime.routes.get, name))


def _as_json(route: NamedRoute) -> dict[str, object]:
    return {
        "name": route.name,
        "models": route.models,
        "pick": route.pick,
        "source": str(route.source),
    }


@contextmanager
def _opened() -> Iterator[tuple[NamedRoutes, Settings]]:
    from ingle.settings import load_settings
    from ingle.storage.database import Database
    from ingle.storage.routes import NamedRoutes

    settings = load_settings()
    with closing(Database.open(settings)) as database:
        yield NamedRoutes(database, settings), settings
