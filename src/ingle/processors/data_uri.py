"""Files as text: `data:image/png;name=cat.png;base64,…` (RFC 2397; `name` is LLMStack's)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, unquote_to_bytes

from ingle.errors import InvalidRequest

__all__ = ["File", "data_uri", "is_data_uri", "read_data_uri"]

_MIME = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
_CHARSET = re.compile(r"charset=[\w.:-]{1,40}", re.IGNORECASE | re.ASCII)
_HEAD_CHARACTERS = 2048
_SAFE_IN_NAME = " ()[]!&'+=@~"


@dataclass(frozen=True, slots=True)
class File:
    """A file: its kind in lower case, its content, and the name that it had, if it is known.

    The kind of a text may end with its encoding, as in `text/plain; charset=koi8-r`.
    """

    mime: str
    content: bytes = field(repr=False)
    name: str | None = None


def is_data_uri(text: str) -> bool:
    """Whether it is meant as one, right or wrong."""
    return text[:5].lower() == "data:"


def data_uri(file: File) -> str:
    """The file as text, its content as base64."""
    name = f";name={quote(file.name, safe=_SAFE_IN_NAME)}" if file.name else ""
    return f"data:{file.mime}{name};base64,{base64.b64encode(file.content).decode('ascii')}"


def read_data_uri(text: str, *, param: str) -> File:
    """The file that a data URI holds; `param` is the field that it stands in, for errors.

    Raises:
        InvalidRequest: it is no data URI, or its base64 is damaged.
    """
    head, comma, body = _parted(text)
    if not is_data_uri(text) or not comma:
        raise InvalidRequest(
            f"`{param}` begins with {text[:40]!r} and is no file. Give one as "
            "`data:<type>;base64,…`, such as `data:image/png;base64,iVBOR…`.",
            param=param,
        )
    mime, *parts = head[5:].split(";")
    name = next((part[5:] for part in parts if part[:5].lower() == "name="), "")
    is_base64 = bool(parts) and parts[-1].strip().lower() == "base64"
    try:
        content = _decoded(body) if is_base64 else unquote_to_bytes(body)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(
            f"`{param}` is a data URI whose base64 is damaged: {error}. Encode the file again.",
            param=param,
        ) from error
    mime = mime.strip().lower()
    if not _MIME.fullmatch(mime):
        mime = "text/plain" if not mime else "application/octet-stream"
    charset = next((part for part in parts if _CHARSET.fullmatch(part.strip())), None)
    mime = f"{mime}; {charset.strip().lower()}" if charset else mime
    return File(mime, content, _plain_name(unquote(name)))


def _parted(text: str) -> tuple[str, str, str]:
    """What stands before and after the comma. A name in LLMStack's files may hold commas too."""
    marker = text[:_HEAD_CHARACTERS].find(";base64,")
    if marker >= 0:
        return text[: marker + 7], ",", text[marker + 8 :]
    return text.partition(",")


def _decoded(body: str) -> bytes:
    """Base64 in either alphabet, with line breaks or percents as they come from URLs."""
    if "%" in body:
        body = unquote(body)
    body = "".join(body.split()).translate({ord("-"): "+", ord("_"): "/"})
    return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)


def _plain_name(name: str) -> str | None:
    """The last part of a name, without what could lead elsewhere or break a header."""
    last = re.split(r"[/\\]", name)[-1].strip().strip('"')
    return "".join(char for char in last if char.isprintable())[:255] or None
