"""The speech model as an OpenAI-compatible HTTP server on loopback.

    POST /v1/audio/speech                          JSON
    POST /v1/audio/transcriptions  /translations   a form with `file`
    GET  /v1/models  /health

A model either speaks or listens, and answers its own endpoints only. A caller who leaves stops the
work. Who knows the key is let in; `/health` asks for none.
"""

from __future__ import annotations

from aiohttp import web

from ingle.engines.child_http import new_app
from ingle.engines.speech.listener import Listener
from ingle.engines.speech.listening import Listening
from ingle.engines.speech.speaking import Speaking
from ingle.engines.speech.turns import Turns
from ingle.engines.speech.voice import Voice

__all__ = ["listener_app", "voice_app"]

_SPEECH_BYTES = 2**20
_SOUND_BYTES = 512 * 2**20  # Ingle's own server has the bound that people set


def voice_app(voice: Voice, *, name: str, key: str) -> web.Application:
    """The server of a model that speaks. `key` is what callers must bear."""
    app = new_app(name=name, key=key, most_bytes=_SPEECH_BYTES)
    app.router.add_post("/v1/audio/speech", Speaking(voice, _turns(app)).speech)
    return app


def listener_app(listener: Listener, *, name: str, key: str) -> web.Application:
    """The server of a model that listens. `key` is what callers must bear."""
    app = new_app(name=name, key=key, most_bytes=_SOUND_BYTES)
    listening = Listening(listener, _turns(app))
    app.router.add_post("/v1/audio/transcriptions", listening.transcriptions)
    app.router.add_post("/v1/audio/translations", listening.translations)
    return app


def _turns(app: web.Application) -> Turns:
    turns = Turns()

    async def close(_: web.Application) -> None:
        turns.close()

    app.on_cleanup.append(close)
    return turns
