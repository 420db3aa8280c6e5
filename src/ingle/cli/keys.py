"""`ingle keys`: the API keys that callers of this Ingle may use, their limits, and their use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.key_options import expiry_of, limits_in_words, rate_of
from ingle.cli.terminal import AsJson, count, moment, note, print_json, print_pairs, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from ingle.storage.api_keys import ApiKey, ApiKeys
    from ingle.storage.key_usage import KeyUsage, Usage

group = typer.Typer(
    help="List, create, limit and revoke the API keys of this Ingle.", invoke_without_command=True
)

Id = Annotated[str, typer.Argument(metavar="ID", help="From `ingle keys list`.")]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MODEL",
        help="A model that it may ask, such as demo or 'box/*'; give it again for more.",
    ),
]
Requests = Annotated[
    str | None, typer.Option("--requests-per-minute", metavar="N", help="Requests to models.")
]
Tokens = Annotated[
    str | None,
    typer.Option(
        "--tokens-per-minute", metavar="N", help="Tokens of prompts and answers together."
    ),
]
Expires = Annotated[
    str | None, typer.Option(metavar="WHEN", help="Such as 30d, 12h, 2027-01-31 or a moment.")
]


@group.callback()
def keys(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_keys(as_json)


@group.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the API keys, and what was used with each; only how they begin is known.

    A running Ingle writes the use every 10 seconds.
    """
    from ingle.storage.key_usage import Usage

    with _opened() as (api_keys, usage):
        found, totals = api_keys.list(), usage.totals()
    used = [(key, totals.get(key.id, Usage())) for key in found]
    if as_json:
        print_json([_as_json(key) | {"usage": total} for key, total in used])
    elif found:
        rows = [
            (
                key.id,
                key.name,
                f"{key.prefix}…",
                limits_in_words(key.limits),
                count(total.requests),
                count(total.tokens),
                _use(key),
            )
            for key, total in used
        ]
        columns = {"ID": "", "NAME": "", "KEY": "", "LIMITS": "", "REQUESTS": "", "TOKENS": ""}
        print_table({**columns, "LAST USED": "dim"}, rows)
    else:
        note("There are no API keys. `ingle keys create NAME` makes one.")


@group.command()
def show(key_id: Id, as_json: AsJson = False) -> None:
    """Show one API key: its limits, and what was used with it day by day."""
    from ingle.storage.key_usage import Usage

    with _opened() as (api_keys, usage):
        key, days = api_keys.get(key_id), usage.days(key_id)
    total = sum(days.values(), Usage())
    if as_json:
        listed = [{"day": day, **_usage_as_json(used)} for day, used in days.items()]
        print_json(_as_json(key) | {"usage": total, "days": listed})
        return
    print_pairs(
        [
            ("name", key.name),
            ("key", f"{key.prefix}…"),
            ("limits", limits_in_words(key.limits)),
            ("created", moment(key.created_at)),
            ("last used", _use(key)),
        ]
    )
    if days:
        print()
        _print_days(days, total)


@group.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who or what it is for.")],
    allow: Allow = None,
    requests: Requests = None,
    tokens: Tokens = None,
    expires: Expires = None,
    as_json: AsJson = False,
) -> None:
    """Create an API key and print it, this once.

    A key with any limit may use models, but not manage this Ingle.
    """
    from ingle.storage.key_limits import KeyLimits

    limits = KeyLimits(
        tuple(allow) if allow else None,
        rate_of(requests, "--requests-per-minute"),
        rate_of(tokens, "--tokens-per-minute"),
        expiry_of(expires),
    )
    with _opened() as (api_keys, _):
        key, plaintext = api_keys.create(name, limits)
    if as_json:
        print_json(_as_json(key) | {"key": plaintext})
        return
    print(plaintext)
    note("Keep it now: it is stored as a hash and cannot be shown again.")
    note('Callers send it as "Authorization: Bearer KEY".')


@group.command()
def change(
    key_id: Id,
    allow: Allow = None,
    requests: Requests = None,
    tokens: Tokens = None,
    expires: Expires = None,
) -> None:
    """Change the limits of an API key; what is not given stays, and `none` takes a limit away.

    A running Ingle keeps to them within 2 seconds.
    """
    from dataclasses import replace

    given: dict[str, object] = {}
    if allow:
        given["allowed_models"] = None if allow == ["none"] else tuple(allow)
    if requests is not None:
        given["requests_per_minute"] = rate_of(requests, "--requests-per-minute")
    if tokens is not None:
        given["tokens_per_minute"] = rate_of(tokens, "--tokens-per-minute")
    if expires is not None:
        given["expires_at"] = expiry_of(expires)
    with _opened() as (api_keys, _):
        # mypy cannot know that these are the names of the limits.
        key = api_keys.change(key_id, lambda limits: replace(limits, **given))  # type: ignore[arg-type]
    note(f"{key.name}: {limits_in_words(key.limits)}.")


@group.command()
def revoke(key_id: Id) -> None:
    """Revoke an API key: callers that send it are refused from now on."""
    with _opened() as (api_keys, _):
        api_keys.revoke(key_id)
    note(f"Revoked {key_id}.")


def _print_days(days: Mapping[date, Usage], total: Usage) -> None:
    rows = [
        (
            str(day),
            f"{used.requests:,}",
            f"{used.prompt_tokens:,}",
            f"{used.completion_tokens:,}",
            f"{used.images:,}",
        )
        for day, used in (*days.items(), ("total", total))
    ]
    print_table({"DAY": "", "REQUESTS": "", "PROMPT": "", "COMPLETION": "", "IMAGES": ""}, rows)


def _use(key: ApiKey) -> str:
    if key.revoked_at:
        return f"revoked {moment(key.revoked_at)}"
    return moment(key.last_used_at) if key.last_used_at else "never"


def _as_json(key: ApiKey) -> dict[str, object]:
    from dataclasses import asdict

    told: dict[str, object] = asdict(key)
    del told["limits"]
    return told | asdict(key.limits)


def _usage_as_json(usage: Usage) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(usage)


@contextmanager
def _opened() -> Iterator[tuple[ApiKeys, KeyUsage]]:
    from ingle.settings import load_settings
    from ingle.storage.api_keys import ApiKeys
    from ingle.storage.database import Database
    from ingle.storage.key_usage import KeyUsage

    with closing(Database.open(load_settings())) as database:
        yield ApiKeys(database), KeyUsage(database)
