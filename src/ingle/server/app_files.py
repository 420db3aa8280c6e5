"""Files of `/api/files` and `/v1/files` as values of an app's input: `file:<id>` becomes a data URI."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ingle.apps.definition import FieldDefinition
from ingle.errors import InvalidRequest
from ingle.files import storage_error
from ingle.storage.files import Files, StoredFile

__all__ = ["names_files", "with_files"]

_PREFIX = "file:"
_OF_FILES = frozenset({"file", "image", "audio"})
_LARGEST_BYTES = 64 * 1024**2
"""A value is in memory as a whole, and recorded with its run."""


def names_files(fields: Mapping[str, FieldDefinition], values: Mapping[str, Any]) -> bool:
    """Whether a value stands for a file."""
    return any(_is_id(fields.get(name), value) for name, value in values.items())


def with_files(
    fields: Mapping[str, FieldDefinition],
    values: Mapping[str, Any],
    files: Files,
    key_id: str | None,
) -> dict[str, Any]:
    """The values, in which files stand for their ids. Blocks.

    Raises:
        NotFound: there is no such file, or it is another key's.
        InvalidRequest: it is too large for a value.
        StorageError: it cannot be read.
    """
    return {
        name: _data_uri(name, files.get(value.removeprefix(_PREFIX), key_id))
        if _is_id(fields.get(name), value)
        else value
        for name, value in values.items()
    }


def _is_id(field: FieldDefinition | None, value: Any) -> bool:
    is_file = field is not None and field.type in _OF_FILES
    return is_file and isinstance(value, str) and value.startswith(_PREFIX)


def _data_uri(field: str, file: StoredFile) -> str:
    if file.size_bytes > _LARGEST_BYTES:
        raise InvalidRequest(
            f"The file {file.id} of `{field}` has {file.size_bytes:,} bytes, and an app takes at "
            f"most {_LARGEST_BYTES:,}. Give a smaller one, such as a part of it.",
            param=f"input.{field}",
        )
    try:
        data = file.path.read_bytes()
    except OSError as error:
        raise storage_error(f"{file.path} cannot be read", error) from error
    kind = mimetypes.guess_type(file.filename)[0] or "application/octet-stream"
    return f"data:{kind};name={quote(file.filename)};base64,{base64.b64encode(data).decode()}"
