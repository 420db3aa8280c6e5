"""A file that another program on this machine has fetched already, shared with it instead."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ingle.models.pull.part import HASH_PIECE_BYTES, Identity, Part
from ingle.models.pull.plan import PlannedFile
from ingle.models.pull.threads import in_thread

__all__ = ["link_at_hand", "sha256_of"]


async def link_at_hand(file: PlannedFile, path: Path, journal: Path) -> str | None:
    """Make `path` a hard link to a checked file with this content; its sha256.

    None if there is no such file, it is damaged, or it lies on another disk. A hard link takes no
    space, and stays when the other program removes its own.
    """
    if file.digest is None or file.digest.algorithm != "sha256":
        return None
    for candidate in file.at_hand:
        if not await in_thread(_link, candidate, path):
            continue
        sha256 = await sha256_of(path)
        if sha256 == file.digest.value:
            identity = Identity(str(candidate), digest=str(file.digest), verified=sha256)
            await in_thread(Part(path, journal, file.digest).note, identity)
            return sha256
        await in_thread(path.unlink)
    return None


def _link(existing: Path, path: Path) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.hardlink_to(existing.resolve())  # not to a link in a snapshot of the cache
    except OSError:  # another disk, or a file system without links: then it is downloaded
        return False
    return True


async def sha256_of(path: Path) -> str | None:
    """The file's sha256, read in pieces, so that cancelling takes effect soon; None if unreadable."""
    found = hashlib.sha256()
    offset = 0
    while data := await in_thread(_read, path, offset):
        await in_thread(found.update, data)
        offset += len(data)
    return found.hexdigest() if offset else None


def _read(path: Path, offset: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:
        return b""
    try:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, HASH_PIECE_BYTES)
    finally:
        os.close(descriptor)
