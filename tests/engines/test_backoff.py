"""How long an engine that keeps failing is left alone."""

from __future__ import annotations

import pytest

from ingle.engines.backoff import Backoff
from ingle.errors import EngineCrashed, EngineStartFailed, ModelFileInvalid


def test_the_waits_double_up_to_a_minute() -> None:
    """The second try is at once, the next ones after 1, 2, 4 … and at most 60 s."""
    backoff = Backoff()
    waits = []
    for _ in range(10):
        backoff.failed(ModelFileInvalid("bad"), now=100.0)
        waits.append(backoff.next_try_at - 100.0)

    assert waits == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_call_that_comes_too_early_is_told_when_to_come() -> None:
    """The refusal names the failures, the wait and the last cause; later a try may be made."""
    backoff = Backoff()
    assert backoff.refusal("m", now=0) is None
    for _ in range(4):
        backoff.failed(EngineCrashed("signal 9."), now=10.0)

    refusal = backoff.refusal("m", now=11.0)

    assert isinstance(refusal, EngineStartFailed)
    assert refusal.message == (
        "The engine of 'm' failed 4 times in a row; next try in 3 s. The last time: signal 9."
    )
    assert backoff.refusal("m", now=14.0) is None


@pytest.mark.parametrize(("lived_s", "failures"), [(59.0, 3), (60.0, 1)])
def test_a_minute_of_health_starts_the_count_again(lived_s: float, failures: int) -> None:
    """A crash after a healthy time is a first one."""
    backoff = Backoff()
    backoff.failed(EngineCrashed("a"), now=0)
    backoff.failed(EngineCrashed("b"), now=0)

    backoff.failed(EngineCrashed("c"), now=0, lived_s=lived_s)

    assert backoff.failures == failures


def test_an_orderly_stop_forgets_the_failures() -> None:
    """What was stopped in order did not fail."""
    backoff = Backoff()
    backoff.failed(EngineCrashed("a"), now=0)

    backoff.ended_well()

    assert (backoff.failures, backoff.refusal("m", now=0)) == (0, None)
