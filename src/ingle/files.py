"""Files that only their owner can read, written whole or not at all.

It knows nothing about what is in them.
"""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from ingle.errors import StorageError

__all__ = ["create_private", "make_private_folder", "storage_error", "write_private"]

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NOT_ALLOWED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NOT_A_FOLDER = frozenset({errno.ENOTDIR, errno.EEXIST})


def make_private_folder(path: Path) -> None:
    """Make the folder and its parents, where missing; a new one is open to its owner only (0700).

    Raises:
        StorageError: it cannot be made, or it is no folder.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(f"The folder {path} cannot be made", error) from error


def write_private(path: Path, data: bytes) -> None:
    """Put `data` in place of the file, with mode 0600, on disk before this returns.

    A reader sees the old or the new content, never a part; after any error the old file is
    untouched. A symbolic link stays, and the file it leads to is replaced.

    Raises:
        StorageError: the disk is full, or the folder cannot be written to.
    """
    target = path.resolve()
    try:
        draft = _write_draft(target, data)
        try:
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(f"{path} cannot be written", error) from error


def create_private(path: Path, data: bytes) -> bool:
    """Make the file with this content and mode 0600; False if it is there already.

    Of several processes that do this at once exactly one makes it, and the others find it whole.

    Raises:
        StorageError: the disk is full, or the folder cannot be written to.
    """
    try:
        draft = _write_draft(path, data)
        try:
            # A hard link is the one call that both refuses an existing name and shows a whole file.
            path.hardlink_to(draft)
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(f"{path} cannot be written", error) from error
    return True


def storage_error(what_failed: str, error: OSError) -> StorageError:
    """The error for people: what failed, why, and what to do about this cause."""
    if error.errno in _NO_SPACE:
        advice = "The disk or a quota is full. Free some space and try again."
    elif error.errno in _NOT_ALLOWED:
        advice = "Give this user the right to it, or set INGLE_HOME to a folder that is yours."
    elif error.errno in _NOT_A_FOLDER:
        advice = "A part of this path is a file. Move it away, or set INGLE_HOME to another folder."
    else:
        advice = "Check the disk, or set INGLE_HOME to a folder on another one."
    return StorageError(f"{what_failed}: {error.strerror or error}. {advice}")


def _write_draft(target: Path, data: bytes) -> Path:
    """A new file (mode 0600, synced to disk) beside the target, that holds the data."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)
