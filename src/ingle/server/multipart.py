"""One text field of a `multipart/form-data` body: read it, or put another value in its place.

Files to transcribe come this way; of all that is in it, only the name of the model matters here.
Source: RFC 7578.
"""

from __future__ import annotations

import re

from ingle.errors import InvalidRequest

__all__ = ["multipart_field", "with_multipart_field"]

_BOUNDARY = re.compile(r'multipart/form-data\s*;.*\bboundary="?([^";,]{1,70})"?', re.IGNORECASE)


def multipart_field(body: bytes, content_type: str, name: str) -> str | None:
    """The value of a field, `None` if it is not there.

    Raises:
        InvalidRequest: the body is not what its content type says, or the value is not UTF-8.
    """
    span = _span(body, content_type, name)
    if span is None:
        return None
    try:
        return body[slice(*span)].decode("utf-8").strip() or None
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"The field `{name}` is not UTF-8. Encode it so.", param=name
        ) from error


def with_multipart_field(body: bytes, content_type: str, name: str, value: str) -> bytes:
    """The same body with another value in a field that is there; else the body as it is."""
    span = _span(body, content_type, name)
    if span is None:
        return body
    return body[: span[0]] + value.encode() + body[span[1] :]


def _span(body: bytes, content_type: str, name: str) -> tuple[int, int] | None:
    """Where the value of the field begins and ends."""
    match = _BOUNDARY.match(content_type)
    if match is None:
        raise InvalidRequest(
            f"The content type {content_type!r} is not multipart/form-data with a boundary. Send "
            "the file as a form, as OpenAI's clients do."
        )
    delimiter = b"--" + match[1].strip().encode("latin-1")
    if not body.startswith(delimiter):
        raise InvalidRequest("The form does not begin with the boundary of its content type.")
    wanted = re.compile(rb';\s*name="?%b"?\s*(;|$)' % re.escape(name.encode()), re.IGNORECASE)
    at = len(delimiter)
    while (end := body.find(b"\r\n" + delimiter, at)) >= 0:
        head_end = body.find(b"\r\n\r\n", at, end)
        head = body[at:head_end] if head_end >= 0 else b""
        if any(wanted.search(line) for line in head.split(b"\r\n") if _is_disposition(line)):
            return head_end + 4, end
        at = end + 2 + len(delimiter)
    return None


def _is_disposition(line: bytes) -> bool:
    return line.lower().startswith(b"content-disposition:")
