"""Responses that are kept: the chain behind one, leases, how long they stay."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.errors import Conflict, NotFound, PreviousResponseNotFound
from ingle.storage.database import Database
from ingle.storage.stored_responses import LEASE_S, StoredResponse, StoredResponses

DAY_S = 24 * 3600


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock for the responses."""
    return Clock()


@pytest.fixture
def responses(each_database: Database, clock: Clock) -> StoredResponses:
    """None yet; each is kept for two days."""
    return StoredResponses(each_database, 2, now=clock)


def one(
    response_id: str,
    previous_id: str | None = None,
    *,
    status: str = "completed",
    key_id: str | None = None,
) -> StoredResponse:
    output = [{"text": f"{response_id}!"}]
    response: dict[str, Any] = {"id": response_id, "status": status, "output": output}
    items = [{"text": f"{response_id}?"}]
    return StoredResponse(response_id, key_id, previous_id, items, response)


def texts(items: list[dict[str, Any]]) -> str:
    return " ".join(item["text"] for item in items)


def test_the_context_is_all_that_was_said(responses: StoredResponses) -> None:
    """Questions and answers, the first first; the input items end with the last question."""
    responses.keep(one("a"))
    responses.keep(one("b", "a"))
    responses.keep(one("c", "b"))
    assert texts(responses.context("c")) == "a? a! b? b! c? c!"
    assert texts(responses.input_items("c")) == "a? a! b? b! c?"


def test_a_gap_is_no_context(responses: StoredResponses) -> None:
    """The error names what is missing; what is left can still be read."""
    responses.keep(one("a"))
    responses.keep(one("b", "a"))
    responses.keep(one("c", "b"))
    responses.remove("a")
    with pytest.raises(PreviousResponseNotFound, match="'a' not found"):
        responses.context("c")
    assert texts(responses.input_items("c")) == "b? b! c?"


def test_another_keys_response_is_no_context(responses: StoredResponses) -> None:
    """Nor can it be read, cancelled or deleted."""
    responses.keep(one("a", key_id="k1"))
    assert texts(responses.context("a", "k1")) == "a? a!"
    with pytest.raises(PreviousResponseNotFound):
        responses.context("a", "k2")
    for attempt in (responses.get, responses.cancel, responses.remove, responses.input_items):
        with pytest.raises(NotFound, match="No response found with id 'a'"):
            attempt("a", "k2")


def test_going_on_keeps_what_came_before(responses: StoredResponses, clock: Clock) -> None:
    """A conversation is kept as long as someone goes on with it; one that rests is not."""
    responses.keep(one("a"))
    responses.keep(one("resting"))
    clock.now += 1.5 * DAY_S
    responses.context("a")
    clock.now += 1 * DAY_S
    assert responses.sweep() == 1
    assert responses.get("a").id == "a"
    with pytest.raises(NotFound):
        responses.get("resting")


def test_what_has_expired_is_gone_before_it_is_swept(
    responses: StoredResponses, clock: Clock
) -> None:
    """To the second."""
    responses.keep(one("a"))
    clock.now += 2 * DAY_S
    with pytest.raises(NotFound):
        responses.get("a")


def test_a_response_that_nobody_makes_any_more_has_failed(
    responses: StoredResponses, clock: Clock
) -> None:
    """Its lease is over; one that was renewed goes on."""
    responses.keep(one("cut", status="in_progress"))
    responses.keep(one("alive", status="queued"))
    clock.now += LEASE_S - 1
    assert responses.get("cut").is_under_way
    responses.renew(["alive"])
    clock.now += 1
    cut = responses.get("cut")
    assert (cut.response["status"], cut.response["error"]["code"]) == ("failed", "server_error")
    assert responses.get("alive").is_under_way


def test_one_that_is_being_made_cannot_be_gone_on_from(responses: StoredResponses) -> None:
    """There is no answer yet."""
    responses.keep(one("a", status="in_progress"))
    with pytest.raises(Conflict, match="still being made"):
        responses.context("a")


def test_a_cancelled_response_stays_cancelled(responses: StoredResponses) -> None:
    """What its maker writes after is not taken; one that ended before is not cancelled."""
    responses.keep(one("a", status="in_progress"))
    responses.keep(one("b"))
    assert responses.cancel("a").response["status"] == "cancelled"
    assert responses.change("a", one("a").response) is False
    assert responses.get("a").response["status"] == "cancelled"
    assert responses.cancel("b").response["status"] == "completed"
    assert responses.change("b", one("b", status="failed").response) is False
    assert responses.get("b").response["status"] == "completed"
    assert responses.change("gone", one("a").response) is False


def test_the_end_of_a_response_is_kept(responses: StoredResponses) -> None:
    """With its events, and without a lease from then on."""
    responses.keep(one("a", status="queued"))
    assert responses.change("a", one("a").response, "event: x\n\n") is True
    stored = responses.get("a")
    assert (stored.is_under_way, stored.events) == (False, "event: x\n\n")
