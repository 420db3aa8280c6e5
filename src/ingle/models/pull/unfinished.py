"""Pulls that have begun and not ended, as their staging folders tell: also those of another process.

Each has a note beside its files that says what to pull to go on. Everything here blocks: call it in
a thread.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ingle.errors import InvalidRequest
from ingle.files import write_private
from ingle.models.pull.lock import is_held
from ingle.models.pull.part import Identity
from ingle.models.pull.source import Source, parse_source
from ingle.models.pull.staging import Staging, staged

__all__ = ["Unfinished", "find_unfinished", "note_unfinished", "pull_id"]


class _Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """`name` is what the caller wants it to be called, `total_bytes` the sum of its files' sizes."""

    source: str
    name: str | None = None
    total_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A pull that has left files: `done_bytes` of them are here. `is_held` means it is under way."""

    id: str
    source: str
    name: str | None
    staging: Staging
    done_bytes: int
    total_bytes: int | None
    began_at: datetime
    is_held: bool


def pull_id(source: Source, name: str | None) -> str:
    """What a pull of this source under this name is called: the same whoever asks for it, and when.

    A signature in a URL's query is no part of it.
    """
    return hashlib.sha256(f"{source}\n{name or ''}".encode()).hexdigest()[:16]


def note_unfinished(
    staging: Staging, source: str, name: str | None, total_bytes: int | None
) -> None:
    """Write down what is being pulled into a staging folder. A signature in a URL is left out.

    Raises:
        StorageError: the disk does not let us.
    """
    note = _Note(source, name, total_bytes)
    write_private(staging.note, msgspec.json.encode(note))


def find_unfinished(models: Path) -> list[Unfinished]:
    """The pulls that were begun below the folder of all models, the oldest first.

    What cannot be read is left out.
    """
    found = [one for staging in staged(models) if (one := _read(staging))]
    return sorted(found, key=lambda one: one.began_at)


def _read(staging: Staging) -> Unfinished | None:
    try:
        note = msgspec.json.decode(staging.note.read_bytes(), type=_Note)
        identifier = pull_id(parse_source(note.source), note.name)
        return Unfinished(
            id=identifier,
            source=note.source,
            name=note.name,
            staging=staging,
            done_bytes=sum(_sizes(staging.folder)),
            total_bytes=note.total_bytes or _told_size(staging),
            began_at=datetime.fromtimestamp(staging.note.stat().st_mtime, UTC),
            is_held=is_held(staging.lock),
        )
    except (OSError, msgspec.DecodeError, InvalidRequest):
        return None


def _told_size(staging: Staging) -> int | None:
    """The size of the only file that was begun, if its server told it; of several, some may not
    have been begun."""
    journals = list(staging.note.parent.glob("journal/*.json"))
    if len(journals) != 1:
        return None
    return msgspec.json.decode(journals[0].read_bytes(), type=Identity).size_bytes


def _sizes(folder: Path) -> Iterator[int]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.stat().st_size
