"""A file that grows: what of it is on disk, how it hashes, and whose it is.

Beside `x.part` lies a journal (a small JSON file) that says which content it is a part of. What is
in the file survives the process; after a loss of power its tail may be wrong, which the hash shows.
Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from ingle.errors import StorageError
from ingle.files import make_private_folder, storage_error, write_private
from ingle.models.pull.plan import Digest

__all__ = ["HASH_PIECE_BYTES", "Identity", "Part"]

HASH_PIECE_BYTES = 16 * 1024 * 1024  # a piece takes some 10 ms: short enough to cancel between


class Identity(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which content a part belongs to: by its digest, else by where it is and the server's tag.

    `verified` is the sha256 of a file that is whole and was found right.
    """

    origin: str
    digest: str | None = None
    validator: str | None = None
    size_bytes: int | None = None
    verified: str | None = None


class Part:
    """`path` is the file's place when it is whole; until then it is `<path>.part`.

    The bytes on disk are hashed once they are known to be continued, by `catch_up`.
    """

    def __init__(self, path: Path, journal: Path, digest: Digest | None) -> None:
        self.path = path
        self.size = 0
        self.hashed = 0
        self.identity: Identity | None = None
        self._partial = path.with_name(f"{path.name}.part")
        self._journal = journal
        self._digest = digest
        self._sha256 = hashlib.sha256()
        self._file: BinaryIO | None = None

    def open(self, origin: str) -> Self:
        """Take up what is there if it is a part of the same content, else begin with nothing.

        Raises:
            StorageError: the disk does not let us.
        """
        make_private_folder(self.path.parent)
        known = self._read_journal()
        if known is None or not self._is_same(known, origin):
            self._forget()
            known = None
        self.identity = known
        try:
            if known and not known.verified and self.path.exists():
                self.path.replace(self._partial)
            if known and known.verified and self.path.exists():
                self.size = self.hashed = self.path.stat().st_size
                return self
            self._file = self._partial.open("r+b" if self._partial.exists() else "w+b")
            self.size = self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise storage_error(f"{self._partial} cannot be opened", error) from error
        return self

    @property
    def verified(self) -> str | None:
        """The sha256 of the whole file, if it had been fetched and checked before."""
        whole = self.identity is not None and self._file is None
        return self.identity.verified if self.identity and whole else None

    def note(self, identity: Identity) -> None:
        """Write down which content this is a part of.

        Raises:
            StorageError: the journal cannot be written.
        """
        if identity != self.identity:
            make_private_folder(self._journal.parent)
            write_private(self._journal, msgspec.json.encode(identity))
            self.identity = identity

    def catch_up(self) -> bool:
        """Hash a piece of what is on disk but was not hashed yet; False once there is none.

        Raises:
            StorageError: it cannot be read.
        """
        if self.hashed >= self.size:
            return False
        try:
            file = self._opened()
            file.seek(self.hashed)
            data = file.read(min(HASH_PIECE_BYTES, self.size - self.hashed))
        except OSError as error:
            raise storage_error(f"{self._partial} cannot be read", error) from error
        if not data:
            raise StorageError(f"{self._partial} was cut by someone else. Run the same again.")
        self._sha256.update(data)
        self.hashed += len(data)
        return self.hashed < self.size

    def append(self, data: bytes) -> None:
        """Add bytes at the end.

        Raises:
            StorageError: the disk is full or failed; what was there before is still right.
        """
        try:
            file = self._opened()
            file.seek(self.size)
            file.write(data)
            file.flush()
        except OSError as error:
            self._cut_back()
            raise storage_error(f"{self._partial} cannot be written", error) from error
        self._sha256.update(data)
        self.size += len(data)
        self.hashed += len(data)

    def restart(self) -> None:
        """Throw away what is there, and begin with nothing.

        Raises:
            StorageError: the disk does not let us.
        """
        try:
            self._opened().truncate(0)
        except OSError as error:
            raise storage_error(f"{self._partial} cannot be emptied", error) from error
        self.size = self.hashed = 0
        self._sha256 = hashlib.sha256()

    def head(self, length: int) -> bytes:
        """The first bytes.

        Raises:
            StorageError: they cannot be read.
        """
        try:
            file = self._opened()
            file.seek(0)
            return file.read(length)
        except OSError as error:
            raise storage_error(f"{self._partial} cannot be read", error) from error

    def fault(self) -> str | None:
        """What is wrong with the whole content, if there is a digest that it should have."""
        if self._digest is None:
            return None
        found = self._found(self._digest)
        if found == self._digest.value:
            return None
        return f"it should have {self._digest} but has {self._digest.algorithm} {found}"

    def finish(self) -> str:
        """Put the file in its place, durably; its sha256.

        Raises:
            StorageError: the disk does not let us.
        """
        assert self.identity is not None
        sha256 = self._sha256.hexdigest()
        try:
            file = self._opened()
            os.fsync(file.fileno())
            self.close()
            self._partial.replace(self.path)
        except OSError as error:
            raise storage_error(f"{self.path} cannot be written", error) from error
        self.note(msgspec.structs.replace(self.identity, verified=sha256))
        return sha256

    def remove(self) -> None:
        """Remove the file and its journal."""
        self.close()
        self._forget()

    def close(self) -> None:
        """Let go of the file; what was written stays."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _is_same(self, known: Identity, origin: str) -> bool:
        if self._digest is not None:
            return known.digest == str(self._digest)
        return known.digest is None and known.origin == origin and known.validator is not None

    def _read_journal(self) -> Identity | None:
        try:
            return msgspec.json.decode(self._journal.read_bytes(), type=Identity)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        except OSError as error:
            raise storage_error(f"{self._journal} cannot be read", error) from error

    def _forget(self) -> None:
        try:
            for path in (self._partial, self.path, self._journal):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(f"{self.path} cannot be removed", error) from error

    def _cut_back(self) -> None:
        """Drop what a write that failed half way may have left."""
        with contextlib.suppress(OSError):  # the next open finds it, and the hash decides
            self._opened().truncate(self.size)

    def _found(self, digest: Digest) -> str:
        if digest.algorithm == "sha256":
            return self._sha256.hexdigest()
        # git names a file by the sha1 of "blob SIZE\0CONTENT" (Pro Git, chapter 10.2).
        sha1 = hashlib.sha1(f"blob {self.size}\0".encode(), usedforsecurity=False)
        file = self._opened()
        file.seek(0)
        while data := file.read(HASH_PIECE_BYTES):
            sha1.update(data)
        return sha1.hexdigest()

    def _opened(self) -> BinaryIO:
        assert self._file is not None, "the part is open"
        return self._file
