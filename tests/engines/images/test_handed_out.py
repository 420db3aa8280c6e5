"""Pictures that are handed out by address."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ingle.engines.images.handed_out import hand_out, handed_out
from ingle.errors import NotFound


def test_a_picture_is_had_by_its_name_for_an_hour(tmp_path: Path) -> None:
    """Only its owner can read the file; the name cannot be guessed."""
    folder = tmp_path / "pictures"
    name = hand_out(folder, b"picture", "webp")
    assert handed_out(folder, name) == (b"picture", "image/webp")
    assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert len(name) == len("0" * 32 + ".webp")
    an_hour_ago = time.time() - 3601
    os.utime(folder / name, (an_hour_ago, an_hour_ago))
    with pytest.raises(NotFound, match="its hour is over"):
        handed_out(folder, name)
    hand_out(folder, b"next", "png")
    assert not (folder / name).exists()


@pytest.mark.parametrize(
    "name", ["", "..", "../secret.key", "0" * 32, f"{'0' * 32}.png/..", "a.png"]
)
def test_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    """Whatever it says."""
    (tmp_path / "secret.key").write_bytes(b"secret")
    (tmp_path / "pictures").mkdir()
    with pytest.raises(NotFound):
        handed_out(tmp_path / "pictures", name)


def test_the_folder_is_bounded(tmp_path: Path) -> None:
    """The oldest make room."""
    names = []
    for number in range(4):
        names.append(hand_out(tmp_path, bytes(400), "png", most_bytes=1000))
        os.utime(tmp_path / names[-1], (time.time() + number - 10,) * 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[2:])
