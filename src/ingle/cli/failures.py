"""Errors as people and programs read them.

People get, on stderr, what failed, why and what to do next. With `--json` it is one line with an
error object instead; and where a stream of JSON lines was asked for, that line ends the stream, on
stdout.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import typer

from ingle.cli.terminal import console, visible
from ingle.errors import AppInvalid, IngleError, UpstreamError

__all__ = ["Failure", "explain"]

_INTERNAL = 70  # EX_SOFTWARE of sysexits.h
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z`'\"])")
_COMMAND = re.compile(r"`[^`]+`")
_SHOWN_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a command ended without its result. `details` are further members for programs: JSON."""

    code: str
    message: str
    exit_code: int
    details: Mapping[str, Any] = field(default_factory=dict)

    def tell(self, args: Sequence[str]) -> None:
        """Write it where and how the command's arguments ask for, even if they were wrong."""
        flags = args[: args.index("--")] if "--" in args else args
        is_stream = "--stream" in flags or flags[:2] == ["models", "pull"]
        if "--json" in flags:
            file = sys.stdout if is_stream else sys.stderr
            print(self.as_json(), file=file, flush=True)
        elif self.code == "interrupted":
            sys.stderr.write("\n")
        else:
            self._tell_people("" if is_stream else self._partial())  # a stream has shown it already

    def as_json(self) -> str:
        """One line: `{"error": {"code": …, "message": …, …}}`."""
        import msgspec

        error = {"code": self.code, "message": self.message, **self.details}
        return msgspec.json.encode({"error": error}, enc_hook=str).decode()

    def _partial(self) -> str:
        """The end of the text that had arrived, if any had."""
        partial = self.details.get("partial")
        return partial[-_SHOWN_CHARACTERS:] if isinstance(partial, str) else ""

    def _tell_people(self, partial: str) -> None:
        from rich.table import Table
        from rich.text import Text

        if problems := self.details.get("problems"):
            from ingle.cli.app_problems import show_problems

            show_problems(problems)
            return
        err = console(sys.stderr)
        message = visible(self.message)
        arrived = visible(f"What had arrived: {partial}") if partial else ""
        if not err.is_terminal:
            sys.stderr.write("\n".join([f"error: {message}", *filter(None, [arrived])]) + "\n")
            return
        text = Text(_SENTENCE_END.sub("\n", message))
        text.highlight_regex(_COMMAND, "bold")
        if arrived:
            text.append(f"\n{arrived}", style="dim")
        lines = Table.grid(padding=(0, 1, 0, 0))
        lines.add_row(Text("error:", style="bold red"), text)
        err.print(lines)


def explain(error: Exception) -> Failure:
    """What to tell of an error; of one that nobody foresaw, how to see where it comes from."""
    match error:
        case IngleError():
            return Failure(error.code, error.message, error.exit_code, _details(error))
        case typer.TyperException():
            message = error.format_message()
            context = getattr(error, "ctx", None)  # only errors of usage have one
            command = context.command_path if context else "ingle"
            hint = f"`{command} --help` shows how it is used."
            return Failure(
                "usage",
                f"{message}{'' if message.endswith(('.', '?')) else '.'} {hint}",
                error.exit_code,
            )
        case typer.Abort():
            return Failure("aborted", "Nothing was done, as nothing was answered.", 1)
    if _is_debugging():
        traceback.print_exception(error)
    return Failure(
        "internal_error",
        f"Ingle itself is at fault: {type(error).__name__}: {error}. "
        "Run it again with `INGLE_LOG_LEVEL=debug` to see where, and please report it.",
        _INTERNAL,
    )


def _details(error: IngleError) -> dict[str, object]:
    details: dict[str, object] = {"param": error.param, "is_retryable": error.is_retryable}
    if isinstance(error, UpstreamError):
        details |= {
            "url": error.url,
            "status": error.status,
            "server_message": error.server_message,
            "partial": error.partial,
        }
    if isinstance(error, AppInvalid):
        details["problems"] = getattr(error, "problems", None)  # of `ingle.apps`, not loaded here
    return {name: value for name, value in details.items() if value is not None}


def _is_debugging() -> bool:
    from ingle.settings import load_settings

    try:
        return load_settings().log_level == "debug"
    except IngleError:
        return False
