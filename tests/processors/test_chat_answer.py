"""Folding the chunks of a chat answer: pieces, messages and the raw response."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ingle.errors import UpstreamInvalid
from ingle.processors.chat_answer import ChatAnswer
from ingle.processors.pieces import Piece, fold
from ingle.upstream import wire

URL = "http://127.0.0.1:1/v1/chat/completions"


class Folded:
    """What became of some chunks: pieces, the output's choices, the response."""

    def __init__(self, *chunks: dict[str, Any], in_old_form: bool = False) -> None:
        answer = ChatAnswer(url=URL, in_old_form=in_old_form)
        typed = msgspec.convert(list(chunks), list[wire.ChatChunk])
        self.pieces = [*answer.take(typed), *answer.end()]
        self.choices = [message.model_dump() for message in answer.messages()]
        self.response = answer.response()
        assert fold(self.pieces) == {"choices": self.choices}


def choice(index: int = 0, /, finish: str | None = None, **delta: object) -> dict[str, Any]:
    """A choice of a chunk."""
    return {"index": index, "delta": delta, "finish_reason": finish}


def chunk(*choices: dict[str, Any], **more: object) -> dict[str, Any]:
    """A chunk as OpenAI's API sends it."""
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m"}
    return {**head, "choices": list(choices), **more}


def call(index: int | None, name: str | None, arguments: str, id_: str | None) -> dict[str, Any]:
    """A part of a tool call."""
    part = {"index": index, "id": id_, "type": "function"}
    function = {"name": name, "arguments": arguments}
    return {k: v for k, v in part.items() if v is not None} | {
        "function": {k: v for k, v in function.items() if v is not None}
    }


def test_text_becomes_pieces_and_one_message() -> None:
    """The role comes once, the texts as they came, and the response is one answer."""
    folded = Folded(
        chunk(choice(role="assistant", content="")),
        chunk(choice(content="Hel")),
        chunk(choice(content="lo")),
        chunk(choice(finish="stop")),
        chunk(usage={"total_tokens": 3}),
    )
    assert folded.pieces == [
        Piece(("choices", 0, "role"), value="assistant"),
        Piece(("choices", 0, "content"), "Hel"),
        Piece(("choices", 0, "content"), "lo"),
    ]
    assert folded.choices == [{"role": "assistant", "content": "Hello"}]
    assert folded.response == {
        "id": "c1",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"total_tokens": 3},
    }


def test_choices_are_kept_apart() -> None:
    """Chunks of several choices may come mixed, and two choices in one chunk."""
    folded = Folded(
        chunk(choice(1, role="assistant", content="B")),
        chunk(choice(0, role="assistant", content="A"), choice(1, content="b")),
        chunk(choice(0, content="a", finish="stop"), choice(1, finish="length")),
    )
    assert folded.choices == [
        {"role": "assistant", "content": "Aa"},
        {"role": "assistant", "content": "Bb"},
    ]
    assert [c["finish_reason"] for c in folded.response["choices"]] == ["stop", "length"]


def test_role_that_is_repeated_is_said_once() -> None:
    """LocalAI says the role in every chunk; it is not "assistantassistant"."""
    folded = Folded(
        chunk(choice(role="assistant", content="a")), chunk(choice(role="assistant", content="b"))
    )
    assert folded.choices == [{"role": "assistant", "content": "ab"}]


@pytest.mark.parametrize("role", ["", "model", None])
def test_role_that_no_message_has_is_the_assistant(role: str | None) -> None:
    """Who answers is the assistant, whatever else the server calls it."""
    assert Folded(chunk(choice(role=role, content="a"))).choices[0]["role"] == "assistant"


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_kept_under_one_name(name: str) -> None:
    """What the model thinks is `reasoning_content`; the response keeps the server's name."""
    folded = Folded(
        chunk(choice(role="assistant", **{name: "Let "})),
        chunk(choice(**{name: "me see."})),
        chunk(choice(content="42", finish="stop")),
    )
    assert folded.choices == [
        {"role": "assistant", "content": "42", "reasoning_content": "Let me see."}
    ]
    assert folded.response["choices"][0]["message"] == {
        "role": "assistant",
        "content": "42",
        name: "Let me see.",
    }


def test_refusal_stands_in_the_place_of_content() -> None:
    """A message that refuses has no content."""
    folded = Folded(chunk(choice(refusal="I will ")), chunk(choice(refusal="not.", finish="stop")))
    assert folded.choices == [{"role": "assistant", "refusal": "I will not."}]
    assert folded.response["choices"][0]["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": "I will not.",
    }


def test_answer_of_nothing_is_empty_text() -> None:
    """A message that says nothing has empty content, so that there is always something to read."""
    folded = Folded(chunk(choice(role="assistant", content="")), chunk(choice(finish="stop")))
    assert folded.choices == [{"role": "assistant", "content": ""}]
    assert folded.response["choices"][0]["message"]["content"] == ""


def test_tool_calls_are_folded_by_index() -> None:
    """Ids and names come once, arguments bit by bit; parts of two calls may come mixed."""
    folded = Folded(
        chunk(choice(role="assistant", content=None, tool_calls=[call(0, "f", "", "a")])),
        chunk(choice(tool_calls=[call(1, "g", "{", "b"), call(0, None, '{"x"', None)])),
        chunk(choice(tool_calls=[call(0, None, ":1}", None), call(1, None, "}", None)])),
        chunk(choice(finish="tool_calls")),
    )
    calls = [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    assert folded.choices == [{"role": "assistant", "tool_calls": calls}]
    assert folded.response["choices"][0]["message"] == {
        "role": "assistant",
        "content": None,
        "tool_calls": calls,
    }


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(
            [call(0, "f", "1", "a"), call(0, "g", "2", "b")], id="the same index for every call"
        ),
        pytest.param([call(None, "f", "1", "a"), call(None, "g", "2", "b")], id="no index"),
        pytest.param([call(7, "f", "1", "a"), call(9, "g", "2", "b")], id="indexes from anywhere"),
        pytest.param(
            [
                call(None, "f", "", "a"),
                call(None, None, "1", None),
                call(None, "g", "", "b"),
                call(None, None, "2", "b"),
            ],
            id="no index, in parts",
        ),
        pytest.param(
            [call(0, "f", "", "a"), call(0, "f", "1", "a"), call(1, "g", "2", "b")],
            id="the name repeated",
        ),
        pytest.param(
            [call(0, "", "", "a"), call(0, "f", "1", "a"), call(1, "g", "2", "b")],
            id="the name late",
        ),
        pytest.param(
            [call(0, "f", "", None), call(0, None, "1", "a"), call(1, "g", "2", "b")],
            id="the id late",
        ),
    ],
)
def test_odd_tool_calls_are_understood(parts: list[dict[str, Any]]) -> None:
    """However servers number and repeat the parts of two calls, they are the same two calls."""
    folded = Folded(*(chunk(choice(tool_calls=[part])) for part in parts))
    assert folded.choices[0]["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "1"}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "2"}},
    ]


def test_calls_without_ids_are_told_apart_by_their_names() -> None:
    """Two whole calls with neither index nor id are two calls, without ids."""
    folded = Folded(
        chunk(choice(tool_calls=[call(None, "f", "1", None), call(None, "g", "2", None)]))
    )
    assert folded.choices[0]["tool_calls"] == [
        {"type": "function", "function": {"name": "f", "arguments": "1"}},
        {"type": "function", "function": {"name": "g", "arguments": "2"}},
    ]


def test_function_call_of_an_old_server_is_folded() -> None:
    """A server that answers in the old form is understood, whatever form was asked for."""
    folded = Folded(
        chunk(choice(function_call={"name": "f", "arguments": ""})),
        chunk(choice(function_call={"arguments": "{"})),
        chunk(choice(function_call={"arguments": "}"}, finish="function_call")),
    )
    called = {"name": "f", "arguments": "{}"}
    assert folded.choices == [{"role": "assistant", "function_call": called}]
    assert folded.response["choices"][0]["message"]["function_call"] == called


def test_first_tool_call_is_the_function_call_of_the_old_form() -> None:
    """The output has the one call that the old form has room for; the response has all."""
    folded = Folded(
        chunk(choice(tool_calls=[call(0, "f", "{", "a"), call(1, "g", "{}", "b")])),
        chunk(choice(tool_calls=[call(0, None, "}", None)], finish="tool_calls")),
        in_old_form=True,
    )
    assert folded.choices == [
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}
    ]
    assert folded.response["choices"][0]["message"]["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]


def test_both_forms_at_once_are_one_function_call() -> None:
    """A server that says the same call in both forms has made one call, not one twice as long."""
    folded = Folded(
        chunk(
            choice(
                tool_calls=[call(0, "f", "{}", "a")],
                function_call={"name": "f", "arguments": "{}"},
            )
        ),
        in_old_form=True,
    )
    assert folded.choices[0]["function_call"] == {"name": "f", "arguments": "{}"}


def test_log_probabilities_are_joined() -> None:
    """Those of all chunks make the list that an unstreamed answer has."""
    first = choice(content="a") | {"logprobs": {"content": [{"token": "a"}], "refusal": None}}
    second = choice(content="b") | {"logprobs": {"content": [{"token": "b"}], "refusal": None}}
    folded = Folded(chunk(first), chunk(second), chunk(choice(finish="stop")))
    assert folded.response["choices"][0]["logprobs"] == {
        "content": [{"token": "a"}, {"token": "b"}],
        "refusal": None,
    }


def test_facts_about_the_answer_are_kept() -> None:
    """Who answered, how fast and at what cost is part of the response."""
    facts = {"system_fingerprint": "b1", "service_tier": "default"}
    folded = Folded(
        chunk(),  # Azure begins with a chunk that has nothing in it
        chunk(choice(content="a"), **facts),
        chunk(choice(finish="stop"), timings={"predicted_per_second": 9}, **facts),
    )
    response = folded.response
    assert {name: response[name] for name in (*facts, "timings")} == {
        **facts,
        "timings": {"predicted_per_second": 9},
    }


@pytest.mark.parametrize("index", [-1, 1024])
def test_absurd_choice_is_an_error(index: int) -> None:
    """A choice numbered a million would make a list of a million; it is refused instead."""
    with pytest.raises(UpstreamInvalid, match=f"a choice numbered {index}, where 0 to") as caught:
        Folded(chunk(choice(index, content="a")))
    assert caught.value.url == URL


def test_absurd_number_of_calls_is_an_error() -> None:
    """Calls without end in one message are refused, too."""
    calls = [call(number, "f", "", None) for number in range(1024)]
    with pytest.raises(UpstreamInvalid, match="a count of function calls of 1024"):
        Folded(chunk(choice(tool_calls=calls)))


@pytest.mark.parametrize(
    ("chunks", "came"), [([], "none"), ([chunk(choice(1)), chunk(choice(2))], "1, 2")]
)
def test_missing_choice_is_an_error(chunks: list[dict[str, Any]], came: str) -> None:
    """An answer without a first choice is no answer."""
    with pytest.raises(UpstreamInvalid, match=f"the choices that came are {came}; they should"):
        Folded(*chunks)


def test_whole_answer_is_folded_alike() -> None:
    """An answer that was not streamed makes the same pieces, and keeps all that was said."""
    raw = {
        "id": "c1",
        "unheard_of": True,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [call(None, "f", "{}", "a")],
                },
                "finish_reason": "tool_calls",
            },
            {"index": 0, "message": {"role": "assistant", "content": "no"}},
        ],
    }
    whole = msgspec.convert(raw, wire.ChatCompletion)
    whole.raw = raw
    answer = ChatAnswer(url=URL)
    pieces = [*answer.take_whole(whole), *answer.end()]
    choices = [
        {"role": "assistant", "tool_calls": [call(None, "f", "{}", "a")]},
        {"role": "assistant", "content": "no"},
    ]
    assert fold(pieces) == {"choices": choices}
    assert [message.model_dump() for message in answer.messages()] == choices
    assert answer.response() is raw
