"""When a connection is left alone, and when it is called again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingle.errors import (
    CircuitOpen,
    IngleError,
    UpstreamCut,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from ingle.routing import Health

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DOWN = UpstreamUnreachable("no connection", url="http://box")


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    """A connection that was not called yet."""
    return Health("box", clock=clock, now=lambda: NOW)


def fail(health: Health, times: int = 1, error: IngleError = DOWN) -> None:
    for _ in range(times):
        health.failed(error)


def probe(health: Health) -> None:
    """Let the one call through that tries."""
    assert health.enter("http://box")


def test_five_faults_in_a_row_open_the_circuit(health: Health) -> None:
    """The next call is refused, which says for how long and what the last fault was."""
    fail(health, 4)
    assert health.enter("http://box") is False
    fail(health)
    with pytest.raises(CircuitOpen) as caught:
        health.enter("http://box")
    assert str(caught.value) == (
        "box (http://box) was not called: its last calls failed, so it is left alone for 1 s more. "
        "The last fault: no connection"
    )
    assert caught.value.retry_after_s == 1.0
    assert health.status().state == "open"
    assert health.status().last_error == "no connection"
    assert health.status().last_error_at == NOW


def test_an_answer_takes_half_a_fault_away(health: Health) -> None:
    """So a connection of which one call in two fails opens in time, and one in four never."""
    for _ in range(100):
        fail(health)
        for _ in range(3):
            health.answered()
    assert health.status().state == "closed"
    for _ in range(8):
        fail(health)
        health.answered()
    assert health.status().state == "closed"
    fail(health)
    assert health.status().state == "open"


def test_an_answer_that_comes_late_does_not_close_it(health: Health) -> None:
    """Only the call that tries does, or whoever asks for it."""
    fail(health, 5)
    health.answered()
    assert health.status().state == "open"
    health.close()
    assert health.enter("http://box") is False


@pytest.mark.parametrize(
    ("error", "is_fault"),
    [
        (DOWN, True),
        (UpstreamCut("", url=""), True),
        (UpstreamRefused("", url="", status=500), True),
        (UpstreamRefused("", url="", status=503), True),
        (UpstreamRefused("", url="", status=401), False),
        (UpstreamRefused("", url="", status=404), False),
        (UpstreamRefused("", url="", status=429), False),
        (UpstreamTimeout("", url=""), False),
        (UpstreamInvalid("", url=""), False),
        (CircuitOpen("", url="", retry_after_s=1), False),
    ],
)
def test_what_is_a_fault(health: Health, error: IngleError, is_fault: bool) -> None:
    """A server that refuses is there, and how long to wait is the caller's choice."""
    fail(health, 5, error)
    assert (health.status().state == "open") is is_fault


def test_one_call_tries_when_the_time_has_passed(health: Health, clock: Clock) -> None:
    """The others are refused until it has an answer, which closes the circuit."""
    fail(health, 5)
    clock.now_s += 1
    assert health.status().state == "half-open"
    probe(health)
    with pytest.raises(CircuitOpen):
        health.enter("http://box")
    health.answered()
    health.leave()
    assert health.status().state == "closed"
    assert health.enter("http://box") is False
    fail(health, 4)
    assert health.status().state == "closed"


def test_a_try_that_fails_opens_for_twice_as_long(health: Health, clock: Clock) -> None:
    """Up to a minute."""
    fail(health, 5)
    waits = []
    for _ in range(8):
        with pytest.raises(CircuitOpen) as caught:
            health.enter("x")
        waits.append(caught.value.retry_after_s)
        clock.now_s += waits[-1]
        probe(health)
        fail(health)
        health.leave()
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_try_that_was_given_up_leaves_the_next_call_to_try(health: Health, clock: Clock) -> None:
    """Its caller left before anything came."""
    fail(health, 5)
    clock.now_s += 1
    probe(health)
    health.leave()
    probe(health)


def test_faults_of_calls_under_way_do_not_open_it_for_longer(health: Health, clock: Clock) -> None:
    """They went out before the circuit opened and tell nothing new."""
    fail(health, 50)
    clock.now_s += 1
    probe(health)
