"""The calls being answered: counted, ended from outside where need be, and drained at the end.

A call is interrupted with the exception that it shall end with: its caller left, or does not take
what is written, or Ingle is stopping. Whatever it waits for is then cancelled, which closes its
call to the engine, and the engine stops between two tokens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager, suppress

from ingle.errors import Busy
from ingle.server.answer import Answer
from ingle.server.asgi import Receive

__all__ = ["Call", "CallerLeft", "Gate", "watched"]

MAX_CALLS = 2048
"""Calls answered at the same time; each may hold a connection to an engine or a server."""

STALL_S = 60.0
"""A caller that takes nothing of its answer for so long, or up to twice that, is given up."""


class CallerLeft(Exception):
    """The caller closed the connection or stopped reading; nobody is there to be answered."""


class Call:
    """One call; `run` does its work, `interrupt` ends it with an exception of one's choice."""

    def __init__(self) -> None:
        self._limit: asyncio.Timeout | None = None
        self._reason: Exception | None = None

    async def run(self, work: Coroutine[object, object, None]) -> None:
        """Do the work.

        Raises:
            Exception: the one that the call was interrupted with.
        """
        try:
            async with asyncio.timeout(None) as self._limit:
                await work
        except TimeoutError:
            if self._reason is None:
                raise
            raise self._reason from None
        finally:
            self._limit = None

    def interrupt(self, reason: Exception) -> None:
        """End the call with `reason`; the first reason holds, and one that is over stays so."""
        if self._limit is not None and self._reason is None:
            self._reason = reason
            self._limit.reschedule(asyncio.get_running_loop().time())


class Gate:
    """Where calls come in. Closed, it lets no new one in and waits for those inside."""

    def __init__(self, max_calls: int = MAX_CALLS) -> None:
        self._max_calls = max_calls
        self._calls: set[Call] = set()
        self._empty = asyncio.Event()
        self.is_closed = False

    @contextmanager
    def enter(self) -> Generator[Call, None, None]:
        """A call that counts as running inside the block."""
        call = Call()
        self._calls.add(call)
        try:
            yield call
        finally:
            self._calls.discard(call)
            if not self._calls:
                self._empty.set()

    def check(self) -> None:
        """Let one more call in.

        Raises:
            Busy: Ingle is stopping, or as many calls are running as it takes.
        """
        if self.is_closed:
            raise Busy("Ingle is stopping and takes no new requests. Try again once it runs again.")
        if len(self._calls) > self._max_calls:
            raise Busy(f"{self._max_calls} requests are being answered already. Try again later.")

    async def drain(self, within_s: float, last_words_s: float = 2.0) -> None:
        """Let no new call in, wait for those inside, and after `within_s` interrupt the rest.

        An interrupted one has `last_words_s` to tell its caller.
        """
        self.is_closed = True
        if not await self._emptied(within_s):
            for call in list(self._calls):
                call.interrupt(
                    Busy(f"Ingle is stopping; this answer was not done within {within_s:g} s.")
                )
            await self._emptied(last_words_s)

    async def _emptied(self, within_s: float) -> bool:
        self._empty.clear()
        if not self._calls:
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._empty.wait()
        return not self._calls


@asynccontextmanager
async def watched(
    call: Call, receive: Receive, answer: Answer, stall_s: float = STALL_S
) -> AsyncGenerator[None, None]:
    """Inside the block, the call is interrupted with `CallerLeft` as soon as nobody listens.

    The request's body has to be read before.
    """
    watcher = asyncio.create_task(_watch(call, receive, answer, stall_s))
    try:
        yield
    finally:
        watcher.cancel()
        await asyncio.wait({watcher})


async def _watch(call: Call, receive: Receive, answer: Answer, stall_s: float) -> None:
    waited = None
    while True:
        try:
            async with asyncio.timeout(stall_s):
                if (await receive())["type"] == "http.disconnect":
                    call.interrupt(CallerLeft())
                    return
        except TimeoutError:
            waiting = answer.waiting_write
            if waiting is not None and waiting == waited:
                call.interrupt(CallerLeft())
                return
            waited = waiting
