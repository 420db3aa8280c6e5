"""`ingle keys`: the API keys that callers of this Ingle may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.terminal import AsJson, moment, note, print_json, print_table

if TYPE_CHECKING:
    from ingle.storage.api_keys import ApiKey, ApiKeys

group = typer.Typer(
    help="List, create and revoke the API keys of this Ingle.", invoke_without_command=True
)


@group.callback()
def keys(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_keys(as_json)


@group.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the API keys; only how they begin is known."""
    with _opened() as api_keys:
        found = api_keys.list()
    if as_json:
        print_json([_as_json(key) for key in found])
    elif found:
        rows = [
            (key.id, key.name, f"{key.prefix}…", moment(key.created_at), _use(key)) for key in found
        ]
        print_table({"ID": "", "NAME": "", "KEY": "", "CREATED": "dim", "LAST USED": "dim"}, rows)
    else:
        note("There are no API keys. `ingle keys create NAME` makes one.")


@group.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who or what it is for.")],
    as_json: AsJson = False,
) -> None:
    """Create an API key and print it, this once."""
    with _opened() as api_keys:
        key, plaintext = api_keys.create(name)
    if as_json:
        print_json(_as_json(key) | {"key": plaintext})
        return
    print(plaintext)
    note("Keep it now: it is stored as a hash and cannot be shown again.")
    note('Callers send it as "Authorization: Bearer KEY".')


@group.command()
def revoke(
    id: Annotated[str, typer.Argument(metavar="ID", help="From `ingle keys list`.")],  # noqa: A002
) -> None:
    """Revoke an API key: callers that send it are refused from now on."""
    with _opened() as api_keys:
        api_keys.revoke(id)
    note(f"Revoked {id}.")


def _use(key: ApiKey) -> str:
    if key.revoked_at:
        return f"revoked {moment(key.revoked_at)}"
    return moment(key.last_used_at) if key.last_used_at else "never"


def _as_json(key: ApiKey) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(key)


@contextmanager
def _opened() -> Iterator[ApiKeys]:
    from ingle.settings import load_settings
    from ingle.storage.api_keys import ApiKeys
    from ingle.storage.database import Database

    with closing(Database.open(load_settings())) as database:
        yield ApiKeys(database)
