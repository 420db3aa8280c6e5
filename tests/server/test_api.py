"""`/api`: processors, connections, keys, settings, engines, and their description."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.server.conftest import Caller

CHAT = "/api/processors/localai/chatgpt"
INPUT = {"messages": [{"role": "user", "content": "Hello!"}]}


def _events(body: bytes) -> list[tuple[int, str, Any]]:
    """Each event's number, kind and data."""
    told = []
    for block in body.decode().removesuffix("\n\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        told.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return told


def test_the_processors_are_listed(call: Caller) -> None:
    """By slug, name and description."""
    slugs = [processor["slug"] for processor in call("GET", "/api/processors").json]
    assert {"localai/chatgpt", "localai/completions", "localai/image_generations"} <= set(slugs)


def test_a_processor_is_described_by_json_schema(call: Caller) -> None:
    """Its input, configuration and output."""
    told = call("GET", CHAT).json
    assert told["slug"] == "localai/chatgpt"
    assert "messages" in told["input"]["properties"]
    assert told["configuration"]["properties"]["temperature"]["maximum"] == 2
    assert "choices" in told["output"]["properties"]


def test_a_processor_is_run(call: Caller) -> None:
    """Its output comes as JSON."""
    answer = call.post(f"{CHAT}/run", {"input": INPUT, "config": {"max_tokens": 4}})
    assert answer.status == 200
    assert answer.json["output"]["choices"][0]["role"] == "assistant"
    assert answer.json["output"]["_api_response"]["model"] == "demo"


def test_a_processors_pieces_stream_and_then_its_output(call: Caller) -> None:
    """Numbered from 1 without a gap, and exactly one terminal event."""
    asked = {"input": INPUT, "config": {"max_tokens": 4, "temperature": 0}, "stream": True}
    answer = call.post(f"{CHAT}/run", asked)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = _events(answer.body)
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    assert [kind for _, kind, _ in events[:-1]] == ["piece"] * (len(events) - 1)
    _, kind, output = events[-1]
    assert kind == "output"
    text = "".join(piece.get("text", "") for _, kind, piece in events if kind == "piece")
    assert output["choices"][0]["content"] == text


@pytest.mark.parametrize("is_stream", [False, True])
def test_what_is_wrong_before_the_first_piece_is_an_http_error(
    call: Caller, is_stream: bool
) -> None:
    """Streamed or not: an unknown field, an unknown model."""
    wrong = call.post(f"{CHAT}/run", {"input": {"mesages": []}, "stream": is_stream})
    assert (wrong.status, wrong.error["param"]) == (400, "input.mesages")
    asked = {"input": INPUT, "config": {"model": "nope"}, "stream": is_stream}
    missing = call.post(f"{CHAT}/run", asked)
    assert (missing.status, missing.error["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/processors/localai/nope", None, 404, "processor_not_found"),
        ("POST", f"{CHAT}/run", b"{", 400, "invalid_request"),
        ("POST", f"{CHAT}/run", {"config": {}}, 400, "invalid_request"),
        ("POST", f"{CHAT}/run", {"input": {}, "steam": True}, 400, "invalid_request"),
        ("GET", "/api/nowhere", None, 404, "not_found"),
        ("PUT", "/api/version", {}, 405, "method_not_allowed"),
        ("DELETE", "/api/keys/nope", None, 404, "not_found"),
        ("GET", "/api/connections/nope", None, 404, "connection_not_found"),
        ("PUT", "/api/connections/a%20b", {"base_url": "http://x"}, 400, "invalid_request"),
        ("DELETE", "/api/engines/nope", None, 404, "not_found"),
    ],
)
def test_faults_have_the_shape_that_they_have_on_v1(
    call: Caller, method: str, path: str, body: object, status: int, code: str
) -> None:
    """One shape for all."""
    answer = call(method, path, body)
    assert (answer.status, answer.error["code"]) == (status, code)
    assert set(answer.error) == {"message", "type", "param", "code"}


def test_a_connection_is_kept_shown_and_removed_and_its_key_never_told(call: Caller) -> None:
    """Only masked, whichever way it is asked for."""
    saved = {"base_url": "http://127.0.0.1:9/v1", "api_key": "sk-0123456789abcdef"}
    made = call("PUT", "/api/connections/box", saved)
    assert made.json["masked_key"].endswith("cdef")
    listed = call("GET", "/api/connections")
    assert [connection["name"] for connection in listed.json] == ["box"]
    shown = call("GET", "/api/connections/box")
    tested = call("POST", "/api/connections/box/test")
    assert tested.json["is_reachable"] is False
    assert tested.json["tried"][0]["url"] == "http://127.0.0.1:9/v1/models"
    for answer in (made, listed, shown, tested, call("GET", "/api/models")):
        assert b"0123456789" not in answer.body
    assert call("DELETE", "/api/connections/box").status == 204
    assert call("GET", "/api/connections").json == []


def test_an_address_is_tested_before_it_is_a_connection(call: Caller) -> None:
    """Here Ingle's own; nothing is kept."""
    told = call.post("/api/connections/test", {"base_url": call.url}).json
    assert (told["base_url"], told["is_reachable"]) == (f"{call.url}/v1", True)
    assert "demo" in told["models"]
    assert call("GET", "/api/connections").json == []


def test_a_keys_text_is_told_once(call: Caller) -> None:
    """When it is made; then only its beginning."""
    made = call("POST", "/api/keys", {"name": "mine"})
    assert made.status == 201
    listed = call("GET", "/api/keys")
    assert made.json["key"].encode() not in listed.body
    [key] = [key for key in listed.json if key["id"] == made.json["id"]]
    assert made.json["key"].startswith(key["prefix"])
    assert call("DELETE", f"/api/keys/{key['id']}").json["revoked_at"] is not None


def test_settings_tell_where_they_came_from(call: Caller) -> None:
    """Each with its value and source."""
    told = {setting["name"]: setting for setting in call("GET", "/api/settings").json}
    assert (told["slots"]["value"], told["slots"]["source"]) == ("2", "command line")
    assert told["drain_s"]["source"] == "default"


def test_an_engine_is_listed_and_stopped(call: Caller) -> None:
    """The next call starts it again."""
    asked = {"messages": INPUT["messages"], "max_tokens": 1}
    assert call.post("/v1/chat/completions", asked).status == 200
    [engine] = call("GET", "/api/engines").json
    assert (engine["name"], engine["state"], engine["slots"]) == ("demo", "ready", 2)
    assert isinstance(call("GET", "/api/engines/demo/log").json, list)
    assert call("DELETE", "/api/engines/demo").status == 204
    assert call("GET", "/api/engines").json == []
    assert call.post("/v1/chat/completions", asked).status == 200


def test_the_models_are_listed_with_their_owners(call: Caller) -> None:
    """And with connections that could not be asked."""
    told = call("GET", "/api/models").json
    (demo,) = [one for one in told["models"] if one["id"] == "demo"]
    assert (demo["owned_by"], demo["installed"]["is_builtin"]) == ("local", True)
    assert told["faults"] == []


def test_all_of_it_is_described(call: Caller) -> None:
    """By OpenAPI, with a sentence for each operation; the version is told."""
    description = call("GET", "/api/openapi.json").json
    operations = [
        operation for path in description["paths"].values() for operation in path.values()
    ]
    assert len(operations) >= 15
    assert all(operation.get("description") for operation in operations)
    assert call("GET", "/api/version").json["name"] == "ingle"
