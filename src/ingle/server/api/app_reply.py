"""What comes of a run, as an answer: its events, its output once it has ended, or as LLMStack does.

Who leaves does not stop a run. A stream of events may be followed again from the last one seen; in
LLMStack's form, lines of JSON, each has what the output goes on with:

    {"session": {"id": "…"}, "run": {"id": "run_…"}}
    {"output": "Good "}
    {"output": "morning"}
    {"usage": {…}}            or, if it failed, {"error": {…}}
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from ingle.runs.as_json import write_json
from ingle.server.answer import JSON, Answer
from ingle.server.api.run_reply import EventReply
from ingle.server.error_shapes import OPENAI, ErrorShape
from ingle.server.exchange import Exchange
from ingle.server.pulse import pulsing
from ingle.server.run_events import Answered

__all__ = ["LinesReply", "OutputReply", "RunEventsReply"]

_LINES = b"application/x-ndjson"
Json = dict[str, Any]  # Any: a JSON value has no narrower type


class RunEventsReply(EventReply):
    """The events of a run, encoded, to its end."""

    def __init__(self, events: AsyncGenerator[bytes, None], exchange: Exchange) -> None:
        super().__init__(exchange)
        self._events = events

    async def _write(self, answer: Answer) -> None:
        await answer.start_stream()
        async with pulsing(answer), aclosing(self._events) as events:
            async for data in events:
                await answer.write(data)
        await answer.finish()

    def _event(self, kind: bytes, data: bytes) -> bytes:
        # An error of this connection is no event of the run, so it has no number there.
        return b"event: %b\ndata: %b\n\n" % (kind, data)


class OutputReply(EventReply):
    """A run's output once it has ended."""

    def __init__(self, said: Json, answered: Answered, exchange: Exchange) -> None:
        """`said` tells which run it is, and comes before the output."""
        super().__init__(exchange)
        self._said = said
        self._answered = answered

    async def _write(self, answer: Answer) -> None:
        output = await self._answered.whole()
        told = {**self._said, "output": output, "usage": _usage(self._answered)}
        await answer.whole(write_json(told).encode(), JSON)


class LinesReply(OutputReply):
    """A run's output as it comes, as lines of JSON that are merged by their keys."""

    async def _write(self, answer: Answer) -> None:
        answer.shape = ErrorShape(OPENAI.body, lambda error: _line(OPENAI.body(error)))
        answered = self._answered
        async for text in answered.texts():
            await self._write_line({"output": text}, answer)
        if not answered.told:
            await self._write_line({"output": answered.output}, answer)
        await self._write_line({"usage": _usage(answered)}, answer)
        await answer.finish()

    async def _write_line(self, said: Json, answer: Answer) -> None:
        line = _line(said)
        if not answer.is_started:
            await answer.start_stream(_LINES)
            line = _line(self._said) + line
        await answer.write(line)


def _line(said: Json) -> bytes:
    return write_json(said).encode() + b"\n"


def _usage(answered: Answered) -> dict[str, int]:
    prompt, completion = answered.prompt_tokens, answered.completion_tokens
    return {"prompt_tokens": prompt, "completion_tokens": completion}
