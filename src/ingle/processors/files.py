"""The files that processors are given: as a data URI, or as the address of one on the web."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote, urlsplit

from pydantic import Field

from ingle.errors import InvalidRequest, RequestTooLarge, UpstreamRefused
from ingle.processors.data_uri import File, is_data_uri, read_data_uri
from ingle.processors.web import WebAnswer, WebRequest, call_web, is_web_url

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = ["FileText", "file_kind", "open_file"]

FileText = Annotated[str, Field(json_schema_extra={"format": "data-url"})]
"""A file in a form: a data URI or an http(s) URL. The format lets forms show a button for it."""

_FETCH_S = 60.0
_SIGNATURES: Mapping[bytes, str] = MappingProxyType(
    {
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"\xff\xd8\xff": "image/jpeg",
        b"GIF8": "image/gif",
        b"OggS": "audio/ogg",
        b"fLaC": "audio/flac",
        b"ID3": "audio/mpeg",
        b"\x1aE\xdf\xa3": "audio/webm",
        b"%PDF-": "application/pdf",
    }
)
_SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        "image/png": "png",
        "image/jpeg": "jpg",
        "image/gif": "gif",
        "image/webp": "webp",
        "audio/ogg": "ogg",
        "audio/flac": "flac",
        "audio/mpeg": "mp3",
        "audio/aac": "aac",
        "audio/mp4": "m4a",
        "audio/webm": "webm",
        "audio/wav": "wav",
        "application/pdf": "pdf",
    }
)


def file_kind(content: bytes) -> str | None:
    """The media type of a picture, a sound or a PDF, by its first bytes; None for all else."""
    head = content[:16]
    if head.startswith(b"RIFF"):
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return "audio/mp4"
    if len(head) > 1 and head[0] == 0xFF:
        if head[1] & 0xF6 == 0xF0:  # ISO 13818-7: twelve bits that are set, and layer 0
            return "audio/aac"
        if head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08:  # ISO 11172-3: eleven, and layer III
            return "audio/mpeg"
    return next((kind for start, kind in _SIGNATURES.items() if head.startswith(start)), None)


async def open_file(text: str, router: Router, *, param: str, max_bytes: int) -> File:
    """The file that a field holds or tells the address of, always with a name.

    What its first bytes show counts more than what is said of it.

    Raises:
        InvalidRequest: it is no file; `param` names the field.
        RequestTooLarge: it is longer than `max_bytes`.
        NotAllowed: its address is not a public one.
        UpstreamError: it could not be fetched.
    """
    if is_data_uri(text):
        if len(text) > max_bytes * 3 + 4096:  # each byte may be a percent and two digits
            raise _too_large(param, max_bytes)
        file = await asyncio.to_thread(read_data_uri, text, param=param)
    elif is_web_url(text):
        file = await _fetched(text, router, max_bytes)
    else:
        raise InvalidRequest(
            f"`{param}` begins with {text[:40]!r} and is no file. Give its content as "
            "`data:<type>;base64,…`, or its address, http://… or https://….",
            param=param,
        )
    if not file.content:
        raise InvalidRequest(f"`{param}` is an empty file. Choose another.", param=param)
    if len(file.content) > max_bytes:
        raise _too_large(param, max_bytes)
    mime = file_kind(file.content) or file.mime
    suffix = _SUFFIXES.get(mime, "bin")
    return File(mime, file.content, file.name or f"file.{suffix}")


async def _fetched(url: str, router: Router, max_bytes: int) -> File:
    answer = await call_web(
        WebRequest(url), reach=router.reach, timeout_s=_FETCH_S, max_bytes=max_bytes
    )
    if not 200 <= answer.status < 300:
        raise UpstreamRefused(
            f"GET {answer.url}: the server answered with status {answer.status} instead of the "
            "file. Check its address, and whether it is open to everyone.",
            url=answer.url,
            status=answer.status,
        )
    mime = answer.mime or "application/octet-stream"
    if mime.startswith("text/") and answer.charset:
        mime = f"{mime}; charset={answer.charset}"
    return File(mime, answer.content, _name(answer))


def _name(answer: WebAnswer) -> str | None:
    """The last part of the address, where it looks like a file's name."""
    last = unquote(urlsplit(answer.url).path.rpartition("/")[2])
    plain = "".join(char for char in last if char.isprintable() and char not in '/\\"')
    return plain[:255] if "." in plain.strip(".") else None


def _too_large(param: str, max_bytes: int) -> RequestTooLarge:
    return RequestTooLarge(
        f"`{param}` is a file of more than {max_bytes:,} bytes. Choose a smaller one.", param=param
    )
