"""What holds for every processor: a run is pieces and then the output, and closing it stops it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
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
NOTHING = models()
PNG_URI = f"data:image/png;base64,{PNG}"
LOOK = {
    "messages": [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": PNG_URI},
    ]
}
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
    """A run, what the server answers to it, and the JSON of its output but for `_…` fields.

    In the input and the output, `{url}` stands for the server's address.
    """

    slug: str
    input: dict[str, Any]
    answer: Answer
    output: dict[str, Any]
    config: dict[str, Any] = field(default_factory=dict)

    def at(self, upstream: ScriptedUpstream, router: Router) -> Items:
        """The run, against this server."""
        there = {"base_url": upstream.url} if self.slug.startswith("localai/") else {}
        input_ = with_url(self.input, upstream)
        return run_processor(self.slug, input_, {**there, **self.config}, router)


Items = AsyncGenerator[Piece | Output, None]


def with_url(values: dict[str, Any], upstream: ScriptedUpstream) -> dict[str, Any]:
    """The values with the server's address in them."""
    made: dict[str, Any] = json.loads(json.dumps(values).replace("{url}", upstream.url))
    return made


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
    "vision": Case("localai/chatgpt_vision", LOOK, chat_answer("A cat"), {"result": "A cat"}),
    "vision streamed": Case(
        "localai/chatgpt_vision",
        LOOK,
        chat_stream("A ", "cat"),
        {"result": "A cat"},
        {"stream": True},
    ),
    "image edit": Case(
        "localai/images_edit",
        {"prompt": "A hat", "image": PNG_URI},
        json_answer({"data": [{"b64_json": PNG}]}, endpoint="images/edits"),
        {"answer": [PNG_URI]},
    ),
    "image variations": Case(
        "localai/images_variations",
        {"image": PNG_URI},
        json_answer({"data": [{"b64_json": PNG}, {"b64_json": PNG}]}, endpoint="images/variations"),
        {"answer": [PNG_URI, PNG_URI]},
    ),
    "transcription": Case(
        "localai/audio_transcriptions",
        {"file": "data:audio/wav;base64,AAAA"},
        json_answer({"text": "Hi"}, endpoint="audio/transcriptions"),
        {"text": "Hi"},
    ),
    "translation": Case(
        "localai/audio_translations",
        {"file": "data:audio/wav;base64,AAAA"},
        json_answer({"text": "Hi"}, endpoint="audio/translations"),
        {"text": "Hi"},
    ),
    "speech": Case(
        "localai/text_to_speech",
        {"input_text": "Hi"},
        Answer((b"ID3 and so on",), endpoint="audio/speech"),
        {"result": "data:audio/mpeg;base64,SUQzIGFuZCBzbyBvbg=="},
    ),
    "embeddings": Case(
        "localai/embeddings",
        {"input": ["a", "b"]},
        json_answer(
            {"data": [{"index": 1, "embedding": [3, 4]}, {"index": 0, "embedding": [1.5, 2]}]},
            endpoint="embeddings",
        ),
        {"embeddings": [[1.5, 2.0], [3.0, 4.0]], "dimensions": 2},
    ),
    "text from a file": Case(
        "ingle/text_from_file",
        {"file": "data:text/plain;name=a.txt;base64,SGk="},
        NOTHING,
        {
            "text": "Hi",
            "name": "a.txt",
            "title": None,
            "mime": "text/plain",
            "pages": None,
            "characters": 2,
            "is_cut": False,
        },
    ),
    "HTTP request": Case(
        "ingle/http_request",
        {"url": "{url}/a?key=secret"},
        Answer((b'{"a": 1}',), headers=(("Content-Type", "application/json"),), endpoint="a"),
        {
            "status": 200,
            "url": "{url}/a?…",
            "headers": {"content-length": "8", "content-type": "application/json"},
            "text": '{"a": 1}',
            "json": {"a": 1},
            "file": None,
        },
    ),
    "JSON": Case(
        "ingle/json_extract",
        {"text": 'Here: ```json\n{"a": [1, 2]}\n```'},
        NOTHING,
        {"value": 2},
        {"path": "$.a[1]"},
    ),
    "split": Case(
        "ingle/text_split",
        {"text": "One. Two. Three."},
        NOTHING,
        {"chunks": ["One. Two.", "Three."], "count": 2, "is_estimate": False},
        {"size": 10, "overlap": 0},
    ),
    "template": Case("ingle/template", {"text": ["a", 1]}, NOTHING, {"text": "a\n\n1"}),
    "rerank": Case(
        "localai/rerank",
        {"query": "?", "documents": ["a", "b"]},
        json_answer(
            {
                "results": [
                    {"index": 0, "relevance_score": -1},
                    {"index": 1, "relevance_score": 2.5},
                ]
            },
            endpoint="rerank",
        ),
        {
            "results": [
                {"index": 1, "document": "b", "relevance_score": 2.5},
                {"index": 0, "document": "a", "relevance_score": -1.0},
            ]
        },
    ),
}


def test_every_processor_has_a_case() -> None:
    """A new processor has to keep the contract too."""
    assert {case.slug for case in CASES.values()} == set(PROCESSORS)


@pytest.mark.parametrize("name", CASES)
async def test_pieces_fold_to_the_output(name: str, router: Router) -> None:
    """All items but the last are pieces; folded they are the output's JSON, which comes last."""
    case = CASES[name]
    async with ScriptedUpstream(models("m", "n"), case.answer) as upstream:
        items = [item async for item in case.at(upstream, router)]
        expected = with_url(case.output, upstream)
    *pieces, output = items
    assert all(isinstance(piece, Piece) for piece in pieces)
    assert isinstance(output, PROCESSORS[case.slug].output)
    public = {key: value for key, value in output.model_dump().items() if key[0] != "_"}
    assert fold(piece for piece in pieces if isinstance(piece, Piece)) == public
    assert public == expected
    assert PROCESSORS[case.slug].result[0] in public


@pytest.mark.parametrize("name", CASES)
async def test_json_of_an_output_is_read_back(name: str, router: Router) -> None:
    """An output is the same after a way through JSON, as when a run is recorded."""
    case = CASES[name]
    async with ScriptedUpstream(models("m", "n"), case.answer) as upstream:
        *_, output = [item async for item in case.at(upstream, router)]
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
