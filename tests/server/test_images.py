"""`/v1/images/…` from the image engine of this machine."""

from __future__ import annotations

import base64
import importlib.util
from importlib.resources import files

import pytest
from tests.server.conftest import Caller

has_demo = (files("ingle") / "models" / "demo" / "image" / "model_index.json").is_file()
has_library = importlib.util.find_spec("openvino_genai") is not None

pytestmark = pytest.mark.skipif(not has_demo, reason="the demo image model is not built")
ASKED = {"prompt": "a red circle on a blue background", "seed": 1, "steps": 2, "size": "128x128"}


@pytest.mark.skipif(has_library, reason="the extra `images` is installed")
def test_without_the_extra_it_is_said_what_to_install(call: Caller) -> None:
    """A status, a code and the command."""
    answer = call.post("/v1/images/generations", ASKED)
    assert (answer.status, answer.error["code"]) == (501, "engine_missing")
    assert "pip install 'ingle[images]'" in answer.error["message"]


@pytest.mark.skipif(not has_library, reason="needs the extra `images`")
def test_the_demo_image_model_draws_where_none_is_named(call: Caller) -> None:
    """The same picture by any of its names, as a seed demands."""
    first, second = (
        call.post("/v1/images/generations", {**ASKED, **named}).json["data"][0]["b64_json"]
        for named in ({}, {"model": "local/demo-image"})
    )
    assert base64.b64decode(first).startswith(b"\x89PNG")
    assert first == second


@pytest.mark.skipif(not has_library, reason="needs the extra `images`")
def test_a_picture_is_had_at_the_address_that_is_told(call: Caller) -> None:
    """At the server that was called, and nowhere else, whatever the caller says of it."""
    wanted = {**ASKED, "response_format": "url"}
    headers = {"X-Ingle-Address": "http://elsewhere"}
    url = call("POST", "/v1/images/generations", wanted, headers=headers).json["data"][0]["url"]
    assert url.startswith(f"{call.url}/generated-images/")
    answer = call("GET", url.removeprefix(call.url))
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert answer.body.startswith(b"\x89PNG")


@pytest.mark.skipif(not has_library, reason="needs the extra `images`")
def test_steps_are_streamed_as_they_are_done(call: Caller) -> None:
    """A progress event a step, and the picture at the end."""
    body = call.post("/v1/images/generations", {**ASKED, "stream": True}).body
    kinds = [line for line in body.decode().splitlines() if line.startswith("event: ")]
    assert kinds == [
        "event: image_generation.progress",
        "event: image_generation.progress",
        "event: image_generation.completed",
    ]


def test_a_model_for_text_draws_nothing(call: Caller) -> None:
    """The error names a model that does."""
    answer = call.post("/v1/images/generations", {**ASKED, "model": "demo"})
    assert (answer.status, answer.error["code"]) == (400, "unsupported_input")
    assert "demo-image" in answer.error["message"]
