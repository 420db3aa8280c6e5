"""What the server asks of a library that draws: the one seam between HTTP and native code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from ingle.engines.images.picture import Picture

__all__ = [
    "Ability",
    "Defaults",
    "Drawing",
    "DrawingStopped",
    "Pipeline",
    "Step",
    "preview_steps",
    "starts_from",
]

Ability = Literal["prompt", "image", "mask"]  # what a drawing may start from


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a model draws with when the request does not say."""

    width: int
    height: int
    steps: int
    guidance_scale: float
    strength: float = 0.75


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture to draw. The same drawing gives the same bytes on the same machine.

    `image` is what to start from and `mask` is white where it is drawn anew; both have the
    drawing's size. `strength` (0 to 1) is how far from `image` the result may go. `previews` is
    how many unfinished pictures to show on the way.
    """

    prompt: str
    negative_prompt: str
    width: int
    height: int
    seed: int
    steps: int
    guidance_scale: float
    image: Picture | None = None
    mask: Picture | None = None
    strength: float = 1.0
    previews: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """`number` of `total` steps are done, counted from 1; a preview where one was asked for."""

    number: int
    total: int
    preview: Picture | None = None


class DrawingStopped(Exception):
    """The drawing ended between two steps because `on_step` said so."""


class Pipeline(Protocol):
    """A loaded model."""

    defaults: Defaults
    abilities: frozenset[Ability]

    def draw(self, drawing: Drawing, on_step: Callable[[Step], bool]) -> Picture:
        """The finished picture. Blocks; `on_step` is called after each step, and true stops it.

        Raises:
            DrawingStopped: `on_step` gave true.
            EngineError: the library failed.
        """


def preview_steps(total: int, previews: int) -> frozenset[int]:
    """After which of `total` steps an unfinished picture is shown: evenly spread, never the last."""
    wanted = min(previews, total - 1)
    return frozenset(round((i + 1) * total / (wanted + 1)) for i in range(wanted))


def starts_from(drawing: Drawing) -> Ability:
    """Which of a pipeline's abilities the drawing needs."""
    if drawing.image is None:
        return "prompt"
    return "image" if drawing.mask is None else "mask"
