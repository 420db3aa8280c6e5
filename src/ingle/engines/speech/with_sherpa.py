"""Speaking with sherpa-onnx: voices of Piper, and others of the VITS family.

The only module that imports sherpa-onnx.
"""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingle.engines.speech.espeak import Espeak
from ingle.engines.speech.sherpa_files import VoiceFiles, read_piper_voice, read_voice_folder
from ingle.engines.speech.voice import OPENAI_VOICES, OnSound, Utterance, Voice
from ingle.errors import EngineError, EngineMissing, InvalidRequest, ModelFileInvalid

__all__ = ["load"]

Foreign = Any  # objects of a library that comes without types

_SENTENCE_ENDS = frozenset(".?!…")
_LANGUAGE_SWITCH = re.compile(r"\([a-z-]+\)")  # espeak-ng's note before a foreign word
_SENTENCE = re.compile(r"[^.?!…。？！\n]+[.?!…。？！\n]*")  # for voices that read letters
_SHOWN_SPEAKERS = 20


def load(path: Path, *, threads: int | None = None) -> Voice:
    """The voice in memory, ready to speak: a folder, or a voice of Piper.

    Raises:
        EngineMissing: sherpa-onnx is not installed.
        ModelFileInvalid: it cannot read the files.
    """
    try:
        import sherpa_onnx
    except ImportError as error:
        raise EngineMissing(
            f"The voice {path} needs sherpa-onnx, which is not installed ({error}). "
            "Run: pip install 'ingle[speech]'"
        ) from error
    if path.is_dir():
        files = read_voice_folder(path)
        return _SherpaVoice(sherpa_onnx, files, _opened(sherpa_onnx, files, threads))
    with tempfile.TemporaryDirectory(prefix="ingle-voice-") as folder:
        try:
            files = read_piper_voice(path, Path(folder))
        except OSError as error:
            raise EngineError(
                f"The voice {path} cannot be prepared in {folder}: {error.strerror or error}. Make "
                "room there, or set TMPDIR to another folder."
            ) from error
        return _SherpaVoice(sherpa_onnx, files, _opened(sherpa_onnx, files, threads))


class _SherpaVoice:
    def __init__(self, sherpa: Foreign, files: VoiceFiles, voice: Foreign) -> None:
        self._sherpa = sherpa
        self._voice = voice
        self._speakers = files.speakers
        self._language = files.language
        self._espeak = None if files.lexicon else Espeak()
        self.rate_hz: int = voice.sample_rate

    def check(self, utterance: Utterance) -> None:
        self._speaker(utterance.voice)
        own, wanted = (
            code.lower().partition("-")[0] for code in (self._language, utterance.language or "")
        )
        if wanted and wanted != own:
            raise InvalidRequest(
                f"This voice speaks {self._language!r}, and `language` is "
                f"{utterance.language!r}. Take another voice, or leave `language` out.",
                param="language",
            )

    def rest_of_speed(self, speed: float) -> float:
        return 1.0

    def speak(self, utterance: Utterance, on_sound: OnSound) -> None:
        for text, phonemes in self._sentences(utterance.text):
            options = self._sherpa.GenerationConfig()
            options.sid = self._speaker(utterance.voice)
            options.speed = utterance.speed
            if phonemes:
                options.phoneme_codepoints = [[ord(character) for character in phonemes]]
            try:
                spoken = self._voice.generate(text, options)
            except RuntimeError as error:
                raise EngineError(
                    f"sherpa-onnx could not speak: {str(error)[:400].rstrip('.')}. Try another text."
                ) from error
            if spoken.samples and on_sound(_in_16_bits(spoken.samples)):
                return

    def _sentences(self, text: str) -> Iterator[tuple[str, str]]:
        """A text to be read, or else phonemes, for one sentence after the other."""
        if self._espeak is None:
            yield from ((found[0].strip(), "") for found in _SENTENCE.finditer(text))
            return
        sentence = ""
        for phonemes, mark in self._espeak.clauses(text, self._language):
            clause = unicodedata.normalize("NFD", _LANGUAGE_SWITCH.sub("", phonemes))
            sentence += clause + mark
            if mark in _SENTENCE_ENDS and sentence:
                yield "", sentence
                sentence = ""
            elif sentence:
                sentence += " "
        if sentence.strip():
            yield "", sentence.strip()

    def _speaker(self, voice: str) -> int:
        """The number of a speaker: by name, by number, or one for each of OpenAI's names.

        Raises:
            InvalidRequest: there is none; `param` is `voice`.
        """
        count: int = max(1, self._voice.num_speakers)
        if voice in self._speakers:
            return self._speakers[voice]
        if voice.isascii() and voice.isdigit() and len(voice) < 6 and int(voice) < count:
            return int(voice)
        if voice in OPENAI_VOICES:
            return OPENAI_VOICES.index(voice) % count
        names = ", ".join(list(self._speakers)[:_SHOWN_SPEAKERS]) or "no names"
        raise InvalidRequest(
            f"There is no voice {voice[:80]!r}. This model has the voices 0 to {count - 1} "
            f"({names}), and takes OpenAI's names: {', '.join(OPENAI_VOICES)}.",
            param="voice",
        )


def _opened(sherpa: Foreign, files: VoiceFiles, threads: int | None) -> Foreign:
    vits = sherpa.OfflineTtsVitsModelConfig(
        model=str(files.model), tokens=str(files.tokens), lexicon=files.lexicon
    )
    model = sherpa.OfflineTtsModelConfig(vits=vits, num_threads=threads or 1)
    try:
        return sherpa.OfflineTts(sherpa.OfflineTtsConfig(model=model, max_num_sentences=1))
    except RuntimeError as error:
        raise ModelFileInvalid(
            f"sherpa-onnx cannot load {files.model}: {str(error)[:400].rstrip('.')}. Download the "
            "voice again."
        ) from error


def _in_16_bits(samples: list[float]) -> bytes:
    import numpy as np

    loudest = np.clip(np.asarray(samples, np.float32), -1, 1) * 32767
    sound: bytes = loudest.astype(np.int16).tobytes()
    return sound
