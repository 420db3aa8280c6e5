"""Whether the disk has room for what is to come."""

from __future__ import annotations

import shutil
from pathlib import Path

from ingle.errors import StorageError
from ingle.files import storage_error
from ingle.models.pull.quantisation import gigabytes

__all__ = ["require_space"]

_KEPT_FREE = 256 * 1024**2  # a disk filled to its last byte takes other programs down with it


def require_space(folder: Path, needed_bytes: int) -> None:
    """Return if so many bytes fit on the folder's disk and 256 MiB stay free.

    Raises:
        StorageError: they do not; says what is free and what is needed.
    """
    if needed_bytes <= 0:
        return
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise storage_error(f"How much is free for {folder} cannot be told", error) from error
    if free - _KEPT_FREE < needed_bytes:
        raise StorageError(
            f"The disk of {folder} has {gigabytes(free)} free, and {gigabytes(needed_bytes)} more "
            f"are needed (with {gigabytes(_KEPT_FREE)} kept free). Nothing of it was fetched. "
            "Free some space, or set INGLE_HOME to a folder on another disk."
        )
