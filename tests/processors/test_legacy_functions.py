"""The old form of function calls, to servers of today and back."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from ingle.errors import InvalidRequest
from ingle.processors.legacy_functions import (
    has_functions,
    is_legacy,
    with_function_call,
    with_tools,
)

WEATHER = {"name": "weather", "description": "Tells it", "parameters": {"type": "object"}}


def test_functions_become_tools() -> None:
    """Functions are wrapped, one call is asked for, and all else of the request stays."""
    request = {"model": "m", "temperature": 0.5, "functions": [WEATHER, {"name": "now"}]}
    assert with_tools(request) == {
        "model": "m",
        "temperature": 0.5,
        "tools": [
            {"type": "function", "function": WEATHER},
            {
                "type": "function",
                "function": {"name": "now", "parameters": {"type": "object", "properties": {}}},
            },
        ],
        "parallel_tool_calls": False,
    }


@pytest.mark.parametrize(
    ("function_call", "tool_choice"),
    [
        ("none", "none"),
        ("auto", "auto"),
        ({"name": "weather"}, {"type": "function", "function": {"name": "weather"}}),
        ("weather", {"type": "function", "function": {"name": "weather"}}),
    ],
)
def test_function_call_becomes_tool_choice(function_call: object, tool_choice: object) -> None:
    """What `function_call` asks for is what `tool_choice` asks for."""
    translated = with_tools({"functions": [WEATHER], "function_call": function_call})
    assert translated["tool_choice"] == tool_choice
    assert "function_call" not in translated


def test_function_call_of_null_asks_for_nothing() -> None:
    """No `function_call` leaves the choice to the server."""
    assert "tool_choice" not in with_tools({"functions": [WEATHER], "function_call": None})


@pytest.mark.parametrize("function_call", ["none", "auto", None])
def test_function_call_without_functions_is_dropped(function_call: object) -> None:
    """With nothing to call there is nothing to control."""
    assert with_tools({"functions": None, "function_call": function_call}) == {}


@pytest.mark.parametrize(
    ("request_", "param", "message"),
    [
        (
            {"functions": [WEATHER], "function_call": {"name": "wether"}},
            "function_call",
            (
                "`function_call` asks for 'wether', which is not among the functions: weather. "
                "It may be none, auto, or one of their names."
            ),
        ),
        (
            {"function_call": "weather"},
            "function_call",
            (
                "`function_call` asks for 'weather', which is not among the functions: none were "
                "given. It may be none, auto, or one of their names."
            ),
        ),
        (
            {"functions": [WEATHER], "tools": [{"type": "function", "function": WEATHER}]},
            "functions",
            (
                "`functions` and `tools` say the same thing in an old and a new form; "
                "give one of them."
            ),
        ),
        (
            {"functions": [{"description": "no name"}]},
            "functions",
            "`functions` must be a list of objects that each have a `name`.",
        ),
        (
            {"functions": {"name": "weather"}},
            "functions",
            "`functions` must be a list of objects that each have a `name`.",
        ),
    ],
)
def test_wrong_functions_are_refused(request_: dict[str, Any], param: str, message: str) -> None:
    """What cannot be translated is an error that names the field."""
    with pytest.raises(InvalidRequest) as caught:
        with_tools(request_)
    assert (caught.value.param, str(caught.value)) == (param, message)


def test_calls_and_results_in_the_history_are_tied_by_ids() -> None:
    """Each old result becomes a tool message that names the call it answers."""
    messages = [
        {"role": "user", "content": "Weather in Rome and Oslo?"},
        {"role": "assistant", "content": None, "function_call": {"name": "w", "arguments": "R"}},
        {"role": "function", "name": "w", "content": "sun"},
        {"role": "assistant", "content": None, "function_call": {"name": "w", "arguments": "O"}},
        {"role": "function", "name": "w", "content": "snow"},
        {"role": "assistant", "content": "Sun and snow."},
    ]
    assert with_tools({"messages": messages})["messages"] == [
        {"role": "user", "content": "Weather in Rome and Oslo?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call00001",
                    "type": "function",
                    "function": {"name": "w", "arguments": "R"},
                }
            ],
        },
        {"role": "tool", "name": "w", "content": "sun", "tool_call_id": "call00001"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call00003",
                    "type": "function",
                    "function": {"name": "w", "arguments": "O"},
                }
            ],
        },
        {"role": "tool", "name": "w", "content": "snow", "tool_call_id": "call00003"},
        {"role": "assistant", "content": "Sun and snow."},
    ]


def test_result_without_a_call_gets_an_id_of_its_own() -> None:
    """A result whose call was cut from the history is still a tool message."""
    messages = [{"role": "function", "name": "w", "content": "sun"}]
    assert with_tools({"messages": messages})["messages"] == [
        {"role": "tool", "name": "w", "content": "sun", "tool_call_id": "call00000"}
    ]


@pytest.mark.parametrize(
    ("request_", "legacy", "functions"),
    [
        ({"functions": [WEATHER]}, True, True),
        ({"functions": []}, True, False),
        ({"function_call": "auto"}, True, False),
        ({"messages": [{"role": "function", "name": "f", "content": ""}]}, True, False),
        ({"messages": [{"role": "assistant", "function_call": {"name": "f"}}]}, True, False),
        ({"messages": [{"role": "assistant", "function_call": None}]}, False, False),
        ({"messages": [{"role": "user", "content": "hi"}], "tools": []}, False, False),
        ({"messages": "not a list"}, False, False),
        ({}, False, False),
    ],
)
def test_old_form_is_recognised(request_: dict[str, Any], legacy: bool, functions: bool) -> None:
    """A request is legacy by its fields or its messages; its answer only by its functions."""
    assert is_legacy(request_) is legacy
    assert has_functions(request_) is functions


def test_answer_comes_back_as_a_function_call() -> None:
    """The first call is the function call, and the finish reason says so."""
    answer = {
        "id": "x",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": "1", "type": "function", "function": {"name": "f"}},
                        {"id": "2", "type": "function", "function": {"name": "g"}},
                    ],
                },
                "finish_reason": "tool_calls",
            }
        ],
    }
    assert with_function_call(answer) == {
        "id": "x",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": None, "function_call": {"name": "f"}},
                "finish_reason": "function_call",
            }
        ],
    }


@pytest.mark.parametrize(
    ("delta", "translated"),
    [
        (
            {"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": ""}}]},
            {"function_call": {"name": "f", "arguments": ""}},
        ),
        (
            {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]},
            {"function_call": {"arguments": "{"}},
        ),
        ({"tool_calls": [{"index": 1, "function": {"arguments": "{"}}]}, {}),
        ({"content": "hi"}, {"content": "hi"}),
        ({"content": "hi", "tool_calls": None}, {"content": "hi"}),
    ],
)
def test_chunk_comes_back_in_the_old_form(
    delta: dict[str, Any], translated: dict[str, Any]
) -> None:
    """Each chunk is translated by itself; those of further calls become empty."""
    chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    assert with_function_call(chunk) == {
        "choices": [{"index": 0, "delta": translated, "finish_reason": None}]
    }


@pytest.mark.parametrize("answer", [{"error": {}}, {"choices": None}, {"choices": ["odd"]}])
def test_answer_of_another_shape_passes_unchanged(answer: dict[str, Any]) -> None:
    """What is not an answer of a chat is nobody's business here."""
    assert with_function_call(answer) == answer


def test_translating_changes_nothing_in_place() -> None:
    """Request and answer stay as they were given."""
    request = {
        "functions": [WEATHER],
        "messages": [{"role": "assistant", "function_call": {"name": "f", "arguments": ""}}],
    }
    answer = {"choices": [{"message": {"tool_calls": [{"function": {"name": "f"}}]}}]}
    before = deepcopy((request, answer))
    with_tools(request)
    with_function_call(answer)
    assert (request, answer) == before
