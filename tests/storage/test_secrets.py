"""The key file, and what is encrypted with it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ingle.errors import StorageError
from ingle.storage.secrets import Secrets


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    """A folder without a key file."""
    return Secrets(tmp_path)


def test_round_trip(secrets: Secrets) -> None:
    """What was encrypted comes back, each time encrypted differently, by a file of the owner's."""
    first, second = secrets.encrypt("sk-grün"), secrets.encrypt("sk-grün")
    assert first != second
    assert "sk-gr" not in first
    assert secrets.decrypt(first) == secrets.decrypt(second) == "sk-grün"
    assert stat.S_IMODE(secrets.path.stat().st_mode) == 0o600


def test_missing(secrets: Secrets) -> None:
    """Without its key file nothing can be read, and none is made for reading."""
    encrypted = secrets.encrypt("sk-1")
    secrets.path.unlink()
    with pytest.raises(StorageError, match=r"secret\.key is missing.*backup"):
        secrets.decrypt(encrypted)
    assert not secrets.has_key()


def test_another_key(secrets: Secrets) -> None:
    """Another key file is told from the right one."""
    encrypted = secrets.encrypt("sk-1")
    secrets.path.unlink()
    secrets.encrypt("sk-2")
    with pytest.raises(StorageError, match="is not the key that this was encrypted with"):
        secrets.decrypt(encrypted)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_readable_by_others(secrets: Secrets, mode: int) -> None:
    """A key file that others may have read is refused, with the command that closes it."""
    encrypted = secrets.encrypt("sk-1")
    secrets.path.chmod(mode)
    for use in (secrets.encrypt, secrets.decrypt):
        with pytest.raises(StorageError, match=rf"mode {mode:04o}.*chmod 600 {secrets.path}"):
            use(encrypted)


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 44, b"A" * 1_000_000])
def test_damaged(secrets: Secrets, content: bytes) -> None:
    """A key file with other content is called damaged, and is not written over."""
    secrets.encrypt("sk-1")
    secrets.path.write_bytes(content)
    with pytest.raises(StorageError, match="is damaged: it must hold 44 characters"):
        secrets.encrypt("sk-2")
    assert secrets.path.read_bytes() == content
