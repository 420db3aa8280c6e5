"""How long a server is waited for, and what is tried again after which pause."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ingle.errors import (
    IngleError,
    UpstreamCut,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)

__all__ = ["Patience"]

_PASSING = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Patience:
    """`connect_s` bounds a connection's coming about, `idle_s` a silence.

    After `tries` in a row that brought nothing, it is given up; a try that brought bytes does not
    count. The pause before the next doubles from `pause_s` to `longest_pause_s`, and half of it is
    random, so that many who lost a server together do not come back together.

    A transfer slower than `slowest_bytes_s` over `idle_s` is broken off and tried anew: a node of a
    content network can be sick while its neighbour is well.
    """

    connect_s: float = 15.0
    idle_s: float = 60.0
    tries: int = 6
    pause_s: float = 1.0
    longest_pause_s: float = 60.0
    slowest_bytes_s: float = 512.0

    def pause_after(self, error: IngleError, failures: int) -> float | None:
        """Seconds to wait after so many failures in a row; None if trying again is no use."""
        if failures >= self.tries or not _may_pass(error):
            return None
        asked_s = error.retry_after_s if isinstance(error, UpstreamRefused) else None
        if asked_s is not None:
            return asked_s if asked_s <= self.longest_pause_s else None
        bound = min(self.longest_pause_s, self.pause_s * 2.0 ** max(0, failures - 1))
        return bound * random.uniform(0.5, 1)  # noqa: S311 -- spreads load, hides nothing


def _may_pass(error: IngleError) -> bool:
    match error:
        case UpstreamRefused():
            return error.status in _PASSING
        case UpstreamUnreachable():
            return error.is_retryable
        case UpstreamCut() | UpstreamTimeout():
            return True
    return False
