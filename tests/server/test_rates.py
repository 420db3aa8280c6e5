"""How much a key may still ask for this minute."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingle.errors import RateLimited
from ingle.server.rates import Rates
from ingle.storage.api_keys import ApiKey
from ingle.storage.key_limits import KeyLimits


class Clock:
    """Seconds that a test moves."""

    now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def rates(clock: Clock) -> Rates:
    """Nothing was asked for yet."""
    return Rates(clock=clock)


def key(requests: int | None = None, tokens: int | None = None, name: str = "laptop") -> ApiKey:
    limits = KeyLimits(requests_per_minute=requests, tokens_per_minute=tokens)
    return ApiKey(name, name, "ik-", datetime.now(UTC), None, None, limits)


def told(rates: Rates, of: ApiKey) -> dict[str, str]:
    return {name.decode()[12:]: value.decode() for name, value in rates.headers(of)}


def test_requests_fill_up_evenly(rates: Rates, clock: Clock) -> None:
    """Six a minute is one every ten seconds, and at most six at once."""
    mine = key(requests=6)
    for _ in range(6):
        rates.admit(mine)
    with pytest.raises(RateLimited) as caught:
        rates.admit(mine)
    assert caught.value.retry_after_s == 10
    assert str(caught.value) == (
        "The API key 'laptop' may use 6 requests a minute, and they are used up. Try again in "
        "10 s, or have `requests_per_minute` raised."
    )
    clock.now_s += 10
    rates.admit(mine)
    with pytest.raises(RateLimited):
        rates.admit(mine)
    clock.now_s += 600
    for _ in range(6):
        rates.admit(mine)
    with pytest.raises(RateLimited):
        rates.admit(mine)


def test_tokens_are_taken_when_the_answer_is_over(rates: Rates, clock: Clock) -> None:
    """One answer may take more than there is; the next request then waits until that is paid."""
    mine = key(tokens=60)
    rates.admit(mine)
    rates.spend(mine.id, 90)
    with pytest.raises(RateLimited, match="60 tokens a minute") as caught:
        rates.admit(mine)
    assert caught.value.retry_after_s == 31
    clock.now_s += 31
    rates.admit(mine)


def test_headers_are_openais(rates: Rates, clock: Clock) -> None:
    """What is allowed, what is left, and when all of it is there again."""
    mine = key(requests=10, tokens=6000)
    rates.admit(mine)
    rates.spend(mine.id, 7100)
    clock.now_s += 1
    assert told(rates, mine) == {
        "limit-requests": "10",
        "remaining-requests": "9",
        "reset-requests": "5s",
        "limit-tokens": "6000",
        "remaining-tokens": "0",
        "reset-tokens": "1m10s",
    }
    clock.now_s += 4.75
    assert told(rates, mine)["reset-requests"] == "250ms"
    assert told(rates, key()) == {}


def test_each_key_has_its_own(rates: Rates) -> None:
    """One that has used up its own stops no other."""
    rates.admit(key(requests=1))
    with pytest.raises(RateLimited):
        rates.admit(key(requests=1))
    rates.admit(key(requests=1, name="other"))


def test_a_changed_limit_begins_anew(rates: Rates) -> None:
    """Whoever was given more need not wait."""
    rates.admit(key(requests=1))
    rates.admit(key(requests=2))
    rates.admit(key(requests=2))
    with pytest.raises(RateLimited):
        rates.admit(key(requests=2))


def test_a_request_that_is_refused_for_its_tokens_costs_none(rates: Rates, clock: Clock) -> None:
    """Who waits as told finds all requests there."""
    mine = key(requests=2, tokens=60)
    rates.admit(mine)
    rates.spend(mine.id, 60)
    with pytest.raises(RateLimited, match="tokens"):
        rates.admit(mine)
    clock.now_s += 1
    rates.admit(mine)
