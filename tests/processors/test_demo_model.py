"""The processors on the model that comes with Ingle, run by its real engine."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from ingle.errors import ContextTooLong, EngineCrashed, EngineMissing, UnsupportedInput
from ingle.processors.catalogue import run_processor
from ingle.processors.chat_completions import ChatCompletionsOutput
from ingle.processors.completions import CompletionsOutput
from ingle.processors.pieces import Piece, fold
from ingle.routing import Router
from ingle.runtime import Runtime, open_runtime
from ingle.settings import load_settings

WEATHER = {
    "name": "get_weather",
    "description": "Tells the weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


def says(text: str, **more: Any) -> dict[str, Any]:  # Any: JSON
    """A chat of one message."""
    return {"messages": [{"role": "user", "content": text}], **more}


@pytest.fixture
async def runtime() -> AsyncGenerator[Runtime, None]:
    """A whole Ingle."""
    async with open_runtime(load_settings()) as runtime:
        yield runtime


@pytest.fixture
def router(runtime: Runtime) -> Router:
    """Its router."""
    return runtime.router


@pytest.mark.parametrize("stream", [True, False])
async def test_demo_model_answers(stream: bool, router: Router) -> None:
    """Chats, completions and calls come from the model that is there, in either mode."""
    config = {"temperature": 0, "max_tokens": 64, "stream": stream}

    run = run_processor("localai/chatgpt", says("What is the capital of France?"), config, router)
    *pieces, chat = [item async for item in run]
    assert isinstance(chat, ChatCompletionsOutput)
    assert "Paris" in str(chat.choices[0].content)
    assert chat._api_response["usage"]["completion_tokens"] > 0
    assert chat._api_response["model"] == "demo"
    assert len(pieces) > 4 if stream else len(pieces) == 2
    folded = fold(piece for piece in pieces if isinstance(piece, Piece))
    assert folded == chat.model_dump(exclude={"api_response"})

    run = run_processor("localai/completions", {"prompt": "Once upon a time"}, config, router)
    *_, text = [item async for item in run]
    assert isinstance(text, CompletionsOutput)
    assert len(text.choices[0].split()) > 3

    asked = says("What is the weather in Rome?", functions=[WEATHER, {"name": "other"}])
    forced = {**config, "function_call": "get_weather"}
    *_, calling = [item async for item in run_processor("localai/chatgpt", asked, forced, router)]
    assert isinstance(calling, ChatCompletionsOutput)
    called = calling.choices[0].function_call
    assert called is not None
    assert (called.name, "Rome" in called.arguments) == ("get_weather", True)
    assert calling.choices[0].tool_calls is None


async def test_what_the_demo_model_cannot_do_is_said(router: Router) -> None:
    """A prompt too long, a picture, an image to make: each is an error that says what to do."""
    picture = {"type": "image_url", "image_url": "data:image/png;base64,iVBORw0KGgo="}
    seen = {"messages": [{"role": "user", "content": [picture]}]}
    for slug, values, fault in (
        ("localai/chatgpt", says("hello " * 20_000), ContextTooLong),
        ("localai/chatgpt", seen, UnsupportedInput),
        ("localai/image_generations", {"prompt": "A cat"}, (EngineMissing, UnsupportedInput)),
    ):
        with pytest.raises(fault):
            await anext(run_processor(slug, values, {"model": "demo"}, router))


async def test_leaving_a_stream_lets_go_of_the_engine(runtime: Runtime) -> None:
    """An engine is leased as long as its answer is read, and no longer."""
    config = {"stream": True}
    run = run_processor("localai/chatgpt", says("Tell me a story."), config, runtime.router)
    assert isinstance(await anext(run), Piece)
    assert [engine.leases for engine in runtime.supervisor.status()] == [1]
    await run.aclose()
    assert [engine.leases for engine in runtime.supervisor.status()] == [0]


async def test_engine_that_is_killed_ends_the_run_with_an_error(runtime: Runtime) -> None:
    """A call in flight says that the engine went down and lets go of it; the next one works."""
    router, values = runtime.router, says("Hello!")

    async def run() -> ChatCompletionsOutput:
        *_, output = [item async for item in run_processor("localai/chatgpt", values, {}, router)]
        assert isinstance(output, ChatCompletionsOutput)
        return output

    await run()
    engine = runtime.supervisor.status()[0]
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGSTOP)  # so that the call is in flight until the engine is gone
    running = asyncio.ensure_future(run())
    while not runtime.supervisor.status()[0].leases:  # noqa: ASYNC110 -- nobody announces it
        await asyncio.sleep(0)
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(EngineCrashed, match="demo"):
        await running
    assert (await run()).choices[0].content
    assert [engine.leases for engine in runtime.supervisor.status()] == [0]
