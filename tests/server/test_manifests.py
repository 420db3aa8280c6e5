"""What a model's manifest says holds on `/v1`: aliases, a system prompt, pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.conftest import Caller

from ingle.testing.tiny_model import write_model
from ingle.testing.tiny_parts import PICTURE_TOKENS, picture_url, write_projector

PROMPT = "Be brief."
RED = picture_url(255, 0, 0)
REMOTE = "http://127.0.0.1:9/red.png"


@pytest.fixture(scope="module")
def seeing(served_home: Path) -> Iterator[str]:
    """A model with random weights, eyes, a system prompt and an alias."""
    folder = served_home / "models"
    folder.mkdir(exist_ok=True)
    files = [write_model(folder / "seeing.gguf"), write_projector(folder / "eyes.gguf")]
    manifest = folder / "seeing.yaml"
    manifest.write_text(
        "projector: eyes.gguf\naliases: [gpt-4-vision]\nslots: 1\n"
        f"parameters: {{max_tokens: 3, system_prompt: {PROMPT}}}\n"
    )
    yield "seeing"
    for path in (*files, manifest):
        path.unlink()


def hello(**more: Any) -> dict[str, Any]:
    return {"model": "seeing", "messages": [{"role": "user", "content": "Hello!"}], **more}


def test_an_alias_answers_as_it_was_called(call: Caller, seeing: str) -> None:
    """A model is listed once, shown by its alias too, and answers under the name it was asked by."""
    names = [model["id"] for model in call("GET", "/v1/models").json["data"]]
    assert "seeing" in names
    assert "gpt-4-vision" not in names
    assert call("GET", "/v1/models/gpt-4-vision").json["id"] == "gpt-4-vision"

    for name in ("gpt-4-vision", "local/gpt-4-vision"):
        told = call.post("/v1/chat/completions", {**hello(), "model": name}).json
        assert (told["model"], told["usage"]["completion_tokens"]) == (name, 3)
    streamed = call.post("/v1/chat/completions", {**hello(stream=True), "model": "gpt-4-vision"})
    assert '"model":"gpt-4-vision"' in streamed.events[0]


def test_the_system_prompt_comes_first_where_none_is(call: Caller, seeing: str) -> None:
    """A chat without a system message gets the manifest's; one with its own keeps that."""

    def prompt(*messages: dict[str, str]) -> str:
        body = {"model": "seeing", "messages": messages}
        told: str = call.post("/v1/apply-template", body).json["prompt"]
        return told

    user = {"role": "user", "content": "Hello!"}
    assert prompt(user).startswith(f"<|im_start|>system\n{PROMPT}<|im_end|>\n<|im_start|>user\n")
    for role in ("system", "developer"):
        own = prompt({"role": role, "content": "Own."}, user)
        assert PROMPT not in own
        assert "Own." in own


def test_the_system_prompt_counts_in_every_api(call: Caller, seeing: str) -> None:
    """Chat, responses and Anthropic's messages read it, unless they bring their own."""

    own = call.post("/v1/messages/count_tokens", {**hello(), "system": ""}).json["input_tokens"]
    ours = call.post("/v1/messages/count_tokens", hello()).json["input_tokens"]
    assert ours - own == len(PROMPT)
    body = {"model": "seeing", "input": "Hello!", "max_output_tokens": 2}
    without = call.post("/v1/responses", {**body, "instructions": "x"}).json["usage"]
    told = call.post("/v1/responses", body).json["usage"]
    assert told["input_tokens"] - without["input_tokens"] == len(PROMPT) - 1
    said = call.post("/v1/chat/completions", hello()).json["usage"]["prompt_tokens"]
    assert said == ours
    system = {"role": "system", "content": "x"}
    other = call.post("/v1/chat/completions", hello(messages=[system, *hello()["messages"]])).json[
        "usage"
    ]["prompt_tokens"]
    assert said - other == len(PROMPT) - 1


def picture(url: str) -> dict[str, Any]:
    return hello(
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Hello!"},
                    {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
                ],
            }
        ]
    )


def test_a_picture_is_read(call: Caller, seeing: str) -> None:
    """Its tokens count, in one answer and streamed."""
    without = call.post("/v1/chat/completions", hello()).json["usage"]["prompt_tokens"]
    marks = len("<start_of_image>") + len("<end_of_image>")

    told = call.post("/v1/chat/completions", picture(RED)).json["usage"]["prompt_tokens"]
    assert told - without == PICTURE_TOKENS + marks
    streamed = call.post("/v1/chat/completions", {**picture(RED), "stream": True})
    assert streamed.events[-1] == "[DONE]"


def test_pictures_of_the_other_apis_are_read(call: Caller, seeing: str) -> None:
    """The Responses API and Anthropic's messages have forms of their own for a picture."""
    answer = call.post("/v1/responses", _responses(RED))
    assert answer.status == 200, answer.json
    answer = call.post(
        "/v1/messages",
        _anthropic({"type": "base64", "media_type": "image/png", "data": RED.partition(",")[2]}),
    )
    assert answer.status == 200, answer.json


def _responses(url: str) -> dict[str, Any]:
    content = [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": url}]
    return {"model": "seeing", "input": [{"role": "user", "content": content}]}


def _anthropic(source: dict[str, str]) -> dict[str, Any]:
    content = [{"type": "text", "text": "a"}, {"type": "image", "source": source}]
    return hello(messages=[{"role": "user", "content": content}], max_tokens=2)


@pytest.mark.parametrize("url", [REMOTE, "https://example.com/a.png", "file:///etc/passwd", "x"])
def test_a_picture_elsewhere_is_not_fetched(call: Caller, seeing: str, url: str) -> None:
    """Neither Ingle nor the engine asks an address that a caller names, in whichever API."""
    for path, body in (
        ("/v1/chat/completions", picture(url)),
        ("/v1/responses", _responses(url)),
        ("/v1/messages", _anthropic({"type": "url", "url": url})),
        ("/v1/messages/count_tokens", _anthropic({"type": "url", "url": url})),
    ):
        answer = call.post(path, body)
        assert answer.status == 400, path
        message = answer.error["message"]
        assert message.startswith(f"The picture {url!r} is not fetched"), path
        assert "`data:image/png;base64,…`" in message


def test_a_model_without_eyes_says_so(call: Caller, seeing: str) -> None:
    """A picture for a text model is refused with the next step."""
    answer = call.post("/v1/chat/completions", {**picture(RED), "model": "demo"})

    assert answer.status == 400
    assert answer.error["message"] == (
        "The model 'demo' takes no image: it reads text only. Leave the image out, or ask a model "
        "that can."
    )


def test_what_is_no_picture_is_told(call: Caller, seeing: str) -> None:
    """Bytes that are no picture are the caller's fault, not the engine's."""
    answer = call.post("/v1/chat/completions", picture("data:image/png;base64,aGVsbG8="))

    assert answer.status == 400, answer.json


def test_forms_get_through(call: Caller, seeing: str) -> None:
    """A grammar and a JSON Schema bind what a model of any weights writes, streamed too."""
    told = call.post("/v1/chat/completions", hello(grammar='root ::= "yes"')).json
    assert told["choices"][0]["message"]["content"] == "yes"
    schema = {"type": "object", "properties": {"n": {"enum": [7]}}, "required": ["n"]}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    body = hello(response_format=form, max_tokens=300, seed=1, stream=True)
    chunks = [json.loads(event) for event in call.post("/v1/chat/completions", body).events[:-1]]
    pieces = [chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks]
    assert json.loads("".join(pieces)) == {"n": 7}
