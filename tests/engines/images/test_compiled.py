"""The bounded folder of compiled models."""

from __future__ import annotations

import os
from pathlib import Path

from ingle.engines.images.compiled import compiled_folder


def loaded(cache: Path, name: str, size: int, *, at_s: int) -> Path:
    """A model that was loaded then, and left so many bytes."""
    folder = compiled_folder(cache, Path(name), 10, most_bytes=10_000)
    assert folder is not None
    (folder / "a.blob").write_bytes(bytes(size))
    os.utime(folder, (at_s, at_s))
    return folder


def test_a_model_has_a_private_folder_of_its_own(tmp_path: Path) -> None:
    """The same at each start; other users cannot put into it what would be run."""
    first = compiled_folder(tmp_path / "cache", Path("/models/a"), 10)
    assert first is not None
    assert first == compiled_folder(tmp_path / "cache", Path("/models/a"), 10)
    assert first != compiled_folder(tmp_path / "cache", Path("/models/b"), 10)
    assert first.stat().st_mode & 0o777 == 0o700
    assert first.parent.stat().st_mode & 0o777 == 0o700


def test_who_was_not_loaded_for_the_longest_goes_first(tmp_path: Path) -> None:
    """Until there is room for twice the weights of the one to come."""
    oldest = loaded(tmp_path, "/a", 4000, at_s=1000)
    newest = loaded(tmp_path, "/b", 4000, at_s=3000)
    middle = loaded(tmp_path, "/c", 1000, at_s=2000)
    coming = compiled_folder(tmp_path, Path("/d"), 2000, most_bytes=10_000)
    assert coming is not None
    assert (oldest.exists(), middle.exists(), newest.exists()) == (False, True, True)


def test_where_nothing_can_be_kept_nothing_is(tmp_path: Path) -> None:
    """A model that would take half of it all, and a folder that cannot be made."""
    assert compiled_folder(tmp_path, Path("/a"), 2501, most_bytes=10_000) is None
    (tmp_path / "file").touch()
    assert compiled_folder(tmp_path / "file", Path("/a"), 10) is None
