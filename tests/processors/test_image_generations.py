"""`localai/image_generations`: an image as plain base64, however the server gives it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ingle.errors import UpstreamError, UpstreamInvalid, UpstreamRefused
from ingle.processors.catalogue import run_processor
from ingle.processors.image_generations import (
    ImageGenerationsConfiguration,
    ImageGenerationsOutput,
)
from ingle.processors.images import image_kind
from ingle.routing import Router
from ingle.testing import Answer, ScriptedUpstream, error, images, json_answer, models, redirect

PNG = b"\x89PNG\r\n\x1a\n and so on"
BASE64 = base64.b64encode(PNG).decode()


def image(**how: str) -> Answer:
    """An answer with one image, given in this way."""
    return json_answer({"created": 1, "data": [how]}, endpoint="images/generations")


def file(content: bytes, name: str) -> Answer:
    """An image as a file of the server."""
    return Answer((content,), headers=(("Content-Type", "image/png"),), endpoint=name)


async def draw(
    upstream: ScriptedUpstream,
    router: Router,
    **config: Any,  # Any: a JSON value
) -> list[str]:
    """The images of one run against the scripted server."""
    config = {"base_url": upstream.url, "model": "m", **config}
    run = run_processor("localai/image_generations", {"prompt": "A cat"}, config, router)
    *_, output = [item async for item in run]
    assert isinstance(output, ImageGenerationsOutput)
    return output.data


def test_defaults_are_llmstacks() -> None:
    """What is not configured is as LLMStack's users know it."""
    assert ImageGenerationsConfiguration().model_dump(exclude_none=True) == {
        "size": "256x256",
        "timeout": 60,
    }


async def test_request_asks_for_base64(router: Router) -> None:
    """Model, size and form are asked for in words that every server knows."""
    async with ScriptedUpstream(models("m"), images(BASE64)) as upstream:
        assert await draw(upstream, router, size="512x512") == [BASE64]
    assert upstream.requests[-1].json == {
        "model": "m",
        "prompt": "A cat",
        "n": 1,
        "size": "512x512",
        "response_format": "b64_json",
    }


async def test_form_is_left_out_where_it_is_not_known(router: Router) -> None:
    """OpenAI's newer models refuse `response_format`, and give base64 anyway."""
    refusal = error(400, "Unknown parameter: 'response_format'.", param="response_format")
    async with ScriptedUpstream(models("m"), refusal, images(BASE64)) as upstream:
        assert await draw(upstream, router) == [BASE64]
    assert "response_format" not in upstream.requests[-1].json


@pytest.mark.parametrize(
    "how",
    [
        {"b64_json": BASE64},
        {"b64_json": "\n".join([BASE64[:8], BASE64[8:]])},
        {"b64_json": f"data:image/png;base64,{BASE64}"},
        {"url": f"data:image/png;base64,{BASE64}"},
        {"url": "data:image/png," + "".join(f"%{byte:02x}" for byte in PNG)},
    ],
    ids=["base64", "base64 in lines", "data URI as base64", "data URI", "data URI of percents"],
)
async def test_image_within_the_answer(how: dict[str, str], router: Router) -> None:
    """An image that is in the answer is given as plain base64."""
    async with ScriptedUpstream(models("m"), image(**how)) as upstream:
        assert await draw(upstream, router) == [BASE64]


@pytest.mark.parametrize("address", ["{url}/files/cat.png", "/files/cat.png"])
async def test_image_at_the_same_server_is_fetched(address: str, router: Router) -> None:
    """LocalAI answers with a URL of its own, whole or without its host: it is fetched."""
    async with ScriptedUpstream(models("m"), file(PNG, "files/cat.png")) as upstream:
        upstream.script(image(url=address.format(url=upstream.url)))
        assert await draw(upstream, router) == [BASE64]
    assert upstream.requests[-1].path == "/files/cat.png"


@pytest.mark.parametrize(
    "address",
    ["http://169.254.169.254/latest", "file:///etc/passwd", "//127.0.0.1:1/a.png", "http://[:x/"],
)
async def test_image_elsewhere_is_not_fetched(address: str, router: Router) -> None:
    """An answer cannot make this machine ask another server."""
    async with ScriptedUpstream(models("m"), image(url=address)) as upstream:
        with pytest.raises(UpstreamInvalid, match="not on that server and was not fetched"):
            await draw(upstream, router)


async def test_image_that_moves_elsewhere_is_not_fetched(router: Router) -> None:
    """Neither can a redirect."""
    async with ScriptedUpstream(models("m"), image(url="/cat.png")) as upstream:
        upstream.script(redirect("http://169.254.169.254/latest"))
        with pytest.raises(UpstreamRefused, match="redirects"):
            await draw(upstream, router)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (images(), "array` of length >= 1"),
        (image(), "neither `b64_json` nor `url`"),
        (images("not base64!"), "is no base64"),
        (images(base64.b64encode(b"<html>").decode()), "begins with b'<html>', as none does"),
        (image(url="data:text/html,<html>"), "begins with b'<html>', as none does"),
    ],
)
async def test_what_is_no_image_is_an_error(answer: Answer, message: str, router: Router) -> None:
    """An output holds images only: each other thing is said for what it is."""
    async with ScriptedUpstream(models("m"), answer) as upstream:
        with pytest.raises(UpstreamInvalid, match=message) as caught:
            await draw(upstream, router)
    assert caught.value.url == f"{upstream.url}/v1/images/generations"


async def test_image_that_is_gone_is_an_error(router: Router) -> None:
    """An address of the server that leads nowhere is named."""
    async with ScriptedUpstream(models("m"), image(url="/gone.png")) as upstream:
        upstream.script(Answer(status=404, endpoint="gone.png"))
        with pytest.raises(UpstreamError) as caught:
            await draw(upstream, router)
    assert caught.value.url == f"{upstream.url}/gone.png"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
        (b"GIF89a", "gif"),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"", None),
    ],
)
def test_kind_of_an_image_is_told_by_its_first_bytes(content: bytes, kind: str | None) -> None:
    """Each format begins in its own way."""
    assert image_kind(content) == kind
