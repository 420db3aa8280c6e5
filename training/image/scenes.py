"""A picture as a plan: what stands where, in which colours, and how it is drawn from that.

Lengths are in units of the picture's short side; positions are shares of its width and height.
Knows nothing about words: `captions.py` describes a plan, and says what its words left open.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import skia
from backgrounds import GROUNDS, LANDSCAPES, PATTERNS, STANDS_OUT_FROM
from numpy.typing import NDArray
from palette import COLOURS, contrasting, distance
from things import ICONS, SHAPES, THINGS

PLACES: dict[str, tuple[float, float]] = {
    "top left": (0.25, 0.25),
    "top": (0.5, 0.25),
    "top right": (0.75, 0.25),
    "left": (0.25, 0.5),
    "centre": (0.5, 0.5),
    "right": (0.75, 0.5),
    "bottom left": (0.25, 0.75),
    "bottom": (0.5, 0.75),
    "bottom right": (0.75, 0.75),
}
SIZES: dict[str, float] = {"small": 0.12, "medium": 0.22, "large": 0.36}
SOFT_GROUNDS = (
    "white",
    "beige",
    "light blue",
    "lavender",
    "mint",
    "navy",
    "white",
    "coral",
    "yellow",
    "light green",
    "pink",
)


@dataclass(frozen=True)
class Nature:
    """How a thing is when nobody says otherwise."""

    main: tuple[str, ...]
    second: tuple[str, ...]
    grounds: tuple[str, ...]
    level: float  # where its middle stands in a landscape, as a share of the height
    radius: float


NATURE: dict[str, Nature] = {
    "sun": Nature(
        ("yellow", "gold", "orange"), ("orange",), ("meadow", "sea", "desert"), 0.2, 0.15
    ),
    "moon": Nature(("yellow", "white"), ("white",), ("night",), 0.25, 0.14),
    "cloud": Nature(("white",), ("white",), ("meadow", "sea"), 0.22, 0.17),
    "house": Nature(
        ("beige", "white", "coral", "light blue", "yellow"),
        ("red", "brown", "dark red", "blue"),
        ("meadow", "snow", "sunset", "night"),
        0.64,
        0.22,
    ),
    "tree": Nature(
        ("green", "dark green", "light green"), ("brown",), ("meadow", "sunset"), 0.62, 0.22
    ),
    "pine": Nature(
        ("dark green", "green", "teal"), ("brown",), ("snow", "meadow", "night"), 0.62, 0.22
    ),
    "boat": Nature(
        ("brown", "red", "blue", "dark red"), ("white", "beige", "red"), ("sea",), 0.55, 0.2
    ),
    "smiley": Nature(("yellow",), ("yellow",), ("plain",), 0.5, 0.25),
    "sad face": Nature(("yellow", "blue"), ("yellow",), ("plain",), 0.5, 0.25),
    "flower": Nature(
        ("red", "pink", "purple", "yellow", "magenta"),
        ("yellow", "orange"),
        ("meadow", "plain"),
        0.68,
        0.18,
    ),
    "balloon": Nature(
        ("red", "blue", "pink", "yellow"), ("white",), ("plain", "meadow", "sunset"), 0.4, 0.2
    ),
    "fish": Nature(
        ("orange", "coral", "blue", "gold"), ("white",), ("plain", "gradient"), 0.5, 0.22
    ),
    "cat": Nature(("orange", "grey", "black", "brown", "white"), ("pink",), ("plain",), 0.6, 0.22),
    "mushroom": Nature(("red", "brown"), ("white",), ("meadow", "plain"), 0.7, 0.17),
    "apple": Nature(("red", "green"), ("green",), ("plain",), 0.6, 0.2),
    "rocket": Nature(
        ("white", "grey", "red"), ("red", "blue", "orange"), ("night", "plain"), 0.45, 0.22
    ),
    "car": Nature(
        ("red", "blue", "yellow", "green"), ("grey",), ("plain", "desert", "meadow"), 0.72, 0.22
    ),
    "snowman": Nature(("white",), ("red", "blue", "green"), ("snow",), 0.62, 0.22),
    "flag": Nature(("red", "blue", "green"), ("white", "yellow"), ("plain", "meadow"), 0.5, 0.22),
    "mountain": Nature(
        ("grey", "dark grey", "purple"), ("white",), ("meadow", "sunset", "snow"), 0.6, 0.3
    ),
}


@dataclass(frozen=True)
class Thing:
    """One thing, or `count` of a kind in a row, the middle at (x, y)."""

    kind: str
    main: str
    second: str
    x: float
    y: float
    radius: float
    count: int = 1
    tilt: float = 0.0


@dataclass(frozen=True)
class Ground:
    kind: str
    first: str
    second: str
    phase: float


@dataclass(frozen=True)
class Scene:
    """A whole plan; later things stand in front of earlier ones."""

    ground: Ground
    things: tuple[Thing, ...]
    ratio: float = 1.0  # width by height


def draw(
    scene: Scene, short_side: int, window: tuple[int, int, int, int] | None = None
) -> NDArray[np.uint8]:
    """The picture as (height, width, 3), or only the window (left, top, width, height) of it."""
    wide, high = max(scene.ratio, 1.0), max(1 / scene.ratio, 1.0)
    left, top, width, height = window or (0, 0, round(wide * short_side), round(high * short_side))
    surface = skia.Surface(width, height)
    canvas = surface.getCanvas()
    canvas.translate(-left, -top)
    canvas.scale(short_side, short_side)
    ground = scene.ground
    GROUNDS[ground.kind](
        canvas, wide, high, COLOURS[ground.first], COLOURS[ground.second], ground.phase
    )
    for thing in scene.things:
        for i in range(thing.count):
            canvas.save()
            along = (i - (thing.count - 1) / 2) * thing.radius * 2.3
            canvas.translate(thing.x * wide + along, thing.y * high)
            canvas.rotate(thing.tilt)
            canvas.scale(thing.radius, thing.radius)
            THINGS[thing.kind](canvas, COLOURS[thing.main], COLOURS[thing.second])
            canvas.restore()
    pixels = surface.makeImageSnapshot().toarray(colorType=skia.ColorType.kRGBA_8888_ColorType)
    return np.ascontiguousarray(pixels[:, :, :3])


def stands_out_from(ground: Ground) -> tuple[str, ...]:
    if ground.kind in PATTERNS:
        return (ground.first, ground.second)
    return (STANDS_OUT_FROM.get(ground.kind, ground.first),)


def colours_of(kind: str, ground: Ground, rng: random.Random) -> tuple[str, str]:
    """A main and a second colour that suit the thing and can be seen on this ground."""
    behind = stands_out_from(ground)
    nature = NATURE.get(kind)
    if nature is None or rng.random() < 0.4:
        main = contrasting(behind[0], rng, *behind[1:])
    else:
        fitting = [name for name in nature.main if all(distance(name, b) > 150 for b in behind)]
        main = rng.choice(fitting) if fitting else contrasting(behind[0], rng, *behind[1:])
    if nature is None:
        return main, main
    choices = [name for name in nature.second if distance(name, main) > 150]
    return main, rng.choice(choices) if choices and rng.random() < 0.75 else contrasting(main, rng)


def plain_ground(rng: random.Random) -> Ground:
    kind = rng.choices(["plain", "gradient"], [0.82, 0.18])[0]
    first = rng.choice(SOFT_GROUNDS) if rng.random() < 0.45 else rng.choice(list(COLOURS))
    return Ground(kind, first, first, rng.random())


def pattern_ground(rng: random.Random) -> Ground:
    first = rng.choice(list(COLOURS))
    return Ground(rng.choice(list(PATTERNS)), first, contrasting(first, rng), rng.random())


def landscape(rng: random.Random) -> Ground:
    return Ground(rng.choice(list(LANDSCAPES)), "white", "white", rng.random())


def any_ground(rng: random.Random) -> Ground:
    return rng.choices([plain_ground, pattern_ground, landscape], [0.78, 0.11, 0.11])[0](rng)


def natural_ground(kind: str, rng: random.Random) -> Ground:
    nature = NATURE.get(kind)
    if nature is None:
        return plain_ground(rng)
    ground = rng.choice(nature.grounds)
    first = rng.choice(SOFT_GROUNDS)
    return Ground(
        ground, first if ground in ("plain", "gradient") else "white", first, rng.random()
    )


def any_kind(rng: random.Random) -> str:
    """Shapes more often than icons, as people ask for them first."""
    return rng.choice(list(SHAPES if rng.random() < 0.65 else ICONS))


def tilt_of(kind: str, rng: random.Random) -> float:
    return rng.uniform(-8, 8) if kind in SHAPES and rng.random() < 0.15 else 0.0


def ratio_of(rng: random.Random) -> float:
    return rng.choices([1.0, 1.5, 2 / 3], [0.84, 0.08, 0.08])[0]
