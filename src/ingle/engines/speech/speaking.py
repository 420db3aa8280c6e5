"""`POST /v1/audio/speech`: a voice's sound on its way to the caller while it is made.

The sound comes as the bytes of a file, or with `stream_format: sse` as events
`speech.audio.delta` and at the end `speech.audio.done`. A `wav` whose way of streaming nobody
asked for is made whole first, so that its header says how long it is.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncGenerator

from aiohttp import web

from ingle.engines.child_http import error_body, event
from ingle.engines.speech.encoding import MEDIA_TYPES, Encoder, wav_header
from ingle.engines.speech.speech_order import SpeechOrder, speech_order
from ingle.engines.speech.turns import Outlet, Turns
from ingle.engines.speech.voice import Voice
from ingle.errors import IngleError

__all__ = ["Speaking"]

# The model counts no tokens; OpenAI's clients want the field.
_USAGE = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}


class Speaking:
    """Answers for one voice."""

    def __init__(self, voice: Voice, turns: Turns) -> None:
        self._voice = voice
        self._turns = turns

    async def speech(self, request: web.Request) -> web.StreamResponse:
        """The answer. A failure after its beginning breaks the connection, or is an event."""
        order = speech_order(await request.read())
        self._voice.check(order.utterance)
        async with contextlib.aclosing(self._sound(order)) as sound:
            if order.stream_format == "sse":
                return await _as_events(request, sound)
            if order.format == "wav" and order.stream_format is None:
                whole = b"".join([piece async for piece in sound])
                return web.Response(
                    body=wav_header(len(whole)) + whole, content_type=MEDIA_TYPES["wav"]
                )
            return await _as_bytes(request, order, sound)

    async def _sound(self, order: SpeechOrder) -> AsyncGenerator[bytes]:
        """The encoded sound, in pieces that are not empty."""

        def work(outlet: Outlet[bytes]) -> None:
            self._speak(order, outlet)

        pieces = self._turns.stream(work)
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                if piece:
                    yield piece

    def _speak(self, order: SpeechOrder, outlet: Outlet[bytes]) -> None:
        """In the thread: the voice's sound, encoded as it comes."""
        utterance = order.utterance
        tempo = self._voice.rest_of_speed(utterance.speed)
        encoder = Encoder(order.format, self._voice.rate_hz, tempo)
        self._voice.speak(utterance, lambda sound: outlet.put(encoder.add(sound)))
        outlet.put(encoder.end())


async def _as_bytes(
    request: web.Request, order: SpeechOrder, sound: AsyncGenerator[bytes]
) -> web.StreamResponse:
    first = await anext(sound, b"")  # before the status is sent: a failure is a status
    response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPES[order.format]})
    await response.prepare(request)
    if order.format == "wav":
        await response.write(wav_header(None))
    await response.write(first)
    try:
        async for piece in sound:
            await response.write(piece)
    except IngleError:
        # Without its last chunk nobody takes the part for the whole.
        if request.transport is not None:
            request.transport.abort()
        raise
    await response.write_eof()
    return response


async def _as_events(request: web.Request, sound: AsyncGenerator[bytes]) -> web.StreamResponse:
    first = await anext(sound, b"")
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
    )
    await response.prepare(request)
    await response.write(_delta(first))
    try:
        async for piece in sound:
            await response.write(_delta(piece))
        last = {"type": "speech.audio.done", "usage": _USAGE}
    except IngleError as error:
        last = {"type": "error", **error_body(error)}
    await response.write(event(last))
    await response.write_eof()
    return response


def _delta(piece: bytes) -> bytes:
    return event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
