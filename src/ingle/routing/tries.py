"""The ways to what answers one call, tried in order until one answers.

A call to a model has one way; a call to a route has one for each of its models. The next one is
tried only while nothing of an answer has been given on, which the caller of this says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager

from ingle.errors import (
    CircuitOpen,
    IngleError,
    InvalidRequest,
    NotAllowed,
    RateLimited,
    RouteFailed,
    UpstreamRefused,
)
from ingle.routing.route import Route
from ingle.storage.routes import NamedRoute

__all__ = ["CALLERS_FAULT", "Tries"]

Way = AbstractAsyncContextManager[Route]

CALLERS_FAULT = frozenset({400, 409, 413, 422})
"""What a server refuses with these, every other one would refuse, too."""

_SHOWN = 400


class Tries:
    """Iterate over the ways; after each failure ask `goes_on` whether to take the next.

    for way in tries:
        try:
            async with way as route:
                return await answer(route)
        except IngleError as error:
            if has_begun() or not tries.goes_on(error):
                raise
    """

    def __init__(self, named: NamedRoute | None, ways: Sequence[tuple[str, Way]]) -> None:
        self._named = named
        self._ways = ways
        self._failures: list[tuple[str, IngleError]] = []

    def __iter__(self) -> Iterator[Way]:
        for _, way in self._ways:
            yield way
        raise AssertionError("`goes_on` ends what has no way left")

    def goes_on(self, error: IngleError) -> bool:
        """Whether the next way may do better than the one that just failed with `error`.

        Raises:
            RouteFailed: that was the last of several; says how each failed.
        """
        if self._named is None or len(self._ways) == 1 or _is_callers_fault(error):
            return False
        self._failures.append((self._ways[len(self._failures)][0], error))
        if len(self._failures) < len(self._ways):
            return True
        raise self._all_failed() from error

    def _all_failed(self) -> RouteFailed:
        assert self._named is not None, "a model of its own has one way"
        told = "; ".join(f"{model}: {_short(error)}" for model, error in self._failures)
        return RouteFailed(
            f"None of the {len(self._failures)} models of the route {self._named.name!r} answered. "
            f"{told} Try again; `ingle routes test {self._named.name}` tries each.",
            failures=self._failures,
        )


def _is_callers_fault(error: IngleError) -> bool:
    """Whether the request is at fault, so that it would fail everywhere."""
    if isinstance(error, UpstreamRefused):
        return error.status in CALLERS_FAULT
    return isinstance(error, InvalidRequest | NotAllowed | RateLimited)


def _short(error: IngleError) -> str:
    if isinstance(error, CircuitOpen):
        return f"not called for {error.retry_after_s:.0f} s more, as its last calls failed."
    message = error.message
    return message if len(message) <= _SHOWN else f"{message[:_SHOWN]}…"
