"""`/v1/completions` with the demo model."""

from __future__ import annotations

import json

import openai
import pytest
from tests.server.conftest import Caller

PROMPT = "Once upon a time"


def test_a_prompt_is_completed(client: openai.OpenAI) -> None:
    """With usage and the name that was asked for."""
    answer = client.completions.create(model="local/demo", prompt=PROMPT, max_tokens=4)
    assert answer.model == "local/demo"
    assert answer.object == "text_completion"
    assert answer.choices[0].text
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 4


def test_a_completion_streams(client: openai.OpenAI) -> None:
    """Piece by piece, with a finish reason at its end."""
    chunks = list(client.completions.create(model="demo", prompt=PROMPT, max_tokens=4, stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "length"


@pytest.mark.parametrize("is_stream", [False, True])
def test_logprobs_have_the_old_form(call: Caller, is_stream: bool) -> None:
    """Tokens, their log probabilities, alternatives and offsets; llama.cpp gives those of chat."""
    asked = {
        "prompt": PROMPT,
        "max_tokens": 3,
        "logprobs": 2,
        "temperature": 0,
        "stream": is_stream,
    }
    answer = call.post("/v1/completions", asked)
    if is_stream:
        choices = [json.loads(event)["choices"][0] for event in answer.events[:-1]]
    else:
        choices = answer.json["choices"]
    told = [choice["logprobs"] for choice in choices if choice["logprobs"]]
    tokens = [token for part in told for token in part["tokens"]]
    offsets = [offset for part in told for offset in part["text_offset"]]
    assert "".join(tokens) == "".join(choice["text"] for choice in choices)
    assert offsets == [len("".join(tokens[:number])) for number in range(len(tokens))]
    for part in told:
        assert set(part) == {"tokens", "token_logprobs", "top_logprobs", "text_offset"}
        for token, logprob, top in zip(
            part["tokens"], part["token_logprobs"], part["top_logprobs"], strict=True
        ):
            assert logprob <= 0
            assert top[token] == logprob
            assert 2 <= len(top) <= 3


def test_no_tokens_asked_for_is_none_made(client: openai.OpenAI) -> None:
    """llama.cpp would make one."""
    answer = client.completions.create(model="demo", prompt=PROMPT, max_tokens=0)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("", "length")
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 0
    assert answer.usage.prompt_tokens > 0


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("max_tokens", [0, 3])
def test_echo_gives_the_prompt_first(call: Caller, is_stream: bool, max_tokens: int) -> None:
    """llama.cpp ignores it."""
    asked = {"prompt": PROMPT, "max_tokens": max_tokens, "echo": True, "stream": is_stream}
    answer = call.post("/v1/completions", asked)
    if is_stream:
        *events, done = answer.events
        assert done == "[DONE]"
        text = "".join(json.loads(event)["choices"][0]["text"] for event in events)
    else:
        text = answer.json["choices"][0]["text"]
    assert text.startswith(PROMPT)
    assert (text == PROMPT) is (max_tokens == 0)


def test_a_prompt_of_tokens_is_echoed_as_text(call: Caller) -> None:
    """The engine turns it into text."""
    tokens = call.post("/v1/tokenize", {"content": PROMPT}).json["tokens"]
    asked = {"prompt": tokens, "max_tokens": 0, "echo": True}
    answer = call.post("/v1/completions", asked)
    assert answer.json["choices"][0]["text"] == PROMPT
    assert answer.json["usage"]["prompt_tokens"] == len(tokens)


@pytest.mark.parametrize("is_stream", [False, True])
def test_several_prompts_and_answers_keep_their_order(call: Caller, is_stream: bool) -> None:
    """All answers to the first prompt, then those to the second; usage counts every one."""
    asked = {
        "prompt": ["The capital of France", "2 + 2"],
        "n": 2,
        "max_tokens": 2,
        "echo": True,
        "stream": is_stream,
        "stream_options": {"include_usage": True},
    }
    answer = call.post("/v1/completions", asked)
    texts = ["", "", "", ""]
    if is_stream:
        chunks = [json.loads(event) for event in answer.events[:-1]]
        usage = chunks[-1]["usage"]
        for choice in [choice for chunk in chunks for choice in chunk["choices"]]:
            texts[choice["index"]] += choice["text"]
    else:
        usage = answer.json["usage"]
        for choice in answer.json["choices"]:
            texts[choice["index"]] += choice["text"]
    assert [text.startswith("The capital of France") for text in texts] == [
        True,
        True,
        False,
        False,
    ]
    assert [text.startswith("2 + 2") for text in texts] == [False, False, True, True]
    assert usage["completion_tokens"] == 8
    assert usage["total_tokens"] == usage["prompt_tokens"] + 8


def test_a_list_of_one_prompt_is_that_prompt(call: Caller) -> None:
    """llama.cpp's stream of it would begin with `null`."""
    answer = call.post("/v1/completions", {"prompt": [PROMPT], "max_tokens": 1, "stream": True})
    assert "null" not in answer.events
    assert answer.events[-1] == "[DONE]"
