"""An app's input: its JSON Schema, and values that are typed or refused."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.apps.definition import FieldDefinition, FieldType
from ingle.apps.fields import fields_schema, read_input
from ingle.errors import InvalidRequest


def field(kind: FieldType, **more: Any) -> FieldDefinition:
    return FieldDefinition(type=kind, **more)


@pytest.mark.parametrize(
    ("asked", "given", "typed"),
    [
        (field("string"), "a", "a"),
        (field("string"), 7, "7"),
        (field("number"), "1.5", 1.5),
        (field("number"), "2", 2),
        (field("integer"), "-3", -3),
        (field("integer"), 3.0, 3),
        (field("boolean"), "yes", True),
        (field("boolean"), False, False),
        (field("select", options=["a", {"label": "B", "value": "b"}]), "b", "b"),
        (field("choices", options=["a", "b"]), "a, b", ["a", "b"]),
        (field("json"), '{"a": [1]}', {"a": [1]}),
        (field("json"), "plain", "plain"),
        (field("file"), "data:text/plain;base64,aGk=", "data:text/plain;base64,aGk="),
    ],
)
def test_values_take_the_type_of_their_field(
    asked: FieldDefinition, given: Any, typed: Any
) -> None:
    """Texts stand for numbers and truth values, as tables and command lines have nothing else."""
    assert read_input({"x": asked}, {"x": given}) == {"x": typed}


@pytest.mark.parametrize(
    ("asked", "given", "said"),
    [
        (field("string"), None, "`x` is missing."),
        (field("string"), " ", "`x` is empty."),
        (field("string"), True, "`x` is 'true', but must be a text."),
        (field("number"), "many", "`x` is 'many', but must be a number."),
        (field("number"), "1e999", "`x` is '1e999', but must be a number."),
        (field("integer"), 1.5, "`x` is '1.5', but must be a whole number."),
        (field("boolean"), "perhaps", "`x` is 'perhaps', but must be true or false."),
        (field("select", options=["a", "b"]), "c", "`x` is 'c', but must be one of: a, b."),
        (field("choices", options=["a"]), ["z"], "`x` has 'z', but may have: a."),
        (
            field("file"),
            "/etc/passwd",
            "`x` must be a data URI, such as `data:text/plain;base64,…`.",
        ),
    ],
)
def test_wrong_values_are_named(asked: FieldDefinition, given: Any, said: str) -> None:
    """The message says what the value is and what it may be."""
    with pytest.raises(InvalidRequest) as caught:
        read_input({"x": asked}, {"x": given})
    assert (caught.value.message, caught.value.param) == (said, "input.x")


def test_unknown_names_get_the_nearest_right_one() -> None:
    """A slip of the pen is told apart from a field that is missing."""
    with pytest.raises(InvalidRequest) as caught:
        read_input({"question": field("string", default="?")}, {"qestion": "a"})
    assert caught.value.message == (
        "The app does not ask for `qestion`. Did you mean `question`? It asks for: question."
    )


def test_defaults_fill_in_and_what_need_not_be_given_is_null() -> None:
    """Every field has a value afterwards."""
    asked = {"a": field("string", default="x"), "b": field("text", required=False)}
    assert read_input(asked, {}) == {"a": "x", "b": None}


def test_schema_of_the_input() -> None:
    """It has what a form needs."""
    asked = {
        "tone": field("select", options=["short", "long"], default="short"),
        "user_text": field("text", description="What to say."),
    }
    assert fields_schema(asked) == {
        "type": "object",
        "properties": {
            "tone": {
                "type": "string",
                "title": "Tone",
                "default": "short",
                "enum": ["short", "long"],
            },
            "user_text": {
                "type": "string",
                "format": "textarea",
                "title": "User text",
                "description": "What to say.",
            },
        },
        "required": ["user_text"],
        "additionalProperties": False,
    }
