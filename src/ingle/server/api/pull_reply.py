"""A pull as JSON or as events: `progress` any number of times, then one `installed` or `error`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from ingle.models.pull.progress import Installed, Progress
from ingle.server.answer import JSON, Answer
from ingle.server.api.run_reply import EventReply
from ingle.server.exchange import Exchange

__all__ = ["PullReply"]


class PullReply(EventReply):
    """Pulls a model. When the caller leaves it pauses: what has come stays for the next pull."""

    def __init__(
        self,
        events: AsyncGenerator[Progress | Installed, None],
        exchange: Exchange,
        *,
        is_stream: bool,
    ) -> None:
        super().__init__(exchange)
        self._events = events
        self._is_stream = is_stream

    async def _write(self, answer: Answer) -> None:
        async with aclosing(self._events) as events:
            async for event in events:
                told = msgspec.json.encode(event, enc_hook=str)
                if not self._is_stream:
                    if isinstance(event, Installed):
                        await answer.whole(told, JSON)
                    continue
                kind = b"installed" if isinstance(event, Installed) else b"progress"
                await self._write_event(kind, told, answer)
        if self._is_stream:
            await answer.finish()
