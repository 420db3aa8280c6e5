"""Embeddings, reranking, responses, Anthropic's messages, tokens, templates, what is elsewhere."""

from __future__ import annotations

import json

import openai
import pytest
from tests.server.conftest import Caller

HELLO = [{"role": "user", "content": "Hello!"}]


def test_embeddings_are_made(client: openai.OpenAI) -> None:
    """One for each text, of one length, by the name that was asked for."""
    answer = client.embeddings.create(model="demo", input=["a cow", "a dog"])
    assert answer.model == "demo"
    assert [item.index for item in answer.data] == [0, 1]
    assert len(answer.data[0].embedding) == len(answer.data[1].embedding) > 0


def test_embeddings_of_another_length_are_refused(call: Caller) -> None:
    """llama.cpp would ignore `dimensions`."""
    answer = call.post("/v1/embeddings", {"input": "x", "dimensions": 4})
    assert (answer.status, answer.error["param"]) == (400, "dimensions")


def test_what_no_model_here_can_do_is_501(call: Caller) -> None:
    """The demo model ranks nothing; no engine of this machine moderates."""
    asked = {"model": "demo", "query": "q", "documents": ["d"]}
    assert call.post("/v1/rerank", asked).status == 501
    answer = call.post("/v1/moderations", {"input": "hi"})
    assert (answer.status, answer.error["code"]) == (501, "engine_missing")
    assert "ingle connections add" in answer.error["message"]


def test_a_response_is_made_and_streams(client: openai.OpenAI) -> None:
    """The Responses API, as OpenAI's client reads it."""
    whole = client.responses.create(model="demo", input="Hello!", max_output_tokens=16)
    assert whole.output_text
    events = list(client.responses.create(model="local/demo", input="Hello!", stream=True))
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert events[-1].response.model == "local/demo"


def test_a_response_keeps_to_a_json_schema(client: openai.OpenAI) -> None:
    """llama.cpp ignores `text.format`."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "boolean"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    answer = client.responses.create(
        model="demo",
        input="Hello!",
        text={"format": {"type": "json_schema", "name": "x", "schema": schema}},
    )
    assert list(json.loads(answer.output_text)) == ["a"]


def test_anthropics_messages_are_answered_and_stream(call: Caller) -> None:
    """In Anthropic's form, from the first event to the last."""
    asked = {"model": "demo", "max_tokens": 4, "messages": HELLO}
    whole = call.post("/v1/messages", asked).json
    assert (whole["type"], whole["role"], whole["model"]) == ("message", "assistant", "demo")
    streamed = call.post("/v1/messages", {**asked, "model": "local/demo", "stream": True})
    told = [json.loads(event) for event in streamed.events]
    assert [told[0]["type"], told[-1]["type"]] == ["message_start", "message_stop"]
    assert told[0]["message"]["model"] == "local/demo"


def test_errors_of_anthropics_messages_have_anthropics_form(call: Caller) -> None:
    """Its clients read no other."""
    missing = call.post("/v1/messages", {"model": "nope", "max_tokens": 1, "messages": HELLO})
    wrong = call.post("/v1/messages", {"messages": HELLO})
    assert (missing.status, missing.json["type"]) == (404, "error")
    assert missing.error["type"] == "not_found_error"
    assert (wrong.status, wrong.error["type"]) == (400, "invalid_request_error")
    assert "max_tokens" in wrong.error["message"]


def test_the_tokens_of_messages_are_counted(call: Caller) -> None:
    """As Anthropic's clients ask before they send."""
    asked = {"model": "demo", "messages": HELLO}
    assert call.post("/v1/messages/count_tokens", asked).json["input_tokens"] > 0


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_text_becomes_tokens_and_text_again(call: Caller, prefix: str) -> None:
    """With and without `/v1`, where llama.cpp has the one only."""
    tokens = call.post(f"{prefix}/tokenize", {"content": "Hello there"}).json["tokens"]
    assert all(isinstance(token, int) for token in tokens)
    text = call.post(f"{prefix}/detokenize", {"tokens": tokens}).json["content"]
    assert text == "Hello there"


def test_a_token_that_is_none_is_refused(call: Caller) -> None:
    """llama.cpp answers 500."""
    assert call.post("/v1/detokenize", {"tokens": [999999]}).status == 400


def test_a_chats_template_is_shown(call: Caller) -> None:
    """The prompt that the model reads."""
    assert "Hello!" in call.post("/v1/apply-template", {"messages": HELLO}).json["prompt"]
