"""What happens to pulls, as server-sent events or as the one answer at the end."""

from __future__ import annotations

from contextlib import aclosing

import msgspec

from ingle.errors import Conflict, IngleError
from ingle.models.pull.feed import Feed
from ingle.models.pull.status import PullStatus
from ingle.server.answer import JSON, Answer
from ingle.server.api.pull_description import described, installed_model
from ingle.server.api.run_reply import EventReply
from ingle.server.exchange import Exchange
from ingle.server.pulse import pulsing

__all__ = ["PullEventsReply", "PullReply"]


class PullEventsReply(EventReply):
    """The events later than a number, each with its number as `id`, as long as the caller stays.

    Of one `pull` they end with it; of all, with Ingle.
    """

    def __init__(self, feed: Feed, exchange: Exchange, after: int, pull: str | None = None) -> None:
        super().__init__(exchange)
        self._feed = feed
        self._after = after
        self._pull = pull

    async def _write(self, answer: Answer) -> None:
        await answer.start_stream()
        feed = self._feed.follow(self._after, self._pull)
        async with pulsing(answer), aclosing(feed) as events:
            async for event in events:
                data = described(event.status).model_dump_json().encode()
                head = b"id: %d\nevent: %b\n" % (event.number, event.kind.encode())
                await answer.write(b"%bdata: %b\n\n" % (head, data))
        await answer.finish()

    def _event(self, kind: bytes, data: bytes) -> bytes:
        # An error of this connection is no event of the feed, so it has no number there.
        return b"event: %b\ndata: %b\n\n" % (kind, data)


class PullReply(EventReply):
    """Waits for the end of a pull: `progress` events and one `installed`, or only the last of these.

    The pull goes on when the caller leaves.
    """

    def __init__(
        self, feed: Feed, exchange: Exchange, after: int, pull: str, *, is_stream: bool
    ) -> None:
        super().__init__(exchange)
        self._feed = feed
        self._after = after
        self._pull = pull
        self._is_stream = is_stream

    async def _write(self, answer: Answer) -> None:
        async with aclosing(self._feed.follow(self._after, self._pull)) as events:
            async for event in events:
                match event.kind:
                    case "started":
                        pass
                    case "progress":
                        if self._is_stream:
                            told = msgspec.json.encode(event.status.progress)
                            await self._write_event(b"progress", told, answer)
                    case "installed":
                        await self._end_well(event.status, answer)
                        return
                    case "error" | "paused" | "cancelled":
                        raise _failure(event.status)

    async def _end_well(self, status: PullStatus, answer: Answer) -> None:
        assert status.installed is not None, "the event says that it is"
        told = installed_model(status.installed).model_dump_json().encode()
        if not self._is_stream:
            await answer.whole(told, JSON)
            return
        await self._write_event(b"installed", told, answer)
        await answer.finish()


def _failure(status: PullStatus) -> IngleError:
    """The error that a waiting caller gets."""
    if status.error is not None:
        return status.error
    if status.state == "cancelled":
        return Conflict("The pull was cancelled by someone else; what had come was removed.")
    return Conflict(
        "The pull was paused, by someone else or because Ingle is about to stop. What has come is "
        f"kept: POST /api/pulls/{status.id}/resume goes on."
    )
