"""Where OpenVINO keeps what it has compiled, so that a model is ready sooner the next time.

A folder a model below one that is its owner's alone, as what lies there is run. It is bounded: the
model that was not loaded for the longest time goes first. Losing any of it costs only time, and
OpenVINO itself makes anew what is damaged or was made of other files.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from ingle.errors import StorageError
from ingle.files import make_private_folder

__all__ = ["compiled_folder"]

_MOST_BYTES = 4 * 1024**3
_COMPILED = 2  # times the weights: what is kept in 8 or 16 bits may be unpacked


def compiled_folder(
    cache: Path, model: Path, weights_bytes: int, *, most_bytes: int = _MOST_BYTES
) -> Path | None:
    """The folder for what a model is compiled to, after older ones have made room for it.

    None if there can be none: no place to write, or a model that would take half of it all.
    """
    needed_bytes = _COMPILED * weights_bytes
    if needed_bytes > most_bytes / 2:
        return None
    folder = cache / hashlib.sha256(str(model).encode()).hexdigest()[:16]
    try:
        make_private_folder(cache)
        make_private_folder(folder)
        if _size(folder) > 2 * needed_bytes:  # what was made of files that were replaced since
            shutil.rmtree(folder)
            make_private_folder(folder)
        os.utime(folder)
        _make_room(cache, folder, most_bytes - needed_bytes)
    except (OSError, StorageError):
        return None
    return folder


def _make_room(cache: Path, kept: Path, most_bytes: int) -> None:
    """Remove the models that were loaded the longest time ago until the rest fits."""
    others = [folder for folder in cache.iterdir() if folder.is_dir() and folder != kept]
    newest_first = sorted(others, key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in newest_first:
        most_bytes -= _size(folder)
        if most_bytes < 0:
            shutil.rmtree(folder)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
