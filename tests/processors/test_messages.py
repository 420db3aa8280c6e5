"""Chat messages and functions: what they take, and what their JSON looks like."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ingle.processors.messages import ChatMessage, FunctionCall, ToolCall


def test_json_of_a_message_has_no_nulls() -> None:
    """Fields that are not set are left out."""
    assert ChatMessage(role="user", content="hi").model_dump() == {"role": "user", "content": "hi"}


def test_answer_can_be_sent_back_as_it_came() -> None:
    """Every field of an answer is one of a message too, so that a chat can go on."""
    written = {
        "role": "assistant",
        "content": "Let me look.",
        "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        ],
        "reasoning_content": "I need f.",
        "refusal": "No.",
    }
    assert ChatMessage.model_validate(written).model_dump() == written


def test_image_may_be_written_plainly() -> None:
    """LLMStack's `image_url: "…"` and OpenAI's `image_url: {"url": "…"}` are the same."""
    plain = {"role": "user", "content": [{"type": "image_url", "image_url": "http://a/b.png"}]}
    assert ChatMessage.model_validate(plain).model_dump() == {
        "role": "user",
        "content": [{"type": "image_url", "image_url": {"url": "http://a/b.png"}}],
    }


@pytest.mark.parametrize("role", ["system", "user", "assistant", "function", "tool", "developer"])
def test_every_role_is_taken(role: str) -> None:
    """All roles that OpenAI's API has had are taken."""
    assert ChatMessage.model_validate({"role": role, "content": ""}).role == role


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('{"type": "object"}', {"type": "object"}),
        ({"type": "object"}, {"type": "object"}),
        ("", None),
        (None, None),
    ],
)
def test_parameters_are_text_or_an_object(written: object, meant: object) -> None:
    """A JSON Schema may be written as JSON text or as an object; nothing means no parameters."""
    assert FunctionCall.model_validate({"name": "f", "parameters": written}).parameters == meant


def test_parameters_nested_beyond_reason_are_refused() -> None:
    """JSON too deep to be read is an error like any other broken JSON."""
    with pytest.raises(ValidationError, match="written as JSON"):
        FunctionCall.model_validate({"name": "f", "parameters": '{"a":' * 100_000})


def test_schema_tells_that_parameters_may_be_text() -> None:
    """Who builds a form from the JSON Schema learns both ways to write parameters."""
    schema = FunctionCall.model_json_schema()["properties"]["parameters"]
    assert [option["type"] for option in schema["anyOf"]] == ["object", "string", "null"]


def test_call_without_an_id_has_none_in_its_json() -> None:
    """Some servers give calls no id; then there is no `id: null` either."""
    call = ToolCall.model_validate({"function": {"name": "f", "arguments": "{}"}})
    assert call.model_dump() == {
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
    }
