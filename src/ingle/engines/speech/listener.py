"""What the server asks of a library that listens: the seam between HTTP and native code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ingle.engines.speech.decoding import Sound
from ingle.engines.speech.transcript import Segment, Transcript

__all__ = ["Listener", "OnSegment", "Task"]

OnSegment = Callable[[Segment], bool]
"""Takes what was heard next. True stops the listening, as soon as it can be."""


@dataclass(frozen=True, slots=True)
class Task:
    """How to listen. `language` None is to find it out; `prompt` is what might have come before."""

    translates: bool = False
    language: str | None = None
    prompt: str = ""
    temperature: float = 0.0


class Listener(Protocol):
    """A loaded model that listens."""

    def check(self, task: Task) -> None:
        """Look at the task before its turn comes.

        Raises:
            InvalidRequest: the model does not know the language; `param` names it.
            UnsupportedInput: it cannot translate.
        """

    def listen(
        self, sound: Sound, task: Task, on_segment: OnSegment, is_unwanted: Callable[[], bool]
    ) -> Transcript:
        """What was said, handed over by segments as they are heard. Blocks.

        `is_unwanted` is asked often; true ends it with what it has so far.

        Raises:
            EngineError: the library failed.
        """
