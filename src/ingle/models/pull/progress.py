"""What is told of a pull while it runs, and how fast it goes.

It knows nothing about servers, files or terminals.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

__all__ = ["FileProgress", "Installed", "Meter", "Phase", "Progress"]

Phase = Literal["asking", "waiting", "downloading", "checking", "installing"]

_WINDOW_S = 5.0  # long enough to be steady, short enough to show a change
_SOONEST_S = 0.5  # a rate over less time than this says nothing


@dataclass(frozen=True, slots=True)
class FileProgress:
    """How much of one file is here; `total_bytes` is None as long as nobody has said."""

    name: str
    done_bytes: int
    total_bytes: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull is, all files together; `note` is a sentence of news, if there is some.

    `file` is the one that moved last. `done_bytes` counts what was here before, `rate_bytes_s` does
    not; it and `eta_s` are None while they cannot be told. With every file's size known,
    `total_bytes` is their sum.
    """

    phase: Phase
    model: str = ""
    file: str | None = None
    done_bytes: int = 0
    total_bytes: int | None = None
    rate_bytes_s: float | None = None
    eta_s: float | None = None
    files: tuple[FileProgress, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Installed:
    """The end of a pull: the model can be used by this name.

    `was_there` says that the same files had been installed before and nothing was fetched.
    """

    name: str
    path: Path
    size_bytes: int
    source: str
    was_there: bool = False


@dataclass(slots=True)
class _Tally:
    done_bytes: int
    total_bytes: int | None


@dataclass(slots=True)
class Meter:
    """Counts the bytes of a pull's files. `clock` gives seconds, such as a loop's time."""

    clock: Callable[[], float]
    _files: dict[str, _Tally] = field(default_factory=dict)
    _current: str | None = None
    _received: int = 0
    _samples: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=256))

    def set(self, file: str, done_bytes: int, total_bytes: int | None) -> None:
        """Say how much of a file is here, without it having come just now."""
        self._files[file] = _Tally(done_bytes, total_bytes)

    def advance(self, file: str, count: int) -> None:
        """Say that so many bytes of a file have come."""
        self._files[file].done_bytes += count
        self._received += count
        self._current = file

    def read(self, phase: Phase, model: str, note: str = "") -> Progress:
        """How far it is now."""
        files = tuple(
            FileProgress(name, tally.done_bytes, tally.total_bytes)
            for name, tally in self._files.items()
        )
        totals = [file.total_bytes for file in files if file.total_bytes is not None]
        done = sum(file.done_bytes for file in files)
        total = sum(totals) if files and len(totals) == len(files) else None
        rate = self._rate()
        left = None if total is None else max(0, total - done)
        eta = left / rate if rate and left is not None else None
        return Progress(phase, model, self._current, done, total, rate, eta, files, note)

    def _rate(self) -> float | None:
        """Bytes a second that have come in the last few seconds."""
        now = self.clock()
        self._samples.append((now, self._received))
        while len(self._samples) > 2 and self._samples[1][0] <= now - _WINDOW_S:
            self._samples.popleft()
        since, received = self._samples[0]
        if now - since < _SOONEST_S:
            return None
        return (self._received - received) / (now - since)
