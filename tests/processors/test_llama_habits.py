"""What llama.cpp does differently, put right before and after."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.errors import ContextTooLong, UnsupportedInput, UpstreamRefused
from ingle.processors.llama_habits import meant_by, with_choice_for_llama

F = {"type": "function", "function": {"name": "f"}}
G = {"type": "function", "function": {"name": "g"}}


def test_named_tool_is_the_only_one_and_required() -> None:
    """With one tool left, which is required, there is nothing else to call."""
    request = {"model": "m", "tools": [F, G], "tool_choice": G}
    assert with_choice_for_llama(request) == {
        "model": "m",
        "tools": [G],
        "tool_choice": "required",
    }


def test_no_tool_is_shown_where_none_may_be_called() -> None:
    """A model that sees no tools writes no calls."""
    request = {"model": "m", "tools": [F, G], "tool_choice": "none", "parallel_tool_calls": False}
    assert with_choice_for_llama(request) == {"model": "m", "parallel_tool_calls": False}


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
    """A word, no choice, and a name that is not there are the engine's to answer."""
    assert with_choice_for_llama(request_) == request_


def refusal(message: str, status: int) -> UpstreamRefused:
    """What the client raises for an answer of llama.cpp."""
    return UpstreamRefused(f"POST …: {message}", url="", status=status, server_message=message)


def test_prompt_that_is_too_long_is_said_so() -> None:
    """Both numbers are in the error, and what to do."""
    error = meant_by(
        refusal(
            "request (4009 tokens) exceeds the available context size (512 tokens), "
            "try increasing it",
            400,
        ),
        "demo",
    )
    assert isinstance(error, ContextTooLong)
    assert str(error) == (
        "The request has 4,009 tokens, and the model 'demo' has a context window of 512. "
        "Shorten it, or set `context_tokens` higher if the model was made for more."
    )


def test_picture_for_a_text_model_is_the_callers_fault() -> None:
    """llama.cpp's 500 for a picture is an error of the request."""
    error = meant_by(refusal("image input is not supported - hint: …", 500), "demo")
    assert isinstance(error, UnsupportedInput)
    assert error.http_status == 400


def test_other_refusals_stay() -> None:
    """What is said well enough has no other meaning."""
    assert meant_by(refusal("temperature must be positive", 400), "demo") is None
