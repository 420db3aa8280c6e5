"""`ingle` on a terminal: conversations, and what is asked of a person."""

from __future__ import annotations

import asyncio
import codecs
import os
import re
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from subprocess import CompletedProcess

import pytest

from ingle.testing import ScriptedUpstream, chat_stream, models

Ingle = Callable[..., CompletedProcess[str]]

COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")


class Terminal:
    """`ingle` on a terminal of its own, typed into and read."""

    def __init__(self, process: Process, end: int) -> None:
        self.process = process
        self._end = end
        self._shown = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def type(self, text: str) -> None:
        """Type this; `\\x03` is Ctrl-C and `\\x04` is Ctrl-D."""
        os.write(self._end, text.encode())

    async def until(self, text: str) -> str:
        """Wait for the text, and give all that was shown up to it since the last wait."""
        while text not in self._shown:
            read = await asyncio.to_thread(os.read, self._end, 4096)
            self._shown = COLOURS.sub("", self._shown + self._decoder.decode(read))
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


@asynccontextmanager
async def scripted_box(
    monkeypatch: pytest.MonkeyPatch, *texts: str
) -> AsyncGenerator[ScriptedUpstream, None]:
    """A connection `box` whose models answer with these texts, one after the other."""
    async with ScriptedUpstream(models("tiny"), *map(chat_stream, texts)) as upstream:
        monkeypatch.setenv("INGLE_CONNECTION_BOX_BASE_URL", f"{upstream.url}/v1")
        monkeypatch.setenv("INGLE_DEFAULT_MODEL", "box/tiny")
        yield upstream


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


async def test_key_of_a_connection_is_asked_for_unseen(ingle: Ingle) -> None:
    """On a terminal `connections add` asks for the key and does not show it."""
    async with on_terminal("connections", "add", "box", "http://127.0.0.1:1") as terminal:
        await terminal.until("API key of box (empty for none): ")
        terminal.type("sk-a-long-secret-1234\n")
        shown = await terminal.until("`ingle connections test box` tries it.")
        assert await terminal.process.wait() == 0
    assert shown == "\nSaved. `ingle connections test box` tries it."
    listed = await asyncio.to_thread(ingle, "connections")
    assert "…1234" in listed.stdout


@pytest.mark.parametrize(("keys", "code"), [("\x03", 130), ("\x04", 1)], ids=["Ctrl-C", "Ctrl-D"])
async def test_question_can_be_left(ingle: Ingle, keys: str, code: int) -> None:
    """Ctrl-C and Ctrl-D at a question end the command, and nothing was done."""
    async with on_terminal("connections", "add", "box", "http://127.0.0.1:1") as terminal:
        await terminal.until("(empty for none): ")
        terminal.type(keys)
        assert await terminal.process.wait() == code
    listed = await asyncio.to_thread(ingle, "connections")
    assert listed.stdout == ""
