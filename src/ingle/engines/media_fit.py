"""How much memory an image or speech model takes, before it is loaded. Such an engine answers one
call at a time. It knows nothing of what else runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ingle.engines.memory import Memory
from ingle.errors import ModelTooLarge
from ingle.models.manifest import EngineName, Model

__all__ = ["MediaFit", "media_fit"]

_MIB = 2**20

_PROCESS_BYTES: Mapping[EngineName, int] = {
    "openvino": 160 * _MIB,
    "diffusers": 512 * _MIB,
    "espeak": 48 * _MIB,
    "sherpa": 96 * _MIB,
    "whisper": 80 * _MIB,
}
"""Python and the libraries with nothing done yet. Measured: OpenVINO's, 164 MiB with the demo
model's 6 MiB of weights; espeak-ng's, 40 MiB; whisper.cpp's, 145 MiB with weights of 74. torch's
is its usual size."""

_WORK_BYTES: Mapping[EngineName, int] = {
    "openvino": 256 * _MIB,
    "diffusers": 256 * _MIB,
    "espeak": 48 * _MIB,
    "sherpa": 128 * _MIB,
    "whisper": 384 * _MIB,
}
"""What work adds. A picture of 1024x1024 takes 261 MiB with the demo model, one of 512x512 86; the
longest text takes espeak-ng 30 MiB; a minute of sound takes whisper.cpp 105 MiB in the shape of its
tiny model, and larger ones have larger buffers."""

_UNPACKED: Mapping[EngineName, int] = {
    "openvino": 2,  # weights in 8 or 16 bits, for processors without such arithmetic
    "diffusers": 2,
    "espeak": 0,  # its data is read piece by piece
    "sherpa": 1,
    "whisper": 1,
}
"""How much of memory a byte of weights takes."""


@dataclass(frozen=True, slots=True)
class MediaFit:
    """What the engine should take, in bytes."""

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
        return {"weights": self.weights_bytes, "work": self.working_bytes}


def media_fit(model: Model, *, limit: Memory) -> MediaFit:
    """What to set aside for an image or speech model: its weights, the process, and its work.

    Raises:
        ModelTooLarge: that is more than the limit.
    """
    size = MediaFit(
        weights_bytes=_UNPACKED[model.engine] * model.size_bytes,
        working_bytes=_PROCESS_BYTES[model.engine] + _WORK_BYTES[model.engine],
    )
    if not size.memory.fits_in(limit):
        raise ModelTooLarge(
            f"Model {model.name!r} needs about {size.memory} (weights "
            f"{size.weights_bytes // _MIB:,} MiB, work {size.working_bytes // _MIB:,} MiB), and "
            f"engines may take {limit}. Take a smaller model, or raise `memory_limit_bytes`."
        )
    return size
