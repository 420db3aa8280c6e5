"""A tool choice by name, put in words that llama.cpp knows."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.processors.tool_choice import with_named_tool_required

F = {"type": "function", "function": {"name": "f"}}
G = {"type": "function", "function": {"name": "g"}}


def test_named_tool_is_the_only_one_and_required() -> None:
    """With one tool left, which is required, there is nothing else to call."""
    request = {"model": "m", "tools": [F, G], "tool_choice": G}
    assert with_named_tool_required(request) == {
        "model": "m",
        "tools": [G],
        "tool_choice": "required",
    }


@pytest.mark.parametrize(
    "request_",
    [
        {"tools": [F, G], "tool_choice": "auto"},
        {"tools": [F, G]},
        {"tools": [F], "tool_choice": G},
        {"tool_choice": F},
    ],
)
def test_other_choices_stay(request_: dict[str, Any]) -> None:
    """A word, no choice, and a name that is not there are the server's to answer."""
    assert with_named_tool_required(request_) == request_
