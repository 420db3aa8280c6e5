"""`/api/models/pull` and `/api/models/{name}/load`."""

from __future__ import annotations

import asyncio
import json
from importlib.resources import files
from pathlib import Path

import pytest
from tests.server.conftest import Caller, Reply

from ingle.testing.file_server import file_server

DEMO = files("ingle") / "models" / "demo" / "chat.gguf"


def told(reply: Reply) -> list[tuple[str, dict[str, object]]]:
    """The kind and the data of each event of a stream."""
    blocks = reply.body.decode().strip().split("\n\n")
    lines = [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]
    return [(line["event"], json.loads(line["data"])) for line in lines]


async def test_a_pull_tells_its_progress_and_ends_with_the_model(
    call: Caller, served_home: Path
) -> None:
    """Events are `progress` and one `installed` at the end; a second pull fetches nothing."""
    async with file_server() as server:
        server.serve("/pulled.gguf", DEMO.read_bytes())
        asked = {"source": f"{server.url}/pulled.gguf", "stream": True}
        events = told(await asyncio.to_thread(call.post, "/api/models/pull", asked))
        again = await asyncio.to_thread(call.post, "/api/models/pull", {**asked, "stream": False})
    kinds = [kind for kind, _ in events]
    assert kinds == [*["progress"] * (len(kinds) - 1), "installed"]
    assert events[-1][1]["name"] == "pulled"
    assert (again.status, again.json["was_there"]) == (200, True)
    assert (served_home / "models/pulled/pulled.gguf").exists()
    loaded = await asyncio.to_thread(call.post, "/api/models/pulled/load", None)
    assert (loaded.json["name"], loaded.json["state"]) == ("pulled", "ready")
    assert (await asyncio.to_thread(call, "DELETE", "/v1/models/pulled")).status == 200


async def test_a_pull_that_fails_ends_with_one_error(call: Caller) -> None:
    """Once progress was told it is an event, else a status."""
    async with file_server() as server:
        asked = {"source": f"{server.url}/none.gguf", "stream": True}
        events = told(await asyncio.to_thread(call.post, "/api/models/pull", asked))
    assert [kind for kind, _ in events].count("error") == 1
    assert events[-1][0] == "error"
    assert "installed" not in dict(events)


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"source": str(DEMO)}, 403, "not_allowed"),
        ({"source": "no such model"}, 400, "invalid_request"),
        ({"source": "hf:a/b", "quality": 1}, 400, "invalid_request"),
        ({"source": "hf:a/b", "rate_bytes_s": 0}, 400, "invalid_request"),
    ],
)
def test_what_cannot_be_pulled_is_refused(
    call: Caller, asked: dict[str, object], status: int, code: str
) -> None:
    """A file of the server's machine above all: who calls may not say what is read there."""
    answer = call.post("/api/models/pull", asked)
    assert (answer.status, answer.error["code"]) == (status, code)


def test_a_model_that_is_not_there_is_not_loaded(call: Caller) -> None:
    """The error names those that are."""
    answer = call.post("/api/models/nope/load", None)
    assert (answer.status, answer.error["code"]) == (404, "model_not_found")
