"""`localai/text_to_speech`: a text read aloud."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from ingle.errors import UpstreamInvalid
from ingle.processors.asking import Question, answered
from ingle.processors.base import Input, Output, Processor
from ingle.processors.data_uri import File, data_uri
from ingle.processors.files import file_kind
from ingle.processors.pieces import Piece
from ingle.processors.server_configuration import SlowServerConfiguration
from ingle.upstream.explain import describe

if TYPE_CHECKING:
    from ingle.routing import Route, Router

__all__ = [
    "TEXT_TO_SPEECH",
    "TextToSpeechConfiguration",
    "TextToSpeechInput",
    "TextToSpeechOutput",
]

_USUAL_MODEL = "tts-1"
"""What OpenAI calls it, and LocalAI its own; for another server of which no model is named."""


class TextToSpeechInput(Input):
    """What to say."""

    input_text: str = Field(min_length=1, description="Text to convert to speech.")


class TextToSpeechConfiguration(SlowServerConfiguration):
    """Who speaks, and how."""

    voice: str = Field(
        "alloy",
        min_length=1,
        description="Voice to use: alloy, echo, fable, onyx, nova, shimmer, or one that the model "
        "has.",
    )
    response_format: Literal["mp3", "opus", "aac", "flac", "wav"] = Field(
        "mp3", description="Format of the response audio."
    )
    speed: float = Field(1.0, ge=0, le=4, description="Speed of the voice.")


class TextToSpeechOutput(Output):
    """The sound."""

    result: str = Field(
        description="The output audio as a data URI.", json_schema_extra={"format": "data-url"}
    )


async def _run(
    input: TextToSpeechInput,  # noqa: A002
    configuration: TextToSpeechConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | TextToSpeechOutput, None]:
    request: dict[str, Any] = {  # Any: JSON
        "input": input.input_text,
        "voice": configuration.voice,
        "response_format": configuration.response_format,
    }
    if configuration.speed != 1:
        request["speed"] = configuration.speed

    def body(route: Route) -> dict[str, Any]:  # Any: JSON
        return request if route.is_local or route.model else {**request, "model": _USUAL_MODEL}

    question = Question(
        endpoint="audio/speech",
        body=body,
        model=configuration.model,
        base_url=configuration.base_url,
        timeout_s=configuration.timeout,
        capability="speech",
    )
    async with answered(router, question, bytes) as reply:
        sound = await anext(reply.items)
    mime = file_kind(sound) or ""
    if not mime.startswith("audio/"):
        raise UpstreamInvalid(
            f"{reply.url}: {describe(sound[:4096])} came where sound was asked for. Check that its "
            "model is made for speech.",
            url=reply.url,
        )
    result = await asyncio.to_thread(data_uri, File(mime, sound))
    yield Piece(("result",), value=result)
    yield TextToSpeechOutput(result=result)


TEXT_TO_SPEECH = Processor(
    slug="localai/text_to_speech",
    name="LocalAI text to speech",
    description="Reads a text aloud.",
    input=TextToSpeechInput,
    configuration=TextToSpeechConfiguration,
    output=TextToSpeechOutput,
    result=("result",),
    run=_run,
)
