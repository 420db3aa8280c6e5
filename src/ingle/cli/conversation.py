"""A conversation with a model: the messages so far, and the words that steer it."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Collection
from contextlib import closing

from ingle import library
from ingle.cli.answers import AnswerText
from ingle.cli.failures import explain
from ingle.cli.terminal import note, spinner
from ingle.errors import ContextTooLong, IngleError
from ingle.processors.base import Output
from ingle.processors.chat_completions import ChatCompletionsOutput

__all__ = ["DEMO", "Conversation"]

_HELP = """\
/reset          forget what was said
/model [NAME]   who answers; with a NAME, that model from now on
/system [TEXT]  what the model was told first; with a TEXT, that from now on
/exit           leave, as Ctrl-D does
Ctrl-C stops an answer. A line that ends with \\ goes on in the next."""

_COMMAND = re.compile(r"/[a-z]+")
DEMO = "demo"

Message = dict[str, str]


class Conversation:
    """What was said so far, who answers, and how it was told to.

    `installed` are the names of this machine's models; `model` is one of them, or one of a
    connection.
    """

    def __init__(self, model: str, system: str, installed: Collection[str]) -> None:
        self._model = model
        self._system = system
        self._installed = installed
        self._messages: list[Message] = []

    def hold(self) -> None:
        """Answer what is typed, until the end of input or /exit."""
        _edit_lines()
        note(f"{self._introduction()}\n/help lists what you can type; Ctrl-D leaves.")
        while (text := _typed()) is not None:
            word, _, rest = text.partition(" ")
            if word == "/exit":
                return
            if _COMMAND.fullmatch(word):
                self._obey(word, rest.strip())
            elif text:
                self._answer(text)

    def ask(self, text: str) -> None:
        """Print the model's answer to `text`, and remember both.

        Where the conversation no longer fits the model's context, its oldest messages are
        forgotten.

        Raises:
            IngleError: there is no answer.
            KeyboardInterrupt: Ctrl-C; what had arrived is remembered as the answer.
        """
        question = {"role": "user", "content": text}
        before = self._messages
        answer = AnswerText()
        try:
            while not self._fits(answer, [*before, question], may_shorten=bool(before)):
                before = before[2:]
        finally:
            if answer.text:
                said = {"role": "assistant", "content": answer.text}
                forgotten = len(self._messages) - len(before)
                self._messages = [*before, question, said]
                if forgotten:
                    note(f"(The first {forgotten} messages no longer fit and are forgotten.)")

    def _fits(self, answer: AnswerText, messages: list[Message], *, may_shorten: bool) -> bool:
        """Whether the messages were answered; if not, they are too long and may be shortened."""
        try:
            self._stream(answer, messages)
        except ContextTooLong:
            if not may_shorten:
                raise
            return False
        return True

    def _stream(self, answer: AnswerText, messages: list[Message]) -> None:
        values = {"system_message": self._system, "messages": messages}
        items = library.stream("localai/chatgpt", values, {"model": self._routed_model()})
        first_piece_at = 0.0
        with spinner(f"Waiting for {self._model}") as stop_spinner, closing(items):
            try:
                for item in items:
                    stop_spinner()
                    if isinstance(item, Output):
                        answer.end(item)
                        _note_speed(item, time.monotonic() - first_piece_at)
                    else:
                        first_piece_at = first_piece_at or time.monotonic()
                        answer.add(item)
            except BaseException:  # an error or Ctrl-C: what follows begins on a line of its own
                answer.cut()
                raise

    def _routed_model(self) -> str:
        """The name by which an installed model is found, whatever connections there are."""
        return f"local/{self._model}" if self._model in self._installed else self._model

    def _answer(self, text: str) -> None:
        """Answer within a conversation, which goes on after an error and after Ctrl-C."""
        try:
            self.ask(text)
        except KeyboardInterrupt:
            note("(stopped)")
        except IngleError as error:
            explain(error).tell([])
        print()

    def _obey(self, command: str, text: str) -> None:
        match command:
            case "/help":
                note(_HELP)
            case "/reset":
                self._messages.clear()
                note("Forgotten.")
            case "/model":
                self._model = text or self._model
                note(self._introduction())
            case "/system":
                self._system = text or self._system
                note(f"System message: {self._system or 'none'}")
            case _:
                note(f"There is no {command}. /help lists what you can type.")

    def _introduction(self) -> str:
        if self._model == DEMO:
            return "demo answers: a tiny model that comes with Ingle, to try things out."
        return f"{self._model} answers."


def _typed() -> str | None:
    """What the person typed, over one line or more; None at the end of input."""
    lines: list[str] = []
    while True:
        try:
            line = input("… " if lines else "> ")
        except EOFError:
            print()
            return None
        except KeyboardInterrupt:
            print()
            lines.clear()
            continue
        lines.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            return "\n".join(lines).strip()


def _edit_lines() -> None:
    """Let `input` edit its line and recall earlier ones, where the platform can."""
    try:
        import readline  # noqa: F401 -- importing it does it
    except ImportError:  # Windows, whose terminal does it by itself
        return


def _note_speed(output: Output, seconds: float) -> None:
    """Say on a terminal how much was written, how fast, and whether it was cut short."""
    if not isinstance(output, ChatCompletionsOutput) or not sys.stderr.isatty():
        return
    response = output.api_response
    parts = []
    if tokens := (response.get("usage") or {}).get("completion_tokens"):
        measured = tokens / max(seconds, 0.001)
        rate = (response.get("timings") or {}).get("predicted_per_second", measured)
        parts.append(f"{tokens} tokens, {rate:.0f} a second")
    if response["choices"][0].get("finish_reason") == "length":
        parts.append("cut at the length limit")
    if parts:
        note("; ".join(parts))
