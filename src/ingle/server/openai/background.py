"""Responses that are made although nobody waits: `background: true`.

What is said of one that runs in this process is in memory and kept at its end. One that is cut off by
the end of the process has failed, as soon as its lease is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from ingle.errors import Busy, NotFound, StorageError
from ingle.server.asgi import Message, Send
from ingle.server.endpoints import ENDPOINTS
from ingle.server.exchange import Exchange
from ingle.server.inside import Inside
from ingle.server.openai.response_form import Asked, encoded
from ingle.server.openai.response_writer import ResponseWriter
from ingle.server.relay import relay_body
from ingle.storage.stored_responses import LEASE_S, StoredResponse, StoredResponses, failed

__all__ = ["Background", "Transcript"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

_RESPONSES = ENDPOINTS["responses"]
_MAX_AT_ONCE = 64
_SHOWN_BYTES = 300
_CUT = "The answer ended before it was whole. Ask again."
_STOPPED = "The server that made this response was stopped. Ask again."

_log = logging.getLogger(__name__)


class Transcript:
    """The events of one response, for any number of listeners at their own speeds."""

    def __init__(self) -> None:
        self.events: list[bytes] = []
        self.is_over = False
        self._more = asyncio.Event()

    def add(self, event: bytes) -> None:
        """Tell all listeners."""
        self.events.append(event)
        self._tell()

    def end(self) -> None:
        """Nothing more comes."""
        self.is_over = True
        self._tell()

    async def listen(self, after: int = -1) -> AsyncGenerator[bytes, None]:
        """The events whose number is above `after`, as many at a time as there are."""
        index = after + 1
        while True:
            if events := self.events[index:]:
                index += len(events)
                yield b"".join(events)
            elif self.is_over:
                return
            else:
                await self._more.wait()

    def _tell(self) -> None:
        self._more.set()
        self._more = asyncio.Event()


@dataclass(slots=True)
class _Work:
    """One response under way. `fault` is what went wrong, once something did."""

    stored: StoredResponse
    asked: Asked
    transcript: Transcript = field(default_factory=Transcript)
    fault: str = ""
    has_begun: bool = False
    is_over: bool = False

    def last_event(self, response: Json) -> bytes:
        """The event that ends the transcript."""
        kind = f"response.{response['status']}"
        number = len(self.transcript.events)
        return encoded({"type": kind, "sequence_number": number, "response": response})


class Background:
    """The responses under way in this process; belongs to one event loop. `run` is its life."""

    def __init__(self, stored: StoredResponses, inside: Inside) -> None:
        self._stored = stored
        self._inside = inside
        self._works: dict[str, _Work] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Keep what is under way alive. Cancelled, it stops all of it, which has failed then."""
        try:
            while True:
                await asyncio.sleep(LEASE_S / 3)
                if self._works:
                    with suppress(StorageError):  # tried again before the lease is over
                        await asyncio.to_thread(self._stored.renew, list(self._works))
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def check(self) -> None:
        """Let one more begin.

        Raises:
            Busy: as many are under way as may be.
        """
        if len(self._works) >= _MAX_AT_ONCE:
            raise Busy(
                f"{_MAX_AT_ONCE} responses are being made in background already. Try again later."
            )

    def start(self, stored: StoredResponse, asked: Asked, body: bytes) -> Transcript:
        """Begin to make a response that is kept already; `body` asks for it as a stream."""
        work = self._works[stored.id] = _Work(stored, asked)
        self._tasks[stored.id] = asyncio.create_task(self._make(work, body), name=stored.id)
        return work.transcript

    def transcript(self, response_id: str) -> Transcript | None:
        """The events of a response that is under way here."""
        work = self._works.get(response_id)
        return None if work is None else work.transcript

    async def cancel(self, response_id: str) -> None:
        """Stop making a response, if that is done here, and wait until it has stopped."""
        if task := self._tasks.get(response_id):
            task.cancel()
            await asyncio.wait({task})

    async def _make(self, work: _Work, body: bytes) -> None:
        try:
            await self._ask(work, body)
            if not work.is_over:
                response = failed(work.asked.begun("failed"), work.fault or _CUT)
                await self._finish(work, response)
        except StorageError as error:  # once its lease is over, it counts as failed
            _log.warning("How the response %s ended is not kept. %s", work.stored.id, error)
        except asyncio.CancelledError:
            if not work.is_over:
                self._break_off(work)
            raise
        finally:
            del self._works[work.stored.id], self._tasks[work.stored.id]
            work.transcript.end()

    async def _ask(self, work: _Work, body: bytes) -> None:
        """Ask for the stream, and note what comes."""

        def noted(send: Send) -> Send:
            async def note(message: Message) -> None:
                if message["type"] == "http.response.start" or not work.has_begun:
                    work.has_begun = message.get("status") == 200
                    await send(message)
                    return
                for event in message.get("body", b"").split(b"\n\n"):
                    if event.startswith(b"event: error\n"):
                        work.fault = _message(event.partition(b"\ndata: ")[2])
                    elif event and not work.is_over:
                        work.transcript.add(event + b"\n\n")

            return ResponseWriter(work.asked, partial(self._finish, work)).around(note)

        async def handler(exchange: Exchange) -> None:
            exchange.answer.shape = _RESPONSES.shape
            await relay_body(_RESPONSES, exchange, body)

        await asyncio.to_thread(
            self._stored.change, work.stored.id, work.asked.begun("in_progress")
        )
        answer = await self._inside.post(
            handler, "/v1/responses", b"", work.stored.key_id, around=noted
        )
        if answer.status != 200:
            work.fault = _message(answer.body)

    async def _finish(self, work: _Work, response: Json) -> None:
        """Keep the whole response and its events but the last, which it says itself."""
        events = b"".join(work.transcript.events).decode()
        is_kept = await asyncio.to_thread(self._stored.change, work.stored.id, response, events)
        work.is_over = True
        last = response if is_kept else work.asked.begun("cancelled")
        work.transcript.add(work.last_event(last))

    def _break_off(self, work: _Work) -> None:
        """End what was cancelled. Not in a thread, as the loop may be about to end."""
        response = failed(work.asked.begun("failed"), _STOPPED)
        try:
            if not self._stored.change(work.stored.id, response):  # it is over, by whatever reason
                response = self._stored.get(work.stored.id).response
        except NotFound:  # it was deleted
            response = work.asked.begun("cancelled")
        except StorageError as error:
            _log.warning("That %s was stopped is not kept. %s", work.stored.id, error)
        work.transcript.add(work.last_event(response))


def _message(told: bytes) -> str:
    try:
        return str(msgspec.json.decode(told, type=dict)["error"]["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return told.decode("utf-8", "replace")[:_SHOWN_BYTES]
