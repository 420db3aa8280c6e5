"""`POST /v1/audio/transcriptions` and `/translations`: what a model hears in a file.

With `stream: true` each segment is an event `transcript.text.delta` as soon as it is heard, and
the last one `transcript.text.done`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

from aiohttp import web

from ingle.engines.child_http import error_body, event, form_of, json_answer
from ingle.engines.speech.decoding import read_sound
from ingle.engines.speech.listener import Listener
from ingle.engines.speech.transcript import Segment, Transcript, written
from ingle.engines.speech.transcript_order import TranscriptOrder, transcript_order
from ingle.engines.speech.turns import Outlet, Turns
from ingle.errors import IngleError

__all__ = ["Listening"]

_Heard = Segment | Transcript
_TYPES = {"text": "text/plain", "srt": "application/x-subrip", "vtt": "text/vtt"}


class Listening:
    """Answers for one model."""

    def __init__(self, listener: Listener, turns: Turns) -> None:
        self._listener = listener
        self._turns = turns

    async def transcriptions(self, request: web.Request) -> web.StreamResponse:
        """What was said, in its own language."""
        return await self._answer(request, translates=False)

    async def translations(self, request: web.Request) -> web.StreamResponse:
        """What was said, in English."""
        return await self._answer(request, translates=True)

    async def _answer(self, request: web.Request, *, translates: bool) -> web.StreamResponse:
        fields, files = await form_of(request, of="sound")
        order = transcript_order(fields, files, translates=translates)
        self._listener.check(order.task)
        async with contextlib.aclosing(self._heard(order)) as heard:
            if order.is_streamed:
                return await _as_events(request, heard)
            async for part in heard:
                if isinstance(part, Transcript):
                    return _whole(order, part)
        raise AssertionError("what is heard ends with the transcript, or fails")

    def _heard(self, order: TranscriptOrder) -> AsyncGenerator[_Heard]:
        """Segments as they are heard, and at the end the transcript."""

        def work(outlet: Outlet[_Heard]) -> None:
            sound = read_sound(order.file, outlet.is_unwanted)
            outlet.put(self._listener.listen(sound, order.task, outlet.put, outlet.is_unwanted))

        return self._turns.stream(work)


def _whole(order: TranscriptOrder, transcript: Transcript) -> web.Response:
    told = written(
        transcript,
        order.format,
        task="translate" if order.task.translates else "transcribe",
        temperature=order.task.temperature,
        granularities=order.granularities,
    )
    if isinstance(told, dict):
        return json_answer(told)
    return web.Response(text=told, content_type=_TYPES[order.format], charset="utf-8")


async def _as_events(request: web.Request, heard: AsyncGenerator[_Heard]) -> web.StreamResponse:
    first = await anext(heard)  # before the status is sent: a refusal is a status
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
    )
    await response.prepare(request)
    has_text = False
    try:
        part = first
        while isinstance(part, Segment):
            text = part.text if has_text else part.text.lstrip()
            has_text = has_text or bool(text)
            await response.write(event({"type": "transcript.text.delta", "delta": text}))
            part = await anext(heard)
        last = {"type": "transcript.text.done", "text": part.text}
    except IngleError as error:
        last = {"type": "error", **error_body(error)}
    await response.write(event(last))
    await response.write_eof()
    return response
