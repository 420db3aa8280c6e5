"""`ingle chat`, once, by prompt or pipe; `test_on_terminal` has the conversations."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from subprocess import CompletedProcess

import pytest

from ingle import library
from ingle.cli.conversation import Conversation
from ingle.testing import ScriptedUpstream, chat_answer, chat_stream, models

Ingle = Callable[..., CompletedProcess[str]]


@asynccontextmanager
async def scripted_box(
    monkeypatch: pytest.MonkeyPatch, *texts: str
) -> AsyncGenerator[ScriptedUpstream, None]:
    """A connection `box` whose models answer with these texts, one after the other."""
    async with ScriptedUpstream(models("tiny"), *map(chat_stream, texts)) as upstream:
        monkeypatch.setenv("INGLE_CONNECTION_BOX_BASE_URL", f"{upstream.url}/v1")
        monkeypatch.setenv("INGLE_DEFAULT_MODEL", "box/tiny")
        yield upstream


@pytest.mark.parametrize(
    ("args", "piped", "asked"),
    [
        (["box/tiny", "Hello"], "", "Hello"),
        (["box/tiny", "Tell", "me", "more"], "", "Tell me more"),
        (["How are you?"], "", "How are you?"),
        ([], "From a pipe\n", "From a pipe"),
        (["box/tiny", "Sum this up:"], "Some notes\n", "Sum this up:\n\nSome notes"),
    ],
)
async def test_prompt_and_pipe_are_answered_once(
    ingle: Ingle, monkeypatch: pytest.MonkeyPatch, args: list[str], piped: str, asked: str
) -> None:
    """The answer alone is on stdout, and what was asked is the prompt and then what was piped."""
    monkeypatch.setattr("sys.stdin", io.StringIO(piped))
    async with scripted_box(monkeypatch, "Fine.") as upstream:
        done = await asyncio.to_thread(ingle, "chat", *args, "--system", "Be brief.")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Fine.\n", "")
    request = upstream.requests[-1].json
    assert request["model"] == "tiny"
    assert request["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": asked},
    ]


def test_nothing_to_answer_is_an_error(ingle: Ingle, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty pipe without a prompt ends at once, with how it is done."""
    monkeypatch.setattr("sys.stdin", io.StringIO(" \n"))
    done = ingle("chat")
    assert (done.returncode, done.stdout) == (2, "")
    assert 'Write `ingle chat demo "Hello!"`.' in done.stderr


def test_unknown_model_is_an_error(ingle: Ingle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is not there is an error that names those that are."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    done = ingle("chat", "nope", "Hello")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith("error: Model 'nope' is not installed. Installed: demo")


async def test_installed_model_is_asked_even_if_localai_is_connected(
    ingle: Ingle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ingle chat demo` asks the demo model of this machine, not a LocalAI's."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    async with ScriptedUpstream(models("demo"), chat_answer("From afar")) as upstream:
        monkeypatch.setenv("LOCALAI_BASE_URL", upstream.url)
        done = await asyncio.to_thread(ingle, "chat", "demo", "Hello")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout not in ("", "From afar\n")
    assert upstream.requests == []


def test_conversation_that_grows_too_long_forgets_its_beginning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What no longer fits the model's context is left out, oldest first, and that is told."""
    conversation = Conversation("demo", "", {"demo"})
    try:
        conversation.ask("What is 2 + 3?")
        conversation.ask("apple " * 1200)
        capsys.readouterr()
        conversation.ask("pear " * 1200)
    finally:
        library.close()
    out, err = capsys.readouterr()
    assert out != ""
    assert re.fullmatch(r"\(The first \d messages no longer fit and are forgotten\.\)\n", err)
