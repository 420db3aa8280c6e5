"""How much memory an image model takes, before it is loaded. It knows nothing of what else runs."""

from __future__ import annotations

from dataclasses import dataclass

from ingle.engines.memory import Memory
from ingle.errors import ModelTooLarge
from ingle.models.manifest import Model

__all__ = ["ImageFit", "image_fit"]

_MIB = 2**20
_PROCESS_BYTES = {"openvino": 160 * _MIB, "diffusers": 512 * _MIB}
"""Python and the library, with nothing drawn yet. OpenVINO's was measured: 164 MiB with the demo
model's 6 MiB of weights; torch's is its usual size."""

_UNPACKED = 2
"""Weights that are kept in 8 or 16 bits may be unpacked for processors without such arithmetic."""

_PICTURE_BYTES = 256 * _MIB
"""What drawing 1024x1024 adds: 261 MiB, measured with the demo model; 86 MiB at 512x512."""


@dataclass(frozen=True, slots=True)
class ImageFit:
    """What the engine of an image model should take, in bytes. It draws one picture at a time."""

    weights_bytes: int
    working_bytes: int
    slots: int = 1
    context_tokens: None = None

    @property
    def memory(self) -> Memory:
        """All that the engine's process should take. A GPU's part is not known beforehand."""
        return Memory(sum(self.parts.values()))

    @property
    def parts(self) -> dict[str, int]:
        """What it is made of, for people."""
        return {"weights": self.weights_bytes, "drawing": self.working_bytes}


def image_fit(model: Model, *, limit: Memory) -> ImageFit:
    """What to set aside for an image model: its weights, the process, and a large picture.

    Raises:
        ModelTooLarge: that is more than the limit.
    """
    size = ImageFit(
        weights_bytes=_UNPACKED * model.size_bytes,
        working_bytes=_PROCESS_BYTES[model.engine] + _PICTURE_BYTES,
    )
    if not size.memory.fits_in(limit):
        raise ModelTooLarge(
            f"Image model {model.name!r} needs about {size.memory} (weights "
            f"{size.weights_bytes // _MIB:,} MiB, drawing {size.working_bytes // _MIB:,} MiB), and "
            f"engines may take {limit}. Take a smaller model, or raise `memory_limit_bytes`."
        )
    return size
