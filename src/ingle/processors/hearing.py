"""What transcription and translation share: a recording goes in, and what is said comes out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec
from pydantic import Field, model_validator

from ingle.errors import UpstreamInvalid
from ingle.processors.asking import Question, answered
from ingle.processors.base import Input, Output
from ingle.processors.files import FileText, open_file
from ingle.processors.pieces import Piece
from ingle.processors.server_configuration import SlowServerConfiguration
from ingle.upstream.explain import describe
from ingle.upstream.form import FormFile
from ingle.upstream.wire import Transcript

if TYPE_CHECKING:
    from ingle.routing import Capability, Route, Router

__all__ = ["HeardOutput", "HearingConfiguration", "HearingInput", "heard"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

_MAX_AUDIO_BYTES = 64 * 1024 * 1024
_USUAL_MODEL = "whisper-1"
"""What OpenAI calls it, and LocalAI its own; for another server of which no model is named."""


class HearingInput(Input):
    """The recording."""

    file: FileText = Field(
        "",
        description="The audio file, in one of these formats: mp3, mp4, mpeg, mpga, m4a, ogg, "
        "flac, wav, or webm. A data URI or an http(s) URL.",
    )
    file_data: str = Field("", description="The same, for apps that give the data here.")
    prompt: str | None = Field(
        None,
        description="An optional text to guide the model's style or continue a previous audio "
        "segment.",
    )

    @model_validator(mode="after")
    def _has_file(self) -> Self:
        if not (self.file or self.file_data):
            raise ValueError(
                "`file` is missing. Give a recording as `data:audio/mpeg;base64,…` or its http(s) "
                "URL."
            )
        return self


class HearingConfiguration(SlowServerConfiguration):
    """Who listens, and in which form the text comes."""

    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] = Field(
        "json",
        description="The form of the text: plain with json, text and verbose_json, which adds "
        "times to `_api_response`; subtitles with srt and vtt.",
    )
    temperature: float = Field(
        0,
        ge=0,
        le=1,
        description="The sampling temperature, between 0 and 1. Higher values make the output "
        "more random, lower ones more focused and deterministic.",
    )


class HeardOutput(Output):
    """What is said, and all that the server said about it."""

    text: str = Field(description="The text.")
    api_response: Json = Field(
        {}, alias="_api_response", description="The raw API response, where it is JSON."
    )


async def heard(
    endpoint: str,
    capability: Capability,
    input: HearingInput,  # noqa: A002
    fields: Json,
    configuration: HearingConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | HeardOutput, None]:
    """The pieces and the output of one request; `fields` are sent besides those that all have.

    Raises:
        IngleError: the recording cannot be had, or the request failed.
    """
    file = await open_file(
        input.file or input.file_data, router, param="input.file", max_bytes=_MAX_AUDIO_BYTES
    )
    request: Json = {"response_format": configuration.response_format}
    request |= {name: value for name, value in fields.items() if value is not None}
    if input.prompt:
        request["prompt"] = input.prompt
    if configuration.temperature:
        request["temperature"] = configuration.temperature

    def body(route: Route) -> Json:
        return request if route.is_local or route.model else {**request, "model": _USUAL_MODEL}

    question = Question(
        endpoint=endpoint,
        body=body,
        model=configuration.model,
        base_url=configuration.base_url,
        timeout_s=configuration.timeout,
        capability=capability,
        files=(FormFile("file", file.name or "audio", file.mime, file.content),),
    )
    if configuration.response_format in ("json", "verbose_json"):
        async with answered(router, question, Transcript) as reply:
            transcript = await anext(reply.items)
        output = HeardOutput(text=transcript.text.strip(), api_response=transcript.raw)
    else:
        async with answered(router, question, bytes) as reply_in_text:
            content = await anext(reply_in_text.items)
        output = HeardOutput(text=_plain(content, reply_in_text.url))
    yield Piece(("text",), value=output.text)
    yield output


def _plain(content: bytes, url: str) -> str:
    """The text of an answer that is no JSON; a server may give JSON all the same.

    Raises:
        UpstreamInvalid: it is a web page, or no text.
    """
    if describe(content).startswith("an HTML page"):
        raise _invalid(url, describe(content))
    if describe(content) == "plain JSON":
        try:
            return msgspec.json.decode(content, type=Transcript).text.strip()
        except msgspec.DecodeError:
            pass  # what was said may well begin with a bracket, as in "[music]"
    try:
        return content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise _invalid(url, "something that is not UTF-8 text") from error


def _invalid(url: str, what: str) -> UpstreamInvalid:
    return UpstreamInvalid(
        f"{url}: {what} came where the text of a recording was asked for. Check that its model is "
        "made for speech.",
        url=url,
    )
