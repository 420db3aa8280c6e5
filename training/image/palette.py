"""The colours that the demo image model knows, by name.

Chosen by eye to sit well beside each other; each name is far enough from the others that a
person would call it so. Knows nothing about drawing.
"""

from __future__ import annotations

import random

Rgb = tuple[int, int, int]

COLOURS: dict[str, Rgb] = {
    "red": (226, 58, 62),
    "orange": (245, 134, 52),
    "yellow": (250, 208, 60),
    "green": (62, 166, 92),
    "blue": (52, 106, 222),
    "purple": (136, 80, 200),
    "pink": (244, 140, 180),
    "brown": (138, 88, 58),
    "black": (28, 30, 38),
    "white": (250, 250, 248),
    "grey": (148, 154, 166),
    "teal": (24, 146, 148),
    "light blue": (142, 202, 244),
    "navy": (28, 44, 96),
    "light green": (160, 218, 140),
    "dark green": (24, 92, 62),
    "dark red": (148, 28, 44),
    "lavender": (198, 182, 240),
    "beige": (238, 222, 194),
    "gold": (222, 170, 48),
    "magenta": (214, 44, 140),
    "mint": (168, 232, 204),
    "coral": (255, 124, 104),
    "dark grey": (78, 84, 96),
}

# How else people say it; the first word of each caption is drawn from these at random.
SYNONYMS: dict[str, list[str]] = {
    "red": ["red", "bright red", "scarlet"],
    "yellow": ["yellow", "bright yellow", "lemon"],
    "green": ["green", "grass green", "emerald"],
    "blue": ["blue", "bright blue", "royal blue"],
    "purple": ["purple", "violet"],
    "pink": ["pink", "rose", "light pink"],
    "brown": ["brown", "chocolate brown", "wooden"],
    "black": ["black", "jet black"],
    "white": ["white", "snow white", "plain white"],
    "grey": ["grey", "gray", "silver", "light grey", "light gray"],
    "teal": ["teal", "dark turquoise"],
    "light blue": ["light blue", "sky blue", "pale blue", "baby blue"],
    "navy": ["navy", "navy blue", "dark blue", "midnight blue"],
    "light green": ["light green", "lime", "lime green", "pale green"],
    "dark green": ["dark green", "forest green"],
    "dark red": ["dark red", "crimson", "maroon", "burgundy"],
    "lavender": ["lavender", "lilac", "light purple", "pale purple"],
    "beige": ["beige", "cream", "sand coloured", "tan", "ivory"],
    "gold": ["gold", "golden", "mustard"],
    "magenta": ["magenta", "hot pink", "fuchsia"],
    "mint": ["mint", "mint green", "turquoise", "aqua", "cyan"],
    "coral": ["coral", "salmon", "peach"],
    "dark grey": ["dark grey", "dark gray", "charcoal"],
}


def wording(colour: str, rng: random.Random) -> str:
    """One way to say a colour: its own name most of the time."""
    if rng.random() < 0.65:
        return colour
    return rng.choice(SYNONYMS.get(colour, [colour]))


def distance(one: str, other: str) -> float:
    """How far two colours are apart to the eye, 0 to about 765 (the "redmean" formula)."""
    (r1, g1, b1), (r2, g2, b2) = COLOURS[one], COLOURS[other]
    mean = (r1 + r2) / 2
    red, green, blue = r1 - r2, g1 - g2, b1 - b2
    squares = (2 + mean / 256) * red**2 + 4 * green**2 + (2 + (255 - mean) / 256) * blue**2
    return float(squares**0.5)


def contrasting(colour: str, rng: random.Random, *others: str) -> str:
    """A random colour that stands out from `colour`, and from the others given."""
    while True:
        found = rng.choice(list(COLOURS))
        if all(distance(found, other) > 210 for other in (colour, *others)):
            return found


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """`share` of the second colour in the first, 0 to 1."""
    r, g, b = (round(a + (c - a) * share) for a, c in zip(one, other, strict=True))
    return (r, g, b)


def lighter(colour: Rgb, share: float = 0.25) -> Rgb:
    return mix(colour, (255, 255, 255), share)


def darker(colour: Rgb, share: float = 0.22) -> Rgb:
    return mix(colour, (16, 20, 44), share)
