"""`/v1/chat/completions` with the demo model, as OpenAI's own client sees it."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from tests.server.conftest import Caller

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello!"}]
WEATHER: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "What is the weather in Paris?"}
]
FUNCTION: dict[str, Any] = {
    "name": "get_weather",
    "description": "Get the weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
TOOL: ChatCompletionToolParam = {"type": "function", "function": FUNCTION}  # type: ignore[typeddict-item]  # plain JSON


def test_a_chat_is_answered(client: openai.OpenAI) -> None:
    """Text, a finish reason, usage, and the model's name as it was asked for."""
    answer = client.chat.completions.create(model="demo", messages=HELLO, max_tokens=30)
    assert answer.model == "demo"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert 0 < answer.usage.completion_tokens <= 30


def test_a_chat_streams(client: openai.OpenAI) -> None:
    """The pieces make the text, the last one says why it ended, and usage comes where asked for."""
    chunks = list(
        client.chat.completions.create(
            model="demo",
            messages=HELLO,
            max_tokens=8,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] in ("stop", "length")
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None


def test_streamed_and_whole_are_the_same_answer(client: openai.OpenAI) -> None:
    """At temperature 0 the pieces join to what comes without streaming."""
    whole = client.chat.completions.create(model="demo", messages=HELLO, temperature=0)
    chunks = client.chat.completions.create(
        model="demo", messages=HELLO, temperature=0, stream=True
    )
    joined = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert joined == whole.choices[0].message.content


@pytest.mark.parametrize("name", ["demo", "local/demo"])
def test_answers_carry_the_name_that_was_asked_for(client: openai.OpenAI, name: str) -> None:
    """In the whole answer and in each chunk."""
    whole = client.chat.completions.create(model=name, messages=HELLO, max_tokens=2)
    chunks = client.chat.completions.create(model=name, messages=HELLO, max_tokens=2, stream=True)
    assert {whole.model, *(chunk.model for chunk in chunks)} == {name}


def test_without_a_model_the_default_one_answers(call: Caller) -> None:
    """As LocalAI does; OpenAI would refuse."""
    answer = call.post("/v1/chat/completions", {"messages": HELLO, "max_tokens": 2})
    assert (answer.status, answer.json["model"]) == (200, "demo")


def test_a_tool_is_called(client: openai.OpenAI) -> None:
    """The call has an id, the tool's name and arguments that are JSON."""
    answer = client.chat.completions.create(
        model="demo", messages=WEATHER, tools=[TOOL], temperature=0
    )
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.tool_calls is not None
    [made] = answer.choices[0].message.tool_calls
    assert made.type == "function"
    assert made.id
    assert made.function.name == "get_weather"
    assert list(json.loads(made.function.arguments)) == ["city"]


def test_a_tool_that_is_named_is_the_one_offered(client: openai.OpenAI) -> None:
    """llama.cpp ignores the name; here only that tool is left, and it has to be called."""
    other: ChatCompletionToolParam = {"type": "function", "function": {"name": "other"}}
    answer = client.chat.completions.create(
        model="demo",
        messages=WEATHER,
        tools=[other, TOOL],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        temperature=0,
    )
    assert answer.choices[0].message.tool_calls is not None
    [made] = answer.choices[0].message.tool_calls
    assert made.type == "function"
    assert made.function.name == "get_weather"


def test_a_tools_result_goes_on_to_an_answer(client: openai.OpenAI) -> None:
    """A message of the tool is taken."""
    answer = client.chat.completions.create(
        model="demo",
        messages=[
            *WEATHER,
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call00001",
                        "type": "function",
                        "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call00001", "content": '{"temperature": 18}'},
        ],
        tools=[TOOL],
        max_tokens=20,
    )
    assert answer.choices[0].message.content


@pytest.mark.parametrize("is_stream", [False, True])
def test_legacy_functions_are_called_and_told_in_their_own_form(
    call: Caller, is_stream: bool
) -> None:
    """llama.cpp does not know them; streamed and whole."""
    asked = {"messages": WEATHER, "functions": [FUNCTION], "temperature": 0, "stream": is_stream}
    answer = call.post("/v1/chat/completions", asked)
    assert answer.status == 200
    if is_stream:
        *chunks, done = answer.events
        assert done == "[DONE]"
        choices = [json.loads(chunk)["choices"][0] for chunk in chunks]
        made = [choice["delta"].get("function_call", {}) for choice in choices]
        arguments = "".join(part.get("arguments", "") for part in made)
        names = [part["name"] for part in made if part.get("name")]
        reason = choices[-1]["finish_reason"]
    else:
        [choice] = answer.json["choices"]
        names = [choice["message"]["function_call"]["name"]]
        arguments = choice["message"]["function_call"]["arguments"]
        reason = choice["finish_reason"]
        assert "tool_calls" not in choice["message"]
    assert (names, reason) == (["get_weather"], "function_call")
    assert list(json.loads(arguments)) == ["city"]


def test_a_json_schema_is_kept_to(client: openai.OpenAI) -> None:
    """`response_format` with `strict`."""
    answer = client.chat.completions.create(
        model="demo",
        messages=HELLO,
        response_format={
            "type": "json_schema",
            "json_schema": {
                "name": "sky",
                "strict": True,
                "schema": {
                    "type": "object",
                    "properties": {"is_blue": {"type": "boolean"}},
                    "required": ["is_blue"],
                    "additionalProperties": False,
                },
            },
        },
    )
    told = json.loads(answer.choices[0].message.content or "")
    assert list(told) == ["is_blue"]
    assert isinstance(told["is_blue"], bool)


def test_more_answers_than_slots_are_made(client: openai.OpenAI) -> None:
    """llama.cpp refuses them; the usage is that of all, the prompt counted once."""
    answer = client.chat.completions.create(model="demo", messages=HELLO, n=5, max_tokens=3, seed=1)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3, 4]
    assert all(choice.message.content for choice in answer.choices)
    one = client.chat.completions.create(model="demo", messages=HELLO, max_tokens=3, seed=1)
    assert answer.usage is not None
    assert one.usage is not None
    assert answer.choices[0].message.content == one.choices[0].message.content
    assert answer.usage.prompt_tokens == one.usage.prompt_tokens
    assert answer.usage.completion_tokens > one.usage.completion_tokens


def test_more_answers_than_slots_stream_side_by_side(client: openai.OpenAI) -> None:
    """Each choice has its role first and its own finish reason, and usage comes once, last."""
    chunks = list(
        client.chat.completions.create(
            model="demo",
            messages=HELLO,
            n=3,
            max_tokens=3,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert len({chunk.id for chunk in chunks}) == 1
    for index in range(3):
        own = [c.choices[0] for c in chunks if c.choices and c.choices[0].index == index]
        assert own[0].delta.role == "assistant"
        assert [choice.finish_reason for choice in own if choice.finish_reason] != []
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


@pytest.mark.parametrize("top", [0, 2])
def test_as_many_alternatives_come_as_were_asked_for(client: openai.OpenAI, top: int) -> None:
    """llama.cpp gives twenty where none are asked for."""
    answer = client.chat.completions.create(
        model="demo", messages=HELLO, max_tokens=2, logprobs=True, top_logprobs=top or None
    )
    assert answer.choices[0].logprobs is not None
    content = answer.choices[0].logprobs.content
    assert content is not None
    assert [len(token.top_logprobs) for token in content] == [top] * len(content)


def test_fields_that_only_openai_knows_do_no_harm(client: openai.OpenAI) -> None:
    """Clients send them without asking."""
    answer = client.chat.completions.create(
        model="demo",
        messages=HELLO,
        max_completion_tokens=2,
        user="someone",
        store=True,
        metadata={"a": "b"},
        service_tier="auto",
        reasoning_effort="low",
        prompt_cache_key="x",
        parallel_tool_calls=False,
    )
    assert answer.choices[0].finish_reason == "length"
