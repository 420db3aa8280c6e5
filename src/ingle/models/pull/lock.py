"""A lock that one process at a time holds, and that the system takes from a dead one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from ingle.files import make_private_folder, storage_error

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["exclusive", "is_held"]

_POLL_S = 0.25  # neither system tells when a lock gets free but to a thread that waits for it


@asynccontextmanager
async def exclusive(path: Path, on_wait: Callable[[], None]) -> AsyncGenerator[None, None]:
    """Hold the lock of this file; `on_wait` is called once if another task or process has it.

    The file is there only while someone holds or wants the lock.

    Raises:
        StorageError: the file cannot be made, or its file system has no locks.
    """
    make_private_folder(path.parent)
    has_told = False
    while (descriptor := _try(path)) is None:
        if not has_told:
            on_wait()
            has_told = True
        await asyncio.sleep(_POLL_S)
    try:
        yield
    finally:
        # Removed while it is held: who waits for it finds it gone and makes a new one.
        _remove(path)
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a task or a process, this one included, holds the lock now. Waits for nothing."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _lock(descriptor)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _try(path: Path) -> int | None:
    """The descriptor that holds the lock; None if another has it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise storage_error(f"{path} cannot be made", error) from error
    try:
        if _lock(descriptor) and _is_at(descriptor, path):
            return descriptor
    except OSError as error:
        os.close(descriptor)
        raise storage_error(f"{path} cannot be locked", error) from error
    os.close(descriptor)
    return None


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # what the two systems say of a lock that is taken
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the path still is the file that was locked."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    # Windows removes no open file; there an empty one stays and does no harm.
    with contextlib.suppress(PermissionError):
        path.unlink(missing_ok=True)
