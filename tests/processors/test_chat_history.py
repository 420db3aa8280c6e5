"""How much of a chat's history is sent, and that it is told what was not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ingle.errors import UpstreamRefused
from ingle.processors.catalogue import run_processor
from ingle.processors.chat_completions import ChatCompletionsOutput
from ingle.processors.chat_history import estimated_tokens
from ingle.processors.pieces import Piece, fold
from ingle.routing import Router
from ingle.runtime import open_runtime
from ingle.settings import load_settings
from ingle.testing import (
    ScriptedUpstream,
    chat_answer,
    chat_stream,
    error,
    json_answer,
    models,
)
from ingle.testing.answers import Answer

LONG = "The quick brown fox jumps over the lazy dog. " * 40  # about 400 tokens, estimated at 700


def history(turns: int, text: str = LONG) -> list[dict[str, Any]]:
    """Turns, each a question with its number and an answer."""
    return [
        {"role": role, "content": content}
        for number in range(turns)
        for role, content in (("user", f"{number}: {text}"), ("assistant", "Yes."))
    ]


async def ask(
    router: Router, earlier: list[dict[str, Any]], *, stream: bool = True, **config: Any
) -> ChatCompletionsOutput:
    """The answer to a question after this history; its pieces fold to it."""
    values = {
        "system_message": "Be short.",
        "chat_history": earlier,
        "messages": [{"role": "user", "content": "And now?"}],
    }
    config = {"max_tokens": 100, "stream": stream, **config}
    *pieces, output = [i async for i in run_processor("localai/chatgpt", values, config, router)]
    assert isinstance(output, ChatCompletionsOutput)
    folded = fold(piece for piece in pieces if isinstance(piece, Piece))
    assert folded == output.model_dump(mode="json", exclude={"api_response"})
    return output


def sent(upstream: ScriptedUpstream) -> list[list[str]]:
    """How each message of each chat began that the server was asked."""
    return [
        [message["content"][:3] for message in request.json["messages"]]
        for request in upstream.requests
        if request.path.endswith("/chat/completions")
    ]


def refusal(words: str) -> Answer:
    """A refusal of a chat."""
    return replace(error(400, words), endpoint="chat/completions")


def listing(**entry: Any) -> Any:
    """A list with one model, and what the server says of it."""
    return json_answer({"object": "list", "data": [{"id": "m", **entry}]}, endpoint="models")


@pytest.mark.parametrize(
    "said",
    [{"max_model_len": 2048}, {"context_length": 2048}, {"meta": {"n_ctx": 2048}}],
)
async def test_history_fits_in_what_a_server_says(said: dict[str, Any], router: Router) -> None:
    """The oldest turns are left out, whole ones; the system message and the question stay."""
    async with ScriptedUpstream(listing(**said), chat_stream("Yes.")) as upstream:
        output = await ask(router, history(5), base_url=upstream.url, model="m")
        assert sent(upstream) == [["Be ", "3: ", "Yes", "4: ", "Yes", "And"]]
    assert output.cut_history is not None
    assert output.cut_history.model_dump() == {
        "turns": 3,
        "messages": 6,
        "context_tokens": 2048,
    }


@pytest.mark.parametrize("stream", [True, False])
async def test_short_history_is_sent_whole(stream: bool, router: Router) -> None:
    """Nothing is asked, nothing is cut, and nothing is said of it."""
    answer = chat_stream("Yes.") if stream else chat_answer("Yes.")
    async with ScriptedUpstream(models("m"), answer) as upstream:
        output = await ask(
            router, history(3, "Hi"), stream=stream, base_url=upstream.url, model="m"
        )
        assert len(sent(upstream)[0]) == 8
        asked = [request.path for request in upstream.requests]
        assert asked == ["/v1/models", "/v1/chat/completions"]  # the first to find the API
    assert output.cut_history is None
    assert "cut_history" not in output.model_dump()


async def test_refusal_shortens_the_history(router: Router) -> None:
    """Where a server says nothing of its window, half of the turns go at each refusal."""
    refused = refusal("This model's maximum context length is 512 tokens.")
    async with ScriptedUpstream(models("m"), refused, refused, chat_stream("Yes.")) as upstream:
        output = await ask(router, history(4), base_url=upstream.url, model="m")
        assert [len(messages) for messages in sent(upstream)] == [10, 6, 4]
    assert output.cut_history is not None
    assert output.cut_history.turns == 3


async def test_other_refusals_are_told(router: Router) -> None:
    """Only a prompt that is too long gets shorter; one that cannot is an error as ever."""
    for words, asked in (("no such thing", 1), ("maximum context length is 8 tokens", 3)):
        async with ScriptedUpstream(models("m"), refusal(words)) as upstream:
            with pytest.raises(UpstreamRefused):
                await ask(router, history(2, "Hi"), base_url=upstream.url, model="m")
            assert len(sent(upstream)) == asked


async def test_system_messages_in_a_history_stay(router: Router) -> None:
    """They are no part of a turn."""
    earlier = [{"role": "system", "content": "sys"}, *history(4)]
    async with ScriptedUpstream(listing(max_model_len=2048), chat_stream("Yes.")) as upstream:
        await ask(router, earlier, base_url=upstream.url, model="m")
        assert sent(upstream) == [["Be ", "sys", "2: ", "Yes", "3: ", "Yes", "And"]]


def test_estimates() -> None:
    """Letters are few tokens, signs and digits one each, scripts of three bytes more."""
    assert estimated_tokens("a" * 100) == 41
    assert estimated_tokens("1" * 100) == 101
    assert estimated_tokens("é" * 100) == 101
    assert estimated_tokens("語" * 100) == 151


@pytest.mark.slow
async def test_engine_of_this_machine_counts_exactly() -> None:
    """As many turns as fit in the engine's own window, by its own tokens, or three less."""
    settings = load_settings(overrides={"context_tokens": 512})
    async with open_runtime(settings) as runtime:
        long = await ask(runtime.router, history(6), model="demo", temperature=0)
        short = await ask(runtime.router, history(60, "Hi. "), model="demo", temperature=0)
    for output in (long, short):
        assert output.cut_history is not None
        assert output.cut_history.context_tokens == 512
        assert output.choices[0].content
        assert output.api_response["usage"]["prompt_tokens"] <= 512 - 100
    # A turn of these has about 20 tokens, and four go at once.
    assert short.api_response["usage"]["prompt_tokens"] > 512 - 100 - 4 * 20


async def test_next_question_begins_with_the_same_turns(router: Router) -> None:
    """Turns go several at a time, so that what a server keeps of the prompt stays of use."""
    began = []
    async with ScriptedUpstream(listing(max_model_len=8192), chat_stream("Yes.")) as upstream:
        for turns in range(240, 256):
            await ask(router, history(turns, "x" * 200), base_url=upstream.url, model="m")
        began = [messages[1] for messages in sent(upstream)]
    assert len(set(began)) <= 3
