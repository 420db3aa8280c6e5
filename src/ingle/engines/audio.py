"""The child process for speech: `python -m ingle.engines.audio`.

Its parent writes one line of JSON, a `Start`, to its standard input; see `ingle.engines.child`. It
loads a voice or a model that listens, and serves it on a free port of 127.0.0.1.

The only process that imports a native library for sound.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ingle.engines.child import run_child
from ingle.models.speech_files import SpeechEngine

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Start", "main"]


class Start(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the parent says on the first line; `model` is a file or a folder."""

    model: str
    name: str
    key: str
    engine: SpeechEngine
    threads: int | None = None


def main() -> int:
    """Run the engine until its parent goes; the exit code."""
    return run_child(Start, _load)


def _load(start: Start) -> web.Application:
    """The server, with the model in memory.

    Raises:
        EngineMissing, ModelFileInvalid: see each library's `load`.
    """
    from ingle.engines.speech import server, with_espeak, with_sherpa, with_whisper

    path = Path(start.model)
    match start.engine:
        case "whisper":
            listener = with_whisper.load(path, threads=start.threads)
            return server.listener_app(listener, name=start.name, key=start.key)
        case "sherpa":
            voice = with_sherpa.load(path, threads=start.threads)
        case "espeak":
            voice = with_espeak.load()
    return server.voice_app(voice, name=start.name, key=start.key)


if __name__ == "__main__":
    sys.exit(main())
