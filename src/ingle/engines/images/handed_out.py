"""Pictures that are handed out by address, for an hour, as OpenAI does it.

The engine's process puts them into a private folder and the server gives them to whoever knows the
name, which cannot be guessed: a page's `<img>` sends no key. The folder is bounded: what is older
than an hour goes, and if that is not enough, the oldest.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from ingle.engines.images.picture import MEDIA_TYPES, ImageFormat
from ingle.errors import NotFound
from ingle.files import make_private_folder, storage_error, write_private

__all__ = ["hand_out", "handed_out", "pictures_folder"]

_VALID_S = 3600.0
_MOST_BYTES = 512 * 1024**2
_NAME = re.compile(r"[0-9a-f]{32}\.(png|jpeg|webp)")
_MEDIA_TYPES: Mapping[str, str] = {str(kind): media for kind, media in MEDIA_TYPES.items()}


def pictures_folder(home: Path) -> Path:
    """The folder in Ingle's own for them."""
    return home / "pictures"


def hand_out(folder: Path, file: bytes, kind: ImageFormat, *, most_bytes: int = _MOST_BYTES) -> str:
    """The name under which the picture can be had for an hour. Blocks.

    Raises:
        StorageError: it cannot be written.
    """
    make_private_folder(folder)
    try:
        _make_room(folder, most_bytes - len(file))
    except OSError as error:
        raise storage_error(f"{folder} cannot be tidied", error) from error
    name = f"{secrets.token_hex(16)}.{kind}"
    write_private(folder / name, file)
    return name


def handed_out(folder: Path, name: str) -> tuple[bytes, str]:
    """The picture of this name, and its media type. Blocks.

    Raises:
        NotFound: there is none, or its hour is over.
        StorageError: it cannot be read.
    """
    path = folder / name
    try:
        # A name of this form leads to no other folder.
        if (found := _NAME.fullmatch(name)) and not _is_over(path):
            return path.read_bytes(), _MEDIA_TYPES[found[1]]
    except FileNotFoundError:
        pass
    except OSError as error:
        raise storage_error(f"{path} cannot be read", error) from error
    raise NotFound(
        "There is no such picture, or its hour is over. Ask for it again; with "
        '`"response_format": "b64_json"` it comes in the answer itself.'
    )


def _is_over(path: Path) -> bool:
    return path.stat().st_mtime < time.time() - _VALID_S


def _make_room(folder: Path, most_bytes: int) -> None:
    newest_first = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in newest_first:
        most_bytes -= path.stat().st_size
        if most_bytes < 0 or _is_over(path):
            path.unlink(missing_ok=True)
