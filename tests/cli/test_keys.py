"""`ingle keys`: made, shown once, listed and revoked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from subprocess import CompletedProcess

Ingle = Callable[..., CompletedProcess[str]]


def test_key_is_shown_once(ingle: Ingle) -> None:
    """`create` prints the key alone on stdout; the list shows only how it begins."""
    created = ingle("keys", "create", "laptop")
    assert re.fullmatch(r"ik-[\w-]{43}\n", created.stdout)
    listed = ingle("keys")
    assert created.stdout.strip() not in listed.stdout
    heading, row = listed.stdout.splitlines()
    assert heading.split() == ["ID", "NAME", "KEY", "CREATED", "LAST", "USED"]
    assert row.split()[1:3] == ["laptop", f"{created.stdout[:11]}…"]
    assert row.endswith("never")


def test_programs_get_the_key_and_its_record(ingle: Ingle) -> None:
    """`--json` gives the key when it is made, and never again."""
    created = json.loads(ingle("keys", "create", "ci", "--json").stdout)
    key = created.pop("key")
    assert created["prefix"] == key[:11]
    assert json.loads(ingle("keys", "list", "--json").stdout) == [created]


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
