"""`localai/audio_transcriptions`: what is said in a recording."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from pydantic import Field

from ingle.processors.base import Processor
from ingle.processors.hearing import HeardOutput, HearingConfiguration, HearingInput, heard
from ingle.processors.pieces import Piece

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = [
    "AUDIO_TRANSCRIPTIONS",
    "AudioTranscriptionsConfiguration",
    "AudioTranscriptionsInput",
]


class AudioTranscriptionsInput(HearingInput):
    """The recording, and its language."""

    language: str | None = Field(
        None,
        description="The language of the audio file, such as `en` or `de`. Left out, the model "
        "finds out.",
    )


class AudioTranscriptionsConfiguration(HearingConfiguration):
    """Who listens, and in which form the text comes."""


async def _run(
    input: AudioTranscriptionsInput,  # noqa: A002
    configuration: AudioTranscriptionsConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | HeardOutput, None]:
    fields = {"language": input.language or None}
    async for item in heard(
        "audio/transcriptions", "transcription", input, fields, configuration, router
    ):
        yield item


AUDIO_TRANSCRIPTIONS = Processor(
    slug="localai/audio_transcriptions",
    name="LocalAI audio transcription",
    description="Writes down what is said in a recording.",
    input=AudioTranscriptionsInput,
    configuration=AudioTranscriptionsConfiguration,
    output=HeardOutput,
    result=("text",),
    run=_run,
)
