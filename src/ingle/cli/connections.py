"""`ingle connections`: servers of the same API that models of others answer from."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.completion import complete_connection
from ingle.cli.terminal import AsJson, note, print_json, print_table
from ingle.errors import InvalidRequest

if TYPE_CHECKING:
    from ingle.storage.connections import Connection, Connections

group = typer.Typer(
    help="List, add, test and remove servers such as LocalAI.",
    invoke_without_command=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_connection)]
KeyOnStdin = Annotated[
    bool, typer.Option("--key-stdin", help="Read the server's API key from stdin.")
]


@group.callback()
def connections(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_connections(as_json)


@group.command("list")
def list_connections(as_json: AsJson = False) -> None:
    """List the connections, their keys masked."""
    with _opened() as stored:
        found = stored.list()
    if as_json:
        print_json([_as_json(connection) for connection in found])
    elif found:
        rows = [
            (
                connection.name,
                connection.resolved_url or connection.base_url,
                "cannot be read" if connection.key_fault else connection.masked_key or "-",
                str(connection.source),
            )
            for connection in found
        ]
        print_table({"CONNECTION": "", "URL": "", "KEY": "", "FROM": "dim"}, rows)
    else:
        note("There are no connections. `ingle connections add NAME URL` adds one.")


@group.command()
def add(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What to call it; `localai` for one.")
    ],
    url: Annotated[str, typer.Argument(metavar="URL", help="Its base URL, however written.")],
    key_stdin: KeyOnStdin = False,
) -> None:
    """Add a connection, or change the one of this name.

    On a terminal it asks for the server's API key; the key never stands in the command itself.
    """
    key = _read_key(name, is_on_stdin=key_stdin)
    with _opened() as stored:
        stored.save(name, url, key)
    note(f"Saved. `ingle connections test {name}` tries it.")


@group.command("rm")
def remove(name: Name) -> None:
    """Remove a connection and its key."""
    with _opened() as stored:
        stored.remove(name)
    note(f"Removed {name}.")


def _as_json(connection: Connection) -> dict[str, object]:
    return {
        "name": connection.name,
        "base_url": connection.base_url,
        "resolved_url": connection.resolved_url,
        "api_key": connection.masked_key,
        "key_fault": connection.key_fault,
        "source": str(connection.source),
    }


def _read_key(name: str, *, is_on_stdin: bool) -> str | None:
    """The key that was piped or typed in; None if there is none."""
    if is_on_stdin:
        key = sys.stdin.readline().strip()
        if not key:
            raise InvalidRequest("stdin holds no key. Pipe it in, or leave out `--key-stdin`.")
        return key
    if not sys.stdin.isatty():
        return None
    typed: str = typer.prompt(
        f"API key of {name} (empty for none)",
        default="",
        show_default=False,
        hide_input=True,
        err=True,
    )
    return typed.strip() or None


@contextmanager
def _opened() -> Iterator[Connections]:
    from ingle.settings import load_settings
    from ingle.storage.connections import Connections
    from ingle.storage.database import Database

    settings = load_settings()
    with closing(Database.open(settings)) as database:
        yield Connections(database, settings)
