"""`/api/apps/{app}/run` and `/api/runs`: in one, as events, as LLMStack's lines; and afterwards."""

from __future__ import annotations

import asyncio
import csv
import http.client
import io
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from tests.server.app_texts import ECHO, asking, chatting, of_llmstack, published
from tests.server.conftest import Caller

from ingle.testing import ScriptedUpstream, chat_stream, error, models

Json = dict[str, Any]  # Any: a JSON value has no narrower type

SSE = {"Accept": "text/event-stream"}


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    """A model that answers by script."""
    async with ScriptedUpstream(models("scripted")) as upstream:
        yield upstream


def lines(body: bytes) -> list[Json]:
    return [json.loads(line) for line in body.splitlines()]


def events_of(body: bytes) -> list[Json]:
    return [json.loads(line[6:]) for line in body.splitlines() if line.startswith(b"data: ")]


@contextmanager
def following(
    call: Caller, method: str, path: str, body: object = None, **headers: str
) -> Iterator[Iterator[Json]]:
    """The events of an answer, as they come."""
    with closing(http.client.HTTPConnection(*call.address, timeout=30)) as connection:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        yield (
            json.loads(line[6:])
            for line in iter(answer.readline, b"")
            if line.startswith(b"data: ")
        )


def test_a_run_is_answered_in_one(call: Caller) -> None:
    """With its output, its run, and what LLMStack's clients look for."""
    with published(call, "echo", ECHO) as path:
        answer = call.post(f"{path}/run", {"input": {"words": "hi"}})
        uuid = call("GET", path).json["uuid"]
        by_uuid = call(
            "POST",
            f"/api/apps/{uuid}/run",
            {"input": {"words": "hi"}, "stream": False},
            headers={"Authorization": "Token ignored-on-loopback"},
        )
    assert answer.json["output"] == by_uuid.json["output"] == "You said: hi"
    assert answer.json["session"]["id"]
    assert answer.headers["x-ingle-run"] == answer.json["run"]["id"]


@pytest.mark.parametrize(
    ("values", "param", "told"),
    [
        ({}, "input.words", "`words` is missing."),
        ({"word": "x"}, "input.word", "Did you mean `words`?"),
        ({"words": ["x"]}, "input.words", "must be a text"),
    ],
)
def test_a_wrong_input_is_refused(call: Caller, values: Json, param: str, told: str) -> None:
    """Before anything runs, streamed or not."""
    with published(call, "echo", ECHO) as path:
        for more in ({}, {"stream": True}):
            answer = call.post(f"{path}/run", {"input": values, **more})
            assert (answer.status, answer.error["param"]) == (400, param)
            assert told in answer.error["message"]


def test_a_chat_that_does_not_begin_leaves_no_session(call: Caller) -> None:
    """A wrong input is refused, and no empty chat is listed."""
    with published(call, "silent", chatting("http://127.0.0.1:1")) as path:
        assert call.post(f"{path}/run", {"input": {"words": "hi"}}).status == 400
        assert call("GET", "/api/sessions?app=silent").json["sessions"] == []


async def test_llmstacks_lines_are_merged_by_key(call: Caller, upstream: ScriptedUpstream) -> None:
    """One object a piece: the session first, then more and more of the output."""
    upstream.script(chat_stream("Good ", "mor", "ning", has_usage=True))

    def asked() -> tuple[bytes, str]:
        with published(call, "asked", asking(upstream.url)) as path:
            answer = call.post(f"{path}/run", {"input": {"question": "?"}, "stream": True})
            return answer.body, answer.headers["content-type"]

    body, kind = await asyncio.to_thread(asked)
    first, *rest = lines(body)
    assert kind == "application/x-ndjson"
    assert set(first) == {"session", "run"}
    assert "".join(line.get("output", "") for line in rest) == "Good morning"
    assert rest[-1] == {"usage": {"prompt_tokens": 5, "completion_tokens": 2}}


async def test_llmstacks_app_is_imported_and_run_as_there(
    call: Caller, upstream: ScriptedUpstream
) -> None:
    """Its YAML unchanged, by its UUID, with its header, streamed and in one."""
    upstream.script(chat_stream("Bon", "jour"))

    def run() -> tuple[Json, list[Json]]:
        with published(call, "translator", of_llmstack(upstream.url)) as path:
            uuid = call("GET", path).json["uuid"]
            token = {"Authorization": "Token 0123456789abcdef"}
            asked = {"input": {"words": "Good day"}, "stream": False}
            where = f"/api/apps/{uuid}/run"
            whole = call("POST", where, asked, headers=token).json
            streamed = call("POST", where, {**asked, "stream": True}, headers=token)
            return whole, lines(streamed.body)

    whole, streamed = await asyncio.to_thread(run)
    merged = "".join(line["output"] for line in streamed if "output" in line)
    assert whole["output"] == merged == "Bonjour"
    assert whole["session"]["id"]
    assert streamed[0]["session"]["id"]
    asked = (await upstream.received(2)).json["messages"]
    assert [message["content"] for message in asked] == ["Translate into French.", "Good day"]


async def test_events_are_taken_up_where_they_were_lost(
    call: Caller, upstream: ScriptedUpstream
) -> None:
    """Who leaves does not stop the run; who comes again names the last id, and misses nothing."""
    go = asyncio.Event()
    upstream.script(chat_stream("Good ", "morning").paused_before(2, go))
    loop = asyncio.get_running_loop()

    def follow() -> tuple[list[Json], list[Json], int]:
        with published(call, "asked", asking(upstream.url)) as path:
            seen = []
            asked = {"input": {"question": "?"}}
            with following(call, "POST", f"{path}/run", asked, **SSE) as told:
                for event in told:
                    seen.append(event)
                    if event["type"] == "output":
                        break
            last = str(seen[-1]["sequence"])
            loop.call_soon_threadsafe(go.set)
            path = f"/api/runs/{seen[0]['run']}/events"
            with following(call, "GET", path, **{"Last-Event-ID": last}) as told:
                rest = list(told)
            whole = call("GET", f"{path}?after={last}")
            assert events_of(whole.body) == rest
            end = call("GET", path, headers={"Last-Event-ID": str(rest[-1]["sequence"])})
            return seen, rest, end.status

    seen, rest, status = await asyncio.to_thread(follow)
    assert [event["sequence"] for event in seen + rest] == list(range(len(seen + rest)))
    assert rest[-1]["type"] == "run_ended"
    assert rest[-1]["output"] == "Good morning"
    assert status == 204


async def test_a_run_is_cancelled_and_resumed(call: Caller, upstream: ScriptedUpstream) -> None:
    """Its listeners are told; what ran is stopped at its server."""
    held = asyncio.Event()
    upstream.script(chat_stream("Good ", "x").paused_before(2, held), chat_stream("morning"))

    def cancel() -> tuple[Json, Json, str]:
        with published(call, "asked", asking(upstream.url)) as path:
            asked = {"input": {"question": "?"}}
            with following(call, "POST", f"{path}/run", asked, **SSE) as told:
                first = next(told)
                run = f"/api/runs/{first['run']}"
                assert call("GET", run).json["state"] == "running"
                while next(told)["type"] != "output":
                    pass
                assert call("POST", f"{run}/cancel").status == 202
                last = list(told)[-1]
            record = call("GET", run).json
            assert call("POST", f"{run}/resume").status == 202
            done = events_of(call("GET", f"{run}/events").body)[-1]
            return last, record, done["output"]

    last, record, output = await asyncio.to_thread(cancel)
    assert last["type"] == "run_cancelled"
    assert record["state"] == "cancelled"
    assert output == "morning"
    asked = [one for one in upstream.requests if one.path == "/v1/chat/completions"]
    await asked[0].left.wait()


async def test_a_failed_run_says_why_everywhere(call: Caller, upstream: ScriptedUpstream) -> None:
    """As an error in one, as the last event, as the last line, and in the history."""
    upstream.script(error(400, "no such thing"))

    def fail() -> tuple[Any, ...]:
        with published(call, "asked", asking(upstream.url)) as path:
            asked = {"input": {"question": "?"}}
            whole = call.post(f"{path}/run", asked)
            streamed = call("POST", f"{path}/run", asked, headers=SSE)
            told = call.post(f"{path}/run", {**asked, "stream": True})
            return whole, streamed, told, call("GET", f"/api/runs/{whole.headers['x-ingle-run']}")

    whole, streamed, told, record = await asyncio.to_thread(fail)
    for answer in (whole, told):
        assert (answer.status, answer.error["code"]) == (502, "step_failed")
    last = events_of(streamed.body)[-1]
    assert (last["type"], last["fault"]["step"]) == ("run_failed", "answer")
    assert (record.json["state"], record.json["fault"]["message"]) == (
        "failed",
        last["fault"]["message"],
    )
    assert record.json["steps"][0]["state"] == "failed"


async def test_a_run_is_repeated_from_a_step_with_other_values(
    call: Caller, upstream: ScriptedUpstream
) -> None:
    """Which is a new run, that names the old one."""
    upstream.script(chat_stream("one"))

    def retry() -> Json:
        with published(call, "asked", asking(upstream.url)) as path:
            run = call.post(f"{path}/run", {"input": {"question": "?"}}).json["run"]["id"]
            edits = {"answer": {"choices": [{"role": "assistant", "content": "mine"}]}}
            again = call.post(f"/api/runs/{run}/retry", {"edits": edits}).json["id"]
            call("GET", f"/api/runs/{again}/events")
            record: Json = call("GET", f"/api/runs/{again}").json
            assert record["parent"] == run
            wrong = call.post(f"/api/runs/{run}/retry", {"from_step": "nope"})
            assert (wrong.status, wrong.error["param"]) == (400, "step")
            return record

    assert (await asyncio.to_thread(retry))["output"] == "mine"


def test_runs_are_listed_searched_rated_exported_and_removed(call: Caller) -> None:
    """Page by page, the newest first."""
    with published(call, "listed", ECHO) as path:
        for words in ("red", "green", "=1+1"):
            assert call.post(f"{path}/run", {"input": {"words": words}}).status == 200
    page = call("GET", "/api/runs?app=listed&limit=2").json
    rest = call("GET", f"/api/runs?app=listed&limit=2&before={page['next']}").json
    assert [run["input"]["words"] for run in page["runs"] + rest["runs"]] == [
        "=1+1",
        "green",
        "red",
    ]
    assert rest["next"] is None
    found = call("GET", "/api/runs?app=listed&search=green").json["runs"]
    assert [run["output"] for run in found] == ["You said: green"]
    run = f"/api/runs/{found[0]['id']}"
    assert call("PUT", f"{run}/feedback", {"thumb": -1, "comment": "no"}).status == 204
    assert (call("GET", run).json["thumb"], call("GET", run).json["comment"]) == (-1, "no")
    table = call("GET", "/api/runs.csv?app=listed")
    rows = list(csv.DictReader(io.StringIO(table.body.decode())))
    assert table.headers["content-type"].startswith("text/csv")
    assert [row["output"] for row in rows] == ["You said: =1+1", "You said: green", "You said: red"]
    assert call("DELETE", run).status == 204
    missing = call("GET", f"{run}/events")
    assert (missing.status, missing.error["code"]) == (404, "run_not_found")


async def test_a_listener_that_reads_nothing_stalls_nobody(
    call: Caller, upstream: ScriptedUpstream
) -> None:
    """Megabytes wait for it, as one copy; another listener hears all of them meanwhile."""
    go = asyncio.Event()
    texts = ["x" * 2000] * 2000
    upstream.script(chat_stream(*texts).paused_before(1, go))
    loop = asyncio.get_running_loop()

    def listen() -> Json:
        with published(call, "asked", asking(upstream.url)) as path:
            asked = {"input": {"question": "?"}}
            with following(call, "POST", f"{path}/run", asked, **SSE) as told:
                run = next(told)["run"]
                with call.raw() as standing:
                    request = f"GET /api/runs/{run}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
                    standing.sendall(request.encode())
                    assert standing.recv(1)
                    loop.call_soon_threadsafe(go.set)
                    last: Json = list(told)[-1]
                    return last

    last = await asyncio.to_thread(listen)
    assert (last["type"], len(last["output"])) == ("run_ended", 4_000_000)
