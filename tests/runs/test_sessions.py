"""What is said in sessions: history, branches, titles, and answers that do not end well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from ingle.apps.check import load
from ingle.errors import Conflict, InvalidRequest, SessionNotFound
from ingle.runs.sessions import ChatSessions, title_of
from ingle.runtime import Runtime, open_runtime
from ingle.settings import load_settings
from ingle.storage.sessions import MessageRecord
from ingle.testing import ScriptedUpstream, chat_stream, error, models


@pytest.fixture
async def runtime(home: Path) -> AsyncGenerator[Runtime, None]:
    """A whole Ingle, whose apps ask scripted servers."""
    async with open_runtime(load_settings()) as runtime:
        yield runtime


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    """A server that each test gives its answers."""
    async with ScriptedUpstream(models("m")) as upstream:
        yield upstream


def asked(upstream: ScriptedUpstream) -> list[list[tuple[str, str]]]:
    """The messages of each chat that the server was asked."""
    return [
        [(m["role"], m["content"]) for m in request.json["messages"]]
        for request in upstream.requests
        if request.path.endswith("/chat/completions")
    ]


@pytest.fixture
async def session(runtime: Runtime, upstream: ScriptedUpstream) -> str:
    """A new session of a published chat app."""
    text = (
        "{name: Chat, type: chat, steps: {answer: {system: Be short., prompt: '{{ input.message }}',"
        f" config: {{base_url: '{upstream.url}', model: m}}}}}}}}"
    )
    app = load(text, "chat")
    runtime.apps.save_draft("chat", text, name=app.name, type=app.type)
    runtime.apps.publish("chat")
    return runtime.sessions.create("chat").id


async def say(chats: ChatSessions, session: str, text: str, **more: Any) -> Any:
    """The answer."""
    return await (await chats.say(session, {"message": text}, **more)).output()


def told(messages: Any) -> list[tuple[str, str]]:
    """What the messages say, and in which state they are."""
    return [(message.content, message.state) for message in messages]


async def test_history_goes_along(
    runtime: Runtime, upstream: ScriptedUpstream, session: str
) -> None:
    """Each answer is made with all turns before it, after the system message."""
    upstream.script(chat_stream("Hi ", "Ada."), chat_stream("Ada."))
    chats = runtime.chats
    assert await say(chats, session, "I am Ada.") == "Hi Ada."
    assert await say(chats, session, "Who am I?") == "Ada."
    assert asked(upstream) == [
        [("system", "Be short."), ("user", "I am Ada.")],
        [
            ("system", "Be short."),
            ("user", "I am Ada."),
            ("assistant", "Hi Ada."),
            ("user", "Who am I?"),
        ],
    ]
    assert told(await chats.branch(session)) == [
        ("I am Ada.", "ended"), ("Hi Ada.", "ended"), ("Who am I?", "ended"), ("Ada.", "ended"),
    ]  # fmt: skip
    assert runtime.sessions.get(session).title == "I am Ada."


async def test_edit_and_ask_again(
    runtime: Runtime, upstream: ScriptedUpstream, session: str
) -> None:
    """An edited message has what came before it as history, and no more; so has another answer."""
    upstream.script(*(chat_stream(text) for text in ("one", "two", "edited", "again")))
    chats = runtime.chats
    await say(chats, session, "1")
    await say(chats, session, "2")
    branch: list[MessageRecord] = list(await chats.branch(session))
    assert await say(chats, session, "2b", instead_of=branch[2].id) == "edited"
    run = await chats.ask_again(session, branch[3].id)
    assert await run.output() == "again"
    turn = [("system", "Be short."), ("user", "1"), ("assistant", "one")]
    assert asked(upstream)[2:] == [[*turn, ("user", "2b")], [*turn, ("user", "2")]]
    assert [m.content for m in await chats.branch(session)] == ["1", "one", "2", "again"]
    assert len(await chats.tree(session)) == 7


async def test_failed_answer_keeps_what_was_written(
    runtime: Runtime, upstream: ScriptedUpstream, session: str
) -> None:
    """It is marked, and goes along later; one of which nothing came does not."""
    cut = chat_stream("Half a", "n answer", finish_reason=None, has_done=False)
    upstream.script(cut, error(400, "no"), chat_stream("Whole."))
    chats = runtime.chats
    for text in ("1", "2"):
        with pytest.raises(Exception, match="step"):
            await say(chats, session, text)
    assert told(await chats.branch(session)) == [
        ("1", "ended"), ("Half an answer", "failed"), ("2", "ended"), ("", "failed"),
    ]  # fmt: skip
    await say(chats, session, "3")
    assert asked(upstream)[-1] == [
        ("system", "Be short."), ("user", "1"), ("assistant", "Half an answer"), ("user", "3"),
    ]  # fmt: skip


async def test_cancelled_answer_keeps_what_was_written(
    runtime: Runtime, upstream: ScriptedUpstream, session: str
) -> None:
    """Until then nothing else can be said at the end of the session."""
    upstream.script(chat_stream("So", " far").paused_before(2, asyncio.Event()))
    run = await runtime.chats.say(session, {"message": "1"})
    async for events in run.log.listen():
        if any(getattr(event, "text", "") == "So" for event in events):
            break
    with pytest.raises(Conflict, match=run.id):
        await runtime.chats.say(session, {"message": "2"})
    run.cancel()
    with pytest.raises(Exception, match="was cancelled"):
        await run.output()
    assert told(await runtime.chats.branch(session)) == [("1", "ended"), ("So", "cancelled")]


async def test_wrong_input_says_nothing(runtime: Runtime, session: str) -> None:
    """What the app does not take is no message of the session."""
    with pytest.raises(InvalidRequest, match="`massage`"):
        await runtime.chats.say(session, {"massage": "1"})
    assert await runtime.chats.tree(session) == []


async def test_session_of_another_key(runtime: Runtime) -> None:
    """Nothing can be said in it, and nothing is seen of it."""
    session = runtime.sessions.create("model/m", key_id="key_1").id
    with pytest.raises(SessionNotFound):
        await runtime.chats.say(session, {"message": "x"}, key_id="key_2")
    with pytest.raises(SessionNotFound):
        await runtime.chats.tree(session, key_id="key_2")


async def test_answer_that_nobody_noted(
    runtime: Runtime, upstream: ScriptedUpstream, session: str
) -> None:
    """An answer whose run ended while nobody noted it is there when the session is looked at."""
    upstream.script(chat_stream("Late."))
    runtime.sessions.say(session, "1", run="run_late")
    app = runtime.published.find("chat")
    text = runtime.apps.text("chat")
    run = await runtime.runs.start(
        app, {"message": "1"}, text=text, session=session, run_id="run_late"
    )
    await run.output()
    assert told(runtime.sessions.branch(session)) == [("1", "ended"), ("", "waiting")]
    assert told(await runtime.chats.branch(session)) == [("1", "ended"), ("Late.", "ended")]


async def test_removing_stops_the_run(
    runtime: Runtime, upstream: ScriptedUpstream, session: str
) -> None:
    """A session goes with what is being said in it."""
    upstream.script(chat_stream("So", " far").paused_before(1, asyncio.Event()))
    run = await runtime.chats.say(session, {"message": "1"})
    await upstream.received(2)
    await runtime.chats.remove(session)
    assert run.log.is_over
    with pytest.raises(SessionNotFound):
        runtime.sessions.get(session)


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Hello", "Hello"),
        ("  Two\n lines", "Two"),
        (
            "A long question that goes on and on, so that it does not fit in a title",
            "A long question that goes on and on, so that it does not…",
        ),
        ("x" * 80, "x" * 60 + "…"),
        ("", ""),
    ],
)
def test_title(said: str, title: str) -> None:
    """The first line, cut between words."""
    assert title_of(said) == title


@pytest.mark.slow
async def test_plain_chat_with_the_demo_model(runtime: Runtime) -> None:
    """The model that comes with Ingle answers in a session; a long one is trimmed, and that is told."""
    chats, session = runtime.chats, runtime.sessions.create("model/demo").id
    assert "Paris" in await say(chats, session, "What is the capital of France?")
    assert len(await chats.branch(session)) == 2
    filler = "The weather was fine and the sea was calm. " * 60
    for number in range(8):
        runtime.sessions.say(session, f"Note {number}: {filler}", run=f"run_{number}")
        runtime.sessions.end_answer(f"run_{number}", "Noted.", "ended")
    run = await chats.say(session, {"message": "What is the capital of Italy?"})
    assert await run.output()
    step = (await runtime.runs.get(run.id)).steps[0]
    cut = step.output["cut_history"]
    assert cut["context_tokens"] >= 2048
    assert 0 < cut["turns"] < 9
    assert cut["messages"] == 2 * cut["turns"]
    usage = step.output["_api_response"]["usage"]
    assert usage["prompt_tokens"] <= cut["context_tokens"] // 2
    assert len(await chats.branch(session)) == 20
