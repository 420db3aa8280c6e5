"""`localai/images_edit` and `localai/images_variations`: pictures in, in a form, and pictures out."""

from __future__ import annotations

import base64
from email.message import Message
from email.parser import BytesParser
from typing import Any

import pytest

from ingle.errors import InvalidRequest, RequestTooLarge, UpstreamInvalid
from ingle.processors.catalogue import run_processor
from ingle.processors.image_forms import ImagesOutput
from ingle.processors.images_edit import ImagesEditConfiguration
from ingle.routing import Router
from ingle.testing import Answer, ReceivedRequest, ScriptedUpstream, error, json_answer, models

PNG = b"\x89PNG\r\n\x1a\n and so on"
URI = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
NAMED = URI.replace(";base64", ";name=cat.png;base64")
WEBP = base64.b64encode(b"RIFF\0\0\0\0WEBP").decode()


def drawn(endpoint: str, *base64_texts: str) -> Answer:
    """An answer with these pictures."""
    return json_answer({"data": [{"b64_json": text} for text in base64_texts]}, endpoint=endpoint)


def parts(request: ReceivedRequest) -> dict[str, Message]:
    """The parts of a form by name, read by Python's own parser."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    form = BytesParser().parsebytes(head + request.body)
    found = form.get_payload()
    assert isinstance(found, list)
    messages = [part for part in found if isinstance(part, Message)]
    return {str(one.get_param("name", header="content-disposition")): one for one in messages}


async def draw(
    slug: str,
    input_: dict[str, Any],
    router: Router,
    upstream: ScriptedUpstream,
    **config: Any,  # Any: JSON values
) -> list[str]:
    """The pictures of one run."""
    run = run_processor(slug, input_, {"base_url": upstream.url, **config}, router)
    *_, output = [item async for item in run]
    assert isinstance(output, ImagesOutput)
    return output.answer


def test_defaults_are_llmstacks() -> None:
    """What is not configured is as LLMStack's users know it."""
    assert ImagesEditConfiguration().model_dump(exclude_none=True) == {
        "size": "1024x1024",
        "n": 1,
        "timeout": 600,
    }


async def test_edit_is_sent_as_a_form(router: Router) -> None:
    """The picture and the mask are files with their names; the rest are fields."""
    async with ScriptedUpstream(models("m"), drawn("images/edits", WEBP)) as upstream:
        answer = await draw(
            "localai/images_edit",
            {"image": NAMED, "mask": URI, "prompt": "A hat — ä"},
            router,
            upstream,
            n=2,
            size="256x256",
        )
    assert answer == [f"data:image/webp;base64,{WEBP}"]
    request = upstream.requests[-1]
    assert request.path == "/v1/images/edits"
    sent = parts(request)
    fields = {
        name: part.get_payload(decode=True)
        for name, part in sent.items()
        if part.get_filename() is None
    }
    assert fields == {
        "prompt": "A hat — ä".encode(),
        "n": b"2",
        "size": b"256x256",
        "response_format": b"b64_json",
        "model": b"m",
    }
    assert sent["image"].get_payload(decode=True) == sent["mask"].get_payload(decode=True) == PNG
    assert [sent[n].get_filename() for n in ("image", "mask")] == ["cat.png", "file.png"]
    assert sent["image"].get_content_type() == "image/png"


async def test_variation_needs_the_picture_only(router: Router) -> None:
    """The picture may be in LLMStack's other field; a size of none leaves it to the model."""
    async with ScriptedUpstream(models("m", "n"), drawn("images/variations", WEBP)) as upstream:
        await draw("localai/images_variations", {"image_data": URI}, router, upstream, size=None)
    assert sorted(parts(upstream.requests[-1])) == ["image", "n", "response_format"]


async def test_picture_of_the_web_is_fetched(router: Router) -> None:
    """Its address is enough; the name is the last of it."""
    picture = Answer((PNG,), headers=(("Content-Type", "text/html"),), endpoint="cat%20one.png")
    variations = drawn("images/variations", WEBP)
    async with ScriptedUpstream(models("m"), picture, variations) as upstream:
        image = f"{upstream.url}/cat%20one.png?a=b"
        await draw("localai/images_variations", {"image": image}, router, upstream)
    part = parts(upstream.requests[-1])["image"]
    assert (part.get_filename(), part.get_content_type()) == ("cat one.png", "image/png")


async def test_names_cannot_change_the_form(router: Router) -> None:
    """A file's name ends neither its quotes nor its line, nor does it lead to another folder."""
    evil = URI.replace(";base64", ';name=..%2Fa%22%0D%0AX: y"b.png;base64')
    async with ScriptedUpstream(models("m"), drawn("images/variations", WEBP)) as upstream:
        await draw("localai/images_variations", {"image": evil}, router, upstream)
    part = parts(upstream.requests[-1])["image"]
    assert part.get_filename() == "a%22X: y%22b.png"
    assert part["X"] is None


async def test_form_is_sent_again_without_what_is_not_known(router: Router) -> None:
    """A server that refuses `response_format` gets the same form without it."""
    refusal = error(400, "Unknown parameter: 'response_format'.", param="response_format")
    variations = drawn("images/variations", WEBP)
    async with ScriptedUpstream(models("m"), refusal, variations) as upstream:
        await draw("localai/images_variations", {"image": URI}, router, upstream, model="m")
    assert sorted(parts(upstream.requests[-1])) == ["image", "model", "n", "size"]


async def test_missing_picture_is_an_error(router: Router) -> None:
    """It is said before anything is asked, with how to give one."""
    with pytest.raises(InvalidRequest, match="`image` is missing"):
        run_processor("localai/images_edit", {"prompt": "x"}, {}, router)


async def test_picture_that_is_gone_is_an_error(router: Router) -> None:
    """What an address answers with 404 is not sent on as a picture."""
    async with ScriptedUpstream(models("m")) as upstream:
        with pytest.raises(Exception, match="status 404 instead of the file"):
            await draw(
                "localai/images_variations", {"image": f"{upstream.url}/x"}, router, upstream
            )


async def test_picture_that_is_too_large_is_refused(router: Router) -> None:
    """Nothing is sent."""
    large = f"data:image/png;base64,{'A' * (45 * 1024 * 1024)}"
    async with ScriptedUpstream(models("m")) as upstream:
        with pytest.raises(RequestTooLarge, match="more than 33,554,432 bytes"):
            await draw("localai/images_variations", {"image": large}, router, upstream)
    assert upstream.requests == []


async def test_what_is_no_picture_is_an_error(router: Router) -> None:
    """An answer without pictures is said for what it is."""
    text = base64.b64encode(b"<html>").decode()
    async with ScriptedUpstream(models("m"), drawn("images/edits", text)) as upstream:
        with pytest.raises(UpstreamInvalid, match="begins with b'<html>'"):
            await draw("localai/images_edit", {"image": URI, "prompt": "x"}, router, upstream)
