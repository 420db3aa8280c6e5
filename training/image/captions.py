"""Pictures with their words: makes a plan and a caption that says some of it.

What the words leave open is marked so (class 0 of each label), because the text encoder first
learns to read captions into these labels, which takes minutes where learning the same from the
pictures alone would take hours.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from backgrounds import GROUNDS, LANDSCAPES, PATTERNS
from palette import COLOURS, contrasting, wording
from scenes import (
    NATURE,
    PLACES,
    SIZES,
    Ground,
    Scene,
    Thing,
    any_ground,
    any_kind,
    colours_of,
    landscape,
    natural_ground,
    pattern_ground,
    plain_ground,
    ratio_of,
    tilt_of,
)
from things import SHAPES, THINGS

MOST_THINGS = 3
SLOTS = 1 + MOST_THINGS  # the ground, then the things as the caption names them

_KINDS = {name: i + 1 for i, name in enumerate([*THINGS, "shape"])}
_GROUNDS = {name: i + 1 for i, name in enumerate([*GROUNDS, "stripes"])}
_COLOURS = {name: i + 1 for i, name in enumerate(COLOURS)}
_SIZES = {name: i + 1 for i, name in enumerate(SIZES)}
_PLACES = {name: i + 1 for i, name in enumerate(PLACES)}

# Classes of each label of a slot, in this order; 0 is always "not said".
LABELS: dict[str, int] = {
    "present": 2,
    "kind": len(_KINDS) + 1,
    "ground": len(_GROUNDS) + 1,
    "main": len(_COLOURS) + 1,
    "second": len(_COLOURS) + 1,
    "size": len(_SIZES) + 1,
    "place": len(_PLACES) + 1,
    "count": 6,
}
Label = tuple[int, ...]
NOTHING: Label = (0,) * len(LABELS)

NAMES: dict[str, list[str]] = {
    "circle": ["circle", "circle", "disc", "disk", "dot", "ball", "round circle"],
    "square": ["square", "square", "box"],
    "rectangle": ["rectangle", "rectangle", "bar"],
    "triangle": ["triangle"],
    "star": ["star", "star", "five-pointed star"],
    "heart": ["heart", "heart", "love heart", "heart shape"],
    "ring": ["ring", "ring", "donut", "hoop", "hollow circle"],
    "cross": ["cross", "cross", "plus sign", "plus"],
    "diamond": ["diamond", "diamond", "rhombus"],
    "hexagon": ["hexagon"],
    "oval": ["oval", "oval", "ellipse", "egg"],
    "crescent": ["crescent", "crescent shape"],
    "sun": ["sun", "sun", "shining sun"],
    "moon": ["moon", "moon", "crescent moon", "half moon"],
    "cloud": ["cloud", "cloud", "fluffy cloud"],
    "house": ["house", "house", "home", "cottage", "hut", "cabin", "little house"],
    "tree": ["tree", "tree", "oak", "leafy tree"],
    "pine": ["pine tree", "pine", "fir tree", "christmas tree"],
    "boat": ["boat", "boat", "sailing boat", "sailboat", "ship", "yacht"],
    "smiley": ["smiley", "smiley face", "happy face", "smiling face", "face", "emoji", "smile"],
    "sad face": ["sad face", "sad smiley", "unhappy face"],
    "flower": ["flower", "flower", "daisy", "blossom"],
    "balloon": ["balloon"],
    "fish": ["fish", "fish", "goldfish"],
    "cat": ["cat", "cat", "kitten", "cat face", "kitty"],
    "mushroom": ["mushroom", "mushroom", "toadstool"],
    "apple": ["apple"],
    "rocket": ["rocket", "rocket", "spaceship", "space rocket"],
    "car": ["car", "car", "automobile"],
    "snowman": ["snowman"],
    "flag": ["flag", "flag", "banner"],
    "mountain": ["mountain", "mountain", "mountains", "snowy mountain", "peak"],
}
_SIZE_WORDS = {
    "small": ["small", "little", "tiny", "mini"],
    "medium": ["medium-sized", "medium"],
    "large": ["large", "big", "huge", "giant"],
}
_PLACE_WORDS = {
    "top left": ["in the top left corner", "at the top left", "top left", "in the upper left"],
    "top": ["at the top", "at the top of the picture", "near the top"],
    "top right": ["in the top right corner", "at the top right", "top right", "in the upper right"],
    "left": ["on the left", "at the left", "on the left side", "to the left"],
    "centre": ["in the middle", "in the centre", "in the center", "centered"],
    "right": ["on the right", "at the right", "on the right side", "to the right"],
    "bottom left": [
        "in the bottom left corner",
        "at the bottom left",
        "bottom left",
        "in the lower left",
    ],
    "bottom": ["at the bottom", "at the bottom of the picture", "near the bottom"],
    "bottom right": [
        "in the bottom right corner",
        "at the bottom right",
        "bottom right",
        "in the lower right",
    ],
}
_LANDSCAPE_WORDS = {
    "meadow": [
        "in a meadow",
        "in a green field",
        "on the grass",
        "in the grass",
        "on green hills",
        "in a park",
        "in nature",
        "in a landscape",
        "under a blue sky",
        "on a hill",
        "in the garden",
    ],
    "night": [
        "at night",
        "in the night sky",
        "in a starry sky",
        "with stars",
        "under the stars",
        "in space",
        "and stars",
        "at midnight",
    ],
    "sea": [
        "on the sea",
        "at sea",
        "on the ocean",
        "on the water",
        "by the sea",
        "in the waves",
        "on a lake",
    ],
    "desert": ["in the desert", "on sand dunes", "on the sand", "at the beach"],
    "snow": ["in the snow", "in winter", "on a snowy hill", "in a snowy landscape"],
    "sunset": [
        "at sunset",
        "at dusk",
        "in the evening",
        "at sunrise",
        "with an evening sky",
        "at dawn",
    ],
}
_LANDSCAPE_ALONE = {
    "meadow": [
        "a green meadow",
        "green hills under a blue sky",
        "a landscape",
        "a grassy field",
        "a meadow",
    ],
    "night": [
        "a night sky",
        "a starry sky",
        "stars at night",
        "a starry night",
        "the night sky with stars",
    ],
    "sea": ["the sea", "the ocean", "waves on the sea", "blue water", "a calm sea"],
    "desert": ["a desert", "sand dunes", "a sandy desert", "a beach"],
    "snow": ["a snowy landscape", "snow", "a winter landscape", "snowy hills"],
    "sunset": ["a sunset", "an evening sky", "a sunrise over hills", "hills at sunset", "sunset"],
}
_PATTERN_NAMES = {
    "horizontal stripes": ["horizontal stripes", "horizontal bands", "horizontal lines"],
    "vertical stripes": ["vertical stripes", "vertical bands", "vertical lines"],
    "diagonal stripes": ["diagonal stripes", "slanted stripes"],
    "checkerboard": ["checkerboard", "checkered pattern", "chess board", "checks", "chessboard"],
    "dots": ["polka dots", "dots", "polka dot pattern"],
}
_OPENINGS = [
    "a picture of",
    "an illustration of",
    "a drawing of",
    "draw",
    "please draw",
    "an image of",
    "an icon of",
    "a photo of",
    "paint",
    "show me",
    "make",
    "a simple drawing of",
    "a logo with",
    "i want",
    "a cute",
    "generate",
    "create an image of",
    "a minimalist picture of",
    "a painting of",
]
_CLOSINGS = [
    "flat design",
    "vector art",
    "high quality",
    "4k",
    "minimalist",
    "simple",
    "clean",
    "digital art",
    "in flat style",
    "beautiful",
    "highly detailed",
    "please",
    "cartoon",
    "trending on artstation",
    "cute",
    "pretty colours",
    "illustration",
    "children's book",
]
_STRAY = [
    "quirky",
    "solar",
    "paper",
    "gentle",
    "mood",
    "artist",
    "vivid",
    "glow",
    "crisp",
    "thing",
    "today",
    "nice",
    "lovely",
    "joyful",
    "strange",
    "old",
    "new",
    "fine",
    "soft",
    "warm",
    "quiet",
    "wild",
    "sharp",
]


@dataclass(frozen=True)
class Pair:
    """A picture's plan, the words for it, and what the words say of each slot."""

    scene: Scene
    caption: str
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class Said:
    """Which properties of a thing its caption names."""

    kind: bool = True
    main: bool = True
    second: bool = False
    size: str | None = None
    place: str | None = None
    count: bool = False


def _label_of_thing(thing: Thing, said: Said, name_is_shape: bool = False) -> Label:
    kind = _KINDS["shape"] if name_is_shape else _KINDS[thing.kind] if said.kind else 0
    return (
        1,
        kind,
        0,
        _COLOURS[thing.main] if said.main else 0,
        _COLOURS[thing.second] if said.second else 0,
        _SIZES[said.size] if said.size else 0,
        _PLACES[said.place] if said.place else 0,
        thing.count if said.count else 0,
    )


def _label_of_ground(
    ground: Ground, kind: bool, first: bool, second: bool, striped: bool = False
) -> Label:
    named = _GROUNDS["stripes"] if striped else _GROUNDS[ground.kind] if kind else 0
    return (
        1,
        0,
        named,
        _COLOURS[ground.first] if first else 0,
        _COLOURS[ground.second] if second else 0,
        0,
        0,
        0,
    )


def _article(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def _plural(noun: str) -> str:
    if noun.endswith(("fish", "mountains", "checks")):
        return noun
    if noun.endswith(("cross", "box", "torch")):
        return noun + "es"
    return noun + "s"


def _noun_phrase(thing: Thing, said: Said, rng: random.Random) -> str:
    """Such as "a small red house with a blue roof" or "three gold stars"."""
    noun = rng.choice(NAMES[thing.kind]) if said.kind else rng.choice(["shape", "thing", "object"])
    words = []
    if said.size:
        words.append(rng.choice(_SIZE_WORDS[said.size]))
    if said.main:
        words.append(wording(thing.main, rng))
    if thing.count > 1:
        number = rng.choice([["two", "three", "four"][thing.count - 2], str(thing.count)])
        if thing.count == 2 and rng.random() < 0.2:
            number = "a pair of"
        phrase = " ".join([number, *words, _plural(noun)])
        if rng.random() < 0.15:
            phrase += " in a row"
    else:
        phrase = " ".join([*words, noun])
        if rng.random() < 0.88:
            phrase = (
                ("the " + phrase)
                if rng.random() < 0.06 and thing.kind in ("sun", "moon")
                else _article(phrase)
            )
    if said.second:
        other = wording(thing.second, rng)
        part = {
            "house": "roof",
            "boat": "sails",
            "flower": "centre",
            "mushroom": "spots",
            "snowman": "scarf",
            "rocket": "fins",
            "flag": "stripe",
        }[thing.kind]
        tail = (
            f"{other} {part}" if part in ("sails", "spots", "fins") else _article(f"{other} {part}")
        )
        phrase += f" with {tail}"
        if thing.kind == "flag" and rng.random() < 0.6:
            phrase = f"{_article(wording(thing.main, rng))} and {other} flag"
    return phrase


_HAS_SECOND = ("house", "boat", "flower", "mushroom", "snowman", "rocket", "flag")


def _say(
    thing: Thing, rng: random.Random, *, size: str | None = None, place: str | None = None
) -> Said:
    natural = NATURE.get(thing.kind)
    main = rng.random() < (0.86 if natural is None else 0.5) or (
        natural is not None and thing.main not in natural.main
    )
    return Said(
        main=main,
        second=main and thing.kind in _HAS_SECOND and rng.random() < 0.3,
        size=size,
        place=place,
        count=thing.count > 1,
    )


def _ground_words(ground: Ground, rng: random.Random) -> tuple[str, Label]:
    """How a caption names what is behind, as a tail after the things."""
    if ground.kind in LANDSCAPES:
        return " " + rng.choice(_LANDSCAPE_WORDS[ground.kind]), _label_of_ground(
            ground, True, False, False
        )
    first, second = wording(ground.first, rng), wording(ground.second, rng)
    word = rng.choices(["background", "backdrop", "canvas"], [0.86, 0.08, 0.06])[0]
    if ground.kind in PATTERNS:
        name = rng.choice(_PATTERN_NAMES[ground.kind])
        if "stripes" in ground.kind and rng.random() < 0.2:
            return f" on a {first} and {second} striped {word}", _label_of_ground(
                ground, False, True, True, striped=True
            )
        tail = rng.choice(
            [
                f" on {first} and {second} {name}",
                f" in front of {first} and {second} {name}",
                f" on a {word} of {first} and {second} {name}",
                f" with {first} and {second} {name} in the {word}",
            ]
        )
        return tail, _label_of_ground(ground, True, True, True)
    if ground.kind == "gradient":
        tail = rng.choice(
            [
                f" on a {first} gradient {word}",
                f" on a soft {first} gradient",
                f" with {_article(first)} gradient {word}",
                f" on a smooth {first} {word}",
            ]
        )
        return tail, _label_of_ground(ground, True, True, False)
    a_first = _article(first)
    tail = rng.choice(
        [
            f" on {a_first} {word}",
            f" on {a_first} {word}",
            f" on {first}",
            f" with {a_first} {word}",
            f" against {a_first} {word}",
            f", {first} {word}",
            f" over {a_first} {word}",
            f" in front of {a_first} {word}",
        ]
    )
    return tail, _label_of_ground(ground, False, True, False)


def _jitter(rng: random.Random) -> float:
    return rng.uniform(-0.025, 0.025)


def _kept_in(thing: Thing, ratio: float) -> Thing:
    """The same thing, moved and shrunk until all of it is inside the picture."""
    wide, high = max(ratio, 1.0), max(1 / ratio, 1.0)
    half = thing.radius * (1 + (thing.count - 1) * 1.15)
    if half > wide / 2 - 0.03:
        thing = replace(thing, radius=thing.radius * (wide / 2 - 0.03) / half)
        half = wide / 2 - 0.03
    edge_x, edge_y = (half + 0.03) / wide, (thing.radius + 0.03) / high
    return replace(
        thing, x=min(max(thing.x, edge_x), 1 - edge_x), y=min(max(thing.y, edge_y), 1 - edge_y)
    )


def _one(rng: random.Random) -> Pair:
    """One thing, maybe at a place, maybe of a size."""
    kind = any_kind(rng)
    says_ground = rng.random() < 0.8
    ground = any_ground(rng) if says_ground else natural_ground(kind, rng)
    main, second = colours_of(kind, ground, rng)
    size = rng.choice(list(SIZES)) if rng.random() < 0.3 else None
    place = rng.choice(list(PLACES)) if rng.random() < 0.3 else None
    x, y = PLACES[place or "centre"]
    radius = (
        SIZES[size] * rng.uniform(0.9, 1.1)
        if size
        else rng.uniform(0.22, 0.32) * (0.75 if place else 1)
    )
    if place is None and ground.kind in LANDSCAPES and kind in NATURE:
        y = NATURE[kind].level
        radius = SIZES[size] if size else NATURE[kind].radius * rng.uniform(1.0, 1.35)
    count = rng.choice([2, 3, 4]) if rng.random() < 0.12 else 1
    if count > 1:
        radius = min(radius, 0.52 / count)
    ratio = ratio_of(rng)
    thing = _kept_in(
        Thing(
            kind,
            main,
            second,
            x + _jitter(rng),
            y + _jitter(rng),
            radius,
            count,
            tilt_of(kind, rng),
        ),
        ratio,
    )
    said = _say(thing, rng, size=size, place=place)
    shape_only = kind in SHAPES and said.main and rng.random() < 0.03
    said = replace(said, kind=not shape_only)
    words = _noun_phrase(thing, said, rng)
    tail, ground_label = _ground_words(ground, rng) if says_ground else ("", NOTHING)
    if place:
        where = rng.choice(_PLACE_WORDS[place])
        words = rng.choice(
            [f"{words} {where}{tail}", f"{words}{tail}, {where}", f"{where}, {words}{tail}"]
        )
    else:
        words += tail
    if says_ground and not place and ground.kind in PLAIN_ONLY and rng.random() < 0.1:
        words = f"{wording(ground.first, rng)} background with {_noun_phrase(thing, said, rng)}"
        ground_label = _label_of_ground(ground, False, True, False)
    return Pair(
        Scene(ground, (thing,), ratio),
        words,
        (ground_label, _label_of_thing(thing, said, shape_only)),
    )


PLAIN_ONLY = ("plain",)


def _two(rng: random.Random) -> Pair:
    """Two things and how they stand to each other."""
    kinds = (any_kind(rng), any_kind(rng))
    says_ground = rng.random() < 0.6
    both_natural = all(kind in NATURE for kind in kinds)
    if says_ground:
        ground = any_ground(rng)
    elif both_natural and rng.random() < 0.6:
        ground = natural_ground(rng.choice(kinds), rng)
    else:
        ground = plain_ground(rng)
    relation = rng.choices(
        ["beside", "left of", "right of", "above", "below", "inside"],
        [0.3, 0.14, 0.14, 0.17, 0.15, 0.1],
    )[0]
    colours = [colours_of(kind, ground, rng) for kind in kinds]
    while colours[1][0] == colours[0][0] and rng.random() < 0.8:
        colours[1] = colours_of(kinds[1], ground, rng)
    ratio = ratio_of(rng)
    sizes: list[str | None] = [
        rng.choice(["small", "large"]) if rng.random() < 0.18 else None for _ in kinds
    ]
    scale = {"small": 0.11, "large": 0.23, None: 0.18}
    places: list[str | None] = [None, None]
    if relation == "inside":
        kinds = (
            kinds[0],
            rng.choice(["circle", "square", "diamond", "hexagon", "heart", "star", "triangle"]),
        )
        outer = contrasting(ground.first if ground.kind not in LANDSCAPES else "light blue", rng)
        inner = contrasting(outer, rng)
        spot = (0.5, 0.52)
        front = Thing(kinds[0], inner, contrasting(inner, rng), *spot, 0.13)
        back = Thing(kinds[1], outer, outer, *spot, 0.36)
        said = (_say(front, rng, place="centre"), _say(back, rng, place="centre"))
        said = (replace(said[0], size="small"), replace(said[1], size="large"))
        quiet = [replace(s, size=None) for s in said]
        words = f"{_noun_phrase(front, quiet[0], rng)} {rng.choice(['inside', 'in', 'within', 'on'])} {_noun_phrase(back, quiet[1], rng)}"
        tail, ground_label = _ground_words(ground, rng) if says_ground else ("", NOTHING)
        labels = (ground_label, _label_of_thing(front, said[0]), _label_of_thing(back, said[1]))
        return Pair(Scene(ground, (back, front), ratio), words + tail, labels)
    if relation in ("above", "below"):
        spots = [(0.5, 0.27), (0.5, 0.73)]
        names = ["top", "bottom"]
    else:
        spots = [(0.28, 0.5), (0.72, 0.5)]
        names = ["left", "right"]
    if relation in ("right of", "below"):
        spots.reverse()
        names.reverse()
    if relation == "beside":
        flipped = rng.random() < 0.25  # the first named mostly stands on the left, as we read
        if flipped:
            spots.reverse()
        joint = rng.choice(["next to", "beside", "and", "and", "with", "near"])
    else:
        joint = {
            "left of": "to the left of",
            "right of": "to the right of",
            "above": rng.choice(["above", "over", "on top of"]),
            "below": rng.choice(["below", "under", "beneath", "underneath"]),
        }[relation]
        if relation in ("left of", "right of") and rng.random() < 0.35:
            joint = relation
        places = [names[0], names[1]]
    if ground.kind in LANDSCAPES and both_natural and relation not in ("above", "below"):
        spots = [(x, NATURE[kind].level) for (x, _), kind in zip(spots, kinds, strict=True)]
    things = [
        _kept_in(
            Thing(
                kind,
                main,
                second,
                x + _jitter(rng),
                y + _jitter(rng),
                scale[size] * rng.uniform(0.92, 1.12),
                1,
                tilt_of(kind, rng),
            ),
            ratio,
        )
        for kind, (main, second), (x, y), size in zip(kinds, colours, spots, sizes, strict=True)
    ]
    saids = [
        _say(thing, rng, size=size, place=place)
        for thing, size, place in zip(things, sizes, places, strict=True)
    ]
    phrases = [_noun_phrase(thing, s, rng) for thing, s in zip(things, saids, strict=True)]
    if places[0] and relation in ("left of", "right of") and rng.random() < 0.4:
        words = f"{phrases[0]} on the {places[0]} and {phrases[1]} on the {places[1]}"
    else:
        words = f"{phrases[0]} {joint} {phrases[1]}"
    tail, ground_label = _ground_words(ground, rng) if says_ground else ("", NOTHING)
    return Pair(
        Scene(ground, tuple(things), ratio),
        words + tail,
        (ground_label, *(_label_of_thing(t, s) for t, s in zip(things, saids, strict=True))),
    )


def _three(rng: random.Random) -> Pair:
    """Three things from left to right."""
    says_ground = rng.random() < 0.6
    ground = any_ground(rng) if says_ground else plain_ground(rng)
    ratio = ratio_of(rng)
    things, saids = [], []
    for place, x in (("left", 0.19), ("centre", 0.5), ("right", 0.81)):
        kind = any_kind(rng)
        main, second = colours_of(kind, ground, rng)
        thing = _kept_in(
            Thing(kind, main, second, x, 0.5 + _jitter(rng), 0.13 * rng.uniform(0.92, 1.1)), ratio
        )
        things.append(thing)
        saids.append(_say(thing, rng, place=place))
    one, two, three = (_noun_phrase(t, s, rng) for t, s in zip(things, saids, strict=True))
    tail, ground_label = _ground_words(ground, rng) if says_ground else ("", NOTHING)
    words = rng.choice(
        [
            f"{one}, {two} and {three}{tail}",
            f"{one} and {two} and {three}{tail}",
            f"{one}, {two}, {three}{tail}",
        ]
    )
    return Pair(
        Scene(ground, tuple(things), ratio),
        words,
        (ground_label, *(_label_of_thing(t, s) for t, s in zip(things, saids, strict=True))),
    )


_COMPANY = {
    "meadow": (
        ["house", "tree", "pine", "flower", "mushroom", "mountain", "car", "cat", "flag"],
        ["sun", "cloud", "balloon"],
    ),
    "night": (["house", "pine", "rocket", "tree"], ["moon", "rocket", "star"]),
    "sea": (["boat"], ["sun", "cloud"]),
    "desert": (["car", "house", "mountain", "rocket"], ["sun"]),
    "snow": (["snowman", "pine", "house", "mountain"], ["cloud", "moon", "sun"]),
    "sunset": (["house", "tree", "mountain", "pine", "boat"], ["sun", "cloud", "balloon"]),
}


def _view(rng: random.Random) -> Pair:
    """A small landscape: something on the ground, something in the sky."""
    ground = landscape(rng)
    low, high = _COMPANY[ground.kind]
    ratio = ratio_of(rng)
    below, above = rng.choice(low), rng.choice(high)
    side = rng.choice([-1, 1])
    centred = rng.random() < 0.45
    level = NATURE[below].level
    things = [
        Thing(
            below,
            *colours_of(below, ground, rng),
            0.5 if centred else 0.5 - side * 0.16,
            level,
            NATURE[below].radius * rng.uniform(1.0, 1.25),
        ),
        Thing(
            above,
            *colours_of(above, ground, rng),
            0.5 + side * rng.uniform(0.22, 0.3),
            0.2 + _jitter(rng),
            rng.uniform(0.11, 0.15),
        ),
    ]
    if rng.random() < 0.45:
        third = rng.choice(low)
        things[0] = replace(things[0], x=0.5 - side * 0.2, radius=things[0].radius * 0.9)
        things.append(
            Thing(
                third,
                *colours_of(third, ground, rng),
                0.5 + side * 0.24,
                NATURE[third].level + 0.05,
                NATURE[third].radius * 0.75,
            )
        )
    things = [_kept_in(thing, ratio) for thing in things]
    saids = [_say(thing, rng) for thing in things]
    phrases = [_noun_phrase(thing, s, rng) for thing, s in zip(things, saids, strict=True)]
    labels = [_label_of_thing(t, s) for t, s in zip(things, saids, strict=True)]
    says_ground = rng.random() < 0.7 or things[0].kind == "car"
    tail, ground_label = _ground_words(ground, rng) if says_ground else ("", NOTHING)
    if len(things) == 2:
        if rng.random() < 0.6:
            words = f"{phrases[0]} {rng.choice(['under', 'below', 'and', 'with', 'beneath'])} {phrases[1]}"
            order = (0, 1)
        else:
            words = (
                f"{phrases[1]} {rng.choice(['over', 'above', 'and', 'shining over'])} {phrases[0]}"
            )
            order = (1, 0)
    else:
        order = (0, 2, 1) if rng.random() < 0.6 else (1, 0, 2)
        one, two, three = (phrases[i] for i in order)
        words = rng.choice(
            [
                f"{one}, {two} and {three}",
                f"{one} and {two} {'under' if order[0] == 0 else 'with'} {three}",
                f"{one} with {two} and {three}",
            ]
        )
    drawn = sorted(things, key=lambda thing: thing.kind != "mountain")
    return Pair(
        Scene(ground, tuple(drawn), ratio),
        words + tail,
        (ground_label, *(labels[i] for i in order)),
    )


def _bare(rng: random.Random) -> Pair:
    """Nothing but a ground."""
    ground = rng.choices([plain_ground, pattern_ground, landscape], [0.2, 0.4, 0.4])[0](rng)
    first, second = wording(ground.first, rng), wording(ground.second, rng)
    ratio = ratio_of(rng)
    if ground.kind in LANDSCAPES:
        return Pair(
            Scene(ground, (), ratio),
            rng.choice(_LANDSCAPE_ALONE[ground.kind]),
            (_label_of_ground(ground, True, False, False),),
        )
    if ground.kind in PATTERNS:
        name = rng.choice(_PATTERN_NAMES[ground.kind])
        words = rng.choice(
            [
                f"{first} and {second} {name}",
                f"{name} in {first} and {second}",
                f"a pattern of {first} and {second} {name}",
            ]
        )
        return Pair(Scene(ground, (), ratio), words, (_label_of_ground(ground, True, True, True),))
    words = (
        rng.choice([f"a plain {first} background", f"only {first}", f"an empty {first} canvas"])
        if ground.kind == "plain"
        else rng.choice([f"a {first} gradient", f"a soft {first} gradient background"])
    )
    return Pair(
        Scene(ground, (), ratio),
        words,
        (_label_of_ground(ground, ground.kind == "gradient", True, False),),
    )


def _word_alone(rng: random.Random) -> Pair:
    """Just a colour or a kind, as negative prompts have it."""
    pair = _one(rng)
    thing = replace(pair.scene.things[0], count=1)
    scene = replace(pair.scene, things=(thing,))
    if rng.random() < 0.5:
        return Pair(
            scene, wording(thing.main, rng), (NOTHING, _label_of_thing(thing, Said(kind=False)))
        )
    words = rng.choice(NAMES[thing.kind])
    return Pair(scene, words, (NOTHING, _label_of_thing(thing, Said(main=False))))


def _made_up_word(rng: random.Random) -> str:
    """A word that nobody knows, so that the reader learns to pass over such."""
    syllables = (
        rng.choice("bcdfghjklmnprstvwz")
        + rng.choice("aeiouy")
        + rng.choice(["", "n", "r", "s", "t", "l"])
        for _ in range(rng.randint(1, 3))
    )
    return "".join(syllables)


def make_pair(rng: random.Random) -> Pair:
    """A picture and its words, endlessly varied; the same `rng` state gives the same pair."""
    recipe = rng.choices(
        [_one, _two, _three, _view, _bare, _word_alone], [0.58, 0.21, 0.04, 0.11, 0.04, 0.02]
    )[0]
    pair = recipe(rng)
    words = pair.caption
    if rng.random() < 0.25:
        opening = rng.choice(_OPENINGS)
        words = f"{opening} {words}"
    if rng.random() < 0.15:
        words = f"{words}, {', '.join(rng.sample(_CLOSINGS, rng.randint(1, 3)))}"
    if rng.random() < 0.06:
        pieces = words.split()
        stray = rng.choice(_STRAY) if rng.random() < 0.4 else _made_up_word(rng)
        pieces.insert(rng.randrange(len(pieces) + 1), stray)
        words = " ".join(pieces)
    if rng.random() < 0.1:
        words = words.rstrip(".") + rng.choice([".", "!", " "])
    labels = (*pair.labels, *(NOTHING for _ in range(SLOTS - len(pair.labels))))
    return Pair(pair.scene, words, labels)
