"""JSON into values, and its faults into errors that name the field."""

from __future__ import annotations

import msgspec
import pytest

from ingle.errors import InvalidRequest
from ingle.server.chat_requests import ChatRequest, MessagesRequest
from ingle.server.decoding import decode, fields_of, model_of, with_fields
from ingle.server.requests import CompletionRequest

CHAT = '{"messages": [{"role": "user", "content": "hi"}]'


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "has no body"),
        (b'{"a": 1,}', "(byte 8), near '}'"),
        (b'{"a": nan}', "(byte 7), near 'an}'"),
        (b'{"a": ', "Input data was truncated after 6 bytes"),
        (b'{"a": "\xff"}', "byte 7 is 0xff"),
        (b"[1]", "must be a JSON object"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused_and_the_place_named(
    body: bytes, told: str
) -> None:
    """What is wrong with the body is said, and where."""
    with pytest.raises(InvalidRequest) as raised:
        fields_of(body)
    assert told in raised.value.message


@pytest.mark.parametrize(
    ("rest", "param", "told"),
    [
        ('"temperature": -1', "temperature", "is -1, but must be a number >= 0.0"),
        ('"temperature": 2.5', "temperature", "is 2.5, but must be a number <= 2.0"),
        ('"temperature": "x"', "temperature", "is 'x', but must be a number or null"),
        ('"top_p": 1.5', "top_p", "is 1.5, but must be a number <= 1.0"),
        ('"n": 0', "n", "is 0, but must be a whole number >= 1"),
        ('"n": 129', "n", "is 129, but must be a whole number <= 128"),
        ('"n": 1.5', "n", "is 1.5, but must be a whole number or null"),
        ('"max_tokens": 0', "max_tokens", "is 0, but must be a whole number >= 1"),
        ('"max_tokens": -1', "max_tokens", "is -1, but must be a whole number >= 1"),
        ('"presence_penalty": 3', "presence_penalty", "is 3, but must be a number <= 2.0"),
        ('"frequency_penalty": -3', "frequency_penalty", "is -3, but must be a number >= -2.0"),
        ('"logit_bias": {"5": 101}', "logit_bias", "must be a number <= 100.0"),
        ('"stop": [""]', "stop[0]", "is '', but must be text of length >= 1"),
        ('"stream": "yes"', "stream", "is 'yes', but must be true or false or null"),
        ('"logprobs": 3', "logprobs", "is 3, but must be true or false or null"),
        ('"top_logprobs": 21', "top_logprobs", "is 21, but must be a whole number <= 20"),
        ('"tool_choice": "x"', "tool_choice", "must be one of auto, none, required"),
        ('"tools": [{"type": "x"}]', "tools[0].type", "must be one of function"),
        ('"tools": [{"type": "function"}]', "tools[0].function", "is missing"),
        (
            '"response_format": {"type": "xml"}',
            "response_format.type",
            "is 'xml', but must be one of json_object, json_schema, text",
        ),
    ],
)
def test_a_field_that_cannot_be_right_is_named_with_its_value_and_rule(
    rest: str, param: str, told: str
) -> None:
    """The error says which field, what it is, and what it may be."""
    with pytest.raises(InvalidRequest) as raised:
        decode(f"{CHAT}, {rest}}}".encode(), ChatRequest)
    assert raised.value.param == param
    assert told in raised.value.message


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ("{}", "messages"),
        ('{"messages": []}', "messages"),
        ('{"messages": ["x"]}', "messages[0]"),
        ('{"messages": [{"content": "x"}]}', "messages[0].role"),
        ('{"messages": [{"role": "king", "content": "x"}]}', "messages[0].role"),
        (
            '{"messages": [{"role": "user", "content": [{"type": "x"}]}]}',
            "messages[0].content[0].type",
        ),
    ],
)
def test_messages_that_cannot_be_right_are_named_by_their_place(body: str, param: str) -> None:
    """The error's `param` leads to the message."""
    with pytest.raises(InvalidRequest) as raised:
        decode(body.encode(), ChatRequest)
    assert raised.value.param == param


@pytest.mark.parametrize(
    ("rest", "param"),
    [
        ('"top_logprobs": 2', "top_logprobs"),
        ('"response_format": {"type": "json_schema"}', "response_format.json_schema"),
        ('"tool_choice": "required"', "tool_choice"),
        ('"tool_choice": {"type": "function", "function": {"name": "f"}}', "tool_choice"),
    ],
)
def test_chat_fields_that_do_not_fit_together_are_refused(rest: str, param: str) -> None:
    """Each field may be right alone; together they are not."""
    request = decode(f"{CHAT}, {rest}}}".encode(), ChatRequest)
    with pytest.raises(InvalidRequest) as raised:
        request.check()
    assert raised.value.param == param


@pytest.mark.parametrize(
    ("rest", "param"),
    [
        ('"suffix": "x"', "suffix"),
        ('"best_of": 2', "best_of"),
        ('"echo": true, "logprobs": 1', "logprobs"),
        ('"prompt": ["a", 1]', "prompt"),
        ('"prompt": ["a", "b"], "n": 100', "prompt"),
    ],
)
def test_completion_fields_that_cannot_be_served_are_refused(rest: str, param: str) -> None:
    """What llama.cpp would silently ignore is an error."""
    request = decode(f'{{"prompt": "a", {rest}}}'.encode(), CompletionRequest)
    with pytest.raises(InvalidRequest) as raised:
        request.check()
    assert raised.value.param == param


@pytest.mark.parametrize(
    ("prompt", "prompts"),
    [
        ('"a"', ["a"]),
        ('["a"]', ["a"]),
        ('["a", "b"]', ["a", "b"]),
        ("[1, 2]", [[1, 2]]),
        ("[[1, 2], [3]]", [[1, 2], [3]]),
    ],
)
def test_each_prompt_of_a_completion_stands_by_itself(prompt: str, prompts: list[object]) -> None:
    """A list of numbers is one prompt of tokens, a list of anything else several prompts."""
    assert decode(f'{{"prompt": {prompt}}}'.encode(), CompletionRequest).prompts() == prompts


def test_anthropics_messages_need_a_limit_of_tokens() -> None:
    """`max_tokens` is required there."""
    with pytest.raises(InvalidRequest) as raised:
        decode(b'{"messages": [{"role": "user", "content": "hi"}]}', MessagesRequest)
    assert raised.value.param == "max_tokens"


def test_fields_that_are_only_openais_pass_unlooked_at() -> None:
    """A request with what no engine knows is a good one."""
    body = f'{CHAT}, "store": true, "metadata": {{"a": "b"}}, "service_tier": "auto", "top_k": 40}}'
    decode(body.encode(), ChatRequest).check()


@pytest.mark.parametrize(
    ("body", "model"),
    [(b"{}", None), (b'{"model": null}', None), (b'{"model": ""}', None), (b'{"model":"x"}', "x")],
)
def test_no_model_and_an_empty_one_are_the_same(body: bytes, model: str | None) -> None:
    """Then the default model answers."""
    assert model_of(fields_of(body)) == model


def test_a_model_that_is_no_text_is_refused() -> None:
    """It is never taken for the default."""
    with pytest.raises(InvalidRequest) as raised:
        model_of(fields_of(b'{"model": 5}'))
    assert raised.value.param == "model"


def test_changing_one_field_keeps_the_bytes_of_all_others() -> None:
    """Numbers and spaces inside other fields stay as they were written."""
    fields = fields_of(b'{"model": "x", "t": 1.50, "m": [ {"a" : 1} ], "n": 2}')
    changed = with_fields(fields, model="y", n=None)
    assert changed == b'{"model":"y","t":1.50,"m":[ {"a" : 1} ]}'


def test_of_a_field_that_stands_twice_the_last_one_counts() -> None:
    """So no one can be checked and another sent."""
    fields = fields_of(b'{"model": "x", "model": "y"}')
    assert model_of(fields) == "y"
    assert msgspec.json.decode(with_fields(fields, a=1)) == {"model": "y", "a": 1}
