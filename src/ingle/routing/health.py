"""Whether a connection is worth calling: its faults counted, and a circuit that opens on too many.

    closed      calls go out; faults count
    open        calls are refused at once, until a time has passed
    half-open   one call is let through to try; its answer closes the circuit, its fault opens it
                again for twice as long

A fault is a connection that does not come about or breaks, or a status of 500 and above. A refusal
(400, 401, 429) is an answer: the server is there. Silence is none either: how long a caller waits
is the caller's choice, and a long prompt on a slow machine is no illness.

Each fault adds one to a score and each answer takes half of one away; at 5 the circuit opens. So it
opens after five faults in a row, and in time wherever more than a third of the calls fail. It knows
nothing of HTTP or models, and costs a call some additions. After Nygard, Release It! (2007), 5.2.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from ingle.errors import (
    CircuitOpen,
    IngleError,
    UpstreamCut,
    UpstreamRefused,
    UpstreamUnreachable,
)

__all__ = ["Health", "HealthStatus"]

State = Literal["closed", "open", "half-open"]

_OPENS_AT = 5.0
_ANSWER_HEALS = 0.5
_FIRST_OPEN_S = 1.0
_LONGEST_OPEN_S = 60.0


@dataclass(frozen=True, slots=True)
class HealthStatus:
    """A connection's health, as it may be shown. `since` is when the state began."""

    state: State
    since: datetime
    last_error: str | None
    last_error_at: datetime | None


class Health:
    """The health of one connection; for one event loop. `clock` counts seconds, `now` is UTC."""

    def __init__(
        self,
        name: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._name = name
        self._clock = clock
        self._now = now
        self._score = 0.0
        self._is_open = False
        self._is_trying = False
        self._open_s = _FIRST_OPEN_S
        self._until = 0.0
        self._since = now()
        self._last: tuple[str, datetime] | None = None

    def enter(self, url: str) -> bool:
        """Let a call go out, and say whether it is the one that tries; then `leave` has to follow.

        Raises:
            CircuitOpen: the connection is left alone for now.
        """
        if not self._is_open:
            return False
        left_s = self._until - self._clock()
        if left_s > 0 or self._is_trying:
            raise self._refused(url, max(left_s, _FIRST_OPEN_S))
        self._is_trying = True
        return True

    def leave(self) -> None:
        """The call that tried is over, whether or not anything came of it."""
        self._is_trying = False

    def answered(self) -> None:
        """An answer has begun to come. It closes an open circuit only while a call tries it."""
        if self._is_trying:
            self.close()
        elif self._score and not self._is_open:
            self._score = max(0.0, self._score - _ANSWER_HEALS)

    def close(self) -> None:
        """Call it again, from now on, as if nothing had failed."""
        if self._is_open:
            self._since = self._now()
        self._is_open = self._is_trying = False
        self._score = 0.0

    def failed(self, error: IngleError) -> None:
        """A call ended with this error: a fault of the server, or a refusal, or neither."""
        if isinstance(error, UpstreamRefused) and error.status is not None:
            if error.status >= 500:
                self.fault(error.message)
            else:
                self.answered()
        elif isinstance(error, UpstreamUnreachable | UpstreamCut):
            self.fault(error.message)

    def fault(self, why: str) -> None:
        """A call showed that the server is ill."""
        self._last = why, self._now()
        if self._is_open:
            if self._is_trying:
                self._open(min(self._open_s * 2, _LONGEST_OPEN_S))
            return  # a call that went out before the circuit opened tells nothing new
        self._score += 1
        if self._score >= _OPENS_AT:
            self._since = self._now()
            self._open(_FIRST_OPEN_S)

    def status(self) -> HealthStatus:
        """How it is now."""
        state: State = "closed"
        if self._is_open:
            state = "open" if self._clock() < self._until else "half-open"
        why, at = self._last or (None, None)
        return HealthStatus(state, self._since, why, at)

    def _open(self, open_s: float) -> None:
        self._is_open, self._is_trying = True, False
        self._open_s = open_s
        self._until = self._clock() + open_s

    def _refused(self, url: str, left_s: float) -> CircuitOpen:
        why = f" The last fault: {self._last[0]}" if self._last else ""
        return CircuitOpen(
            f"{self._name} ({url}) was not called: its last calls failed, so it is left alone for "
            f"{left_s:.0f} s more.{why}",
            url=url,
            retry_after_s=left_s,
        )
