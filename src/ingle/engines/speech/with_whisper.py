"""Listening with whisper.cpp: models of the Whisper family as one GGML file.

The only module that imports whisper.cpp.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingle.engines.speech.decoding import RATE_HZ, Sound
from ingle.engines.speech.listener import Listener, OnSegment, Task
from ingle.engines.speech.transcript import Segment, Transcript, Word
from ingle.engines.speech.whisper_file import check_whisper_file
from ingle.errors import (
    EngineError,
    EngineMissing,
    InvalidRequest,
    ModelFileInvalid,
    UnsupportedInput,
)

__all__ = ["load"]

Foreign = Any  # objects of a library that comes without types

_TICK_S = 0.01  # whisper.cpp counts time so
_LEAST_SAMPLES = int(1.25 * RATE_HZ)  # of less than a second it hears nothing
_ERROR_LEVEL = 4  # GGML_LOG_LEVEL_ERROR


def load(path: Path, *, threads: int | None = None) -> Listener:
    """The model in memory, ready to listen.

    Raises:
        EngineMissing: whisper.cpp is not installed.
        ModelFileInvalid: it cannot read the file.
    """
    try:
        import _pywhispercpp as whisper
    except ImportError as error:
        raise EngineMissing(
            f"The model {path} needs whisper.cpp, which is not installed ({error}). "
            "Run: pip install 'ingle[speech]'"
        ) from error
    check_whisper_file(path)
    return _WhisperListener(whisper, path, threads)


class _WhisperListener:
    def __init__(self, whisper: Foreign, path: Path, threads: int | None) -> None:
        self._whisper = whisper
        self._threads = threads
        self._context = _loaded(whisper, path)
        self._is_multilingual = bool(whisper.whisper_is_multilingual(self._context))
        self._first_special = int(whisper.whisper_token_eot(self._context))

    def check(self, task: Task) -> None:
        if task.language and self._whisper.whisper_lang_id(task.language) < 0:
            known = range(self._whisper.whisper_lang_max_id() + 1)
            codes = ", ".join(sorted(self._whisper.whisper_lang_str(one) for one in known))
            raise InvalidRequest(
                f"Whisper knows no language {task.language!r}. It knows: {codes}.", param="language"
            )
        if self._is_multilingual:
            return
        if task.translates:
            raise UnsupportedInput(
                "This model hears English only and does not translate. Take one without `.en` in "
                "its name.",
                param="model",
            )
        if task.language and self._whisper.whisper_lang_id(task.language) != 0:
            raise InvalidRequest(
                f"This model hears English only, and `language` is {task.language!r}. Take a model "
                "without `.en` in its name.",
                param="language",
            )

    def listen(
        self, sound: Sound, task: Task, on_segment: OnSegment, is_unwanted: Callable[[], bool]
    ) -> Transcript:
        import numpy as np

        whisper, context = self._whisper, self._context
        segments: list[Segment] = []
        duration_s = len(sound) / RATE_HZ

        def take(_: Foreign, count: int, __: Foreign = None) -> None:
            total = whisper.whisper_full_n_segments(context)
            for index in range(total - count, total):
                segments.append(self._segment(index, duration_s))
                on_segment(segments[-1])

        parameters = self._parameters(task)
        whisper.assign_new_segment_callback(parameters, take)
        whisper.assign_abort_callback(parameters, is_unwanted)
        samples = np.frombuffer(sound, np.float32)
        if len(samples) < _LEAST_SAMPLES:
            samples = np.pad(samples, (0, _LEAST_SAMPLES - len(samples)))
        failure = whisper.whisper_full(context, parameters, samples, len(samples))
        if failure and not is_unwanted():
            raise EngineError(
                f"whisper.cpp could not transcribe {duration_s:.1f} s of sound (error "
                f"{failure}). Try again, or with another file."
            )
        language = whisper.whisper_lang_str(whisper.whisper_full_lang_id(context))
        return Transcript(segments, language, duration_s)

    def _parameters(self, task: Task) -> Foreign:
        greedy = self._whisper.whisper_sampling_strategy.WHISPER_SAMPLING_GREEDY
        parameters = self._whisper.whisper_full_default_params(greedy)
        parameters.print_progress = False
        parameters.print_timestamps = False
        parameters.token_timestamps = True
        parameters.translate = task.translates
        parameters.language = (task.language or "auto") if self._is_multilingual else "en"
        parameters.temperature = task.temperature
        if task.prompt:
            parameters.initial_prompt = task.prompt
        if self._threads:
            parameters.n_threads = self._threads
        return parameters

    def _segment(self, index: int, duration_s: float) -> Segment:
        """Whisper hears windows of 30 s, and puts the end of the last words anywhere in them."""

        def seconds(ticks: int) -> float:
            return round(min(max(ticks * _TICK_S, 0.0), duration_s), 2)

        whisper, context = self._whisper, self._context
        count = whisper.whisper_full_n_tokens(context, index)
        told = [whisper.whisper_full_get_token_data(context, index, one) for one in range(count)]
        spoken = [(one, data) for one, data in enumerate(told) if data.id < self._first_special]
        text = whisper.whisper_full_get_segment_text(context, index)
        pieces = [
            (self._piece(index, one), seconds(data.t0), seconds(data.t1)) for one, data in spoken
        ]
        mean = sum(data.plog for _, data in spoken) / len(spoken) if spoken else 0.0
        return Segment(
            text=text.decode(errors="replace"),
            start_s=seconds(whisper.whisper_full_get_segment_t0(context, index)),
            end_s=seconds(whisper.whisper_full_get_segment_t1(context, index)),
            tokens=tuple(data.id for data in told),
            words=_words(pieces),
            log_probability=round(mean, 4) if math.isfinite(mean) else 0.0,
        )

    def _piece(self, segment: int, token: int) -> bytes:
        """The bytes of a token; a letter may be cut between two."""
        told = self._whisper.whisper_full_get_token_text(self._context, segment, token)
        return told if isinstance(told, bytes) else told.encode()


def _words(pieces: list[tuple[bytes, float, float]]) -> tuple[Word, ...]:
    """Tokens joined to words; one that begins with a space begins a word."""
    joined: list[tuple[bytes, float, float]] = []
    for text, start_s, end_s in pieces:
        if joined and not text.startswith(b" "):
            before, began_s, _ = joined[-1]
            joined[-1] = (before + text, began_s, end_s)
        else:
            joined.append((text, start_s, end_s))
    words = [(text.decode(errors="replace").strip(), start, end) for text, start, end in joined]
    return tuple(Word(*word) for word in words if word[0])


def _loaded(whisper: Foreign, path: Path) -> Foreign:
    """whisper.cpp's context for a model.

    Where it cannot use a file it gives a context that crashes, with no error: what it logs tells.
    """
    faults: list[str] = []

    def listen(level: int, line: str, _: Foreign = None) -> None:
        sys.stderr.write(line)
        if level >= _ERROR_LEVEL:
            faults.append(line.strip())

    whisper.whisper_log_set(listen)
    context = whisper.whisper_init_from_file_with_params(
        str(path), whisper.whisper_context_default_params()
    )
    whisper.whisper_log_set(None)
    if faults:
        raise ModelFileInvalid(
            f"whisper.cpp cannot load {path}: {faults[0]}. Download the model again."
        )
    return context
