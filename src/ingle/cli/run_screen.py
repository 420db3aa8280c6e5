"""A run on a terminal, as it happens: each step under its name, and then the app's output.

One step is written out at a time, others that run beside it wait for their turn; what becomes part
of the output is shown there, and not twice. Steps go to stderr, dimmed; the output goes to stdout.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from rich.text import Text

from ingle.apps.app import App
from ingle.apps.template import Template
from ingle.cli.terminal import console, visible, write
from ingle.runs.events import (
    Event,
    OutputPiece,
    StepEnded,
    StepPiece,
    StepRetried,
    StepSkipped,
    StepStarted,
    Usage,
)

__all__ = ["RunScreen"]


class RunScreen:
    """Takes a run's events in their order."""

    def __init__(self, app: App, stop_spinner: Callable[[], None]) -> None:
        """`stop_spinner` is called before anything is shown."""
        self.text = ""
        """What was shown of the output."""
        self._err = console(sys.stderr)
        self._stop_spinner = stop_spinner
        self._titles = {step.name: step.title or step.name for step in app.steps}
        parts = app.output.parts if isinstance(app.output, Template) else None
        self._in_output = {str(part[0]) for part in parts or () if not isinstance(part, str)}
        self._to_come = self._titles.keys() - self._in_output
        """Steps that are not over and that the output does not show."""
        self._output = ""
        self._texts: dict[str, str] = {}
        """What is still to be shown of the steps that have begun, in that order."""
        self._ends: dict[str, str] = {}
        """What is to be said at the end of those that are over."""
        self._began: dict[str, float] = {}
        self._open: str | None = None
        """The step that is being written out."""
        self._is_line_open = False
        self._has_steps = False

    def take(self, event: Event) -> None:
        """Show what is to be shown of an event."""
        match event:
            case StepStarted(step=step, at=at, items=items):
                self._began[step] = at
                self._write(step, "" if items is None else f"for {items} items")
            case StepPiece(step=step, text=text, item=None):
                self._write(step, text)
            case StepRetried(step=step, fault=fault):
                self._say(f"{self._titles[step]}: {fault.message} It is tried again.")
            case StepSkipped(step=step, fault=fault):
                self._end(step, "skipped" if fault is None else f"skipped: {fault.message}")
            case StepEnded(step=step, at=at, usage=usage):
                self._end(step, _told(at - self._began.get(step, at), usage))
            case OutputPiece(text=text, is_restart=is_restart):
                if is_restart and self.text and not text.startswith(self.text):
                    self.cut()  # what follows is another text, on a line of its own
                self._output = text if is_restart else self._output + text
                self._show_output()

    def end(self, text: str) -> None:
        """Show the rest of the output, which is this in the end, and end its line."""
        self._part()
        if not text.startswith(self.text):
            self.cut()
        write(text[len(self.text) :])
        if not text.endswith("\n"):
            write("\n")

    def cut(self) -> None:
        """End the line of an output that goes no further."""
        self._close_line()
        if self.text and not self.text.endswith("\n"):
            write("\n")
        self.text = ""

    def _write(self, step: str, text: str) -> None:
        if step not in self._in_output:
            self._texts[step] = self._texts.get(step, "") + text
            self._show_steps()

    def _end(self, step: str, told: str) -> None:
        if step not in self._in_output:
            self._ends[step] = told
            self._write(step, "")

    def _show_steps(self) -> None:
        """Show what the open step has written; once it is over, open the next."""
        while self._open is not None or self._texts:
            if self._open is None:
                self._open = next(iter(self._texts))
                self._close_line()
                self._print(Text(visible(self._titles[self._open]), style="bold"))
            self._dim(self._texts[self._open])
            self._texts[self._open] = ""
            if self._open not in self._ends:
                return
            self._say(self._ends.pop(self._open))
            del self._texts[self._open]
            self._to_come.discard(self._open)
            self._open = None
        self._show_output()

    def _show_output(self) -> None:
        if self._to_come or len(self._output) <= len(self.text):
            return
        self._part()
        write(self._output[len(self.text) :])
        self.text = self._output

    def _part(self) -> None:
        """Part the output from the steps above it."""
        self._close_line()
        self._stop_spinner()
        if self._has_steps:
            self._err.print()
            self._has_steps = False

    def _say(self, text: str) -> None:
        self._close_line()
        self._print(Text(visible(text), style="dim italic"))

    def _dim(self, text: str) -> None:
        if text := visible(text):
            self._print(Text(text, style="dim"), end="")
            self._is_line_open = not text.endswith("\n")

    def _print(self, text: Text, end: str = "\n") -> None:
        self._has_steps = True
        self._stop_spinner()
        self._err.print(text, end=end, soft_wrap=True)

    def _close_line(self) -> None:
        if self._is_line_open:
            self._err.print()
            self._is_line_open = False


def _told(seconds: float, usage: Usage | None) -> str:
    parts = [f"{seconds:.1f} s"]
    if usage is not None and usage.completion_tokens:
        parts.append(f"{usage.completion_tokens} tokens")
    if usage is not None and usage.tokens_per_second:
        parts.append(f"{usage.tokens_per_second:.0f} a second")
    return ", ".join(parts)
