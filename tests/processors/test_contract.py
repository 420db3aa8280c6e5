"""What holds for every processor: a run is pieces and then the output, and closing it stops it."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import TypeAdapter

from ingle.processors.base import Output
from ingle.processors.catalogue import PROCESSORS, run_processor
from ingle.processors.pieces import Piece, fold
from ingle.routing import Router
from ingle.testing import (
    Answer,
    ScriptedUpstream,
    chat_answer,
    chat_stream,
    completion_answer,
    completion_stream,
    events,
    images,
    json_answer,
    models,
)

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()
HI = {"messages": [{"role": "user", "content": "Hi"}]}
CALL = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": None, "tool_calls": [CALL]},
            "finish_reason": "tool_calls",
        }
    ]
}
CALLING_STREAMED = events(
    {"choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": [CALL]}}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
)


@dataclass(frozen=True)
class Case:
    """A run, what the server answers to it, and the JSON of its output but for `_…` fields."""

    slug: str
    input: dict[str, Any]
    answer: Answer
    output: dict[str, Any]
    config: dict[str, Any] = field(default_factory=dict)


CASES = {
    "chat": Case(
        "localai/chatgpt",
        HI,
        chat_answer("Hello"),
        {"choices": [{"role": "assistant", "content": "Hello"}]},
    ),
    "chat streamed": Case(
        "localai/chatgpt",
        HI,
        chat_stream("Hel", "lo"),
        {"choices": [{"role": "assistant", "content": "Hello"}]},
        {"stream": True},
    ),
    "chat of nothing": Case(
        "localai/chatgpt",
        HI,
        chat_answer(""),
        {"choices": [{"role": "assistant", "content": ""}]},
    ),
    "chat of nothing streamed": Case(
        "localai/chatgpt",
        HI,
        chat_stream(),
        {"choices": [{"role": "assistant", "content": ""}]},
        {"stream": True},
    ),
    "chat that calls": Case(
        "localai/chatgpt",
        {**HI, "functions": [{"name": "f"}]},
        json_answer(CALLING),
        {"choices": [{"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}]},
    ),
    "chat that calls streamed": Case(
        "localai/chatgpt",
        {**HI, "functions": [{"name": "f"}]},
        CALLING_STREAMED,
        {"choices": [{"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}]},
        {"stream": True},
    ),
    "completions": Case(
        "localai/completions", {"prompt": "A"}, completion_answer("ah"), {"choices": ["ah"]}
    ),
    "completions streamed": Case(
        "localai/completions",
        {"prompt": "A"},
        completion_stream("a", "h"),
        {"choices": ["ah"]},
        {"stream": True},
    ),
    "completions of nothing streamed": Case(
        "localai/completions",
        {"prompt": "A"},
        completion_stream(),
        {"choices": [""]},
        {"stream": True},
    ),
    "images": Case("localai/image_generations", {"prompt": "A cat"}, images(PNG), {"data": [PNG]}),
}


def test_every_processor_has_a_case() -> None:
    """A new processor has to keep the contract too."""
    assert {case.slug for case in CASES.values()} == set(PROCESSORS)


@pytest.mark.parametrize("name", CASES)
async def test_pieces_fold_to_the_output(name: str, router: Router) -> None:
    """All items but the last are pieces; folded they are the output's JSON, which comes last."""
    case = CASES[name]
    async with ScriptedUpstream(models("m", "n"), case.answer) as upstream:
        config = {"base_url": upstream.url, **case.config}
        items = [item async for item in run_processor(case.slug, case.input, config, router)]
    *pieces, output = items
    assert all(isinstance(piece, Piece) for piece in pieces)
    assert isinstance(output, PROCESSORS[case.slug].output)
    public = {key: value for key, value in output.model_dump().items() if key[0] != "_"}
    assert fold(piece for piece in pieces if isinstance(piece, Piece)) == public == case.output


@pytest.mark.parametrize("name", CASES)
async def test_json_of_an_output_is_read_back(name: str, router: Router) -> None:
    """An output is the same after a way through JSON, as when a run is recorded."""
    case = CASES[name]
    async with ScriptedUpstream(models("m", "n"), case.answer) as upstream:
        config = {"base_url": upstream.url, **case.config}
        *_, output = [item async for item in run_processor(case.slug, case.input, config, router)]
    assert isinstance(output, Output)
    assert type(output).model_validate_json(output.model_dump_json()) == output


@pytest.mark.parametrize("name", ["chat streamed", "completions streamed"])
async def test_closing_a_stream_stops_the_work(name: str, router: Router) -> None:
    """Who leaves after the first piece leaves the server, too."""
    case = CASES[name]
    answer = case.answer.paused_before(1, asyncio.Event())
    async with ScriptedUpstream(models("m", "n"), answer) as upstream:
        config = {"base_url": upstream.url, "model": "m", **case.config}
        run = run_processor(case.slug, case.input, config, router)
        async with aclosing(run):
            assert isinstance(await anext(run), Piece)
            request = await upstream.received(2)
            assert not request.left.is_set()
        await request.left.wait()


@pytest.mark.parametrize("name", ["chat", "completions", "images"])
async def test_cancelling_a_run_stops_the_work(name: str, router: Router) -> None:
    """Who leaves while waiting for the answer leaves the server, too."""
    case = CASES[name]
    answer = case.answer.paused_before(0, asyncio.Event())
    async with ScriptedUpstream(models("m", "n"), answer) as upstream:
        config = {"base_url": upstream.url, "model": "m"}
        run = run_processor(case.slug, case.input, config, router)
        waiting = asyncio.ensure_future(anext(run))
        request = await upstream.received(2)
        waiting.cancel()
        await request.left.wait()
        with pytest.raises(asyncio.CancelledError):
            await waiting


@pytest.mark.parametrize("slug", PROCESSORS)
def test_schema_is_json(slug: str) -> None:
    """A processor describes itself as JSON, with text for people at every field."""
    schema = PROCESSORS[slug].schema()
    assert json.loads(json.dumps(schema)) == schema
    assert schema["slug"] == slug
    for part in ("input", "configuration", "output"):
        assert all("description" in about for about in schema[part]["properties"].values())


@pytest.mark.parametrize("slug", PROCESSORS)
def test_configuration_has_defaults(slug: str) -> None:
    """No configuration is a configuration."""
    TypeAdapter(PROCESSORS[slug].configuration).validate_python({})
