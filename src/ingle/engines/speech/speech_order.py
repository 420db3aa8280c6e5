"""What a caller wants to be spoken, checked: the body of `/v1/audio/speech`.

Ingle's extension is `language`. `instructions` is taken and changes nothing, as with OpenAI's own
models of before 2025.

Source: https://platform.openai.com/docs/api-reference/audio/createSpeech, of 2025.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from ingle.engines.speech.encoding import SoundFormat
from ingle.engines.speech.voice import Utterance
from ingle.errors import InvalidRequest

__all__ = ["SpeechOrder", "speech_order"]

_MOST_CHARACTERS = 4096  # OpenAI's; at the lowest speed some 20 minutes of sound


class _NamedVoice(msgspec.Struct):
    """The other way in which OpenAI's clients name a voice."""

    id: str


class _Body(msgspec.Struct, kw_only=True):
    """A null counts as left out, as with OpenAI."""

    input: str
    voice: str | _NamedVoice | None = None
    response_format: SoundFormat | None = None
    speed: Annotated[float, msgspec.Meta(ge=0.25, le=4)] | None = None
    stream_format: Literal["audio", "sse"] | None = None
    language: Annotated[str, msgspec.Meta(max_length=32)] | None = None


@dataclass(frozen=True, slots=True)
class SpeechOrder:
    """What to speak and how to hand it over; `stream_format` is None where nobody asked."""

    utterance: Utterance
    format: SoundFormat
    stream_format: Literal["audio", "sse"] | None


def speech_order(body: bytes) -> SpeechOrder:
    """From the JSON of `/v1/audio/speech`.

    Raises:
        InvalidRequest: not JSON, or a field is missing or out of its range; `param` names it.
    """
    try:
        asked = msgspec.json.decode(body, type=_Body)
    except msgspec.DecodeError as error:
        field = re.search(r"missing required field `(\w+)`|`\$\.(\w+)", str(error))
        raise InvalidRequest(
            f"The request is not right: {error}. Correct it.",
            param=(field[1] or field[2]) if field else None,
        ) from error
    if not asked.input.strip():
        raise InvalidRequest("`input` has nothing to be spoken. Give it a text.", param="input")
    if len(asked.input) > _MOST_CHARACTERS:
        raise InvalidRequest(
            f"`input` has {len(asked.input):,} characters, and at most {_MOST_CHARACTERS:,} are "
            "taken, as by OpenAI. Cut it, best between two sentences.",
            param="input",
        )
    if "\0" in asked.input:
        raise InvalidRequest("`input` has a null character. Take it out.", param="input")
    voice = asked.voice.id if isinstance(asked.voice, _NamedVoice) else asked.voice
    return SpeechOrder(
        Utterance(
            text=asked.input,
            voice=voice or "alloy",
            speed=1.0 if asked.speed is None else asked.speed,
            language=asked.language or None,
        ),
        asked.response_format or "mp3",
        asked.stream_format,
    )
