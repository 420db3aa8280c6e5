"""The headers of GGUF files, each read again only when its file has changed."""

from __future__ import annotations

import os
from pathlib import Path

from ingle.models.gguf import GgufHeader, read_header, unreadable

__all__ = ["Headers"]


class Headers:
    """What was read so far; safe to use from any thread."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, int, int], GgufHeader] = {}

    def read(self, path: Path) -> tuple[GgufHeader, os.stat_result]:
        """The header of a file, and how it lies there.

        Raises:
            ModelFileInvalid: it is not there, cannot be read, is no GGUF, or is damaged.
        """
        try:
            stat = path.stat()
        except OSError as error:
            raise unreadable(path, error) from error
        key = (path, stat.st_size, stat.st_mtime_ns)
        if (header := self._read.get(key)) is None:
            header = read_header(path)
            for old in [old for old in self._read if old[0] == path]:
                self._read.pop(old, None)
            self._read[key] = header
        return header, stat
