"""`/api/apps`: definitions come in and are checked, drafts become versions, one of which runs."""

from __future__ import annotations

import json

import pytest
from tests.server.app_texts import ECHO, YAML, published
from tests.server.conftest import Caller

BROKEN = """\
name: Broken
input: {words: text}
steps:
  said:
    use: ingle/tempate
  again:
    use: ingle/template
    input: {text: "{{ input.word }}"}
"""


def test_an_app_is_made_of_yaml_and_described(call: Caller) -> None:
    """Sent as LLMStack imports it; the answer says what it asks."""
    made = call("POST", "/api/apps?slug=made", ECHO.encode(), headers=YAML)
    try:
        assert made.status == 201
        assert (made.json["slug"], made.json["published"], made.json["has_draft"]) == (
            "made",
            None,
            True,
        )
        assert made.json["input_schema"]["required"] == ["words"]
        assert call("GET", f"/api/apps/{made.json['uuid']}").json == made.json
        assert "made" in [app["slug"] for app in call("GET", "/api/apps").json]
        again = call("POST", "/api/apps?slug=made", ECHO.encode(), headers=YAML)
        assert (again.status, again.error["code"]) == (409, "conflict")
    finally:
        call("DELETE", "/api/apps/made")


def test_an_app_is_made_of_an_object(call: Caller) -> None:
    """JSON does, as does YAML inside of JSON."""
    definition = {
        "name": "Object",
        "steps": {"said": {"use": "ingle/template", "input": {"text": "hé"}}},
    }
    for body in ({"definition": definition}, {"text": json.dumps(definition)}):
        made = call.post("/api/apps", {**body, "publish": True, "note": "first"})
        assert (made.status, made.json["slug"], made.json["published"]) == (201, "object", 1)
        assert call.post("/api/apps/object/run", {}).json["output"] == "hé"
        assert call("DELETE", "/api/apps/object").status == 204


def test_all_that_is_wrong_is_told_with_its_place(call: Caller) -> None:
    """In the error when it is saved, and as the answer when it is checked; nothing is kept."""
    refused = call("POST", "/api/apps?slug=broken", BROKEN.encode(), headers=YAML)
    assert (refused.status, refused.error["code"]) == (400, "invalid_app")
    checked = call("POST", "/api/apps/check?slug=broken", BROKEN.encode(), headers=YAML)
    for problems in (refused.error["problems"], checked.json["problems"]):
        places = [(one["file"], one["line"]) for one in problems]
        assert places == [("broken.yaml", 5), ("broken.yaml", 8)]
        assert "Did you mean `ingle/template`?" in problems[0]["message"]
    assert call("GET", "/api/apps/broken").status == 404
    right = call("POST", "/api/apps/check", ECHO.encode(), headers=YAML).json
    assert (right["is_valid"], right["slug"], right["problems"]) == (True, "echo", [])


@pytest.mark.parametrize(
    ("kind", "body", "told"),
    [
        ("application/json", b"{", "not a JSON object"),
        ("application/json", b"{}", "as `text` (YAML) or as `definition`"),
        ("application/json", b'{"text": 3}', "`text`"),
        ("application/yaml", b"\xff", "not UTF-8 (byte 0)"),
        ("application/yaml", b"a: &a [*a]", "echo"),
    ],
)
def test_what_is_no_definition_is_refused(call: Caller, kind: str, body: bytes, told: str) -> None:
    """With what to send instead."""
    answer = call("POST", "/api/apps?slug=echo", body, headers={"Content-Type": kind})
    assert answer.status == 400
    assert told in answer.error["message"]


def test_a_draft_changes_nothing_until_it_is_published(call: Caller) -> None:
    """Versions stay, differ, and come back as drafts."""
    louder = ECHO.replace("You said", "YOU SAID").encode()
    with published(call, "drafted", ECHO) as path:
        run = {"input": {"words": "x"}}
        assert call("PUT", f"{path}/draft", louder, headers=YAML).json["has_draft"]
        assert call.post(f"{path}/run", run).json["output"] == "You said: x"
        told = call("GET", f"{path}/diff").body.decode()
        assert '-output: "You said: {{ said }}"\n+output: "YOU SAID: {{ said }}"\n' in told
        assert call.post(f"{path}/publish", {"note": "louder"}).json == {"version": 2}
        assert call.post(f"{path}/run", run).json["output"] == "YOU SAID: x"
        assert call.post(f"{path}/run", {**run, "version": 1}).json["output"] == "You said: x"
        versions = call("GET", f"{path}/versions").json
        assert [(one["version"], one["note"], one["is_published"]) for one in versions] == [
            (2, "louder", True),
            (1, "", False),
        ]
        assert call("GET", f"{path}/versions/1").json == {"version": 1, "text": ECHO}
        assert call("GET", f"{path}/text").body == louder
        assert call.post(f"{path}/restore", {"version": 1}).json == {"text": ECHO}
        assert call.post(f"{path}/publish", {}).json == {"version": 3}
        assert call.post(f"{path}/unpublish", {}).json["published"] is None
        assert call.post(f"{path}/run", run).status == 404
        missing = call.post(f"{path}/restore", {"version": 9})
        assert (missing.status, missing.error["code"]) == (404, "app_not_found")


def test_a_wrong_draft_is_not_saved(call: Caller) -> None:
    """Nor one under another name."""
    with published(call, "kept", ECHO) as path:
        assert call("PUT", f"{path}/draft", BROKEN.encode(), headers=YAML).status == 400
        renamed = call("PUT", f"{path}/draft?slug=other", ECHO.encode(), headers=YAML)
        assert (renamed.status, renamed.error["param"]) == (400, "slug")
        assert call("GET", f"{path}/draft").json == {"text": None}
    assert call("PUT", "/api/apps/kept/draft", ECHO.encode(), headers=YAML).status == 404


def test_an_app_that_is_not_listed_runs_by_its_name_only(call: Caller) -> None:
    """`/v1/models` is for everyone."""
    with published(call, "hidden", ECHO) as path:
        assert call("PATCH", path, {"is_listed": False}).json["is_listed"] is False
        names = [model["id"] for model in call("GET", "/v1/models").json["data"]]
        assert "app/hidden" not in names
        assert call.post(f"{path}/run", {"input": {"words": "x"}}).status == 200


def test_the_format_has_a_schema_for_editors(call: Caller) -> None:
    """A JSON Schema, published."""
    schema = call("GET", "/api/schemas/app").json
    assert (schema["title"], schema["required"]) == ("Ingle app", ["name", "steps"])
