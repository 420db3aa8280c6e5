"""The lines of a batch's files: those that ask, and those that answer.

Everything here blocks, so async callers go through `asyncio.to_thread`. See OpenAI's guide,
https://platform.openai.com/docs/guides/batch, of 2026.
"""

from __future__ import annotations

import errno
import os
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from ingle.files import make_private_folder, storage_error
from ingle.ids import new_id

__all__ = [
    "MAX_LINES",
    "Ask",
    "Journal",
    "answer_line",
    "asks_in",
    "check_asks",
    "usage_of",
]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

MAX_LINES = 50_000
"""OpenAI's bound."""

_MAX_FAULTS = 100
_READ_BYTES = 1 << 20


class Ask(msgspec.Struct, kw_only=True, frozen=True):
    """A line that asks. `custom_id` is its owner's name for it."""

    custom_id: str
    method: str
    url: str
    body: msgspec.Raw


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class _Body(msgspec.Struct):
    usage: _Usage | None = None


class _Response(msgspec.Struct):
    status_code: int = 0
    body: _Body | str | None = None


class _Answer(msgspec.Struct):
    custom_id: str
    response: _Response | None = None


def asks_in(path: Path, max_bytes: int) -> Iterator[tuple[int, Ask | Json]]:
    """Each line that is not blank with its number, from 1; what is wrong with it, if it is no ask.

    No more than `max_bytes` of a line are ever in memory.

    Raises:
        StorageError: the file cannot be read.
    """
    number = 0
    try:
        with path.open("rb", buffering=_READ_BYTES) as file:
            while line := file.readline(max_bytes + 1):
                number += 1
                if len(line) > max_bytes:
                    message = f"This line has more than {max_bytes:,} bytes. Ask for less at once."
                    yield number, _fault("line_too_long", number, message)
                    return  # what follows may be the rest of it
                if text := line.strip():
                    yield number, _ask(number, text)
    except OSError as error:
        raise storage_error(f"{path} cannot be read", error) from error


def check_asks(path: Path, endpoint: str, max_bytes: int) -> tuple[int, list[Json]]:
    """How many requests the file has, and what is wrong with it as a whole, in OpenAI's form.

    What is wrong with a request itself, such as an unknown model, is told where it is answered.

    Raises:
        StorageError: the file cannot be read.
    """
    total, seen, faults = 0, Counter[str](), list[Json]()
    for number, ask in asks_in(path, max_bytes):
        total += 1
        if total > MAX_LINES:
            message = f"The file has more than {MAX_LINES:,} requests. Make several batches of it."
            return total, [_fault("too_many_tasks", None, message)]
        if isinstance(ask, Ask):
            seen[ask.custom_id] += 1
            fault = _wrong(ask, number, endpoint, is_again=seen[ask.custom_id] > 1)
        else:
            fault = ask
        if fault is not None and len(faults) < _MAX_FAULTS:
            faults.append(fault)
    if not total:
        faults.append(_fault("empty_file", None, "The file has no requests."))
    return total, faults


def answer_line(
    ask: Ask, *, status: int = 0, body: object = None, error: tuple[str, str] | None = None
) -> bytes:
    """The line that answers one that asked: with a status and a body, or with why there are none."""
    request_id = new_id("req")
    told = {
        "id": new_id("batch_req"),
        "custom_id": ask.custom_id,
        "response": {"status_code": status, "request_id": request_id, "body": body},
        "error": None,
    }
    if error is not None:
        told |= {"response": None, "error": {"code": error[0], "message": error[1]}}
    return msgspec.json.encode(told) + b"\n"


def usage_of(line: bytes) -> dict[str, int]:
    """The tokens that an answer's line tells."""
    return _counted(msgspec.json.decode(line, type=_Answer))


@dataclass(slots=True)
class Journal:
    """One file of answers, as far as it is: a line each, appended in one write. Any thread may.

    A line whose writing was cut short is taken off when it is opened again.
    """

    path: Path
    done: set[str] = field(default_factory=set)
    usage: Counter[str] = field(default_factory=Counter)
    _writing: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def open(cls, path: Path) -> Journal:
        """The journal at this path, made if it is not there.

        Raises:
            StorageError: it cannot be read or written.
        """
        journal = cls(path)
        make_private_folder(path.parent)
        whole = 0
        try:
            with path.open("ab+") as file:
                file.seek(0)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    whole += len(line)
                    journal._count(line)
                file.truncate(whole)
        except OSError as error:
            raise storage_error(f"{path} cannot be opened", error) from error
        return journal

    def append(self, line: bytes) -> None:
        """Add a line.

        Raises:
            StorageError: the disk is full or failed; then a part of it may be there.
        """
        with self._writing:
            try:
                with self.path.open("ab", buffering=0) as file:
                    size = file.tell()
                    is_whole = file.write(line) == len(line)
                    if not is_whole:  # the next line must not begin inside it
                        file.truncate(size)
            except OSError as error:
                raise storage_error(f"{self.path} cannot be written", error) from error
            if not is_whole:
                full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                raise storage_error(f"{self.path} cannot be written", full)
            self._count(line)

    def _count(self, line: bytes) -> None:
        answer = msgspec.json.decode(line, type=_Answer)
        self.done.add(answer.custom_id)
        self.usage.update(_counted(answer))


def _counted(answer: _Answer) -> dict[str, int]:
    body = answer.response.body if answer.response else None
    usage = body.usage if isinstance(body, _Body) else None
    if usage is None:
        return {}
    given = usage.prompt_tokens or usage.input_tokens
    made = usage.completion_tokens or usage.output_tokens
    return {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}


def _ask(number: int, text: bytes) -> Ask | Json:
    try:
        return msgspec.json.decode(text, type=Ask)
    except msgspec.ValidationError as error:
        missing = str(error).partition("field `")[2].partition("`")[0]
        if missing:
            message = f"Missing required parameter: '{missing}'."
            return _fault("missing_required_parameter", number, message, missing)
        return _fault("invalid_request", number, f"This line is no request: {error}.")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _fault("invalid_json_line", number, "This line is not parseable as valid JSON.")


def _wrong(ask: Ask, number: int, endpoint: str, *, is_again: bool) -> Json | None:
    if not ask.custom_id:
        return _fault("missing_required_parameter", number, "`custom_id` is empty.", "custom_id")
    if is_again:
        message = f"The custom_id {ask.custom_id[:64]!r} is that of an earlier line, too."
        return _fault("duplicate_custom_id", number, message, "custom_id")
    if ask.method != "POST":
        return _fault("invalid_method", number, "The method must be POST.", "method")
    if ask.url != endpoint:
        message = f"The URL {ask.url[:64]!r} is not the batch's endpoint, {endpoint}."
        return _fault("url_mismatch", number, message, "url")
    return None


def _fault(code: str, line: int | None, message: str, param: str | None = None) -> Json:
    return {"code": code, "line": line, "message": message, "param": param}
