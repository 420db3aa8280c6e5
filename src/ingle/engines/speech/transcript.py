"""What was heard, and how OpenAI's endpoints write it down."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Granularity", "Segment", "Transcript", "TranscriptFormat", "Word", "written"]

TranscriptFormat = Literal["json", "text", "srt", "vtt", "verbose_json"]
Granularity = Literal["word", "segment"]
Json = dict[str, Any]  # Any: a JSON value has no narrower type


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it was said, in seconds."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Segment:
    """Some words said together, times in seconds.

    `text` begins with the space before it, so that the texts of all segments make the whole.
    `log_probability` is the mean of its tokens'.
    """

    text: str
    start_s: float
    end_s: float
    tokens: tuple[int, ...]
    words: tuple[Word, ...]
    log_probability: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """All that was heard in a sound. `language` is a code such as "de", told or found out."""

    segments: Sequence[Segment]
    language: str
    duration_s: float

    @property
    def text(self) -> str:
        """Everything that was said."""
        return "".join(segment.text for segment in self.segments).strip()


def written(
    transcript: Transcript,
    form: TranscriptFormat,
    *,
    task: Literal["transcribe", "translate"],
    temperature: float,
    granularities: frozenset[Granularity],
) -> str | Json:
    """The answer's body: a text, or what becomes JSON."""
    match form:
        case "text":
            return f"{transcript.text}\n"
        case "srt":
            return _srt(transcript.segments)
        case "vtt":
            return _vtt(transcript.segments)
        case "json":
            return {"text": transcript.text, "usage": _usage(transcript)}
        case "verbose_json":
            return _verbose(transcript, task, temperature, granularities)


def _verbose(
    transcript: Transcript,
    task: str,
    temperature: float,
    granularities: frozenset[Granularity],
) -> Json:
    """As OpenAI's, without `no_speech_prob`, which whisper.cpp does not tell."""
    told: Json = {
        "task": task,
        "language": transcript.language,
        "duration": round(transcript.duration_s, 3),
        "text": transcript.text,
        "usage": _usage(transcript),
    }
    if "segment" in granularities:
        told["segments"] = [
            _segment(index, segment, temperature)
            for index, segment in enumerate(transcript.segments)
        ]
    if "word" in granularities:
        told["words"] = [
            {"word": word.text, "start": word.start_s, "end": word.end_s}
            for segment in transcript.segments
            for word in segment.words
        ]
    return told


def _segment(index: int, segment: Segment, temperature: float) -> Json:
    text = segment.text.encode()
    return {
        "id": index,
        "seek": int(segment.start_s * 100),  # frames of 10 ms
        "start": segment.start_s,
        "end": segment.end_s,
        "text": segment.text,
        "tokens": segment.tokens,
        "temperature": temperature,
        "avg_logprob": segment.log_probability,
        # Whisper's sign of a text that repeats itself.
        "compression_ratio": round(len(text) / len(zlib.compress(text)), 3),
    }


def _usage(transcript: Transcript) -> Json:
    return {"type": "duration", "seconds": math.ceil(transcript.duration_s)}


def _srt(segments: Sequence[Segment]) -> str:
    """Source: https://en.wikipedia.org/wiki/SubRip#Format."""
    return "".join(
        f"{number}\n{_time(segment.start_s, ',')} --> {_time(segment.end_s, ',')}\n"
        f"{_line(segment)}\n\n"
        for number, segment in enumerate(segments, start=1)
    )


def _vtt(segments: Sequence[Segment]) -> str:
    """Source: https://www.w3.org/TR/webvtt1/."""
    return "WEBVTT\n\n" + "".join(
        f"{_time(segment.start_s, '.')} --> {_time(segment.end_s, '.')}\n{_line(segment)}\n\n"
        for segment in segments
    )


def _line(segment: Segment) -> str:
    """One line, in which nothing looks like the arrow of the times."""
    return " ".join(segment.text.split()).replace("-->", "->")


def _time(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
