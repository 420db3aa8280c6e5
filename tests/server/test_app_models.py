"""Apps as models of OpenAI's API, asked with its official client."""

from __future__ import annotations

import asyncio
import http.client
import json
from contextlib import closing
from typing import Any

import openai
import pytest
from tests.server.app_texts import ECHO, asking, chatting, published
from tests.server.conftest import Caller

from ingle.testing import Fault, ScriptedUpstream, chat_stream, models

Json = dict[str, Any]  # Any: a JSON value has no narrower type

TWO_TEXTS = """\
name: Two texts
input: {first: text, second: text, size: {type: number, default: 1}}
steps:
  both: {use: ingle/template, input: {text: "{{ input.first }}-{{ input.second }}-{{ input.size }}"}}
"""


def test_an_app_is_listed_and_answers(call: Caller, client: openai.OpenAI) -> None:
    """Whole and streamed, in a chat and as a completion; the run is kept."""
    with published(call, "echo", ECHO):
        listed = {model.id: model for model in client.models.list()}
        assert listed["app/echo"].owned_by == "app"
        assert client.models.retrieve("app/echo").created > 0
        said = [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}]
        whole = client.chat.completions.create(model="app/echo", messages=said)  # type: ignore[arg-type]
        streamed = client.chat.completions.create(
            model="app/echo", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        text = "".join(chunk.choices[0].delta.content or "" for chunk in streamed)
        completed = client.completions.create(model="app/echo", prompt="hi")
    assert whole.choices[0].message.content == text == completed.choices[0].text == "You said: hi"
    assert whole.choices[0].finish_reason == "stop"
    run = whole.id.removeprefix("chatcmpl-")
    record = call("GET", f"/api/runs/{run}").json
    assert (record["output"], record["source"]) == ("You said: hi", "openai")


def test_what_an_app_asks_more_comes_in_input(call: Caller, client: openai.OpenAI) -> None:
    """With two texts nothing tells which of them is said, and the error names them."""
    with published(call, "two", TWO_TEXTS):
        said = [{"role": "user", "content": "b"}]
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model="app/two", messages=said)  # type: ignore[arg-type]
        assert caught.value.param == "input"
        assert "`first` (text), `second` (text), `size` (number, optional)" in str(caught.value)
        whole = client.chat.completions.create(
            model="app/two",
            messages=said,  # type: ignore[arg-type]
            extra_body={"input": {"first": "a", "size": 3}},
        )
    assert whole.choices[0].message.content == "a-b-3"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role"),
        ({"input": 3}, "input"),
        ({"input": {"nope": 3}}, "input.nope"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
            "messages",
        ),
    ],
)
def test_what_an_app_cannot_do_is_refused(call: Caller, more: Json, param: str) -> None:
    """Rather than left out unsaid."""
    said = [{"role": "user", "content": "hi"}]
    with published(call, "echo", ECHO):
        answer = call.post("/v1/chat/completions", {"model": "app/echo", "messages": said, **more})
    assert (answer.status, answer.error["param"]) == (400, param)


def test_no_such_app_and_no_such_endpoint_are_404(call: Caller, client: openai.OpenAI) -> None:
    """As for models."""
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="app/nope", messages=[])
    assert missing.value.code == "app_not_found"
    answer = call.post("/v1/embeddings", {"model": "app/nope", "input": "x"})
    assert answer.status == 404
    assert "/v1/chat/completions" in answer.error["message"]


async def test_a_chat_app_gets_the_messages_before(call: Caller, client: openai.OpenAI) -> None:
    """The last is what is said, and the usage is what its steps took."""
    async with ScriptedUpstream(models("scripted"), chat_stream("Ada", has_usage=True)) as upstream:

        def ask() -> Any:
            with published(call, "chatting", chatting(upstream.url)):
                return client.chat.completions.create(
                    model="app/chatting",
                    messages=[
                        {"role": "user", "content": "I am Ada."},
                        {"role": "assistant", "content": "Hello."},
                        {"role": "user", "content": "Who am I?"},
                    ],
                )

        answer = await asyncio.to_thread(ask)
        request = await upstream.received(len(upstream.requests))
    assert answer.choices[0].message.content == "Ada"
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (5, 7)
    assert [message["content"] for message in request.json["messages"]] == [
        "I am Ada.",
        "Hello.",
        "Who am I?",
    ]


def heard(stream: openai.Stream[Any]) -> tuple[str, openai.APIError]:
    """What a stream said until it failed."""
    text = ""
    try:
        for chunk in stream:
            text += chunk.choices[0].delta.content or ""
    except openai.APIError as error:
        return text, error
    raise AssertionError("it did not fail")


async def test_a_run_that_fails_midway_ends_with_an_error(
    call: Caller, client: openai.OpenAI
) -> None:
    """As a chunk that OpenAI's client raises; what had come is not lost before it."""
    broken = chat_stream("Good ", "morning").cut_after(2, Fault.RESET)
    async with ScriptedUpstream(models("scripted"), broken) as upstream:

        def ask() -> tuple[str, openai.APIError]:
            with published(call, "asked", asking(upstream.url)):
                return heard(
                    client.chat.completions.create(
                        model="app/asked", messages=[{"role": "user", "content": "?"}], stream=True
                    )
                )

        text, error = await asyncio.to_thread(ask)
    assert text == "Good "
    assert "The step `answer` failed" in str(error)


async def test_what_is_taken_back_after_it_was_told_is_an_error(call: Caller) -> None:
    """A stream of OpenAI's cannot say it; one that goes on as before needs not say anything."""
    cut = chat_stream("Good ", "morning").cut_after(2, Fault.RESET)
    again = chat_stream("Good ", "evening")
    other = chat_stream("Bad ", "evening")
    async with ScriptedUpstream(models("scripted"), cut, again, cut, other) as upstream:

        def ask() -> list[list[Json]]:
            text = asking(upstream.url, more="fallback: [scripted]")
            body = {
                "model": "app/asked",
                "messages": [{"role": "user", "content": "?"}],
                "stream": True,
            }
            with published(call, "asked", text):
                answers = [call.post("/v1/chat/completions", body) for _ in range(2)]
            return [
                [json.loads(event) for event in answer.events if event != "[DONE]"]
                for answer in answers
            ]

        went_on, took_back = await asyncio.to_thread(ask)
    texts = [chunk["choices"][0]["delta"].get("content", "") for chunk in went_on]
    assert "".join(texts) == "Good evening"
    assert took_back[-1]["error"]["code"] == "conflict"
    assert "GET /api/runs/run_" in took_back[-1]["error"]["message"]


async def test_who_leaves_stops_the_run(call: Caller) -> None:
    """As with any model; the server of the model is left, too."""
    held = asyncio.Event()
    async with ScriptedUpstream(
        models("scripted"), chat_stream("Good ", "x").paused_before(2, held)
    ) as upstream:

        def leave() -> None:
            with published(call, "asked", asking(upstream.url)):
                body = {"model": "app/asked", "messages": [{"role": "user", "content": "?"}]}
                with closing(http.client.HTTPConnection(*call.address, timeout=30)) as connection:
                    sent = json.dumps({**body, "stream": True})
                    connection.request("POST", "/v1/chat/completions", sent)
                    answer = connection.getresponse()
                    assert answer.readline().startswith(b"data: ")

        await asyncio.to_thread(leave)
        request = await upstream.received(len(upstream.requests))
        await request.left.wait()


async def test_pictures_of_a_message_go_to_the_field_for_them(call: Caller) -> None:
    """As data URIs."""
    text = """\
name: Seen
input: {question: text, picture: image}
steps:
  both: {use: ingle/template, input: {text: "{{ input.question }} {{ input.picture }}"}}
"""
    parts = [
        {"type": "text", "text": "what?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    with published(call, "seen", text):
        body = {"model": "app/seen", "messages": [{"role": "user", "content": parts}]}
        answer = call.post("/v1/chat/completions", body)
    said = answer.json["choices"][0]["message"]["content"]
    assert said == "what? data:image/png;base64,AAAA"
