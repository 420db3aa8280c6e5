"""What an app has made, as people read it: printed, or saved to a file."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any

from ingle.cli.terminal import size
from ingle.errors import StorageError
from ingle.processors.data_uri import File, is_data_uri, read_data_uri

__all__ = ["save_value", "told_value"]

# How the base64 of pictures begins, which the image processors give without more.
_PICTURES = {"iVBORw0KGgo": "image/png", "/9j/": "image/jpeg", "UklGR": "image/webp"}
_LEAST_CHARACTERS = 100


def told_value(value: Any) -> str:
    """The value as text: a text as it is, a file by its kind and size, all else as JSON."""
    if (file := _file(value)) is not None:
        return f"{file.mime}, {size(len(file.content))}; `--output FILE` saves it"
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def save_value(value: Any, path: Path) -> str:
    """Write the value to a file: a file's content, or text; what was written, for people.

    Raises:
        StorageError: it cannot be written.
    """
    file = _file(value)
    content = file.content if file is not None else f"{told_value(value)}\n".encode()
    try:
        path.write_bytes(content)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror}. Run it again with another `--output`."
        ) from error
    return f"Saved {path} ({size(len(content))})"


def _file(value: Any) -> File | None:
    """The file that the value is, as a data URI or as a picture's base64; None if it is none."""
    if not isinstance(value, str):
        return None
    if is_data_uri(value) and ";base64," in value[:2048]:
        return read_data_uri(value, param="output")
    mime = next((mime for start, mime in _PICTURES.items() if value.startswith(start)), None)
    if mime is None or len(value) < _LEAST_CHARACTERS:
        return None
    try:
        return File(mime, base64.b64decode(value, validate=True))
    except binascii.Error:
        return None
