"""Is this file or folder a model that speaks or listens? Told by its files, before it is run.

- A model of whisper.cpp is one file, `ggml-*.bin`, with a header of eleven numbers.
- A voice of Piper is `NAME.onnx` with `NAME.onnx.json` beside it.
- A voice of sherpa-onnx is a folder with `tokens.txt` and `*.onnx`.
- espeak-ng has no files: its manifest alone makes the model.

Sources: whisper.cpp's `models/convert-pt-to-ggml.py`, Piper's `VOICES.md`, and
https://k2-fsa.github.io/sherpa/onnx/tts/pretrained_models/.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Literal

__all__ = [
    "SpeechEngine",
    "is_multilingual",
    "is_speech_file",
    "is_speech_folder",
    "speech_engine",
    "weights_of_speech",
]

SpeechEngine = Literal["espeak", "sherpa", "whisper"]

_MAGIC = b"lmgg"
_HEADER = struct.Struct("<4s11i")
_MULTILINGUAL_VOCABULARY = 51865
_WEIGHTS = frozenset({".onnx", ".bin"})


def speech_engine(path: Path) -> SpeechEngine | None:
    """The engine that its files are made for; None if they are no speech model."""
    if is_speech_folder(path):
        return "sherpa"
    if not is_speech_file(path):
        return None
    return "sherpa" if path.suffix.lower() == ".onnx" else "whisper"


def is_speech_folder(path: Path) -> bool:
    """Whether it is a model of sherpa-onnx."""
    return (path / "tokens.txt").is_file() and any(path.glob("*.onnx"))


def is_speech_file(path: Path) -> bool:
    """Whether it is a voice of Piper or a model of whisper.cpp."""
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        return path.with_name(f"{path.name}.json").is_file()
    return suffix == ".bin" and _whisper_vocabulary(path) is not None


def is_multilingual(path: Path) -> bool:
    """Whether a model of whisper.cpp knows languages but English, and so translates."""
    return (_whisper_vocabulary(path) or 0) >= _MULTILINGUAL_VOCABULARY


def weights_of_speech(path: Path) -> list[os.stat_result]:
    """How its files of weights lie there.

    Raises:
        OSError: they cannot be looked at.
    """
    if path.is_dir():
        return [file.stat() for file in path.iterdir() if file.suffix.lower() in _WEIGHTS]
    return [path.stat()]


def _whisper_vocabulary(path: Path) -> int | None:
    """How many tokens it knows; None if it is no model of whisper.cpp, or gone since it was seen."""
    try:
        with path.open("rb") as file:
            beginning = file.read(_HEADER.size)
    except OSError:
        return None
    if len(beginning) < _HEADER.size or not beginning.startswith(_MAGIC):
        return None
    return int(_HEADER.unpack(beginning)[1])
