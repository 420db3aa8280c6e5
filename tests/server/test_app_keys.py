"""Keys and apps: who may run which, whose runs are whose, and what is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import pytest
from tests.server.app_texts import ECHO, YAML, asking
from tests.server.conftest import Caller, Reply, running, settings_for

from ingle.testing import ScriptedUpstream, chat_stream, models

Json = dict[str, Any]  # Any: a JSON value has no narrower type


class Keyed:
    """Calls a server with a key, in either of the two ways to send it."""

    def __init__(self, call: Caller, key: str, scheme: str = "Bearer") -> None:
        self._call = call
        self._headers = {"Authorization": f"{scheme} {key}"}

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        return self._call(method, path, body, headers={**self._headers, **headers})


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Generator[Keyed, None, None]:
    """Calls a server that asks for keys, with one that has no limits; an app is published."""
    settings = settings_for(tmp_path_factory.mktemp("keyed"), host="0.0.0.0")
    with running(settings) as serving:
        assert serving.new_api_key is not None
        admin = Keyed(Caller(serving.url.replace("0.0.0.0", "127.0.0.1")), serving.new_api_key)
        for slug in ("echo", "other"):
            made = admin("POST", f"/api/apps?slug={slug}&publish=true", ECHO.encode(), **YAML)
            assert made.status == 201
        yield admin


def keyed(admin: Keyed, name: str, scheme: str = "Bearer", **limits: object) -> Keyed:
    key = admin("POST", "/api/keys", {"name": name, **limits}).json["key"]
    return Keyed(admin._call, key, scheme)


def test_a_key_may_run_the_apps_that_it_names(admin: Keyed) -> None:
    """And sees no other, and manages none; LLMStack's clients send it as a token."""
    mine = keyed(admin, "llmstack", "Token", allowed_models=["app/echo"])
    said = {"input": {"words": "hi"}}
    assert mine("POST", "/api/apps/echo/run", said).json["output"] == "You said: hi"
    refused = mine("POST", "/api/apps/other/run", said)
    assert (refused.status, refused.error["code"]) == (403, "not_allowed")
    assert [model["id"] for model in mine("GET", "/v1/models").json["data"]] == ["app/echo"]
    for method, path in (
        ("POST", "/api/apps"),
        ("DELETE", "/api/apps/echo"),
        ("POST", "/api/apps/echo/publish"),
        ("GET", "/api/apps/echo/text"),
    ):
        assert mine(method, path, {}).status == 403
    ping = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = "application/json, text/event-stream"
    told = mine("POST", "/mcp", ping, Accept=accept).body.decode()
    assert '"echo"' in told
    assert '"other"' not in told


def test_sessions_are_their_keys_own(admin: Keyed) -> None:
    """A key chats with what it may ask only, and nobody else reads or goes on with its sessions."""
    mine, yours = keyed(admin, "chats", allowed_models=["demo"]), keyed(admin, "reads")
    for forbidden in ({"model": "another"}, {"app": "echo"}):
        assert mine("POST", "/api/sessions", forbidden).status == 403
    made = mine("POST", "/api/sessions", {"model": "demo"})
    assert made.status == 201
    path = f"/api/sessions/{made.json['id']}"
    said = {"input": {"message": "hi"}}
    for method, where, body in (
        ("GET", path, None),
        ("GET", f"{path}/messages", None),
        ("POST", f"{path}/messages", said),
        ("PATCH", path, {"title": "x"}),
        ("DELETE", path, None),
    ):
        assert yours(method, where, body).status == 404
    assert yours("GET", "/api/sessions").json["sessions"] == []
    other = admin("POST", "/api/sessions", {"model": "another"}).json["id"]
    assert mine("POST", f"/api/sessions/{other}/messages", said).status == 404
    assert mine("GET", path).status == 200


def test_runs_are_their_keys_own(admin: Keyed) -> None:
    """Nobody else's are listed, shown, followed, cancelled, rated, removed or exported."""
    mine, yours = keyed(admin, "mine"), keyed(admin, "yours")
    run = mine("POST", "/api/apps/echo/run", {"input": {"words": "secret"}}).json["run"]["id"]
    path = f"/api/runs/{run}"
    assert mine("GET", path).status == 200
    assert [one["id"] for one in mine("GET", "/api/runs").json["runs"]] == [run]
    assert yours("GET", "/api/runs").json["runs"] == []
    assert b"secret" not in yours("GET", "/api/runs.csv").body
    for method, end in (
        ("GET", ""),
        ("GET", "/events"),
        ("POST", "/cancel"),
        ("POST", "/resume"),
        ("POST", "/retry"),
        ("PUT", "/feedback"),
        ("DELETE", ""),
    ):
        answer = yours(method, path + end, {} if method in ("POST", "PUT") else None)
        assert (answer.status, answer.error["code"]) == (404, "run_not_found"), (method, end)
    assert mine("DELETE", path).status == 204


def test_requests_to_apps_count_against_the_limit(admin: Keyed) -> None:
    """Whichever way they come."""
    mine = keyed(admin, "slow", requests_per_minute=2)
    said = {"input": {"words": "hi"}}
    assert mine("POST", "/api/apps/echo/run", said).headers["x-ratelimit-remaining-requests"] == "1"
    body = {"model": "app/echo", "messages": [{"role": "user", "content": "hi"}]}
    assert mine("POST", "/v1/chat/completions", body).status == 200
    refused = mine("POST", "/api/apps/echo/run", said)
    assert (refused.status, refused.error["code"]) == (429, "rate_limit_exceeded")
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "echo", "arguments": {"words": "hi"}},
    }
    told = mine("POST", "/mcp", call, Accept="application/json, text/event-stream")
    assert "may use 2 requests a minute" in told.body.decode()


async def test_tokens_of_a_run_are_its_keys(admin: Keyed) -> None:
    """Whatever model its steps ask; past its limit it waits."""
    async with ScriptedUpstream(models("scripted"), chat_stream("Yes", has_usage=True)) as upstream:

        def ask() -> tuple[Reply, Reply, Json]:
            text = asking(upstream.url).encode()
            admin("POST", "/api/apps?slug=asked&publish=true", text, **YAML)
            mine = keyed(admin, "few", tokens_per_minute=7, allowed_models=["app/asked"])
            said = {"input": {"question": "?"}}
            first = mine("POST", "/api/apps/asked/run", said)
            second = mine("POST", "/api/apps/asked/run", said)
            keys = admin("GET", "/api/keys").json
            return first, second, next(key for key in keys if key["name"] == "few")["usage"]

        first, second, usage = await asyncio.to_thread(ask)
    assert first.json["output"] == "Yes"
    assert (second.status, second.error["code"]) == (429, "rate_limit_exceeded")
    assert (usage["requests"], usage["prompt_tokens"], usage["completion_tokens"]) == (1, 5, 2)
