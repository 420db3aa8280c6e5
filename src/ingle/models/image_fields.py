"""The fields of a manifest that are for image models, and what they come to.

    device: gpu
    scheduler: euler
    steps: 8
    guidance_scale: 2.5
    size: 768x512

See docs/images.md. It knows nothing about how pictures are drawn.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from ingle.errors import ConfigurationError
from ingle.models.image_folder import ImageEngine
from ingle.models.image_options import ImageDevice, ImageOptions, Scheduler

__all__ = ["ImageFields"]

_DEVICES: dict[ImageEngine, frozenset[ImageDevice]] = {
    "openvino": frozenset({"auto", "cpu", "gpu", "npu"}),
    "diffusers": frozenset({"auto", "cpu", "gpu", "cuda", "mps"}),
}

Size = Annotated[str, StringConstraints(pattern=r"^[1-9]\d{2,3}x[1-9]\d{2,3}$")]


class ImageFields(BaseModel):
    """What a manifest may say of an image model; see `ImageOptions`."""

    device: ImageDevice | None = None
    scheduler: Scheduler | None = None
    steps: int | None = Field(None, ge=1, le=150)
    guidance_scale: float | None = Field(None, ge=0, le=50)
    size: Size | None = None

    def image_options(self, name: str, engine: ImageEngine) -> ImageOptions:
        """What the fields come to for the model `name`.

        Raises:
            ConfigurationError: the engine has no such device, or the size is not one that it draws.
        """
        if self.device is not None and self.device not in _DEVICES[engine]:
            known = ", ".join(sorted(_DEVICES[engine]))
            raise ConfigurationError(
                f"The manifest of the model {name!r} says `device: {self.device}`, and {engine} "
                f"knows {known}. Name one of these."
            )
        width, height = map(int, self.size.split("x")) if self.size else (None, None)
        if (width and width % 8) or (height and height % 8):
            raise ConfigurationError(
                f"The manifest of the model {name!r} says `size: {self.size}`, and width and "
                "height must be multiples of 8. Round them."
            )
        return ImageOptions(
            device=self.device,
            scheduler=self.scheduler,
            steps=self.steps,
            guidance_scale=self.guidance_scale,
            width=width,
            height=height,
        )
