"""`ingle connections`: servers of the same API that models of others answer from."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingle.cli.completion import complete_connection
from ingle.cli.terminal import AsJson, moment, note, print_json, print_table, spinner
from ingle.errors import InvalidRequest

if TYPE_CHECKING:
    from ingle.storage.connections import Connection, Connections
    from ingle.upstream.probe import Probe

group = typer.Typer(
    help="List, add, test and remove servers such as LocalAI.",
    invoke_without_command=True,
)

Health = dict[str, Any]  # as /api/connections describes it
_RUNNING_S = 2.0

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
    """List the connections, their keys masked, and whether the running Ingle calls them.

    `open` is one that failed time after time and is left alone for a while.
    """
    with _opened() as stored:
        found = stored.list()
    health = _health() if found else {}
    if as_json:
        print_json([_as_json(one) | {"health": health.get(_identity(one))} for one in found])
    elif found:
        rows = [
            (
                connection.name,
                connection.resolved_url or connection.base_url,
                "cannot be read" if connection.key_fault else connection.masked_key or "-",
                _state(health.get(_identity(connection))),
                str(connection.source),
            )
            for connection in found
        ]
        print_table({"CONNECTION": "", "URL": "", "KEY": "", "STATE": "", "FROM": "dim"}, rows)
        for connection in found:
            told = health.get(_identity(connection))
            if told and told["state"] != "closed":
                note(f"{connection.name}: {told['last_error']}")
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


@group.command("test")
def check(
    connection: Annotated[
        str,
        typer.Argument(
            metavar="NAME|URL",
            autocompletion=complete_connection,
            help="A connection, or any address of a server.",
        ),
    ],
    key_stdin: KeyOnStdin = False,
    as_json: AsJson = False,
) -> None:
    """Try a server: what is called, what answers, and which models are there."""
    import asyncio

    name, url, key, named = "server", connection, None, None
    with _opened() as stored:
        if not _is_address(connection) or connection in {known.name for known in stored.list()}:
            named = stored.get(connection)
            name, url, key = named.name, named.base_url, named.api_key
        if key_stdin:
            key = _read_key(name, is_on_stdin=True)
        with spinner(f"Asking {url}"):
            found = asyncio.run(_probe(url, key, name))
        if named and not found.error:
            stored.remember(named, found.base_url)
    print_json(_probe_as_json(found)) if as_json else _print_probe(found)
    if found.error:
        raise found.error


def _is_address(text: str) -> bool:
    """Whether it can only be an address; a single word is a connection's name."""
    return text == "localhost" or any(sign in text for sign in ".:/")


async def _probe(url: str, key: str | None, name: str) -> Probe:
    from ingle.upstream.client import Client
    from ingle.upstream.probe import probe

    async with Client() as client:
        return await probe(client, url, key, name=name)


def _print_probe(found: Probe) -> None:
    print_table({"TRIED": "", "ANSWER": ""}, [(f"GET {t.url}", t.outcome) for t in found.tried])
    if found.error:
        return
    print()
    print_table({"FOR": "", "CALLED": ""}, [(k, f"POST {u}") for k, u in _calls(found).items()])
    print()
    if found.models:
        print_table({f"MODELS ({len(found.models)})": ""}, [(model,) for model in found.models])
    elif found.note:
        print(found.note)


def _probe_as_json(found: Probe) -> dict[str, object]:
    return {
        "base_url": None if found.error else found.base_url,
        "tried": [{"url": tried.url, "outcome": tried.outcome} for tried in found.tried],
        "calls": {} if found.error else _calls(found),
        "models": found.models,
        "note": found.note or None,
    }


def _calls(found: Probe) -> dict[str, str]:
    """The exact URL that each kind of request goes to."""
    return {
        "chat": f"{found.base_url}/chat/completions",
        "completions": f"{found.base_url}/completions",
        "images": f"{found.base_url}/images/generations",
    }


def _as_json(connection: Connection) -> dict[str, object]:
    return {
        "name": connection.name,
        "base_url": connection.base_url,
        "resolved_url": connection.resolved_url,
        "api_key": connection.masked_key,
        "key_fault": connection.key_fault,
        "source": str(connection.source),
    }


def _identity(connection: Connection) -> tuple[str, str]:
    """What says that the running Ingle means the same server."""
    return connection.name, connection.base_url


def _health() -> dict[tuple[str, str], Health]:
    """What the running Ingle knows of its connections' health; nothing if none runs or tells."""
    from ingle.cli.running import ask
    from ingle.errors import IngleError

    try:
        told = ask("GET", "connections", idle_s=_RUNNING_S)
        return {(one["name"], one["base_url"]): one["health"] for one in told}
    except (IngleError, KeyError, TypeError):  # an Ingle that asks for a key, or another program
        return {}


def _state(health: Health | None) -> str:
    """Such as `open since 12:40`; `-` if it is not known."""
    if health is None:
        return "-"
    since = datetime.fromisoformat(health["since"])
    return (
        str(health["state"])
        if health["state"] == "closed"
        else f"{health['state']} since {moment(since)}"
    )


def _read_key(name: str, *, is_on_stdin: bool) -> str | None:
    """The key that was piped or typed in; None if there is none."""
    from ingle.cli.values import read_stdin

    if is_on_stdin:
        key = read_stdin().strip()
        if not key:
            raise InvalidRequest("stdin holds no key. Pipe it in, or leave out `--key-stdin`.")
        return key
    if not sys.stdin.isatty():
        return None
    from getpass import getpass

    return getpass(f"API key of {name} (empty for none): ", stream=sys.stderr).strip() or None


@contextmanager
def _opened() -> Iterator[Connections]:
    from ingle.settings import load_settings
    from ingle.storage.connections import Connections
    from ingle.storage.database import Database

    settings = load_settings()
    with closing(Database.open(settings)) as database:
        yield Connections(database, settings)
