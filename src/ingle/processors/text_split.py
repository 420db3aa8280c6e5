"""`ingle/text_split`: a long text in chunks, for models that read only so much at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from ingle.errors import InvalidRequest
from ingle.processors.base import Configuration, Input, Output, Processor
from ingle.processors.pieces import Piece
from ingle.processors.splitting import BYTES_A_TOKEN, chunks_of

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = ["TEXT_SPLIT", "TextSplitConfiguration", "TextSplitInput", "TextSplitOutput"]

Unit = Literal["characters", "words", "tokens"]

_MOST_CHUNKS = 100_000


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _words(text: str) -> int:
    return 0 if text.isspace() else 1  # what is measured is a word, or a part of one


# How much of each a unit is, and how a text is measured in what adds up exactly.
_MEASURES: Mapping[Unit, tuple[int, Callable[[str], int]]] = MappingProxyType(
    {"characters": (1, len), "words": (1, _words), "tokens": (BYTES_A_TOKEN, _bytes)}
)


class TextSplitInput(Input):
    """The text."""

    text: str = Field(description="The text to split.")


class TextSplitConfiguration(Configuration):
    """Where to cut."""

    size: int = Field(
        2000, ge=1, le=10_000_000, description="The longest that a chunk may be, in `unit`."
    )
    overlap: int = Field(
        200,
        ge=0,
        le=10_000_000,
        description="How much of its end the next chunk repeats at most, in `unit`.",
    )
    unit: Unit = Field(
        "characters",
        description="What `size` counts. Tokens are estimated, one for every four bytes of UTF-8, "
        "as each model has its own.",
    )
    separator: str | None = Field(
        None,
        min_length=1,
        description="Cut at each of these, such as `---`, and nowhere else, whatever the size.",
    )

    @model_validator(mode="after")
    def _moves_on(self) -> Self:
        if self.overlap >= self.size and self.separator is None:
            raise ValueError(
                f"`overlap` is {self.overlap}, but must be below `size`, {self.size}; a tenth of "
                "it is usual."
            )
        return self


class TextSplitOutput(Output):
    """The chunks."""

    chunks: list[str] = Field(description="The chunks, in order; none is empty.")
    count: int = Field(description="How many there are.")
    is_estimate: bool = Field(description="Whether sizes are estimates, as those in tokens are.")


async def _run(
    input: TextSplitInput,  # noqa: A002
    configuration: TextSplitConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | TextSplitOutput, None]:
    chunks = await asyncio.to_thread(_split, input.text, configuration)
    output = TextSplitOutput(
        chunks=chunks,
        count=len(chunks),
        is_estimate=configuration.unit == "tokens" and configuration.separator is None,
    )
    for field, value in output.model_dump().items():
        yield Piece((field,), value=value)
    yield output


def _split(text: str, configuration: TextSplitConfiguration) -> list[str]:
    if configuration.separator is not None:
        found = (part.strip() for part in text.split(configuration.separator))
        chunks = [part for part in found if part]
    else:
        scale, measure = _MEASURES[configuration.unit]
        pieces = chunks_of(
            text,
            size=configuration.size * scale,
            overlap=configuration.overlap * scale,
            measure=measure,
        )
        chunks = list(islice(pieces, _MOST_CHUNKS + 1))
    if len(chunks) > _MOST_CHUNKS:
        raise InvalidRequest(
            f"The text has {len(text):,} characters and would give more than {_MOST_CHUNKS:,} "
            "chunks. Make `config.size` larger.",
            param="config.size",
        )
    return chunks


TEXT_SPLIT = Processor(
    slug="ingle/text_split",
    name="Text split",
    description="Cuts a long text into chunks, at the ends of paragraphs and sentences.",
    input=TextSplitInput,
    configuration=TextSplitConfiguration,
    output=TextSplitOutput,
    result=("chunks",),
    run=_run,
)
