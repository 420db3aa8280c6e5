"""`localai/images_variations`: pictures like the one given."""

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

__all__ = ["IMAGES_VARIATIONS", "ImagesVariationsConfiguration", "ImagesVariationsInput"]


class ImagesVariationsInput(Input):
    """The picture."""

    image: FileText = Field("", description="The image to vary: a data URI or an http(s) URL.")
    image_data: str = Field("", description="The same, for apps that give the data here.")

    @model_validator(mode="after")
    def _has_image(self) -> Self:
        given(self.image, self.image_data)
        return self


class ImagesVariationsConfiguration(ImageFormConfiguration):
    """Who draws, how many pictures, and their size."""


async def _run(
    input: ImagesVariationsInput,  # noqa: A002
    configuration: ImagesVariationsConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | ImagesOutput, None]:
    pictures = {"image": input.image or input.image_data}
    async for item in drawn_from("images/variations", pictures, {}, configuration, router):
        yield item


IMAGES_VARIATIONS = Processor(
    slug="localai/images_variations",
    name="LocalAI image variations",
    description="Makes images like the one given.",
    input=ImagesVariationsInput,
    configuration=ImagesVariationsConfiguration,
    output=ImagesOutput,
    result=("answer", 0),
    run=_run,
)
