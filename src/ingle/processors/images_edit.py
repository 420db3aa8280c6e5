"""`localai/images_edit`: a picture drawn anew, in part or over all, as a prompt says."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from ingle.processors.base import Input, Processor
from ingle.processors.files import FileText
from ingle.processors.image_forms import ImageFormConfiguration, ImagesOutput, drawn_from, given
from ingle.processors.pieces import Piece

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = ["IMAGES_EDIT", "ImagesEditConfiguration", "ImagesEditInput"]


class ImagesEditInput(Input):
    """The picture, and what is to become of it."""

    image: FileText = Field(
        "",
        description="The image to edit: a data URI or an http(s) URL. Without a mask, its "
        "transparent parts are drawn anew; without those, all of it is drawn over.",
    )
    image_data: str = Field("", description="The same, for apps that give the data here.")
    mask: FileText = Field(
        "", description="An image of the same size that is transparent where to draw."
    )
    prompt: str = Field(
        min_length=1,
        max_length=1000,
        description="What the image is to show. The maximum length is 1000 characters.",
    )

    @model_validator(mode="after")
    def _has_image(self) -> Self:
        given(self.image, self.image_data)
        return self


class ImagesEditConfiguration(ImageFormConfiguration):
    """Who draws, how many pictures, and their size."""


async def _run(
    input: ImagesEditInput,  # noqa: A002
    configuration: ImagesEditConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | ImagesOutput, None]:
    pictures = {"image": input.image or input.image_data, "mask": input.mask}
    pictures = {field: text for field, text in pictures.items() if text}
    fields = {"prompt": input.prompt}
    async for item in drawn_from("images/edits", pictures, fields, configuration, router):
        yield item


IMAGES_EDIT = Processor(
    slug="localai/images_edit",
    name="LocalAI image edit",
    description="Edits an image as a prompt says.",
    input=ImagesEditInput,
    configuration=ImagesEditConfiguration,
    output=ImagesOutput,
    result=("answer", 0),
    run=_run,
)
