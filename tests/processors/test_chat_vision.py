"""`localai/chatgpt_vision`: pictures are in the request, wherever they were."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ingle.errors import InvalidRequest, NotAllowed
from ingle.processors.catalogue import run_processor
from ingle.processors.chat_vision import ChatVisionOutput
from ingle.routing import Router
from ingle.testing import Answer, ScriptedUpstream, chat_answer, json_answer, models

PNG = b"\x89PNG\r\n\x1a\n and so on"
BASE64 = base64.b64encode(PNG).decode()
URI = f"data:image/png;base64,{BASE64}"
TEXT = {"type": "text", "text": "What is it?"}


async def look(
    router: Router,
    upstream: ScriptedUpstream,
    *parts: dict[str, Any],
    system_message: str = "",
    **config: Any,  # Any: JSON values
) -> str:
    """The answer of one run."""
    run = run_processor(
        "localai/chatgpt_vision",
        {"messages": list(parts), "system_message": system_message},
        {"base_url": upstream.url, "model": "m", **config},
        router,
    )
    *_, output = [item async for item in run]
    assert isinstance(output, ChatVisionOutput)
    return output.result


async def test_request_is_one_message(router: Router) -> None:
    """Texts and pictures are the parts of one message; a name in a data URI is left out."""
    async with ScriptedUpstream(models("m"), chat_answer("A cat")) as upstream:
        named = URI.replace(";base64", ";name=cat.png;base64")
        image = {"type": "image_url", "image_url": named}
        closer = {"type": "image_url", "image_url": {"url": URI, "detail": "high"}}
        answer = await look(
            router, upstream, TEXT, image, closer, system_message="Be short.", stop=["."]
        )
    assert answer == "A cat"
    assert upstream.requests[-1].json == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be short."},
            {
                "role": "user",
                "content": [
                    TEXT,
                    {"type": "image_url", "image_url": {"url": URI}},
                    {"type": "image_url", "image_url": {"url": URI, "detail": "high"}},
                ],
            },
        ],
        "max_tokens": 1024,
        "temperature": 0.7,
        "stream": False,
        "stop": ["."],
    }


async def test_picture_of_the_web_is_fetched_here(router: Router) -> None:
    """The server gets the picture, not its address, and its kind by its content."""
    picture = Answer((PNG,), endpoint="a")
    async with ScriptedUpstream(models("m"), picture, chat_answer("A cat")) as upstream:
        await look(router, upstream, TEXT, {"type": "image_url", "image_url": f"{upstream.url}/a"})
    (_, part) = upstream.requests[-1].json["messages"][0]["content"]
    assert part["image_url"] == {"url": URI}


async def test_picture_of_a_private_network_is_not_fetched(router: Router) -> None:
    """A stranger's picture is not read from the network that this machine stands in."""
    async with ScriptedUpstream(models("m"), chat_answer("A cat")) as upstream:
        with pytest.raises(NotAllowed, match="is not a public address"):
            await look(
                router,
                upstream,
                {"type": "image_url", "image_url": {"url": "http://192.168.0.1/a.png"}},
            )


async def test_broken_picture_is_named(router: Router) -> None:
    """Of several pictures, the error says which."""
    async with ScriptedUpstream(models("m")) as upstream:
        with pytest.raises(InvalidRequest) as caught:
            await look(router, upstream, TEXT, {"type": "image_url", "image_url": "cat.png"})
    assert caught.value.param == "input.messages.1.image_url"


async def test_refusal_is_an_answer(router: Router) -> None:
    """What a model says instead of an answer is not lost."""
    refused = {"role": "assistant", "content": None, "refusal": "I look at no cats."}
    answer = json_answer({"choices": [{"index": 0, "message": refused, "finish_reason": "stop"}]})
    async with ScriptedUpstream(models("m"), answer) as upstream:
        assert await look(router, upstream, TEXT) == "I look at no cats."
