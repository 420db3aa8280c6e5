"""Whether and when a call that failed is tried again, before anything of its answer was given on.

Tried again are 500, 502, 503 and 504, 429 where the server says when (without that it is as often
a quota that is used up), and connections that were refused or reset. The pause is random between
nothing and a bound that doubles ("full jitter", Brooker 2015, Exponential Backoff And Jitter), or
what Retry-After says.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from ingle.errors import UpstreamRefused, UpstreamUnreachable
from ingle.upstream.http_answer import HttpFault
from ingle.upstream.limits import Limits

__all__ = ["LONGEST_PAUSE_S", "retry", "retry_after_s"]

LONGEST_PAUSE_S = 60.0
_PASSING = frozenset({500, 502, 503, 504})

T = TypeVar("T")


async def retry(attempt: Callable[[], Awaitable[T]], limits: Limits, deadline: float) -> T:
    """What `attempt` returns, tried up to `limits.tries` times before `deadline` (loop time).

    Raises:
        UpstreamError: what the last try raised, or one that it is no use to repeat.
    """
    loop = asyncio.get_running_loop()
    for tried in range(1, limits.tries + 1):
        try:
            return await attempt()
        except (UpstreamUnreachable, UpstreamRefused) as error:
            pause_s = _pause_s(error, tried, limits)
            if tried == limits.tries or pause_s > min(LONGEST_PAUSE_S, deadline - loop.time()):
                raise
        await asyncio.sleep(pause_s)
    raise ValueError(f"tries is {limits.tries}; it must be at least 1.")


def _pause_s(error: UpstreamUnreachable | UpstreamRefused, tried: int, limits: Limits) -> float:
    """How long to wait before the next try; infinity if there is to be none."""
    if isinstance(error, UpstreamRefused):
        if error.retry_after_s is not None and error.status in _PASSING | {429}:
            return error.retry_after_s
        if error.status not in _PASSING:
            return math.inf
    elif not (isinstance(error.__cause__, HttpFault) and error.__cause__.may_pass):
        return math.inf
    return random.uniform(0, limits.backoff_s * 2 ** (tried - 1))  # noqa: S311 -- spreads load


def retry_after_s(header: str | None) -> float | None:
    """The seconds that a Retry-After header asks for, from a number or an HTTP date, or None."""
    if header is None:
        return None
    header = header.strip()
    if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", header):
        return float(header)
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    # A date without a zone is in UTC, as all HTTP dates are (RFC 9110, section 5.6.7).
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
