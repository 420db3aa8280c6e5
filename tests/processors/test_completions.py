"""`localai/completions`: what is asked of the server, and what its answer becomes."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.errors import UpstreamInvalid, UpstreamTimeout
from ingle.processors.catalogue import run_processor
from ingle.processors.completions import CompletionsConfiguration, CompletionsOutput
from ingle.processors.pieces import Piece
from ingle.routing import Router
from ingle.testing import (
    ScriptedUpstream,
    completion_answer,
    completion_stream,
    events,
    models,
    silence,
)


async def complete(
    upstream: ScriptedUpstream,
    router: Router,
    **config: Any,  # Any: a JSON value
) -> list[Piece | Any]:
    """The items of one run against the scripted server."""
    config = {"base_url": upstream.url, "model": "m", **config}
    run = run_processor("localai/completions", {"prompt": "Once"}, config, router)
    return [item async for item in run]


def test_defaults_are_llmstacks() -> None:
    """What is not configured is as LLMStack's users know it."""
    assert CompletionsConfiguration().model_dump(exclude_none=True) == {
        "max_tokens": 1024,
        "temperature": 0.7,
        "top_p": 1,
        "timeout": 60,
        "stream": False,
    }


async def test_request_has_what_was_set(router: Router) -> None:
    """All settings but address and timeout are sent."""
    async with ScriptedUpstream(models("m"), completion_answer("!")) as upstream:
        await complete(upstream, router, max_tokens=8, temperature=0, n=1, stop="\n", seed=3)
    assert upstream.requests[-1].path == "/v1/completions"
    assert upstream.requests[-1].json == {
        "model": "m",
        "prompt": "Once",
        "max_tokens": 8,
        "temperature": 0,
        "top_p": 1,
        "stream": False,
        "n": 1,
        "stop": "\n",
        "seed": 3,
    }


async def test_choices_are_kept_apart(router: Router) -> None:
    """Several continuations may come mixed; each is one text."""

    def part(index: int, text: str, finish: str | None = None) -> dict[str, Any]:
        return {"choices": [{"index": index, "text": text, "finish_reason": finish}]}

    stream = events(
        part(1, "B"), part(0, "A"), part(1, "b"), part(0, "a", "stop"), part(1, "", "stop")
    )
    async with ScriptedUpstream(models("m"), stream) as upstream:
        items = await complete(upstream, router, n=2, stream=True)
    assert items == [
        Piece(("choices", 1), "B"),
        Piece(("choices", 0), "A"),
        Piece(("choices", 1), "b"),
        Piece(("choices", 0), "a"),
        CompletionsOutput(choices=["Aa", "Bb"]),
    ]


async def test_missing_choice_is_an_error(router: Router) -> None:
    """An answer without a first choice is no answer."""
    stream = events({"choices": [{"index": 1, "text": "a", "finish_reason": "stop"}]})
    async with ScriptedUpstream(models("m"), stream) as upstream:
        with pytest.raises(UpstreamInvalid, match="they should count up from 0"):
            await complete(upstream, router, stream=True)


@pytest.mark.parametrize("is_stream", [True, False])
async def test_timeout_is_the_longest_silence(is_stream: bool, router: Router) -> None:
    """A server that says nothing for so long is given up, with the URL and the limit."""
    async with ScriptedUpstream(models("m"), silence()) as upstream:
        with pytest.raises(UpstreamTimeout, match=r"silent for 0\.1 s") as caught:
            await complete(upstream, router, timeout=0.1, stream=is_stream)
    assert caught.value.url == f"{upstream.url}/v1/completions"


async def test_empty_continuation_is_empty_text(router: Router) -> None:
    """A model that stops at once wrote an empty text, which is one choice."""
    async with ScriptedUpstream(models("m"), completion_stream()) as upstream:
        items = await complete(upstream, router, stream=True)
    assert items == [Piece(("choices", 0), value=""), CompletionsOutput(choices=[""])]
