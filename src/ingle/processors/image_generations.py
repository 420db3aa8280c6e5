"""`localai/image_generations`: images of what a prompt describes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ingle.processors.base import Configuration, Input, Output

__all__ = ["ImageGenerationsConfiguration", "ImageGenerationsInput", "ImageGenerationsOutput"]


class ImageGenerationsInput(Input):
    """What the image shows."""

    prompt: str = Field(
        min_length=1,
        max_length=1000,
        description="A text description of the desired image(s). "
        "The maximum length is 1000 characters.",
    )


class ImageGenerationsConfiguration(Configuration):
    """Who makes the image, and its size."""

    base_url: str | None = Field(
        None,
        description="The base URL of the LocalAI API. Left out, Settings say which server answers.",
    )
    model: str | None = Field(
        None, description="The name of the model to use. Left out, the server chooses."
    )
    size: Literal["256x256", "512x512", "1024x1024"] = Field(
        "256x256", description="The size of the generated images, in pixels."
    )
    timeout: float = Field(
        60,
        gt=0,
        description="The timeout in seconds for the API request: how long the server may be "
        "silent.",
    )


class ImageGenerationsOutput(Output):
    """The images."""

    data: list[str] = Field(
        description="A list of base64-encoded strings, each representing a generated image."
    )
