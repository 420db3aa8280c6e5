"""When a call is tried again, how often, and how long it waits."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ingle.errors import UpstreamError, UpstreamRefused, UpstreamUnreachable
from ingle.testing import Answer, ScriptedUpstream, error, hang_up, json_answer, reset
from ingle.upstream.client import Client
from ingle.upstream.limits import Limits
from ingle.upstream.retry import retry_after_s

SOON = Limits(backoff_s=0.01)
WELL = json_answer({"ok": True})


async def tries(client: Client, *answers: Answer, limits: Limits = SOON) -> int:
    """How many requests a POST took, whether it ended well or not."""
    async with ScriptedUpstream(*answers) as upstream:
        with suppress(UpstreamError):
            await client.post(upstream.target(), "x", {}, into=bytes, limits=limits)
        return len(upstream.requests)


@pytest.mark.parametrize(
    "answer",
    [
        error(500, "oh"),
        error(502, "oh"),
        error(503, "oh"),
        error(504, "oh"),
        error(429, "wait", retry_after="0"),
        hang_up(),
        reset(),
    ],
)
async def test_what_may_pass_is_tried_three_times(client: Client, answer: Answer) -> None:
    """The second try may help, and after the third there is an end."""
    assert await tries(client, answer, WELL) == 2
    assert await tries(client, answer, answer, WELL) == 3
    assert await tries(client, answer, answer, answer, WELL) == 3
    assert await tries(client, answer, WELL, limits=Limits(tries=1)) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 501, 529])
async def test_what_does_not_pass_is_not_tried_again(client: Client, status: int) -> None:
    """Nor is 429 without a word on when, which is most often a quota that is used up."""
    assert await tries(client, error(status, "no"), WELL) == 1


async def test_a_get_is_tried_as_often_as_a_post(client: Client) -> None:
    """Nothing below sends a request once more by itself."""
    async with ScriptedUpstream(reset()) as upstream:
        with pytest.raises(UpstreamUnreachable):
            await client.get(upstream.target(), "models", into=bytes, limits=SOON)
        assert len(upstream.requests) == 3


async def test_a_kept_connection_that_is_reset_is_tried_again(client: Client) -> None:
    """A server that just closes an idle connection does not fail the call."""
    async with ScriptedUpstream(WELL, reset(), WELL) as upstream:
        for _ in range(2):
            await client.post(upstream.target(), "x", {}, into=bytes, limits=SOON)
        assert (len(upstream.requests), upstream.connections) == (3, 2)


async def test_a_server_that_comes_up_is_reached(client: Client) -> None:
    """A refused connection is tried again."""
    async with ScriptedUpstream() as upstream:
        target = upstream.target()
    port = int(upstream.url.rpartition(":")[2])
    asking = asyncio.create_task(
        client.post(target, "x", {}, into=bytes, limits=Limits(backoff_s=0.3, tries=20))
    )
    await asyncio.sleep(0.02)
    async with ScriptedUpstream(WELL, port=port):
        assert await asking == b'{"ok": true}'


async def test_retry_after_is_honoured(client: Client) -> None:
    """The next try comes when the server said, not before."""
    began = time.monotonic()
    assert await tries(client, error(429, "wait", retry_after="0.3"), WELL) == 2
    assert time.monotonic() - began >= 0.3


async def test_a_retry_after_of_a_day_is_an_error_at_once(client: Client) -> None:
    """Nobody waits a day; the error says what was asked."""
    async with ScriptedUpstream(
        error(429, "Quota used up.", retry_after="86400"), WELL
    ) as upstream:
        with pytest.raises(UpstreamRefused) as caught:
            await client.post(upstream.target(), "x", {}, into=bytes)
        assert len(upstream.requests) == 1
    problem = caught.value
    assert (
        "It asks to wait 86400 s, longer than the 60 s that this call can wait." in problem.message
    )
    assert (problem.retry_after_s, problem.http_status, problem.is_retryable) == (86400, 429, True)


async def test_a_retry_after_beyond_the_deadline_is_an_error_at_once(client: Client) -> None:
    """What cannot be in time is not waited for."""
    async with ScriptedUpstream(error(503, "loading", retry_after="30"), WELL) as upstream:
        with pytest.raises(UpstreamRefused, match="longer than the 10 s"):
            await client.post(upstream.target(), "x", {}, into=bytes, limits=Limits(total_s=10))
        assert len(upstream.requests) == 1


async def test_all_tries_share_one_deadline(client: Client) -> None:
    """Tries do not add up to more than the total limit."""
    limits = Limits(total_s=0.3, backoff_s=60)
    began = time.monotonic()
    assert await tries(client, error(500, "oh"), limits=limits) <= 2
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0),
        (" 120 ", 120),
        ("1.5", 1.5),
        ("soon", None),
        ("-1", None),
        ("nan", None),
        ("1e9", None),
        ("", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("9" * 400, None),
    ],
)
def test_a_retry_after_header_is_a_number_or_a_date(
    header: str | None, seconds: float | None
) -> None:
    """Whatever else it is, it says nothing."""
    assert retry_after_s(header) == seconds


def test_a_retry_after_date_is_counted_from_now() -> None:
    """A date of HTTP is in UTC."""
    header = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    seconds = retry_after_s(header)
    assert seconds is not None
    assert 88 < seconds <= 90
