"""How long to leave an engine alone that keeps failing."""

from __future__ import annotations

from dataclasses import dataclass

from ingle.errors import EngineCrashed, EngineError, EngineStartFailed

__all__ = ["Backoff"]

_HEALTHY_S = 60.0
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0


@dataclass(slots=True)
class Backoff:
    """Failures in a row: after the first the next try is at once, then after 1, 2, 4 … 60 s.

    Times are of any clock that only goes forward, in seconds.
    """

    failures: int = 0
    last_error: EngineError | None = None
    next_try_at: float = 0.0

    def failed(self, error: EngineError, *, now: float, lived_s: float = 0.0) -> None:
        """Count a failure; an engine that had served for a minute before starts from one again."""
        self.failures = 1 if lived_s >= _HEALTHY_S else self.failures + 1
        self.last_error = error
        wait_s = 0.0
        if self.failures > 1:
            wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** min(self.failures - 2, 16))
        self.next_try_at = now + wait_s

    def ended_well(self) -> None:
        """Forget the failures: the engine was stopped in order."""
        self.failures = 0
        self.last_error = None
        self.next_try_at = 0.0

    def refusal(self, name: str, *, now: float) -> EngineError | None:
        """The error for a call that comes too early; None if a try may be made."""
        if now >= self.next_try_at or self.last_error is None:
            return None
        crashed = isinstance(self.last_error, EngineCrashed)
        kind = EngineStartFailed if crashed else type(self.last_error)
        return kind(
            f"The engine of {name!r} failed {self.failures} times in a row; next try in "
            f"{self.next_try_at - now:.0f} s. The last time: {self.last_error.message}"
        )
