"""`localai/audio_translations`: what is said in a recording, in English."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from ingle.processors.base import Processor
from ingle.processors.hearing import HeardOutput, HearingConfiguration, HearingInput, heard
from ingle.processors.pieces import Piece

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = ["AUDIO_TRANSLATIONS", "AudioTranslationsConfiguration", "AudioTranslationsInput"]


class AudioTranslationsInput(HearingInput):
    """The recording, in any language that the model knows."""


class AudioTranslationsConfiguration(HearingConfiguration):
    """Who listens, and in which form the text comes."""


async def _run(
    input: AudioTranslationsInput,  # noqa: A002
    configuration: AudioTranslationsConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | HeardOutput, None]:
    async for item in heard("audio/translations", "translation", input, {}, configuration, router):
        yield item


AUDIO_TRANSLATIONS = Processor(
    slug="localai/audio_translations",
    name="LocalAI audio translation",
    description="Writes down in English what is said in a recording.",
    input=AudioTranslationsInput,
    configuration=AudioTranslationsConfiguration,
    output=HeardOutput,
    result=("text",),
    run=_run,
)
