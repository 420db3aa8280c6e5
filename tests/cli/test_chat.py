"""`ingle chat`: once, by prompt or pipe; and as a conversation on a terminal."""

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from subprocess import CompletedProcess

import pytest

from ingle import library
from ingle.cli.conversation import Conversation
from ingle.testing import ScriptedUpstream, chat_answer, chat_stream, models

Ingle = Callable[..., CompletedProcess[str]]

COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")


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
    assert done.stderr.startswith("error: Model 'nope' is not installed. Installed: demo.")


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
    conversation = Conversation("demo", "")
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


class Terminal:
    """`ingle` on a terminal of its own, typed into and read."""

    def __init__(self, process: Process, end: int) -> None:
        self.process = process
        self._end = end
        self._shown = ""

    def type(self, text: str) -> None:
        """Type this; `\\x03` is Ctrl-C and `\\x04` is Ctrl-D."""
        os.write(self._end, text.encode())

    async def until(self, text: str) -> str:
        """Wait for the text, and give all that was shown up to it since the last wait."""
        while text not in self._shown:
            read = await asyncio.to_thread(os.read, self._end, 4096)
            self._shown = COLOURS.sub("", self._shown + read.decode())
        shown, _, self._shown = self._shown.partition(text)
        return shown + text


@asynccontextmanager
async def on_terminal(*args: str) -> AsyncGenerator[Terminal, None]:
    """`ingle` with these arguments on a terminal."""
    end, its_end = os.openpty()
    environ = os.environ | {"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "200"}
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "ingle", *args],
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        env=environ,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(its_end), os.O_RDWR)),
    )
    os.close(its_end)
    try:
        yield Terminal(process, end)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(end)


async def test_conversation_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says who answers, remembers, obeys its commands, and ends with Ctrl-D."""
    async with (
        scripted_box(monkeypatch, "One.", "Two.", "Three.") as upstream,
        on_terminal("chat") as terminal,
    ):
        first = await terminal.until("> ")
        assert first.startswith("box/tiny answers.\n/help lists what you can type;")
        terminal.type("first\n")
        await terminal.until("One.\n\n> ")
        terminal.type("second\n")
        await terminal.until("Two.\n\n> ")
        terminal.type("/reset\n")
        await terminal.until("Forgotten.\n> ")
        terminal.type("/system Be kind.\n")
        await terminal.until("System message: Be kind.\n> ")
        terminal.type("a line \\\nand another\n")
        await terminal.until("Three.\n\n> ")
        terminal.type("/nope\n")
        await terminal.until("There is no /nope. /help lists what you can type.\n> ")
        terminal.type("/model demo\n")
        await terminal.until("demo answers: a tiny model that comes with Ingle")
        await terminal.until("> ")
        terminal.type("\x04")
        assert await terminal.process.wait() == 0
    asked = [
        [message["content"] for message in request.json["messages"]]
        for request in upstream.requests
        if request.method == "POST"
    ]
    assert asked == [
        ["first"],
        ["first", "One.", "second"],
        ["Be kind.", "a line \nand another"],
    ]


async def test_ctrl_c_stops_an_answer_and_the_conversation_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C leaves the server, keeps what was said, and asks for the next line."""
    stuck = chat_stream("Once upon", " a time").paused_before(2, asyncio.Event())
    async with scripted_box(monkeypatch) as upstream:
        upstream.script(stuck, chat_stream("Fine."))
        async with on_terminal("chat") as terminal:
            await terminal.until("> ")
            terminal.type("a story\n")
            await terminal.until("Once upon")
            terminal.type("\x03")
            await terminal.until("(stopped)\n\n> ")
            await upstream.requests[-1].left.wait()
            terminal.type("\x03")
            await terminal.until("\n> ")
            terminal.type("and now?\n")
            await terminal.until("Fine.\n\n> ")
            terminal.type("/exit\n")
            assert await terminal.process.wait() == 0
    said = [message["content"] for message in upstream.requests[-1].json["messages"]]
    assert said == ["a story", "Once upon", "and now?"]
