"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingle.errors import StorageError
from ingle.files import create_private, make_private_folder, storage_error, write_private


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process can grow beyond 16 bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """A write that does not fit fails with the next step; the old content stays, and no draft."""
    path = tmp_path / "config.yaml"
    write_private(path, b"old")
    with full_disk(), pytest.raises(StorageError, match=r"cannot be written: .*Free some space"):
        write_private(path, b"new" * 100)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_owner_only(tmp_path: Path) -> None:
    """Whatever the umask and the old file's mode were, only the owner can read the new one."""
    path = tmp_path / "file"
    path.touch(0o666)
    write_private(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_symbolic_link_stays(tmp_path: Path) -> None:
    """A link, such as into a folder of dotfiles, is written through."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.touch()
    link.symlink_to(real)
    write_private(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_create_is_won_by_one(tmp_path: Path) -> None:
    """Of many that create a file at once one does; the others leave it alone and find it whole."""
    path = tmp_path / "secret.key"
    start = threading.Barrier(8)
    made: list[bytes] = []

    def create(data: bytes) -> None:
        start.wait()
        if create_private(path, data):
            made.append(data)
        assert len(path.read_bytes()) == 4096

    threads = [threading.Thread(target=create, args=(bytes([i]) * 4096,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [path.read_bytes()]
    assert list(tmp_path.iterdir()) == [path]


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    """A folder cannot be made where a file is, nor below one."""
    path = tmp_path / "home"
    path.touch()
    for folder in (path, path / "models"):
        with pytest.raises(StorageError, match="A part of this path is a file"):
            make_private_folder(folder)


def test_not_writable(tmp_path: Path) -> None:
    """Who has no right to write is told which folder to change or choose."""
    code = (
        "import os, sys; from pathlib import Path; from ingle.files import make_private_folder\n"
        "from ingle.errors import StorageError\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"  # root may write anywhere: become nobody
        "try: make_private_folder(Path(sys.argv[1]))\n"
        "except StorageError as error: print(error)"
    )
    tmp_path.chmod(0o500)
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "home")],
        stdout=subprocess.PIPE,
        text=True,
        timeout=30,
        check=True,
    )
    assert ended.stdout == (
        f"The folder {tmp_path / 'home'} cannot be made: Permission denied. Give this user the "
        "right to it, or set INGLE_HOME to a folder that is yours.\n"
    )


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.ENOSPC, "The disk or a quota is full. Free some space and try again."),
        (errno.EDQUOT, "The disk or a quota is full. Free some space and try again."),
        (errno.EROFS, "Give this user the right to it"),
        (errno.EIO, "Check the disk"),
    ],
)
def test_advice(code: int, advice: str) -> None:
    """Each cause has its own next step."""
    assert advice in storage_error("It failed", OSError(code, os.strerror(code))).message
