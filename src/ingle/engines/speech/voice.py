"""What the server asks of a library that speaks: the seam between HTTP and native code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

__all__ = ["OPENAI_VOICES", "OnSound", "Utterance", "Voice"]

OPENAI_VOICES = (
    "alloy",
    "ash",
    "ballad",
    "cedar",
    "coral",
    "echo",
    "fable",
    "marin",
    "nova",
    "onyx",
    "sage",
    "shimmer",
    "verse",
)
"""Source: https://platform.openai.com/docs/guides/text-to-speech, of 2025."""

OnSound = Callable[[bytes], bool]
"""Takes sound: mono samples of 16 bits in this machine's order. True stops the speaking."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A text to be spoken. `speed` 1 is the voice's own; `language` is a hint, such as "de"."""

    text: str
    voice: str
    speed: float = 1.0
    language: str | None = None


class Voice(Protocol):
    """A loaded model that speaks."""

    rate_hz: int

    def check(self, utterance: Utterance) -> None:
        """Look at the voice and the language before the turn comes.

        Raises:
            InvalidRequest: it has no such voice or language; `param` names which.
        """

    def rest_of_speed(self, speed: float) -> float:
        """The part of a speed that it cannot do itself; its sound is stretched by that."""

    def speak(self, utterance: Utterance, on_sound: OnSound) -> None:
        """Speak, handing the sound over as it is made. Blocks.

        Raises:
            EngineError: the library failed.
        """
