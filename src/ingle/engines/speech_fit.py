"""How much memory a speech model takes, before it is loaded. It knows nothing of what else runs."""

from __future__ import annotations

from dataclasses import dataclass

from ingle.engines.memory import Memory
from ingle.errors import ModelTooLarge
from ingle.models.manifest import Model

__all__ = ["SpeechFit", "speech_fit"]

_MIB = 2**20
_PROCESS_BYTES = {"espeak": 48 * _MIB, "sherpa": 96 * _MIB, "whisper": 80 * _MIB}
"""Python and the libraries with nothing done yet. espeak-ng's was measured, 40 MiB, and
whisper.cpp's: 145 MiB with weights of 74."""

_WORKING_BYTES = {"espeak": 48 * _MIB, "sherpa": 128 * _MIB, "whisper": 384 * _MIB}
"""What work adds. The longest text takes espeak-ng 30 MiB; a minute of sound takes whisper.cpp 105
MiB in the shape of its tiny model, and larger ones have larger buffers."""


@dataclass(frozen=True, slots=True)
class SpeechFit:
    """What the engine of a speech model should take, in bytes. It answers one call at a time."""

    weights_bytes: int
    working_bytes: int
    slots: int = 1
    context_tokens: None = None

    @property
    def memory(self) -> Memory:
        """All that the engine's process should take."""
        return Memory(sum(self.parts.values()))

    @property
    def parts(self) -> dict[str, int]:
        """What it is made of, for people."""
        return {"weights": self.weights_bytes, "sound": self.working_bytes}


def speech_fit(model: Model, *, limit: Memory) -> SpeechFit:
    """What to set aside for a speech model: its weights, the process, and its work.

    Raises:
        ModelTooLarge: that is more than the limit.
    """
    size = SpeechFit(
        weights_bytes=model.size_bytes if model.engine != "espeak" else 0,
        working_bytes=_PROCESS_BYTES[model.engine] + _WORKING_BYTES[model.engine],
    )
    if not size.memory.fits_in(limit):
        raise ModelTooLarge(
            f"Speech model {model.name!r} needs about {size.memory} (weights "
            f"{size.weights_bytes // _MIB:,} MiB), and engines may take {limit}. Take a smaller "
            "model, or raise `memory_limit_bytes`."
        )
    return size
