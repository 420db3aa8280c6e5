"""Files that callers leave here: their bytes in a folder, what they are in a table.

It knows nothing about what is in them. Everything here blocks, so async callers go through
`asyncio.to_thread`.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ingle.errors import NotFound, RequestTooLarge
from ingle.files import make_private_folder, storage_error
from ingle.ids import new_id
from ingle.storage.database import Database
from ingle.storage.openai_tables import files
from ingle.storage.pages import Page, Paging, page_of

__all__ = ["Files", "StoredFile", "Upload", "new_file_id"]

_READ_BYTES = 1 << 20
_ABANDONED_S = 24 * 3600
"""No upload takes as long; what is older was cut short by the end of its process."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file; moments are Unix seconds. `filename` is what its owner called it, `path` where its
    bytes are."""

    id: str
    key_id: str | None
    filename: str
    purpose: str
    size_bytes: int
    sha256: str
    created_at: float
    expires_at: float | None
    path: Path


class Files:
    """The files of one database, their bytes in `folder`. Any thread may use it.

    With a `key_id` only what was made with that API key is there; with None everything.
    """

    def __init__(
        self, database: Database, folder: Path, *, now: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._folder = folder
        self._now = now

    def begin(self, *, max_bytes: int | None = None) -> Upload:
        """A file to be written. End it with `keep` or `drop`.

        Raises:
            StorageError: the folder cannot be written to.
        """
        make_private_folder(self._folder)
        return Upload(self, self._folder, max_bytes)

    def get(self, file_id: str, key_id: str | None = None) -> StoredFile:
        """The file of this id.

        Raises:
            NotFound: there is none, it has expired, or it is someone else's.
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            row = transaction.execute(
                self._visible(key_id).where(files.c.id == file_id)
            ).one_or_none()
        if row is None:
            raise _not_found(file_id)
        return self._file(row)

    def list(
        self, paging: Paging, *, key_id: str | None = None, purpose: str | None = None
    ) -> Page[StoredFile]:
        """Some files in the order in which they were made; of one purpose, where one is named.

        Raises:
            StorageError: the database failed.
        """
        chosen = self._visible(key_id)
        if purpose is not None:
            chosen = chosen.where(files.c.purpose == purpose)
        with self._database.reading() as transaction:
            page = page_of(transaction, chosen, paging, id_column=files.c.id)
        return Page([self._file(row) for row in page.items], page.has_more)

    def remove(self, file_id: str, key_id: str | None = None) -> None:
        """Delete a file. Who reads it just now can go on. Raises what `get` does."""
        stored = self.get(file_id, key_id)
        with self._database.writing() as transaction:
            transaction.execute(sa.delete(files).where(files.c.id == file_id))
        _unlink(stored.path)

    def take(
        self,
        path: Path,
        *,
        file_id: str,
        filename: str,
        purpose: str,
        key_id: str | None = None,
        expires_in_s: float | None = None,
    ) -> StoredFile:
        """The file at `path`, moved here under an id that was chosen before.

        Doing it again after it was cut short, or done, ends the same.

        Raises:
            StorageError: the file cannot be moved or read, or the database failed.
        """
        with suppress(NotFound):
            return self.get(file_id)
        make_private_folder(self._folder)
        target = self._folder / file_id
        try:
            if path.exists():
                path.replace(target)
            digest, size = _hashed(target)
        except OSError as error:
            raise storage_error(f"{path} cannot be moved to {target}", error) from error
        return self._add(
            file_id,
            filename=filename,
            purpose=purpose,
            size_bytes=size,
            sha256=digest,
            key_id=key_id,
            expires_in_s=expires_in_s,
        )

    def sweep(self) -> int:
        """Delete what has expired, and what uploads left that were cut short. Returns how many.

        Raises:
            StorageError: the database or the folder failed.
        """
        now = self._now()
        with self._database.writing() as transaction:
            expired = sa.and_(files.c.expires_at.is_not(None), files.c.expires_at <= now)
            ids = transaction.execute(sa.select(files.c.id).where(expired)).scalars().all()
            transaction.execute(sa.delete(files).where(expired))
        for file_id in ids:
            _unlink(self._folder / file_id)
        swept = len(ids)
        try:
            for path in self._folder.glob("*.part"):
                with suppress(FileNotFoundError):  # it has just been kept or dropped
                    if now - path.stat().st_mtime > _ABANDONED_S:
                        _unlink(path)
                        swept += 1
        except OSError as error:
            raise storage_error(f"The folder {self._folder} cannot be read", error) from error
        return swept

    def _visible(self, key_id: str | None) -> sa.Select[Any]:
        expires_at = files.c.expires_at
        chosen = sa.select(files).where(sa.or_(expires_at.is_(None), expires_at > self._now()))
        return chosen if key_id is None else chosen.where(files.c.key_id == key_id)

    def _add(
        self,
        file_id: str,
        *,
        filename: str,
        purpose: str,
        size_bytes: int,
        sha256: str,
        key_id: str | None,
        expires_in_s: float | None,
    ) -> StoredFile:
        now = self._now()
        stored = StoredFile(
            id=file_id,
            key_id=key_id,
            filename=filename,
            purpose=purpose,
            size_bytes=size_bytes,
            sha256=sha256,
            created_at=now,
            expires_at=None if expires_in_s is None else now + expires_in_s,
            path=self._folder / file_id,
        )
        values = asdict(stored)
        del values["path"]
        with self._database.writing() as transaction:
            transaction.execute(sa.insert(files).values(values))
        return stored

    def _file(self, row: sa.Row[Any]) -> StoredFile:
        return StoredFile(**row._mapping, path=self._folder / row.id)


class Upload:
    """A file being written; nobody sees it before it is kept. One thread at a time may use it."""

    def __init__(self, owner: Files, folder: Path, max_bytes: int | None) -> None:
        self.id = new_file_id()
        self.size_bytes = 0
        self._owner = owner
        self._max_bytes = max_bytes
        self._target = folder / self.id
        self._part = folder / f"{self.id}.part"
        self._hash = hashlib.sha256()
        try:
            descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise storage_error(f"{self._part} cannot be made", error) from error
        self._file = os.fdopen(descriptor, "wb", buffering=0)

    def write(self, data: bytes) -> None:
        """Add to the end.

        Raises:
            RequestTooLarge: the file gets larger than it may.
            StorageError: the disk is full or failed.
        """
        self.size_bytes += len(data)
        if self._max_bytes is not None and self.size_bytes > self._max_bytes:
            raise RequestTooLarge(
                f"The file has more than {self._max_bytes:,} bytes, and no more are taken. Send a "
                "smaller one; INGLE_MAX_FILE_BYTES sets the limit.",
                param="file",
            )
        self._hash.update(data)
        try:
            left = memoryview(data)
            while left:  # without a buffer, one call may write a part only
                left = left[self._file.write(left) :]
        except OSError as error:
            raise storage_error(f"{self._part} cannot be written", error) from error

    def keep(
        self,
        *,
        filename: str,
        purpose: str,
        key_id: str | None = None,
        expires_in_s: float | None = None,
    ) -> StoredFile:
        """The file, now there for all who may see it, and on disk.

        Raises:
            StorageError: the disk or the database failed; nothing is kept then.
        """
        try:
            with self._file:
                os.fsync(self._file.fileno())
            self._part.replace(self._target)
        except OSError as error:
            self.drop()
            raise storage_error(f"{self._target} cannot be written", error) from error
        try:
            return self._owner._add(
                self.id,
                filename=filename,
                purpose=purpose,
                size_bytes=self.size_bytes,
                sha256=self._hash.hexdigest(),
                key_id=key_id,
                expires_in_s=expires_in_s,
            )
        except BaseException:
            _unlink(self._target)
            raise

    def drop(self) -> None:
        """Delete what was written. After `keep` it does nothing."""
        with suppress(OSError):  # what is not on disk for certain is given up anyway
            self._file.close()
        _unlink(self._part)


def new_file_id() -> str:
    """An id for a file, with a hyphen as OpenAI's have it."""
    return new_id("file").replace("_", "-")


def _hashed(path: Path) -> tuple[str, int]:
    """The SHA-256 of a file, on disk for certain, and its size in bytes."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        os.fsync(file.fileno())
        while data := file.read(_READ_BYTES):
            digest.update(data)
            size += len(data)
    return digest.hexdigest(), size


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(f"{path} cannot be deleted", error) from error


def _not_found(file_id: str) -> NotFound:
    return NotFound(
        f"No such File object: {file_id}. `GET /v1/files` lists those that there are.", param="id"
    )
