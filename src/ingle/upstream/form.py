"""A request body with files in it, as `multipart/form-data` (RFC 7578)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

__all__ = ["Form", "FormFile"]


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file and the field of the form that it stands in."""

    field: str
    name: str
    mime: str
    content: bytes = dataclass_field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """Fields and files. A field that is not text is written as JSON, a list as several fields.

    OpenAI's API takes lists in forms by the name `name[]`.
    """

    fields: Mapping[str, Any]  # Any: JSON values
    files: Sequence[FormFile]

    def encoded(self) -> tuple[bytes, str]:
        """The body, and the content type that names its boundary."""
        boundary = f"ingle-{secrets.token_hex(16)}"  # by chance no file holds it
        parts = b"".join(
            b"--%b\r\n%b\r\n" % (boundary.encode(), part)
            for part in (*self._texts(), *map(_file, self.files))
        )
        return parts + b"--%b--\r\n" % boundary.encode(), (
            f"multipart/form-data; boundary={boundary}"
        )

    def _texts(self) -> Iterator[bytes]:
        for name, value in self.fields.items():
            values = value if isinstance(value, list) else [value]
            label = f"{name}[]" if isinstance(value, list) else name
            for one in values:
                text = one if isinstance(one, str) else json.dumps(one)
                head = f'Content-Disposition: form-data; name="{_quoted(label)}"\r\n\r\n'
                yield head.encode() + text.encode()


def _file(file: FormFile) -> bytes:
    head = (
        f'Content-Disposition: form-data; name="{_quoted(file.field)}"; '
        f'filename="{_quoted(file.name)}"\r\nContent-Type: {_one_line(file.mime)}\r\n\r\n'
    )
    return head.encode() + file.content


def _quoted(name: str) -> str:
    """As browsers write it (HTML's form submission): no name can end its line or its quotes."""
    return _one_line(name).replace('"', "%22")


def _one_line(text: str) -> str:
    return "".join(char for char in text if char.isprintable())
