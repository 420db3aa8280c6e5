"""What a caller wants to be written down, checked: the forms of `/v1/audio/transcriptions` and
`/v1/audio/translations`.

`chunking_strategy` is taken and changes nothing: Whisper cuts the sound itself.

Source: https://platform.openai.com/docs/api-reference/audio, of 2025.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from ingle.engines.speech.listener import Task
from ingle.engines.speech.transcript import Granularity, TranscriptFormat
from ingle.errors import InvalidRequest, UnsupportedInput

__all__ = ["TranscriptOrder", "transcript_order"]

_LISTS = frozenset({"timestamp_granularities", "include"})


class _Form(msgspec.Struct, kw_only=True):
    """A field that is there and empty counts as left out."""

    language: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    prompt: Annotated[str, msgspec.Meta(max_length=4096)] | None = None
    response_format: TranscriptFormat | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    timestamp_granularities: tuple[Granularity, ...] = ()
    include: tuple[str, ...] = ()
    stream: bool | None = None


@dataclass(frozen=True, slots=True)
class TranscriptOrder:
    """The file, how to listen to it, and how to write it down."""

    file: bytes
    task: Task
    format: TranscriptFormat
    granularities: frozenset[Granularity]
    is_streamed: bool


def transcript_order(
    fields: Mapping[str, Sequence[str]], files: Mapping[str, bytes], *, translates: bool
) -> TranscriptOrder:
    """From a form.

    Raises:
        InvalidRequest: the file is missing, or a field is out of its range; `param` names it.
        UnsupportedInput: something that OpenAI's API has is not done here.
    """
    form = _converted(fields)
    if not files.get("file"):
        what = "is empty" if "file" in files else "is not in the form"
        raise InvalidRequest(f"The file {what}. Send the sound in the field `file`.", param="file")
    written_as = form.response_format or "json"
    if form.include:
        raise UnsupportedInput(
            f"`include` has {form.include[0]!r}, which is not told here. Leave it out; "
            "`verbose_json` tells how likely each segment is.",
            param="include",
        )
    if form.timestamp_granularities and written_as != "verbose_json":
        raise InvalidRequest(
            f"`timestamp_granularities` goes with `verbose_json` only, and `response_format` is "
            f"{written_as!r}. Ask for `verbose_json`.",
            param="timestamp_granularities",
        )
    if form.stream and written_as not in {"json", "text"}:
        raise InvalidRequest(
            f"A stream tells the text only, and `response_format` is {written_as!r}. Ask for json, "
            "or leave `stream` out.",
            param="stream",
        )
    return TranscriptOrder(
        file=files["file"],
        task=Task(
            translates=translates,
            language=form.language.strip().lower() or None if form.language else None,
            prompt=(form.prompt or "").replace("\0", ""),
            temperature=form.temperature or 0.0,
        ),
        format=written_as,
        granularities=frozenset(form.timestamp_granularities or ("segment",)),
        is_streamed=bool(form.stream),
    )


def _converted(fields: Mapping[str, Sequence[str]]) -> _Form:
    told: dict[str, object] = {}
    for name, values in fields.items():
        if name not in _LISTS and len(values) > 1:
            raise InvalidRequest(
                f"The form has {name!r} {len(values)} times; one is taken. Send only one.",
                param=name,
            )
        given = [value for value in values if value]
        if given:
            told[name] = given if name in _LISTS else given[0]
    try:
        return msgspec.convert(told, _Form, strict=False)
    except msgspec.ValidationError as error:
        field = re.search(r"`\$\.(\w+)", str(error))
        raise InvalidRequest(
            f"The form is not right: {error}. Correct it.", param=field[1] if field else None
        ) from error
