"""`ingle keys`: made, shown once, listed, limited and revoked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from subprocess import CompletedProcess

import pytest

from ingle.cli.key_options import expiry_of
from ingle.settings import load_settings
from ingle.storage.database import Database
from ingle.storage.key_usage import KeyUsage, Usage

Ingle = Callable[..., CompletedProcess[str]]


def test_key_is_shown_once(ingle: Ingle) -> None:
    """`create` prints the key alone on stdout; the list shows only how it begins."""
    created = ingle("keys", "create", "laptop")
    assert re.fullmatch(r"ik-[\w-]{43}\n", created.stdout)
    listed = ingle("keys")
    assert created.stdout.strip() not in listed.stdout
    heading, row = listed.stdout.splitlines()
    assert heading.split() == ["ID", "NAME", "KEY", "LIMITS", "REQUESTS", "TOKENS", "LAST", "USED"]
    assert row.split()[1:] == ["laptop", f"{created.stdout[:11]}…", "none", "0", "0", "never"]


def test_programs_get_the_key_and_its_record(ingle: Ingle) -> None:
    """`--json` gives the key when it is made, and never again."""
    created = json.loads(ingle("keys", "create", "ci", "--json").stdout)
    key = created.pop("key")
    assert created["prefix"] == key[:11]
    nothing = {"requests": 0, "prompt_tokens": 0, "completion_tokens": 0, "images": 0}
    assert json.loads(ingle("keys", "list", "--json").stdout) == [created | {"usage": nothing}]


def test_limits_are_set_shown_and_changed(ingle: Ingle) -> None:
    """All at once when the key is made, one by one later; `none` takes one away."""
    options = ["--allow", "demo", "--allow", "box/*", "--requests-per-minute", "10"]
    options += ["--tokens-per-minute", "5000", "--expires", "2100-01-01T00:00:00Z"]
    created = json.loads(ingle("keys", "create", "guest", *options, "--json").stdout)
    assert created["allowed_models"] == ["demo", "box/*"]
    assert created["expires_at"] == "2100-01-01T00:00:00Z"
    changed = ingle("keys", "change", created["id"], "--allow", "none", "--expires", "none")
    assert changed.stderr == "guest: 10 requests/min; 5,000 tokens/min.\n"
    ingle("keys", "change", created["id"], "--requests-per-minute", "none")
    shown = json.loads(ingle("keys", "show", created["id"], "--json").stdout)
    limits = ("allowed_models", "requests_per_minute", "tokens_per_minute", "expires_at")
    assert [shown[name] for name in limits] == [None, None, 5000, None]


def test_use_is_shown_day_by_day(ingle: Ingle) -> None:
    """With the total below."""
    created = json.loads(ingle("keys", "create", "guest", "--json").stdout)
    with closing(Database.open(load_settings())) as database:
        now = datetime(2026, 11, 23, tzinfo=UTC)
        usage = KeyUsage(database, now=lambda: now)
        usage.add(created["id"], Usage(1, 1000, 20, 0))
        now = datetime(2026, 11, 24, tzinfo=UTC)
        usage.add(created["id"], Usage(2, 5, 2, 4))
        usage.write()
    lines = ingle("keys", "show", created["id"]).stdout.splitlines()
    assert [line.split() for line in lines[-4:]] == [
        ["DAY", "REQUESTS", "PROMPT", "COMPLETION", "IMAGES"],
        ["2026-11-23", "1", "1,000", "20", "0"],
        ["2026-11-24", "2", "5", "2", "4"],
        ["total", "3", "1,005", "22", "4"],
    ]
    assert ingle("keys").stdout.splitlines()[1].split()[4:6] == ["3", "1.03k"]


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--requests-per-minute", "0", "`requests_per_minute` is 0, but must be 1 or more"),
        ("--requests-per-minute", "-3", "`requests_per_minute` is -3, but must be 1 or more"),
        ("--tokens-per-minute", "many", "--tokens-per-minute is 'many', but must be a whole"),
        ("--expires", "2020-01-01T00:00:00Z", "which has passed. Give a moment to come"),
        ("--expires", "soon", "--expires is 'soon', which is no moment. Write 30d, 12h"),
    ],
)
def test_wrong_limits_are_told(ingle: Ingle, option: str, value: str, told: str) -> None:
    """And no key is made."""
    done = ingle("keys", "create", "guest", option, value)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert json.loads(ingle("keys", "--json").stdout) == []


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", datetime(2026, 11, 23, 13, 30, tzinfo=UTC)),
        ("30d", datetime(2026, 12, 23, 12, 0, tzinfo=UTC)),
        ("2w", datetime(2026, 12, 7, 12, 0, tzinfo=UTC)),
        ("2027-01-31T12:00:00+01:00", datetime(2027, 1, 31, 11, 0, tzinfo=UTC)),
        ("none", None),
    ],
)
def test_moments_are_read(text: str, moment: datetime | None) -> None:
    """From now on, or on a day."""
    assert expiry_of(text, now=datetime(2026, 11, 23, 12, 0, tzinfo=UTC)) == moment


def test_revoked_key_is_told_as_such(ingle: Ingle) -> None:
    """A revoked key stays in the list, with when it was revoked."""
    ingle("keys", "create", "laptop")
    (key,) = json.loads(ingle("keys", "--json").stdout)
    done = ingle("keys", "revoke", key["id"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"Revoked {key['id']}.\n")
    assert "  revoked 20" in ingle("keys").stdout


def test_unknown_key_and_no_keys_are_told(ingle: Ingle) -> None:
    """An id that is not there is an error; no keys at all are none."""
    done = ingle("keys", "revoke", "nope")
    assert done.returncode == 5
    assert done.stderr == (
        "error: There is no API key 'nope'. `ingle keys list` shows their ids.\n"
    )
    none = ingle("keys")
    assert (none.returncode, none.stdout) == (0, "")
    assert none.stderr == "There are no API keys. `ingle keys create NAME` makes one.\n"
    assert json.loads(ingle("keys", "--json").stdout) == []
