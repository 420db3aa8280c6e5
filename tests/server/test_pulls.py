"""`/api/pulls`: begun, followed, paused, resumed and cancelled over HTTP."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from tests.server.conftest import Caller, running, settings_for

from ingle.testing.file_server import ServedFile, file_server

DEMO = files("ingle") / "models" / "demo" / "chat.gguf"
Json = dict[str, Any]  # Any: a JSON value has no narrower type


def held(content: bytes) -> ServedFile:
    """A file that stands still after its first half."""
    return ServedFile(content, etag='"1"', holds_after=len(content) // 2)


class Events:
    """Server-sent events as they come: kind, number and data of each."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self._answer = answer
        self.status = answer.status

    def __iter__(self) -> Iterator[tuple[str, int, Json]]:
        said: dict[str, str] = {}
        while line := self._answer.readline().decode():
            if line != "\n":
                name, _, value = line.rstrip("\n").partition(": ")
                said[name] = value
            elif said:
                yield said["event"], int(said["id"]), json.loads(said["data"])
                said = {}


@contextmanager
def following(call: Caller, path: str, last: int | None = None) -> Iterator[Events]:
    """The events of a path, from after the one with this number on."""
    with closing(http.client.HTTPConnection(*call.address, timeout=30)) as connection:
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        connection.request("GET", path, headers=headers)
        yield Events(connection.getresponse())


async def test_a_pull_is_begun_followed_paused_and_resumed(call: Caller, served_home: Path) -> None:
    """Whoever loses the events goes on after the last one it saw; nothing is fetched twice."""
    content = DEMO.read_bytes()

    def follow() -> tuple[Json, int]:
        asked = {"source": f"{server.url}/jobbed.gguf"}
        begun = call.post("/api/pulls", asked)
        assert (begun.status, begun.json["state"]) == (202, "running")
        assert call.post("/api/pulls", asked).json["id"] == begun.json["id"]
        with following(call, f"/api/pulls/{begun.json['id']}/events") as events:
            for kind, number, told in events:
                if kind == "progress" and told["progress"]["done_bytes"] > 100_000:
                    return told, number
        raise AssertionError("it ended before it was half done")

    async with file_server() as server:
        file = server.files["/jobbed.gguf"] = held(content)
        pull, seen = await asyncio.to_thread(follow)
        path = f"/api/pulls/{pull['id']}"
        assert (pull["model"], pull["progress"]["total_bytes"]) == ("jobbed", len(content))
        paused = (await asyncio.to_thread(call, "POST", f"{path}/pause")).json
        assert (paused["state"], paused["error"]) == ("paused", None)
        again = await asyncio.to_thread(call, "POST", f"{path}/pause")
        assert (again.status, again.error["code"]) == (409, "conflict")
        file.holds_after = None
        await asyncio.to_thread(call, "POST", f"{path}/resume")

        def rest() -> list[str]:
            with following(call, f"{path}/events", seen) as events:
                return [kind for kind, number, _ in events if number > seen and kind != "progress"]

        assert await asyncio.to_thread(rest) == ["paused", "started", "installed"]
    assert (served_home / "models/jobbed/jobbed.gguf").read_bytes() == content
    done = call("GET", path).json
    assert (done["state"], done["installed"]["size_bytes"]) == ("installed", len(content))
    with following(call, f"{path}/events", 10**17) as events:
        assert events.status == 204
    assert call("DELETE", path).status == 204
    assert (call("GET", path).status, call("DELETE", path).status) == (404, 404)
    shown = call("GET", "/api/models/jobbed").json
    assert shown["origin"]["source"].endswith("/jobbed.gguf")
    assert [file["role"] for file in shown["origin"]["files"]] == ["weights"]
    assert (shown["estimate"]["fits"], shown["running"]) == (True, None)
    assert call.post("/api/models/jobbed/verify", None).json == {
        "name": "jobbed",
        "compared": "sha256",
        "faults": [],
    }
    with (served_home / "models/jobbed/jobbed.gguf").open("r+b") as damaged:
        damaged.seek(-1, 2)
        damaged.write(bytes([content[-1] ^ 1]))
    (fault,) = call.post("/api/models/jobbed/verify", None).json["faults"]
    assert "should have sha256" in fault
    assert call("DELETE", "/api/models/jobbed").status == 204
    assert call("GET", "/api/models/jobbed").error["code"] == "model_not_found"


async def test_a_caller_who_leaves_leaves_the_pull_to_itself(call: Caller) -> None:
    """`POST /api/models/pull` waits for the end, and the end comes without it, too."""

    def leave() -> None:
        body = json.dumps({"source": f"{server.url}/left.gguf", "stream": True})
        with closing(http.client.HTTPConnection(*call.address, timeout=30)) as connection:
            told = {"Content-Type": "application/json"}
            connection.request("POST", "/api/models/pull", body, told)
            connection.getresponse().readline()

    def end() -> Json:
        with following(call, "/api/pulls/events") as events:
            for kind, _, told in events:
                if kind == "installed" and told["model"] == "left":
                    return told
        raise AssertionError("the feed of all pulls ended")

    async with file_server() as server:
        file = server.files["/left.gguf"] = held(DEMO.read_bytes())
        await asyncio.to_thread(leave)
        await asyncio.wait_for(file.is_held.wait(), 10)
        file.go.set()
        assert (await asyncio.to_thread(end))["state"] == "installed"
    assert call("DELETE", "/api/models/left").status == 204


async def test_a_cancelled_pull_is_an_error_for_who_waits(call: Caller, served_home: Path) -> None:
    """And nothing of it stays."""
    async with file_server() as server:
        file = server.files["/dropped.gguf"] = held(DEMO.read_bytes())
        asked = {"source": f"{server.url}/dropped.gguf"}
        waiting = asyncio.create_task(asyncio.to_thread(call.post, "/api/models/pull", asked))
        await asyncio.wait_for(file.is_held.wait(), 10)
        pulls = (await asyncio.to_thread(call, "GET", "/api/pulls")).json
        (pull,) = [one for one in pulls if one["source"] == asked["source"]]
        cancelled = await asyncio.to_thread(call, "DELETE", f"/api/pulls/{pull['id']}")
        refused = await waiting
    assert cancelled.status == 204
    assert (refused.status, refused.error["code"]) == (409, "conflict")
    assert not (served_home / "models/.pulling/dropped").exists()


@pytest.mark.slow
async def test_a_stop_pauses_pulls_at_once_and_the_next_start_lists_them(tmp_path: Path) -> None:
    """Who follows them is told, so that nobody waits for a stop to be over."""

    def begin(call: Caller) -> None:
        body = call.post("/api/pulls", {"source": f"{server.url}/kept.gguf"}).json
        with following(call, f"/api/pulls/{body['id']}/events") as events:
            next(kind for kind, _, told in events if _has_some(told))
            serving.stop()
            rest = [kind for kind, _, _ in events]
        assert rest[-1] == "paused"

    def found() -> Json:
        with running(settings_for(tmp_path)) as again:
            (left,) = Caller(again.url)("GET", "/api/pulls").json
        pull: Json = left
        return pull

    async with file_server() as server:
        server.files["/kept.gguf"] = held(DEMO.read_bytes())
        with running(settings_for(tmp_path, drain_s=60)) as serving:
            await asyncio.to_thread(begin, Caller(serving.url))
        left = await asyncio.to_thread(found)
    assert (left["state"], left["model"]) == ("paused", "kept")
    assert left["progress"]["done_bytes"] > 100_000


def _has_some(told: Json) -> bool:
    return bool(told["progress"] and told["progress"]["done_bytes"] > 100_000)


@pytest.mark.parametrize(
    ("method", "path", "asked", "status", "code"),
    [
        ("POST", "/api/pulls", {"source": str(DEMO)}, 403, "not_allowed"),
        ("POST", "/api/pulls", {"source": "no such model"}, 400, "invalid_request"),
        ("GET", "/api/pulls/none", None, 404, "not_found"),
        ("GET", "/api/pulls/none/events", None, 404, "not_found"),
        ("POST", "/api/pulls/none/pause", None, 404, "not_found"),
        ("POST", "/api/models/import", {"path": "here.gguf"}, 400, "invalid_request"),
        ("POST", "/api/models/import", {"path": "/a/model.yaml"}, 400, "invalid_request"),
        ("POST", "/api/caches/use", {"source": "hf:a/b"}, 404, "not_found"),
        ("GET", "/api/suggestions?task=cooking", None, 400, "invalid_request"),
        ("POST", "/api/models/none/stop", None, 404, "model_not_found"),
        ("POST", "/api/models/none/verify", None, 404, "model_not_found"),
        ("DELETE", "/api/models/demo", None, 403, "not_allowed"),
    ],
)
def test_what_cannot_be_done_is_refused(
    call: Caller, method: str, path: str, asked: object, status: int, code: str
) -> None:
    """With the same kind of error everywhere."""
    answer = call(method, path, asked)
    assert (answer.status, answer.error["code"]) == (status, code)


def test_an_event_number_that_is_none_is_refused(call: Caller) -> None:
    """It names the header."""
    answer = call("GET", "/api/pulls/events", headers={"Last-Event-ID": "soon"})
    assert (answer.status, answer.error["param"]) == (400, "Last-Event-ID")


def test_a_file_of_the_machine_is_imported_as_a_pull(call: Caller, tmp_path: Path) -> None:
    """The copy is listed with what it can do."""
    original = tmp_path / "copied.gguf"
    original.write_bytes(DEMO.read_bytes())
    begun = call.post("/api/models/import", {"path": str(original)}).json
    with following(call, f"/api/pulls/{begun['id']}/events") as events:
        assert [kind for kind, _, _ in events][-1] == "installed"
    listed = call("GET", "/api/models").json["models"]
    (model,) = [one for one in listed if one["id"] == "copied"]
    assert (model["owned_by"], model["installed"]["engine"]) == ("local", "llama")
    assert "chat" in model["installed"]["capabilities"]
    assert call("DELETE", "/api/models/copied").status == 204


def test_suggestions_fit_this_machine(call: Caller) -> None:
    """Those for a task, with what a pull would take."""
    told = call("GET", "/api/suggestions?task=embeddings").json
    assert told["memory_bytes"] > 0
    assert all("embeddings" in one["model"]["tasks"] for one in told["suggestions"])
    assert told["suggestions"][0]["model"]["source"].startswith("hf:")


def test_each_operation_says_what_its_errors_look_like(call: Caller) -> None:
    """The description promises the shape that answers have, and no other."""
    paths = call("GET", "/api/openapi.json").json["paths"]
    for path, operations in paths.items():
        for operation in operations.values():
            if path != "/api/version":
                assert "default" in operation["responses"], path
                assert "422" not in operation["responses"], path
