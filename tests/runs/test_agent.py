"""A model with tools: the loop, what is told of it, and everything that a model can get wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from ingle.apps.app import App
from ingle.apps.check import load
from ingle.apps.fields import read_input
from ingle.processors.pieces import Piece, fold
from ingle.routing import Router
from ingle.runs.events import OutputPiece, StepPiece, fold_run
from ingle.runs.executor import NoRecord, execute
from ingle.runs.log import RunLog
from ingle.runs.work import work_of
from ingle.testing import ScriptedUpstream, chat_stream, error, models
from ingle.testing.answers import Answer, events

HEAD = {"id": "s1", "created": 1, "model": "scripted", "object": "chat.completion.chunk"}


def calls(*wanted: tuple[str, str], text: str = "", size: int = 5, thinks: str = "") -> Answer:
    """A streamed answer that calls tools by name, their arguments in pieces of `size` characters."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": text}]
    if thinks:
        deltas.append({"reasoning_content": thinks})
    for index, (name, arguments) in enumerate(wanted):
        first = {"index": index, "id": f"id{index}", "type": "function"}
        deltas.append({"tool_calls": [{**first, "function": {"name": name, "arguments": ""}}]})
        for start in range(0, len(arguments), size):
            part = {"index": index, "function": {"arguments": arguments[start : start + size]}}
            deltas.append({"tool_calls": [part]})
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    return events(*({**HEAD, **chunk} for chunk in chunks), "[DONE]", endpoint="chat/completions")


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    """A server that each test gives its answers."""
    async with ScriptedUpstream(models("m")) as upstream:
        yield upstream


def asked(upstream: ScriptedUpstream) -> list[Any]:
    """What the model was asked, each time."""
    return [r.json for r in upstream.requests if r.path.endswith("/chat/completions")]


def agent_app(upstream: ScriptedUpstream, tools: str, more: str = "", prompt: str = "Do it") -> App:
    """An agent that asks this server."""
    return load(
        f"""
name: Agent
type: agent
steps:
  agent:
    prompt: "{prompt}"
    config: {{base_url: "{upstream.url}", model: m}}
    tools:
      {tools}
    {more}
""",
        "agent.yaml",
        FOUND.get,
    )


FOUND = {
    "double": load(
        "{name: Double, description: Says it twice, input: {word: string, sep: string},"
        " steps: {say: {use: ingle/template,"
        " input: {text: '{{ input.word }}{{ input.sep }}{{ input.word }}'}}}}",
        "double.yaml",
    )
}


async def run(app: App, router: Router) -> tuple[dict[str, Any], RunLog]:
    """The output of the step `agent`, and the events."""
    log = RunLog()
    work = work_of(router, FOUND.get)
    values = read_input(app.fields, {"message": "Hello"})
    await execute(app, values, run="run_1", log=log, work=work, record=NoRecord())
    output = fold_run(log.events).steps["agent"].output
    pieces = [Piece(e.path, e.text, e.value) for e in log.events if isinstance(e, StepPiece)]
    assert fold(pieces) == {k: v for k, v in output.items() if not k.startswith("_")}
    return output, log


async def test_agent_calls_until_it_answers(upstream: ScriptedUpstream, router: Router) -> None:
    """Calls in pieces, several in a turn; results go back by id, and the answer is streamed."""
    upstream.script(
        calls(("double", '{"word": "ha"}'), ("double", '{"word": "ho"}'), thinks="Laugh."),
        chat_stream("It is ", "haha.", has_usage=True),
    )
    app = agent_app(upstream, 'double: {use: app/double, input: {sep: "-"}}')
    output, log = await run(app, router)
    assert output["content"] == "It is haha."
    assert output["choices"] == [{"role": "assistant", "content": "It is haha."}]
    assert output["is_exhausted"] is False
    assert output["reasoning_content"] == "Laugh."
    assert [(c["name"], c["arguments"], c["result"]) for c in output["calls"]] == [
        ("double", '{"word": "ha"}', "ha-ha"),
        ("double", '{"word": "ho"}', "ho-ho"),
    ]
    assert output["_api_response"]["usage"]["total_tokens"] > 0
    first, second = asked(upstream)
    assert first["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "double",
                "description": "Says it twice",
                "parameters": {
                    "type": "object",
                    "properties": {"word": {"type": "string"}},
                    "required": ["word"],
                },
            },
        }
    ]
    assert [m["role"] for m in second["messages"]] == ["user", "assistant", "tool", "tool"]
    assert [m.get("tool_call_id") for m in second["messages"][2:]] == ["id0", "id1"]
    assert [m["content"] for m in second["messages"][2:]] == ["ha-ha", "ho-ho"]
    assert "reasoning_content" not in second["messages"][1]
    assert [e.text for e in log.events if isinstance(e, OutputPiece)] == ["It is ", "haha."]


async def test_text_before_a_call_is_void_but_kept(
    upstream: ScriptedUpstream, router: Router
) -> None:
    """It streams as it comes; then the output begins anew, and the text stays in `messages`."""
    upstream.script(calls(("double", '{"word": "a"}'), text="Let me see."), chat_stream("Done."))
    output, log = await run(
        agent_app(upstream, "double: {use: app/double, input: {sep: ''}}"), router
    )
    told = [(e.text, e.is_restart) for e in log.events if isinstance(e, OutputPiece)]
    assert told == [("Let me see.", False), ("", True), ("Done.", False)]
    assert output["messages"][0]["content"] == "Let me see."
    assert output["content"] == "Done."


async def test_blank_text_before_a_call(upstream: ScriptedUpstream, router: Router) -> None:
    """Models that think end that with empty lines; these are no part of the answer."""
    upstream.script(calls(("double", '{"word": "a"}'), text="\n\n"), chat_stream("Done."))
    tools = "double: {use: app/double, input: {sep: ''}}"
    output, log = await run(agent_app(upstream, tools), router)
    assert output["content"] == "Done."
    assert fold_run(log.events).output == "Done."


async def test_what_a_model_gets_wrong_is_told_to_it(
    upstream: ScriptedUpstream, router: Router
) -> None:
    """Unknown tools, broken JSON, wrong arguments and fields that are set: texts to act on."""
    upstream.script(
        calls(
            ("nothing", "{}"),
            ("double", '{"word": '),
            ("double", "[1]"),
            ("double", '{"wrod": "a"}'),
            ("double", '{"word": "a", "sep": "b"}'),
            ("web", '{"url": "http://10.0.0.1/"}'),
            ("split", '{"text": "abc", "size": "many"}'),
        ),
        chat_stream("Sorry."),
    )
    tools = """double: {use: app/double, input: {sep: ''}}
      web: {use: ingle/http_request}
      split: {use: ingle/text_split}"""
    output, _ = await run(agent_app(upstream, tools), router)
    assert output["content"] == "Sorry."
    errors = [call["error"] for call in output["calls"]]
    assert all(text.startswith("Error: ") for text in errors)
    assert "There is no tool 'nothing'. There are: double, web, split." in errors[0]
    assert "not valid JSON" in errors[1]
    assert "no JSON object" in errors[2]
    assert "`wrod`" in errors[3]
    assert "`word` is missing" in errors[3]
    assert "sep: this is set already" in errors[4]
    assert "10.0.0.1" in errors[5]
    assert "input" in errors[6]
    sent = asked(upstream)[1]["messages"]
    assert [m["content"] for m in sent if m["role"] == "tool"] == errors
    written = [call["function"]["arguments"] for call in sent[1]["tool_calls"]]
    assert written[1:3] == ["{}", "{}"]  # else templates that read them fail


async def test_calls_of_a_turn_run_side_by_side(upstream: ScriptedUpstream, router: Router) -> None:
    """Each of two calls waits for the other's request to have come."""
    both = asyncio.Event()
    page = Answer((b"page",), headers=(("Content-Type", "text/plain"),)).paused_before(0, both)
    async with ScriptedUpstream(page, page) as web:
        one = ("web", json.dumps({"url": web.url}))
        upstream.script(calls(one, one), chat_stream("Both."))
        running = asyncio.ensure_future(
            run(agent_app(upstream, "web: {use: ingle/http_request}"), router)
        )
        await web.received(2)
        both.set()
        output, _ = await running
    assert [call["result"] for call in output["calls"]] == ["page", "page"]


async def test_slow_tool_is_stopped(upstream: ScriptedUpstream, router: Router) -> None:
    """After its `timeout` a call is cancelled, and the model is told."""
    never = asyncio.Event()
    page = Answer((b"page",)).paused_before(0, never)
    async with ScriptedUpstream(page) as web:
        upstream.script(calls(("web", json.dumps({"url": web.url}))), chat_stream("Slow."))
        app = agent_app(upstream, "web: {use: ingle/http_request, timeout: 0.05}")
        output, _ = await run(app, router)
    assert output["calls"][0]["error"] == "Error: web did not end within 0.05 s and was stopped."


async def test_long_results_are_cut(upstream: ScriptedUpstream, router: Router) -> None:
    """A result has a bounded length for the model, with a note of what is missing."""
    page = Answer((b"x " * 25_000,), headers=(("Content-Type", "text/plain"),))
    async with ScriptedUpstream(page) as web:
        upstream.script(calls(("web", json.dumps({"url": web.url}))), chat_stream("Long."))
        output, _ = await run(agent_app(upstream, "web: {use: ingle/http_request}"), router)
    result = output["calls"][0]["result"]
    assert result == "x " * 10_000 + "\n[30,000 more characters were cut off here.]"


async def test_pictures_are_shown_but_not_read(upstream: ScriptedUpstream, router: Router) -> None:
    """The model gets a note in the place of a file; who looks at the run gets the file."""
    picture = "iVBORw0KGgo" * 300
    upstream.script(
        calls(("draw", '{"prompt": "a cat"}')),
        Answer(
            (json.dumps({"created": 1, "data": [{"b64_json": picture}]}).encode(),),
            headers=(("Content-Type", "application/json"),),
            endpoint="images/generations",
        ),
        chat_stream("Here."),
    )
    tools = f"draw: {{use: localai/image_generations, config: {{base_url: '{upstream.url}'}}}}"
    output, _ = await run(agent_app(upstream, tools), router)
    assert output["calls"][0]["data"] == picture
    assert output["calls"][0]["result"] == "[a file, 2,475 bytes: shown to the user]"


async def test_last_answer_after_the_last_step(upstream: ScriptedUpstream, router: Router) -> None:
    """A model that calls for ever is asked for an answer without tools, and told why."""
    endless = calls(("double", '{"word": "a"}'))
    upstream.script(endless, endless, chat_stream("I know enough."))
    tools = "double: {use: app/double, input: {sep: ''}}"
    output, _ = await run(agent_app(upstream, tools, "max_steps: 2"), router)
    assert output["content"] == "I know enough."
    assert output["is_exhausted"] is True
    last = asked(upstream)[2]
    assert "tools" not in last
    assert last["messages"][-1] == {
        "role": "user",
        "content": "You have used all 2 steps, so nothing more can be called. Answer now from what "
        "you know so far, and say what is missing.",
    }


async def test_answer_is_never_empty(upstream: ScriptedUpstream, router: Router) -> None:
    """A model that says nothing is asked again; one that keeps silent has that said for it."""
    upstream.script(chat_stream(), chat_stream())
    output, _ = await run(agent_app(upstream, "split: {use: ingle/text_split}"), router)
    assert len(asked(upstream)) == 2
    assert output["content"] == "The model gave no answer, even when it was asked for one."
    assert output["is_exhausted"] is False


async def test_forced_call_is_forced_once(upstream: ScriptedUpstream, router: Router) -> None:
    """`tool_choice` holds for the first time that the model is asked."""
    upstream.script(calls(("double", '{"word": "a"}')), chat_stream("Once."))
    app = load(
        f"""
name: A
steps:
  agent:
    prompt: x
    config: {{base_url: "{upstream.url}", model: m, tool_choice: required}}
    tools: {{double: {{use: app/double, input: {{sep: ''}}}}}}
""",
        "a",
        FOUND.get,
    )
    log = RunLog()
    await execute(app, {}, run="r", log=log, work=work_of(router, FOUND.get), record=NoRecord())
    assert [body.get("tool_choice") for body in asked(upstream)] == ["required", None]


async def test_servers_of_the_old_form(upstream: ScriptedUpstream, router: Router) -> None:
    """A `function_call` is a call, too, and gets an id."""
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": {"function_call": {"name": "double", "arguments": ""}}},
        {"index": 0, "delta": {"function_call": {"arguments": '{"word": "a"}'}}},
        {"index": 0, "delta": {}, "finish_reason": "function_call"},
    ]
    chunks = ({**HEAD, "choices": [choice]} for choice in choices)
    upstream.script(events(*chunks, "[DONE]", endpoint="chat/completions"), chat_stream("Old."))
    tools = "double: {use: app/double, input: {sep: ''}}"
    output, _ = await run(agent_app(upstream, tools), router)
    assert (output["content"], output["calls"][0]["id"]) == ("Old.", "call00000")


async def test_results_that_do_not_fit_are_shortened(
    upstream: ScriptedUpstream, router: Router
) -> None:
    """Where the context window is full, results get shorter until the model can go on."""
    page = Answer((b"x " * 2000,), headers=(("Content-Type", "text/plain"),))
    full = error(400, "This model's maximum context length is 512 tokens", code="context")
    async with ScriptedUpstream(page) as web:
        upstream.script(
            calls(("web", json.dumps({"url": web.url}))), full, full, chat_stream("It fits.")
        )
        output, _ = await run(agent_app(upstream, "web: {use: ingle/http_request}"), router)
    results = [
        [m["content"] for m in body["messages"] if m["role"] == "tool"]
        for body in asked(upstream)[1:]
    ]
    assert results == [
        ["x " * 2000],
        ["x " * 500 + "\n[3,000 more characters were cut off here.]"],
        [("x " * 130)[:260] + "\n[3,740 more characters were cut off here.]"],
    ]
    assert output["content"] == "It fits."


async def test_cancelling_stops_the_tools(upstream: ScriptedUpstream, router: Router) -> None:
    """Whoever cancels the run ends the calls in it, and the connection to the server."""
    page = Answer((b"page",)).paused_before(0, asyncio.Event())
    async with ScriptedUpstream(page) as web:
        upstream.script(calls(("web", json.dumps({"url": web.url}))))
        app = agent_app(upstream, "web: {use: ingle/http_request}")
        running = asyncio.ensure_future(run(app, router))
        request = await web.received(1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await request.left.wait()


async def test_templates_in_what_is_set(upstream: ScriptedUpstream, router: Router) -> None:
    """What the app sets for a tool may come from its input."""
    upstream.script(calls(("double", '{"word": "a"}')), chat_stream("Set."))
    tools = 'double: {use: app/double, input: {sep: "{{ input.message }}"}}'
    output, _ = await run(agent_app(upstream, tools), router)
    assert output["calls"][0]["result"] == "aHelloa"


async def test_closing_the_pieces_ends_the_work(upstream: ScriptedUpstream, router: Router) -> None:
    """A step's `timeout` and the end of a listener close the generator; nothing is left running."""
    page = Answer((b"page",)).paused_before(0, asyncio.Event())
    async with ScriptedUpstream(page) as web:
        upstream.script(calls(("web", json.dumps({"url": web.url}))))
        app = agent_app(upstream, "web: {use: ingle/http_request}", "timeout: 0.3")
        log = RunLog()
        work = work_of(router, FOUND.get)
        with pytest.raises(Exception, match="longer than its `timeout`"):
            await execute(app, {"message": "x"}, run="r", log=log, work=work, record=NoRecord())
        request = await web.received(1)
        await request.left.wait()
    async with aclosing(log.listen()) as told:
        assert [event async for events_ in told for event in events_][-1] is log.events[-1]
