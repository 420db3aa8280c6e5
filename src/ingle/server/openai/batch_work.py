"""The lines of one batch, asked of our own endpoints: each answer appended as soon as it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from ingle.server.endpoints import ENDPOINTS
from ingle.server.exchange import Handler
from ingle.server.inside import Inside, InsideAnswer
from ingle.server.openai.batch_lines import Ask, Journal, answer_line, asks_in
from ingle.server.openai.chats import create_chat
from ingle.server.openai.responses import create_response
from ingle.server.relay import relay
from ingle.storage.openai_batches import OpenAIBatch

__all__ = ["BATCH_ENDPOINTS", "BatchWork"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

BATCH_ENDPOINTS: Mapping[str, Handler] = MappingProxyType(
    {
        "/v1/chat/completions": create_chat,
        "/v1/responses": create_response,
        **{
            f"/v1/{path}": partial(relay, ENDPOINTS[path])
            for path in ("completions", "embeddings", "images/generations", "moderations")
        },
    }
)
"""What a batch may ask, and what answers it."""

_TRIES = 5
_LONGEST_WAIT_S = 60.0
_LINES_AT_ONCE = 64
_SHOWN_BYTES = 300
_NOT_EXECUTED = {
    "cancelled": ("batch_cancelled", "The batch was cancelled before this request was executed."),
    "expired": (
        "batch_expired",
        "This request could not be executed before the completion window expired.",
    ),
}


class BatchWork:
    """A batch while its lines are asked. Those that have an answer in a journal are not.

    `path` is the file that asks, of no line longer than `max_bytes`; `slots` bounds how many lines
    are asked at the same time.
    """

    def __init__(
        self,
        batch: OpenAIBatch,
        path: Path,
        output: Journal,
        errors: Journal,
        *,
        inside: Inside,
        slots: asyncio.Semaphore,
        max_bytes: int,
    ) -> None:
        self.batch = batch
        self.output = output
        self.errors = errors
        self._path = path
        self._inside = inside
        self._slots = slots
        self._max_bytes = max_bytes

    async def ask_all(self) -> None:
        """Ask what has no answer yet. Cancelling drops what is being asked.

        Raises:
            ExceptionGroup: of errors of storage; what was answered before is kept.
        """
        lines = asks_in(self._path, self._max_bytes)
        async with asyncio.TaskGroup() as tasks:
            while some := await asyncio.to_thread(_asks, lines):
                for ask in some:
                    if self._has(ask):
                        continue
                    await self._slots.acquire()
                    task = tasks.create_task(self._ask(ask))
                    task.add_done_callback(lambda _: self._slots.release())

    def give_up(self, why: str) -> None:
        """Say of each line without an answer that it was not asked, cancelled or expired. Blocks.

        Raises:
            StorageError: the disk is full or failed.
        """
        for _, ask in asks_in(self._path, self._max_bytes):
            if isinstance(ask, Ask) and not self._has(ask):
                self.errors.append(answer_line(ask, error=_NOT_EXECUTED[why]))

    def _has(self, ask: Ask) -> bool:
        return ask.custom_id in self.output.done or ask.custom_id in self.errors.done

    async def _ask(self, ask: Ask) -> None:
        answer = await self._answer(ask)
        journal = self.output if 200 <= answer.status < 300 else self.errors
        try:
            line = answer_line(ask, status=answer.status, body=msgspec.json.decode(answer.body))
        except msgspec.DecodeError:
            shown = answer.body[:_SHOWN_BYTES].decode("utf-8", "replace")
            message = f"The server answered with status {answer.status} and no JSON: {shown}"
            line, journal = answer_line(ask, error=("invalid_answer", message)), self.errors
        await asyncio.to_thread(journal.append, line)

    async def _answer(self, ask: Ask) -> InsideAnswer:
        """What the endpoint answers; one that is full or limits its callers is asked again."""
        if _asks_for_stream(ask.body):
            message = "`stream` is true, but the answers of a batch come whole. Leave it out."
            error = {"message": message, "type": "invalid_request_error", "param": "stream"}
            body = msgspec.json.encode({"error": {**error, "code": "invalid_request"}})
            return InsideAnswer(400, {}, body)
        endpoint, tries = self.batch.endpoint, 0
        while True:
            tries += 1
            answer = await self._inside.post(
                BATCH_ENDPOINTS[endpoint], endpoint, bytes(ask.body), self.batch.key_id
            )
            is_later = answer.status == 429 or (answer.status == 503 and tries < _TRIES)
            if not is_later:
                return answer
            told = answer.headers.get(b"retry-after", b"")
            wait_s = float(told) if told.isdigit() else 2.0 ** min(tries, 10)
            await asyncio.sleep(min(wait_s, _LONGEST_WAIT_S))


def _asks(lines: Iterator[tuple[int, Ask | Json]]) -> list[Ask]:
    """The next few that ask; none at the end. All lines of a checked file do."""
    return [ask for _, ask in islice(lines, _LINES_AT_ONCE) if isinstance(ask, Ask)]


def _asks_for_stream(body: msgspec.Raw) -> bool:
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        return False
    return bytes(fields.get("stream", b"")) == b"true"
