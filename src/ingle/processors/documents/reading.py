"""The text of a file, read by a child process that has bounds of time and memory.

Formats such as PDF are read by tens of thousands of lines of code, and a file can be made to keep
them busy for ever or to fill the memory. In a child that harms nobody else, and can be ended.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from ingle.errors import IngleError, InvalidRequest, RequestTooLarge, UnsupportedInput
from ingle.processors.data_uri import File

__all__ = ["Document", "ReadingLimits", "read_document"]

_MEMORY_BYTES = 1024 * 1024 * 1024
_OWN_VARIABLES = ("INGLE_", "LOCALAI_")  # they may hold keys, and the child needs none of them
_TOLD: Mapping[str, type[IngleError]] = MappingProxyType(
    {error.code: error for error in (InvalidRequest, UnsupportedInput, RequestTooLarge)}
)


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """How long reading may take, and where the text is cut: then `Document.is_cut`."""

    timeout_s: float
    max_characters: int
    max_pages: int


class Document(msgspec.Struct, frozen=True):
    """What a file says. `pages` are also slides and sheets; None where there is no such thing."""

    text: str
    mime: str
    title: str | None = None
    pages: int | None = None
    is_cut: bool = False


class _Fault(msgspec.Struct, frozen=True):
    code: str
    message: str


class _Told(msgspec.Struct, frozen=True):
    document: Document | None = None
    fault: _Fault | None = None


async def read_document(file: File, limits: ReadingLimits, *, param: str) -> Document:
    """The text of the file; `param` is the field that it came in. Cancelling ends the child.

    Raises:
        UnsupportedInput: no text can be read out of this kind of file, or none without a password.
        InvalidRequest: it is damaged, or takes too much time or memory.
    """
    name = repr(file.name) if file.name else "The file"
    order = {
        "name": file.name,
        "mime": file.mime,
        "memory_bytes": _MEMORY_BYTES,
        "cpu_s": int(limits.timeout_s) + 1,
        "max_characters": limits.max_characters,
        "max_pages": limits.max_pages,
    }
    try:
        async with asyncio.timeout(limits.timeout_s):
            said = await _ask(msgspec.json.encode(order) + b"\n" + file.content)
    except TimeoutError:
        raise InvalidRequest(
            f"{name} was not read within {limits.timeout_s:g} s. Give it a longer `timeout`, or "
            "a part of it.",
            param=param,
        ) from None
    try:
        told = msgspec.json.decode(said, type=_Told)
    except msgspec.DecodeError as error:  # it was ended from outside, or ended itself at once
        raise InvalidRequest(
            f"{name} could not be read: the process that read it went down, most often for want "
            f"of memory (it may use {_MEMORY_BYTES // 1024**2:,} MiB). It may be damaged; save it "
            "anew, or give a part of it.",
            param=param,
        ) from error
    if told.document is not None:
        return told.document
    fault = told.fault or _Fault(InvalidRequest.code, "it could not be read.")
    raise _TOLD.get(fault.code, InvalidRequest)(f"{name}: {fault.message}", param=param)


async def _ask(message: bytes) -> bytes:
    """What the child answers; it has ended when this returns or raises."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_OWN_VARIABLES)}
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # a json.py in the current folder is not taken for Python's own
        "-m",
        "ingle.processors.documents.child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=kept,
    )
    try:
        said, _ = await child.communicate(message)
        return said
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            # Not `wait`: the pipes are to be closed as well.
            await child.communicate()
