"""`localai/chatgpt`: what is asked of the server, and what its answer becomes."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.errors import (
    InvalidRequest,
    UpstreamCut,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamTimeout,
)
from ingle.processors.catalogue import run_processor
from ingle.processors.chat_completions import ChatCompletionsConfiguration, ChatCompletionsOutput
from ingle.routing import Router
from ingle.testing import (
    Answer,
    Fault,
    ScriptedUpstream,
    chat_answer,
    chat_stream,
    error,
    json_answer,
    models,
)

HI = {"role": "user", "content": "Hi"}
WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {}}}


async def chat(
    upstream: ScriptedUpstream,
    router: Router,
    input: dict[str, Any],  # noqa: A002
    **config: Any,  # Any: a JSON value
) -> ChatCompletionsOutput:
    """The output of one run against the scripted server."""
    config = {"base_url": upstream.url, "model": "m", **config}
    *_, output = [item async for item in run_processor("localai/chatgpt", input, config, router)]
    assert isinstance(output, ChatCompletionsOutput)
    return output


async def asked(
    router: Router,
    input: dict[str, Any],  # noqa: A002
    **config: Any,  # Any: a JSON value
) -> dict[str, Any]:
    """The request that a run sends."""
    answer = chat_stream("a") if config.get("stream") else chat_answer("a")
    async with ScriptedUpstream(models("m"), answer) as upstream:
        await chat(upstream, router, input, **config)
    assert upstream.requests[-1].path == "/v1/chat/completions"
    request: dict[str, Any] = upstream.requests[-1].json
    return request


def test_defaults_are_llmstacks() -> None:
    """What is not configured is as LLMStack's users know it."""
    assert ChatCompletionsConfiguration().model_dump(exclude_none=True) == {
        "max_tokens": 1024,
        "temperature": 0.7,
        "stream": False,
        "timeout": 60,
    }


@pytest.mark.parametrize("temperature", [0, 0.75, 2])
def test_any_temperature_up_to_two_is_taken(temperature: float) -> None:
    """Temperatures go in no steps, and there is no upper bound of tokens."""
    configuration = ChatCompletionsConfiguration(temperature=temperature, max_tokens=1_000_000)
    assert configuration.temperature == temperature


async def test_plain_request_has_only_what_was_set(router: Router) -> None:
    """Defaults are sent as the table of the processor says, and nothing else is."""
    assert await asked(router, {"messages": [HI]}) == {
        "model": "m",
        "messages": [HI],
        "max_tokens": 1024,
        "temperature": 0.7,
        "stream": False,
    }


async def test_streamed_request_asks_for_usage(router: Router) -> None:
    """The response of a stream has the token counts too, so they are asked for."""
    request = await asked(router, {"messages": [HI]}, stream=True)
    assert request["stream"] is True
    assert request["stream_options"] == {"include_usage": True}


async def test_further_settings_are_sent_as_they_are(router: Router) -> None:
    """What goes beyond LLMStack's fields has OpenAI's names and values."""
    further = {
        "top_p": 0.5,
        "n": 2,
        "stop": ["."],
        "presence_penalty": -2,
        "frequency_penalty": 0.5,
        "logit_bias": {"50256": -100},
        "seed": 7,
        "response_format": {"type": "json_object"},
    }
    request = await asked(router, {"messages": [HI]}, **further)
    assert {name: request[name] for name in further} == further


async def test_system_message_comes_first(router: Router) -> None:
    """The system message stands before all others, those of the system too."""
    system = {"role": "system", "content": "Be kind."}
    request = await asked(router, {"system_message": "Be brief.", "messages": [system, HI]})
    assert request["messages"] == [{"role": "system", "content": "Be brief."}, system, HI]


async def test_history_stands_between_system_message_and_messages(router: Router) -> None:
    """Apps that keep what was said apart have it in its place, and only there."""
    before = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}]
    input_ = {"system_message": "Be brief.", "chat_history": before, "messages": [HI]}
    request = await asked(router, input_)
    assert request["messages"] == [{"role": "system", "content": "Be brief."}, *before, HI]
    assert "chat_history" not in request


async def test_system_message_alone_is_a_chat(router: Router) -> None:
    """A system message is enough to be answered."""
    request = await asked(router, {"system_message": "Say hi."})
    assert request["messages"] == [{"role": "system", "content": "Say hi."}]


async def test_functions_are_sent_as_tools(router: Router) -> None:
    """Functions in the old form, with a schema as text, reach a server that knows only tools."""
    function = {"name": "weather", "parameters": '{"type": "object", "properties": {}}'}
    request = await asked(
        router, {"messages": [HI], "functions": [function]}, function_call="weather"
    )
    assert request["tools"] == [{"type": "function", "function": WEATHER}]
    assert request["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert request["parallel_tool_calls"] is False
    assert request.keys().isdisjoint({"functions", "function_call"})


async def test_history_in_the_old_form_is_translated(router: Router) -> None:
    """Calls and results of earlier turns are tool calls and tool messages for the server."""
    messages = [
        {"role": "assistant", "function_call": {"name": "weather", "arguments": "{}"}},
        {"role": "function", "name": "weather", "content": "Sun"},
    ]
    request = await asked(router, {"messages": messages})
    assert [message["role"] for message in request["messages"]] == ["assistant", "tool"]
    call_id = request["messages"][0]["tool_calls"][0]["id"]
    assert request["messages"][1]["tool_call_id"] == call_id


async def test_tools_are_sent_as_they_are(router: Router) -> None:
    """The newer form needs no translation."""
    tool = {"type": "function", "function": WEATHER}
    request = await asked(router, {"messages": [HI], "tools": [tool]}, tool_choice="required")
    assert (request["tools"], request["tool_choice"]) == ([tool], "required")
    assert "parallel_tool_calls" not in request


async def test_choice_without_tools_is_not_sent(router: Router) -> None:
    """A configuration may say how to choose even where an input has nothing to choose from."""
    request = await asked(router, {"messages": [HI]}, tool_choice="auto", function_call="auto")
    assert request.keys().isdisjoint({"tool_choice", "function_call", "tools"})


async def test_function_that_is_not_there_is_named(router: Router) -> None:
    """A forced call of a function that was not given fails before anything is sent."""
    async with ScriptedUpstream(models("m")) as upstream:
        with pytest.raises(InvalidRequest, match=r"asks for .wether.,.* functions: weather"):
            await chat(
                upstream,
                router,
                {"messages": [HI], "functions": [WEATHER]},
                function_call="wether",
            )
    assert upstream.requests == []


async def test_refused_convenience_is_left_out(router: Router) -> None:
    """A server that does not know `stream_options` is asked again without; the rest stays."""
    refusal = error(400, "Unrecognized request argument supplied: stream_options")
    async with ScriptedUpstream(models("m"), refusal, chat_stream("Hi")) as upstream:
        output = await chat(upstream, router, {"messages": [HI]}, stream=True)
    assert output.choices[0].content == "Hi"
    _, first, second = (request for request in upstream.requests)
    assert first.json == second.json | {"stream_options": {"include_usage": True}}


async def test_refusal_of_what_was_asked_for_is_an_error(router: Router) -> None:
    """What the caller set is never left out; the server's words reach the caller."""
    refusal = error(400, "temperature must be below 1")
    async with ScriptedUpstream(models("m"), refusal) as upstream:
        with pytest.raises(UpstreamRefused, match="temperature must be below 1") as caught:
            await chat(upstream, router, {"messages": [HI]}, temperature=2)
    assert caught.value.http_status == 400
    assert caught.value.url == f"{upstream.url}/v1/chat/completions"


async def test_raw_response_is_under_its_own_name(router: Router) -> None:
    """`_api_response` is an attribute, a key of the dump, of the JSON and of the JSON Schema."""
    raw = {
        "id": "c1",
        "object": "chat.completion",
        "unheard_of": [1],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}}],
    }
    async with ScriptedUpstream(models("m"), json_answer(raw)) as upstream:
        output = await chat(upstream, router, {"messages": [HI]})
    assert output._api_response == output.api_response == raw
    assert output.model_dump()["_api_response"] == raw
    assert '"_api_response":{"id":"c1"' in output.model_dump_json()
    schema = ChatCompletionsOutput.model_json_schema(mode="serialization")
    assert list(schema["properties"]) == ["choices", "cut_history", "_api_response"]


async def test_raw_response_is_the_same_when_streamed(router: Router) -> None:
    """The pieces of a stream are folded into the answer that there would have been without."""
    streamed = chat_stream("Hel", "lo", has_usage=True)
    async with ScriptedUpstream(models("m"), streamed, chat_answer("Hello")) as upstream:
        in_pieces = await chat(upstream, router, {"messages": [HI]}, stream=True)
        in_one = await chat(upstream, router, {"messages": [HI]})
    assert in_pieces == in_one


@pytest.mark.parametrize(
    ("answer", "fault", "partial"),
    [
        (chat_stream("Hel", "lo").cut_after(2), UpstreamCut, "Hel"),
        (chat_stream("Hel", finish_reason=None), UpstreamCut, "Hel"),
        (chat_stream("Hel", "lo").cut_after(2, Fault.STALL), UpstreamTimeout, "Hel"),
        (chat_answer("Hello"), UpstreamInvalid, ""),
    ],
    ids=["hung up", "no finish reason", "silent", "plain JSON"],
)
async def test_cut_answer_is_an_error(
    answer: Answer, fault: type[Exception], partial: str, router: Router
) -> None:
    """A stream that breaks off ends in an error that holds what had come, not in an output."""
    async with ScriptedUpstream(models("m"), answer) as upstream:
        with pytest.raises(fault) as caught:
            await chat(upstream, router, {"messages": [HI]}, stream=True, timeout=0.2)
    assert getattr(caught.value, "partial", None) == partial
