"""One HTTP/1.1 connection: a request goes out, and its answer is read as it comes.

Knows bytes, limits of time, and what can go wrong between two ends; knows nothing about addresses,
JSON or Ingle's errors. Why this is not left to a client library: docs/decisions/0030.
"""

from __future__ import annotations

import asyncio
from typing import cast

from ingle.upstream.http_answer import HttpAnswer, HttpFault

__all__ = ["Connection", "OutOfTime", "Silent"]

# How much of a body may wait for its reader before the server is made to wait.
_READ_AHEAD_BYTES = 512 * 1024
_PIECE_BYTES = 64 * 1024


class Silent(HttpFault):
    """Nothing came, and nothing was taken, for as long as the idle limit."""


class OutOfTime(HttpFault):
    """The deadline has passed."""


class Connection(asyncio.Protocol):
    """A connection for one exchange after another: `request`, then `read` until it gives nothing.

    Cancelling either leaves the exchange undone; only `close` is then of use.
    """

    def __init__(self) -> None:
        self.answer: HttpAnswer | None = None  # None between two exchanges
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_sent = False
        self._is_choked = False  # the transport wants no more bytes for now
        self._is_paused = False  # we want no more bytes for now
        self._idle_s = self._deadline = self._heard_at = 0.0

    async def request(
        self, method: str, head: bytes, body: bytes, *, idle_s: float, deadline: float
    ) -> HttpAnswer:
        """Send a request; the answer, of which the head has come and the body may be to come.

        Raises:
            HttpFault: no answer came.
        """
        answer = self.answer = HttpAnswer(method)
        self._is_sent = False
        self._idle_s, self._deadline, self._heard_at = idle_s, deadline, self._loop.time()
        self._watch()
        if len(body) > _PIECE_BYTES:
            self._write(head)
            await self._write_large(answer, body)
        else:
            self._write(head + body)
            self._is_sent = True
        while not answer.has_head:
            if answer.fault:
                raise answer.fault
            await self._wait()
        return answer

    async def read(self) -> bytes:
        """What has come of the body since the last read; nothing at its end.

        Raises:
            HttpFault: the body is not whole. All that had come of it was read before.
        """
        answer = self.answer
        assert answer is not None
        while not answer.has_more:
            if answer.fault:
                raise answer.fault
            if answer.is_whole:
                return b""
            await self._wait()
        if self._is_paused:
            self._is_paused = False
            self._heard_at = self._loop.time()
            if self._transport is not None:
                self._transport.resume_reading()
        return answer.take()

    @property
    def is_open(self) -> bool:
        """Whether neither end has closed it."""
        return self._transport is not None and not self._transport.is_closing()

    def release(self) -> bool:
        """End the exchange. Whether another can follow: this one is over and left nothing behind."""
        answer, self.answer = self.answer, None
        self._stop_watching()
        return (
            answer is not None
            and answer.is_whole
            and not answer.has_more
            and answer.fault is None
            and answer.is_kept_alive
            and self._is_sent
            and self.is_open
        )

    def close(self) -> None:
        """Close at once, whatever is still on its way."""
        self._stop_watching()
        if self._transport is not None:
            self._transport.abort()

    # -- what asyncio calls ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self._transport = cast("asyncio.Transport", transport)  # as for every stream connection

    def data_received(self, data: bytes) -> None:
        """Something came; what nobody asked for ends the connection."""
        answer = self.answer
        if answer is None:
            self.close()
            return
        self._heard_at = self._loop.time()
        answer.feed(data)
        if answer.is_whole or answer.fault:
            self._stop_watching()
        elif answer.waiting_bytes > _READ_AHEAD_BYTES and not self._is_paused:
            assert self._transport is not None
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._transport = None
        self._stop_watching()
        if self.answer is not None:
            self.answer.end(exc)
        self._wake()

    def pause_writing(self) -> None:
        """The other end takes what we send more slowly than we do."""
        self._is_choked = True

    def resume_writing(self) -> None:
        """The other end has taken most of what was sent."""
        self._is_choked = False
        self._heard_at = self._loop.time()
        self._wake()

    # -- sending, waiting, watching ----------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    async def _write_large(self, answer: HttpAnswer, body: bytes) -> None:
        """Send a body as fast as it is taken, unless the answer comes before its end."""
        for start in range(0, len(body), _PIECE_BYTES):
            self._write(body[start : start + _PIECE_BYTES])
            while self._is_choked and not (answer.has_head or answer.fault):
                await self._wait()
            if answer.has_head or answer.fault:
                return
        self._is_sent = True

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _watch(self) -> None:
        """Look after the limits of time, again and again until the exchange is over."""
        now = self._loop.time()
        if self._is_paused:
            self._heard_at = now  # it is our own reader who is slow
        if now >= self._deadline:
            self._give_up(OutOfTime("the total limit has passed"))
        elif now >= self._heard_at + self._idle_s:
            self._give_up(Silent("the server is silent"))
        else:
            when = min(self._deadline, self._heard_at + self._idle_s)
            self._timer = self._loop.call_at(when, self._watch)

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self, fault: HttpFault) -> None:
        assert self.answer is not None
        self.answer.fault = self.answer.fault or fault
        self.close()
        self._wake()
