"""Files that callers leave: kept whole or not at all, seen by their owner, gone when they expire."""

from __future__ import annotations

import hashlib
import os
import stat
from functools import partial
from pathlib import Path

import pytest
from tests.storage.test_database import full_disk

from ingle.errors import NotFound, RequestTooLarge, StorageError
from ingle.settings import Settings
from ingle.storage.database import Database
from ingle.storage.files import Files, StoredFile, new_file_id
from ingle.storage.pages import Paging


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock for the files."""
    return Clock()


@pytest.fixture
def files(each_database: Database, settings: Settings, clock: Clock) -> Files:
    """No files yet."""
    return Files(each_database, settings.home / "files", now=clock)


def put(files: Files, data: bytes = b"x", **rest: object) -> StoredFile:
    upload = files.begin()
    upload.write(data)
    return upload.keep(filename="a.txt", purpose="user_data", **rest)  # type: ignore[arg-type]


def test_a_file_is_kept_whole(files: Files) -> None:
    """Its size and hash are those of its bytes, and only its owner can read it."""
    stored = put(files, b"some bytes", key_id="k1")
    assert stored.id.startswith("file-")
    assert (stored.size_bytes, stored.sha256) == (10, hashlib.sha256(b"some bytes").hexdigest())
    assert stored.path.read_bytes() == b"some bytes"
    assert stat.S_IMODE(stored.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(stored.path.parent.stat().st_mode) == 0o700
    assert files.get(stored.id) == stored


def test_an_upload_that_is_dropped_leaves_nothing(files: Files, settings: Settings) -> None:
    """Also one that got too large; to drop one that was kept does nothing."""
    upload = files.begin(max_bytes=3)
    upload.write(b"abc")
    with pytest.raises(RequestTooLarge, match="more than 3 bytes"):
        upload.write(b"d")
    upload.drop()
    assert list((settings.home / "files").iterdir()) == []
    kept = files.begin()
    stored = kept.keep(filename="a", purpose="user_data")
    kept.drop()
    assert stored.path.exists()


def test_a_file_is_its_keys(files: Files) -> None:
    """Another key finds, lists and deletes nothing of it; without keys all are there."""
    mine, other = put(files, key_id="k1"), put(files, key_id="k2")
    with pytest.raises(NotFound, match="No such File object"):
        files.get(mine.id, "k2")
    with pytest.raises(NotFound):
        files.remove(mine.id, "k2")
    assert [f.id for f in files.list(Paging(10), key_id="k2").items] == [other.id]
    assert {f.id for f in files.list(Paging(10)).items} == {mine.id, other.id}
    files.remove(mine.id, "k1")
    assert not mine.path.exists()


def test_a_file_expires(files: Files, clock: Clock) -> None:
    """From then on nobody finds it, and the next sweep deletes its bytes."""
    stored, stays = put(files, expires_in_s=60), put(files)
    assert stored.expires_at == 1060
    clock.now = 1060
    with pytest.raises(NotFound):
        files.get(stored.id)
    assert stored.path.exists()
    assert files.sweep() == 1
    assert not stored.path.exists()
    assert files.get(stays.id) == stays


def test_a_sweep_deletes_uploads_that_were_cut_short(
    files: Files, settings: Settings, clock: Clock
) -> None:
    """Those that are a day old: a younger one may still be under way."""
    upload = files.begin()
    (part,) = (settings.home / "files").iterdir()
    os.utime(part, (1000, 1000))
    assert files.sweep() == 0
    clock.now = 1001 + 24 * 3600
    assert files.sweep() == 1
    upload.drop()


def test_what_is_taken_twice_is_there_once(files: Files, tmp_path: Path) -> None:
    """Whether the first time was cut short after the move, or after all of it."""
    path, file_id = tmp_path / "made", new_file_id()
    path.write_bytes(b"made")
    take = partial(files.take, path, filename="out", purpose="batch_output")
    first = take(file_id=file_id)
    assert (first.size_bytes, path.exists()) == (4, False)
    assert take(file_id=file_id) == first
    cut = new_file_id()
    (first.path.parent / cut).write_bytes(b"moved before the end")
    assert take(file_id=cut).size_bytes == 20


def test_a_full_disk_keeps_nothing(files: Files, settings: Settings) -> None:
    """The error says so, and no half a file stays."""
    upload = files.begin()
    with full_disk(after_bytes=1000), pytest.raises(StorageError, match=r"full|large"):
        upload.write(b"x" * 2000)
    upload.drop()
    assert list((settings.home / "files").iterdir()) == []
    assert files.list(Paging(10)).items == []


def test_a_folder_that_cannot_be_written(files: Files, settings: Settings) -> None:
    """The error says what to do."""
    (settings.home / "files").write_text("in the way")
    with pytest.raises(StorageError, match="INGLE_HOME"):
        files.begin()
