"""`ingle connections`: kept with masked keys, and tried against a real socket."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from ingle.testing import ScriptedUpstream, error, json_answer, models

Ingle = Callable[..., CompletedProcess[str]]


def test_connection_is_kept_with_a_masked_key(
    ingle: Ingle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key comes on stdin, never in the command, and no list ever shows it whole."""
    monkeypatch.setattr("sys.stdin", io.StringIO("sk-a-long-secret-1234\n"))
    added = ingle("connections", "add", "box", "box.local:8080", "--key-stdin")
    assert (added.returncode, added.stdout) == (0, "")
    assert added.stderr == "Saved. `ingle connections test box` tries it.\n"
    heading, row = ingle("connections").stdout.splitlines()
    assert heading.split() == ["CONNECTION", "URL", "KEY", "STATE", "FROM"]
    assert row.split() == ["box", "box.local:8080", "…1234", "-", "database"]
    assert json.loads(ingle("connections", "list", "--json").stdout) == [
        {
            "name": "box",
            "base_url": "box.local:8080",
            "resolved_url": None,
            "api_key": "…1234",
            "key_fault": None,
            "source": "database",
            "health": None,
        }
    ]


async def test_state_is_that_of_the_running_ingle(
    ingle: Ingle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a connection that means the same server; what failed last is told beside the list."""
    health = {
        "state": "open",
        "since": "2026-11-23T12:00:00Z",
        "last_error": "no connection",
        "last_error_at": "2026-11-23T12:00:00Z",
    }
    told = [{"name": "box", "base_url": "http://box:1", "health": health}]
    async with ScriptedUpstream(json_answer(told)) as running:
        monkeypatch.setenv("INGLE_PORT", running.url.rpartition(":")[2])
        for name, url in (("box", "http://box:1"), ("other", "http://box:1")):
            await asyncio.to_thread(ingle, "connections", "add", name, url)
        listed = await asyncio.to_thread(ingle, "connections")
        as_json = await asyncio.to_thread(ingle, "connections", "--json")
    assert [request.path for request in running.requests] == ["/api/connections"] * 2
    box, other = listed.stdout.splitlines()[1:]
    assert re.search(r"  open since 2026-11-2\d \d\d:\d\d  database$", box)
    assert other.split()[3] == "-"
    assert listed.stderr == "box: no connection\n"
    assert [one["health"] for one in json.loads(as_json.stdout)] == [health, None]


def test_removed_connection_is_gone(ingle: Ingle) -> None:
    """`rm` forgets a connection; one that is not there is an error that lists the others."""
    ingle("connections", "add", "box", "http://localhost:1")
    assert ingle("connections", "rm", "box").stderr == "Removed box.\n"
    assert ingle("connections").stderr.startswith("There are no connections.")
    done = ingle("connections", "rm", "box")
    assert done.returncode == 5
    assert done.stderr.startswith("error: There is no connection 'box'. There are: none.")


def test_empty_stdin_is_no_key(ingle: Ingle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who says that a key comes on stdin and pipes none is told."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    done = ingle("connections", "add", "box", "http://localhost:1", "--key-stdin")
    assert done.returncode == 2
    assert done.stderr.startswith("error: stdin holds no key.")


async def test_tried_server_shows_what_will_be_called(ingle: Ingle) -> None:
    """Each URL tried, what each kind of request calls, and the models are told; the URL is kept."""
    async with ScriptedUpstream(error(404, "nothing here"), models("tiny")) as upstream:
        await asyncio.to_thread(ingle, "connections", "add", "box", upstream.url)
        done = await asyncio.to_thread(ingle, "connections", "test", "box")
        listed = await asyncio.to_thread(ingle, "connections", "--json")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"{'TRIED':{len(upstream.url) + 16}}ANSWER",
        f"GET {upstream.url}/v1/models  status 404: nothing here",
        f"GET {upstream.url}/models     a list of 1 model",
        "",
        "FOR          CALLED",
        f"chat         POST {upstream.url}/chat/completions",
        f"completions  POST {upstream.url}/completions",
        f"images       POST {upstream.url}/images/generations",
        "",
        "MODELS (1)",
        "tiny",
    ]
    assert json.loads(listed.stdout)[0]["resolved_url"] == upstream.url


async def test_tried_address_is_told_to_programs(
    ingle: Ingle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any address can be tried, with a key from stdin; `--json` has it all in one object."""
    monkeypatch.setattr("sys.stdin", io.StringIO("sk-other\n"))
    async with ScriptedUpstream(models()) as upstream:
        args = ["connections", "test", f"{upstream.url}/v1/", "--json", "--key-stdin"]
        done = await asyncio.to_thread(ingle, *args)
        assert upstream.requests[0].headers["authorization"] == "Bearer sk-other"
    assert json.loads(done.stdout) == {
        "base_url": f"{upstream.url}/v1",
        "tried": [{"url": f"{upstream.url}/v1/models", "outcome": "a list of 0 models"}],
        "calls": {
            "chat": f"{upstream.url}/v1/chat/completions",
            "completions": f"{upstream.url}/v1/completions",
            "images": f"{upstream.url}/v1/images/generations",
        },
        "models": [],
        "note": None,
    }


def test_server_that_is_not_there_is_an_error(ingle: Ingle) -> None:
    """A refused connection ends with the code of upstream errors, after what was tried."""
    done = ingle("connections", "test", "127.0.0.1:1")
    assert done.returncode == 7
    assert done.stdout.splitlines()[1].startswith("GET http://127.0.0.1:1/v1/models  no connection")
    assert done.stderr.startswith("error: GET http://127.0.0.1:1/v1/models (server): no connection")


def test_word_that_is_no_address_is_a_name(ingle: Ingle) -> None:
    """A single word that names no connection is not called as a host."""
    done = ingle("connections", "test", "bxo")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith("error: There is no connection 'bxo'.")
