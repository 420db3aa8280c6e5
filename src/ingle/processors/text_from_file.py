"""`ingle/text_from_file`: the text of a file, as Markdown where it has a form."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from pydantic import Field

from ingle.processors.base import Configuration, Input, Output, Processor
from ingle.processors.files import FileText, open_file
from ingle.processors.pieces import Piece

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = [
    "TEXT_FROM_FILE",
    "TextFromFileConfiguration",
    "TextFromFileInput",
    "TextFromFileOutput",
]

_MAX_FILE_BYTES = 64 * 1024 * 1024
_MOST_CHARACTERS = 20_000_000


class TextFromFileInput(Input):
    """The file."""

    file: FileText = Field(
        min_length=1,
        description="The file, as a data URI or an http(s) URL: PDF, DOCX, PPTX, XLSX, XLS, ODS, "
        "HTML, CSV, JSON, Markdown or plain text, of at most 64 MiB.",
    )


class TextFromFileConfiguration(Configuration):
    """How much of it is wanted. What a limit cuts off, `is_cut` tells."""

    max_characters: int = Field(
        _MOST_CHARACTERS,
        ge=1,
        le=_MOST_CHARACTERS,
        description="How many characters of the text to give at most.",
    )
    max_pages: int = Field(
        2000, ge=1, le=100_000, description="How many pages, slides or sheets to read at most."
    )
    timeout: float = Field(60, gt=0, le=3600, description="How many seconds the reading may take.")


class TextFromFileOutput(Output):
    """The text, and what is known of it."""

    text: str = Field(description="The text; headings, lists and tables as Markdown.")
    name: str | None = Field(description="The file's name.")
    title: str | None = Field(description="The title that the file itself has.")
    mime: str = Field(description="What kind of file it is, by its content.")
    pages: int | None = Field(
        description="How many pages, slides or sheets it has, read or not; none for other files."
    )
    characters: int = Field(description="How many characters `text` has.")
    is_cut: bool = Field(description="Whether a limit cut the text, so that some is missing.")


async def _run(
    input: TextFromFileInput,  # noqa: A002
    configuration: TextFromFileConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | TextFromFileOutput, None]:
    from ingle.processors.documents.reading import ReadingLimits, read_document

    file = await open_file(input.file, router, param="input.file", max_bytes=_MAX_FILE_BYTES)
    limits = ReadingLimits(
        timeout_s=configuration.timeout,
        max_characters=configuration.max_characters,
        max_pages=configuration.max_pages,
    )
    document = await read_document(file, limits, param="input.file")
    output = TextFromFileOutput(
        text=document.text,
        name=file.name,
        title=document.title,
        mime=document.mime,
        pages=document.pages,
        characters=len(document.text),
        is_cut=document.is_cut,
    )
    for field, value in output.model_dump().items():
        yield Piece((field,), value=value)
    yield output


TEXT_FROM_FILE = Processor(
    slug="ingle/text_from_file",
    name="Text from a file",
    description="Reads the text of a PDF, an office document, a web page or any text file.",
    input=TextFromFileInput,
    configuration=TextFromFileConfiguration,
    output=TextFromFileOutput,
    result=("text",),
    run=_run,
)
