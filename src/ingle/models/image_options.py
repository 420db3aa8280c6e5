"""How an image model draws where neither a request nor its own files say so.

It knows nothing about how that is written down or handed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ImageDevice", "ImageOptions", "Scheduler"]

ImageDevice = Literal["auto", "cpu", "gpu", "npu", "cuda", "mps"]
"""`auto` takes the best that there is; npu is OpenVINO's, cuda and mps are PyTorch's names."""

Scheduler = Literal["ddim", "euler", "euler_ancestral", "lcm", "pndm"]
"""How noise is taken away from step to step."""


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """How an image model draws where a request does not say; None leaves it to the model's files.

    Without a `device` it is the processor for OpenVINO, and the best that there is for diffusers.
    """

    device: ImageDevice | None = None
    scheduler: Scheduler | None = None
    steps: int | None = None
    guidance_scale: float | None = None
    width: int | None = None
    height: int | None = None
