"""Encrypting what the database must give back in clear: other servers' keys.

The key file lies beside the database and not in it, so that a copy of the database alone tells
nothing. Fernet: AES-128-CBC and HMAC-SHA256 (https://github.com/fernet/spec), a new random IV each
time, and a changed text is refused.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from ingle.errors import StorageError
from ingle.files import create_private, storage_error

__all__ = ["Secrets"]

_KEY_LENGTH = 44  # 32 bytes in base64


class Secrets:
    """Encrypts and decrypts short texts with the key in `secret.key` of a home folder."""

    def __init__(self, home: Path) -> None:
        self._path = home / "secret.key"

    @property
    def path(self) -> Path:
        """The key file, which is made by the first `encrypt`."""
        return self._path

    def has_key(self) -> bool:
        """Whether there is a key file, usable or not."""
        return self._path.exists()

    def encrypt(self, text: str) -> str:
        """The text as only this key file can read it; makes the file if there is none.

        Raises:
            StorageError: the key file cannot be made or used.
        """
        if not self.has_key():
            create_private(self._path, Fernet.generate_key() + b"\n")
        return self._fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted: str) -> str:
        """The text that `encrypt` was given.

        Raises:
            StorageError: the key file is missing, is another one, or cannot be used.
        """
        try:
            return self._fernet().decrypt(encrypted.encode()).decode()
        except InvalidToken as error:
            raise StorageError(
                f"{self._path} is not the key that this was encrypted with. "
                "Put the right one back from a backup, or set the keys of the connections again."
            ) from error

    def _fernet(self) -> Fernet:
        """The key, read anew each time: so it is never another one than the file's."""
        try:
            with self._path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                key = file.read(_KEY_LENGTH + 2).strip()
        except FileNotFoundError as error:
            raise StorageError(
                f"{self._path} is missing, and without it stored keys cannot be read. "
                "Put it back from a backup, or set the keys of the connections again."
            ) from error
        except OSError as error:
            raise storage_error(f"{self._path} cannot be read", error) from error
        if os.name == "posix" and mode & 0o077:
            # Not put right in silence: who could read it may have done so.
            raise StorageError(
                f"{self._path} can be read by others (mode {mode:04o}), so the keys that it "
                f"protects may be known to them. Run `chmod 600 {self._path}`, and change those "
                "keys if others use this machine."
            )
        try:
            return Fernet(key)
        except ValueError as error:
            raise StorageError(
                f"{self._path} is damaged: it must hold {_KEY_LENGTH} characters of base64. "
                "Put it back from a backup, or remove it and set the keys of the connections again."
            ) from error
