"""Bytes of a form (`multipart/form-data`) -> its parts as they come, at any split of the bytes.

Sources: RFC 7578; RFC 2046, section 5.1.1, for the boundary; RFC 6266 for `filename*`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value

from ingle.errors import InvalidRequest

__all__ = ["FormDecoder", "Part"]

_BOUNDARY = re.compile(r'multipart/form-data\s*;.*\bboundary="?([^";,]{1,70})"?', re.IGNORECASE)
_MAX_HEAD_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """A part that begins; `filename` is None for a field. Its bytes follow."""

    name: str
    filename: str | None


class FormDecoder:
    """Takes a form apart. Feed it reads of any size, in their order, then `end` it.

    Raises:
        InvalidRequest: the content type is no form's, or names no boundary.
    """

    def __init__(self, content_type: str) -> None:
        match = _BOUNDARY.match(content_type)
        if match is None:
            raise InvalidRequest(
                f"The content type is {content_type[:200]!r}, but a file comes as a form "
                "(multipart/form-data with a boundary), as OpenAI's clients send it."
            )
        self._delimiter = b"\r\n--" + match[1].strip().encode("latin-1")
        self._pending = b"\r\n"  # the first delimiter stands as if a line had ended before it
        self._is_in_part = False
        self._is_in_head = False
        self._is_over = False

    def feed(self, data: bytes) -> list[Part | bytes]:
        """The parts that begin in these bytes, each with those of its bytes that have come.

        Raises:
            InvalidRequest: a part's head is none.
        """
        told: list[Part | bytes] = []
        self._pending += data
        while not self._is_over:
            went_on = self._head(told) if self._is_in_head else self._body(told)
            if not went_on:
                break
        return told

    def end(self) -> None:
        """Nothing more comes.

        Raises:
            InvalidRequest: the form has not ended.
        """
        if not self._is_over:
            raise InvalidRequest(
                "The form ends before its last boundary, so a part of it is missing. Send it again."
            )

    def _body(self, told: list[Part | bytes]) -> bool:
        """Take what comes up to the next delimiter; False if more has to come."""
        at = self._pending.find(self._delimiter)
        after = at + len(self._delimiter)
        if at < 0:
            at = max(0, len(self._pending) - len(self._delimiter) + 1)
            self._take(at, told)
            return False
        line, end, _ = self._pending[after : after + 128].partition(b"\r\n")
        is_last = line.startswith(b"--")
        if not end and not is_last and len(self._pending) < after + 128:
            self._take(at, told)
            return False
        self._take(at, told)
        if not is_last and (not end or line.strip(b" \t")):
            raise InvalidRequest("The form has text behind a boundary. Send it again.")
        self._pending = self._pending[len(self._delimiter) + len(line) :]
        self._is_over, self._is_in_head = is_last, not is_last
        return True

    def _take(self, size: int, told: list[Part | bytes]) -> None:
        if self._is_in_part and size:  # what comes before the first part is nobody's
            told.append(self._pending[:size])
        self._pending = self._pending[size:]

    def _head(self, told: list[Part | bytes]) -> bool:
        end = self._pending.find(b"\r\n\r\n")
        if max(end, len(self._pending) if end < 0 else 0) > _MAX_HEAD_BYTES:
            raise InvalidRequest(
                f"A part of the form has a head of more than {_MAX_HEAD_BYTES:,} bytes. Shorten it."
            )
        if end < 0:
            return False
        told.append(_part(self._pending[:end]))
        self._pending = self._pending[end + 4 :]
        self._is_in_head, self._is_in_part = False, True
        return True


def _part(head: bytes) -> Part:
    for line in head.decode("utf-8", "replace").split("\r\n"):
        field, _, value = line.partition(":")
        if field.strip().lower() == "content-disposition":
            message = Message()
            message["content-disposition"] = value.strip()
            name = message.get_param("name", header="content-disposition")
            filename = message.get_param("filename", header="content-disposition")
            if name is not None:
                return Part(
                    collapse_rfc2231_value(name),
                    None if filename is None else collapse_rfc2231_value(filename),
                )
    raise InvalidRequest("A part of the form has no name. Send the fields as a form has them.")
