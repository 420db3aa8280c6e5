"""`ingle routes`: kept, listed, looked into, removed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from ingle.testing import ScriptedUpstream, models

Ingle = Callable[..., CompletedProcess[str]]


def test_route_is_kept_and_removed(ingle: Ingle) -> None:
    """What leads to several models in turn is an alias after the next `add`."""
    ingle("connections", "add", "box", "http://127.0.0.1:9")
    added = ingle("routes", "add", "fast", "demo", "box/m", "--pick", "round_robin")
    assert (added.returncode, added.stdout) == (0, "")
    assert added.stderr == "Saved. `ingle routes test fast` looks for its models.\n"
    heading, row = ingle("routes").stdout.splitlines()
    assert heading.split() == ["ROUTE", "PICK", "MODELS", "FROM"]
    assert row.split() == ["fast", "round_robin", "local/demo,", "box/m", "database"]
    ingle("routes", "add", "fast", "box/m")
    assert json.loads(ingle("routes", "list", "--json").stdout) == [
        {"name": "fast", "models": ["box/m"], "pick": "first", "source": "database"}
    ]
    assert ingle("routes", "rm", "fast").stderr == "Removed fast.\n"
    assert ingle("routes").stderr.startswith("There are no routes.")
    assert ingle("routes", "rm", "fast").returncode == 5


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["fast"], 2, "Missing argument 'MODEL…'"),
        (["fast", "fast"], 2, "The route 'fast' cannot lead to itself: a route leads to models."),
        (["fast", "nowhere/m"], 2, "'nowhere/m' names no connection: there are none."),
        (["demo", "local/demo"], 2, "'demo' is the name of an installed model"),
        (["a/b", "local/demo"], 2, "'a/b' is not a route's name"),
        (["fast", "demo", "--pick", "random"], 2, "'random' is not one of 'first', 'round_robin'"),
    ],
)
def test_wrong_routes_are_told(ingle: Ingle, args: list[str], code: int, told: str) -> None:
    """And not kept."""
    done = ingle("routes", "add", *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
    assert json.loads(ingle("routes", "--json").stdout) == []


async def test_models_of_a_route_are_looked_for(ingle: Ingle) -> None:
    """It is an error only if none of them is there."""
    async with ScriptedUpstream(models("m")) as box:
        await asyncio.to_thread(ingle, "connections", "add", "box", box.url)
        await asyncio.to_thread(ingle, "routes", "add", "fast", "box/m", "local/gone")
        done = await asyncio.to_thread(ingle, "routes", "test", "fast")
        assert done.returncode == 0
        assert [line.split()[:2] for line in done.stdout.splitlines()] == [
            ["MODEL", "FOUND"],
            ["box/m", "yes"],
            ["local/gone", "Model"],
        ]
        await asyncio.to_thread(ingle, "routes", "add", "fast", "box/n", "local/gone")
        done = await asyncio.to_thread(ingle, "routes", "test", "fast", "--json")
    assert done.returncode == 7
    there, gone = json.loads(done.stdout)
    assert there["error"].endswith("lists no model 'n'. It lists: m.")
    assert gone["model"] == "local/gone"
    assert "None of the models of 'fast' is there" in done.stderr
