"""`/api/sessions`: talking in a session over HTTP, its branches, and what keys may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from tests.server.app_texts import chatting, published
from tests.server.conftest import Caller

from ingle.testing import ScriptedUpstream, chat_stream, models

Json = dict[str, Any]  # Any: a JSON value has no narrower type


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    """A model that answers by script."""
    async with ScriptedUpstream(models("scripted")) as upstream:
        yield upstream


def ended(call: Caller, run: str) -> None:
    """Wait for the end of a run."""
    assert b'"run_ended"' in call("GET", f"/api/runs/{run}/events").body


def shown(call: Caller, session: str) -> list[tuple[str, str]]:
    """The messages of the branch that the session shows."""
    found = call("GET", f"/api/sessions/{session}").json
    return [(message["role"], message["content"]) for message in found["messages"]]


def talk(call: Caller) -> None:
    """A session from its beginning to its end."""
    path = "/api/apps/talking"
    first = call("POST", f"{path}/run", {"input": {"message": "1"}})
    assert first.json["output"] == "one"
    session = first.json["session"]["id"]
    again = call("POST", f"{path}/run/{session}", {"input": {"message": "2"}})
    assert (again.json["output"], again.json["session"]["id"]) == ("two", session)
    messages = call("GET", f"/api/sessions/{session}").json["messages"]
    at = f"/api/sessions/{session}/messages"
    edited = call("POST", at, {"input": {"message": "2b"}, "instead_of": messages[2]["id"]})
    assert edited.status == 202, edited.body
    ended(call, edited.json["id"])
    assert shown(call, session)[2:] == [("user", "2b"), ("assistant", "edited")]
    other = call("POST", f"{at}/{messages[3]['id']}/again")
    ended(call, other.json["id"])
    assert shown(call, session)[2:] == [("user", "2"), ("assistant", "again")]
    back = call("PATCH", f"/api/sessions/{session}", {"shown": messages[3]["id"], "title": "Mine"})
    assert [m["content"] for m in back.json["messages"]] == ["1", "one", "2", "two"]
    assert len(call("GET", at).json) == 7
    assert [s["title"] for s in call("GET", "/api/sessions?search=2b").json["sessions"]] == ["Mine"]
    assert call("POST", f"/api/apps/echoing/run/{session}", {"input": {}}).status == 404
    assert call("DELETE", f"/api/sessions/{session}").status == 204
    gone = call("GET", f"/api/sessions/{session}")
    assert (gone.status, gone.error["code"]) == (404, "session_not_found")


async def test_a_session_over_http(call: Caller, upstream: ScriptedUpstream) -> None:
    """LLMStack's path goes on in a session; edits and other answers make branches."""
    upstream.script(*(chat_stream(text) for text in ("one", "two", "edited", "again")))

    def run() -> None:
        with published(call, "talking", chatting(upstream.url)):
            talk(call)

    await asyncio.to_thread(run)
    asked = [
        [m["content"] for m in request.json["messages"]]
        for request in upstream.requests
        if request.path.endswith("/chat/completions")
    ]
    assert asked == [["1"], ["1", "one", "2"], ["1", "one", "2b"], ["1", "one", "2"]]


def test_what_a_session_is_with(call: Caller) -> None:
    """An app that is there, or a model; one of them."""
    model = call("POST", "/api/sessions", {"model": "demo", "title": "Plain"})
    assert (model.status, model.json["app"], model.json["messages"]) == (
        201, "model/local/demo", [],
    )  # fmt: skip
    assert call("POST", "/api/sessions", {"app": "no-such-app"}).status == 404
    for wrong in ({}, {"app": "a", "model": "b"}):
        refused = call("POST", "/api/sessions", wrong)
        assert "give `app` or `model`" in refused.error["message"]
    assert call("DELETE", f"/api/sessions/{model.json['id']}").status == 204
