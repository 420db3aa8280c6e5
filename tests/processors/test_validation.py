"""What people are told about input and configuration that is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from ingle.errors import InvalidRequest
from ingle.processors.chat_completions import ChatCompletionInput, ChatCompletionsConfiguration
from ingle.processors.completions import CompletionsConfiguration, CompletionsInput
from ingle.processors.image_generations import ImageGenerationsConfiguration, ImageGenerationsInput
from ingle.processors.validation import validated

SAYS_HI = [{"role": "user", "content": "hi"}]


def test_values_become_the_typed_input() -> None:
    """Plain values become an input; numbers may be written as text, as a command line does."""
    configuration = validated(CompletionsConfiguration, {"max_tokens": "64"}, "config")
    assert configuration == CompletionsConfiguration(max_tokens=64)


def test_typed_input_comes_back_as_it_is() -> None:
    """What is typed already is not checked a second time."""
    typed = CompletionsInput(prompt="Once")
    assert validated(CompletionsInput, typed, "input") is typed


@pytest.mark.parametrize(
    ("shape", "values", "param", "message"),
    [
        (CompletionsInput, {}, "input.prompt", "`input.prompt` is missing."),
        (
            CompletionsConfiguration,
            {"temperature": 2.5},
            "input.temperature",
            "`input.temperature` is 2.5, but must be less than or equal to 2.",
        ),
        (
            CompletionsConfiguration,
            {"temperature": float("nan")},
            "input.temperature",
            "`input.temperature` is nan, but must be a finite number.",
        ),
        (
            CompletionsConfiguration,
            {"max_tokens": 0},
            "input.max_tokens",
            "`input.max_tokens` is 0, but must be greater than or equal to 1.",
        ),
        (
            CompletionsConfiguration,
            {"timeout": 0},
            "input.timeout",
            "`input.timeout` is 0, but must be greater than 0.",
        ),
        (
            CompletionsConfiguration,
            {"temprature": 1},
            "input.temprature",
            (
                "`input.temprature` is not a field. Did you mean `temperature`? The fields here: "
                "base_url, max_tokens, model, n, seed, stop, stream, temperature, timeout, top_p."
            ),
        ),
        (
            ImageGenerationsConfiguration,
            {"size": "10x10"},
            "input.size",
            "`input.size` is '10x10', but must be '256x256', '512x512' or '1024x1024'.",
        ),
        (
            ImageGenerationsInput,
            {"prompt": "a" * 1001},
            "input.prompt",
            (
                f"`input.prompt` is '{'a' * 80}' and 921 more characters. "
                "String should have at most 1000 characters."
            ),
        ),
        (
            ChatCompletionInput,
            {"messages": [{"role": "user", "contents": "hi"}]},
            "input.messages.0.contents",
            (
                "`input.messages.0.contents` is not a field. Did you mean `content`? The fields here: "
                "content, function_call, name, reasoning_content, refusal, role, tool_call_id, "
                "tool_calls."
            ),
        ),
        (
            ChatCompletionInput,
            {"messages": [{"role": "robot", "content": "hi"}]},
            "input.messages.0.role",
            (
                "`input.messages.0.role` is 'robot', but must be 'system', 'user', 'assistant', "
                "'function', 'tool' or 'developer'."
            ),
        ),
        (
            ChatCompletionInput,
            {"messages": [{"role": "user", "content": [{"type": "text", "txt": "hi"}]}]},
            "input.messages.0.content.0.text",
            (
                "`input.messages.0.content.0.text` is missing. `input.messages.0.content.0.txt` is "
                "not a field. Did you mean `text`? The fields here: image_url, input_audio, text, "
                "type."
            ),
        ),
        (
            ChatCompletionInput,
            {"messages": SAYS_HI, "functions": [{"name": "f", "parameters": "{oops"}]},
            "input.functions.0.parameters",
            (
                "`input.functions.0.parameters`: it must be a JSON Schema, written as JSON: "
                "JSON is malformed: object keys must be strings (byte 1)"
            ),
        ),
        (
            ChatCompletionInput,
            {"messages": SAYS_HI, "functions": [{"name": "f", "parameters": "[1]"}]},
            "input.functions.0.parameters",
            (
                "`input.functions.0.parameters`: it must be a JSON Schema, written as JSON: "
                "Expected `object`, got `array`"
            ),
        ),
        (
            ChatCompletionInput,
            {"messages": [{"role": "user"}]},
            "input.messages.0",
            "`input.messages.0`: a message of the role user needs `content`, even if empty.",
        ),
        (
            ChatCompletionInput,
            {"messages": []},
            "input",
            (
                "`messages` is empty, so there is nothing to answer. Give at least one, such as "
                '{"role": "user", "content": "Hello!"}.'
            ),
        ),
        (
            ChatCompletionsConfiguration,
            {"function_call": {"nam": "f"}},
            "input.function_call.nam",
            "`input.function_call.nam` is 'nam', but must be 'name'.",
        ),
    ],
)
def test_what_is_wrong_is_named(
    shape: type[BaseModel], values: dict[str, Any], param: str, message: str
) -> None:
    """The message and `param` name the field by its path, with its value and what is right."""
    with pytest.raises(InvalidRequest) as caught:
        validated(shape, values, "input")
    assert str(caught.value) == message
    assert caught.value.param == param


def test_content_of_the_wrong_type_is_one_error() -> None:
    """A field with alternatives is reported once, not once for each of them."""
    with pytest.raises(InvalidRequest) as caught:
        validated(ChatCompletionInput, {"messages": [{"role": "user", "content": 5}]}, "input")
    assert str(caught.value) == (
        "`input.messages.0.content` is 5, but must be a valid string or a valid list."
    )


def test_many_errors_are_counted_after_four() -> None:
    """Four faults are spelled out; the rest is a number."""
    values = dict.fromkeys(("max_tokens", "temperature", "top_p", "timeout", "n", "stop"), -1)
    with pytest.raises(InvalidRequest, match=r"2 more things are wrong\.$"):
        validated(CompletionsConfiguration, values, "config")


def test_value_of_an_unknown_field_is_not_shown() -> None:
    """A key that was put where there is no field for it appears in no message."""
    with pytest.raises(InvalidRequest) as caught:
        validated(CompletionsConfiguration, {"api_key": "sk-very-secret"}, "config")
    assert "sk-very-secret" not in str(caught.value)
    assert str(caught.value).startswith("`config.api_key` is not a field. The fields here: ")


def test_values_that_are_no_object_are_refused() -> None:
    """A list in the place of an input is named as such."""
    values: Any = ["prompt"]  # Any: what a caller without types may hand in
    with pytest.raises(InvalidRequest, match=r"^`input` is \['prompt'\], but must be "):
        validated(CompletionsInput, values, "input")
