"""What is behind: a plain colour, a soft gradient, a pattern of two colours, or a landscape.

Each draws the whole picture, `width` by `height` in units of the short side; `first` and
`second` are the colours that a prompt may name, and `phase` (0 to 1) moves patterns and hills.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import skia
from palette import Rgb, darker, lighter
from things import box, disc, paint

Ground = Callable[[skia.Canvas, float, float, Rgb, Rgb, float], None]


def _gradient(canvas: skia.Canvas, width: float, height: float, top: Rgb, bottom: Rgb) -> None:
    shader = skia.GradientShader.MakeLinear(
        points=[skia.Point(0, 0), skia.Point(0, height)],
        colors=[skia.Color(*top), skia.Color(*bottom)],
    )
    canvas.drawRect(skia.Rect.MakeWH(width, height), skia.Paint(Shader=shader))


def _hill(
    canvas: skia.Canvas,
    width: float,
    height: float,
    level: float,
    swing: float,
    phase: float,
    colour: Rgb,
) -> None:
    path = skia.Path()
    path.moveTo(0, height)
    for i in range(41):
        x = i / 40
        wave = math.sin(2 * math.pi * (x * 0.9 + phase))
        path.lineTo(x * width, height * (level + swing * wave))
    path.lineTo(width, height)
    path.close()
    canvas.drawPath(path, paint(colour))


def plain(
    canvas: skia.Canvas, width: float, height: float, first: Rgb, second: Rgb, phase: float
) -> None:
    box(canvas, 0, 0, width, height, first)


def gradient(
    canvas: skia.Canvas, width: float, height: float, first: Rgb, second: Rgb, phase: float
) -> None:
    _gradient(canvas, width, height, lighter(first, 0.35), darker(first, 0.12))


def horizontal_stripes(
    canvas: skia.Canvas, width: float, height: float, first: Rgb, second: Rgb, phase: float
) -> None:
    box(canvas, 0, 0, width, height, first)
    for i in range(4):
        box(canvas, 0, (i + 0.5) * height / 4, width, (i + 1) * height / 4, second)


def vertical_stripes(
    canvas: skia.Canvas, width: float, height: float, first: Rgb, second: Rgb, phase: float
) -> None:
    box(canvas, 0, 0, width, height, first)
    for i in range(4):
        box(canvas, (i + 0.5) * width / 4, 0, (i + 1) * width / 4, height, second)


def diagonal_stripes(
    canvas: skia.Canvas, width: float, height: float, first: Rgb, second: Rgb, phase: float
) -> None:
    box(canvas, 0, 0, width, height, first)
    canvas.save()
    canvas.rotate(45)
    reach, band = width + height, 0.1768
    for i in range(-14, 15):
        box(canvas, -reach, i * 2 * band, reach, (i * 2 + 1) * band, second)
    canvas.restore()


def checkerboard(
    canvas: skia.Canvas, width: float, height: float, first: Rgb, second: Rgb, phase: float
) -> None:
    box(canvas, 0, 0, width, height, first)
    cell = 0.125
    for row in range(math.ceil(height / cell)):
        for column in range(math.ceil(width / cell)):
            if (row + column) % 2:
                box(
                    canvas, column * cell, row * cell, (column + 1) * cell, (row + 1) * cell, second
                )


def dots(
    canvas: skia.Canvas, width: float, height: float, first: Rgb, second: Rgb, phase: float
) -> None:
    box(canvas, 0, 0, width, height, first)
    step = 0.25
    for row in range(math.ceil(height / step)):
        for column in range(math.ceil(width / step)):
            disc(canvas, (column + 0.5) * step, (row + 0.5) * step, 0.062, second)


def meadow(
    canvas: skia.Canvas, width: float, height: float, first: Rgb, second: Rgb, phase: float
) -> None:
    _gradient(canvas, width, height, (134, 200, 246), (222, 242, 252))
    _hill(canvas, width, height, 0.70, 0.05, phase, (136, 204, 120))
    _hill(canvas, width, height, 0.80, 0.03, phase + 0.45, (98, 180, 98))


def night(
    canvas: skia.Canvas, width: float, height: float, first: Rgb, second: Rgb, phase: float
) -> None:
    _gradient(canvas, width, height, (20, 26, 66), (58, 58, 116))
    for x, y, radius in (
        (0.1, 0.16, 8),
        (0.3, 0.34, 6),
        (0.46, 0.1, 7),
        (0.66, 0.24, 6),
        (0.9, 0.12, 8),
        (0.84, 0.46, 6),
        (0.12, 0.56, 6),
        (0.56, 0.52, 5),
    ):
        disc(canvas, ((x + phase * 0.3) % 1) * width, y * height, radius / 1000, (255, 246, 214))


def sea(
    canvas: skia.Canvas, width: float, height: float, first: Rgb, second: Rgb, phase: float
) -> None:
    _gradient(canvas, width, height, (150, 210, 248), (230, 244, 250))
    for level, colour in ((0.66, (74, 154, 220)), (0.77, (52, 126, 200)), (0.89, (36, 98, 176))):
        path = skia.Path()
        path.moveTo(0, height)
        for i in range(49):
            x = i / 48
            wave = abs(math.sin(math.pi * (x * 3.0 * max(width / height, 1) + phase + level * 3)))
            path.lineTo(x * width, height * (level - 0.03 * wave))
        path.lineTo(width, height)
        path.close()
        canvas.drawPath(path, paint(colour))


def desert(
    canvas: skia.Canvas, width: float, height: float, first: Rgb, second: Rgb, phase: float
) -> None:
    _gradient(canvas, width, height, (252, 206, 150), (254, 236, 206))
    _hill(canvas, width, height, 0.66, 0.06, phase, (238, 190, 118))
    _hill(canvas, width, height, 0.80, 0.04, phase + 0.5, (224, 164, 92))


def snow(
    canvas: skia.Canvas, width: float, height: float, first: Rgb, second: Rgb, phase: float
) -> None:
    _gradient(canvas, width, height, (176, 208, 236), (226, 238, 248))
    _hill(canvas, width, height, 0.68, 0.05, phase, (232, 242, 250))
    _hill(canvas, width, height, 0.80, 0.03, phase + 0.5, (250, 252, 254))


def sunset(
    canvas: skia.Canvas, width: float, height: float, first: Rgb, second: Rgb, phase: float
) -> None:
    shader = skia.GradientShader.MakeLinear(
        points=[skia.Point(0, 0), skia.Point(0, height * 0.8)],
        colors=[skia.Color(96, 72, 148), skia.Color(238, 112, 112), skia.Color(254, 196, 110)],
    )
    canvas.drawRect(skia.Rect.MakeWH(width, height), skia.Paint(Shader=shader))
    _hill(canvas, width, height, 0.74, 0.05, phase, (112, 66, 112))
    _hill(canvas, width, height, 0.84, 0.03, phase + 0.5, (66, 42, 86))


PLAIN: dict[str, Ground] = {"plain": plain, "gradient": gradient}

PATTERNS: dict[str, Ground] = {
    "horizontal stripes": horizontal_stripes,
    "vertical stripes": vertical_stripes,
    "diagonal stripes": diagonal_stripes,
    "checkerboard": checkerboard,
    "dots": dots,
}

LANDSCAPES: dict[str, Ground] = {
    "meadow": meadow,
    "night": night,
    "sea": sea,
    "desert": desert,
    "snow": snow,
    "sunset": sunset,
}

GROUNDS: dict[str, Ground] = PLAIN | PATTERNS | LANDSCAPES

# The colour that a thing in front has to stand out from, in the words of the palette.
STANDS_OUT_FROM: dict[str, str] = {
    "meadow": "light blue",
    "night": "navy",
    "sea": "light blue",
    "desert": "beige",
    "snow": "white",
    "sunset": "coral",
}
