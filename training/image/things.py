"""What can stand in a picture: one drawing function a thing.

Each draws into the box from (-1, -1) at the top left to (1, 1) at the bottom right; the caller
has moved and scaled the canvas. `main` is the colour that a prompt names, `second` the one that
it may name besides (a roof, a sail). Skia smooths the edges at whatever size is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import skia
from palette import Rgb, darker, lighter, mix

Draw = Callable[[skia.Canvas, Rgb, Rgb], None]

WHITE: Rgb = (250, 250, 248)
INK: Rgb = (44, 40, 56)
WOOD: Rgb = (134, 90, 62)


def paint(colour: Rgb, alpha: int = 255) -> skia.Paint:
    return skia.Paint(AntiAlias=True, Color=skia.Color(*colour, alpha))


def polygon(
    canvas: skia.Canvas, points: Sequence[tuple[float, float]], colour: Rgb, round_: float = 0.0
) -> None:
    path = skia.Path()
    path.addPoly([skia.Point(x, y) for x, y in points], True)
    brush = paint(colour)
    canvas.drawPath(path, brush)
    if round_:
        edge = paint(colour)
        edge.setStyle(skia.Paint.kStroke_Style)
        edge.setStrokeWidth(round_ * 2)
        edge.setStrokeJoin(skia.Paint.kRound_Join)
        canvas.drawPath(path, edge)


def box(
    canvas: skia.Canvas,
    left: float,
    top: float,
    right: float,
    bottom: float,
    colour: Rgb,
    radius: float = 0.0,
) -> None:
    canvas.drawRoundRect(
        skia.Rect.MakeLTRB(left, top, right, bottom), radius, radius, paint(colour)
    )


def disc(canvas: skia.Canvas, x: float, y: float, radius: float, colour: Rgb) -> None:
    canvas.drawCircle(x, y, radius, paint(colour))


def oval_at(canvas: skia.Canvas, x: float, y: float, rx: float, ry: float, colour: Rgb) -> None:
    canvas.drawOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry), paint(colour))


def line(
    canvas: skia.Canvas, points: Sequence[tuple[float, float]], width: float, colour: Rgb
) -> None:
    brush = paint(colour)
    brush.setStyle(skia.Paint.kStroke_Style)
    brush.setStrokeWidth(width)
    brush.setStrokeCap(skia.Paint.kRound_Cap)
    brush.setStrokeJoin(skia.Paint.kRound_Join)
    path = skia.Path()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    canvas.drawPath(path, brush)


def arc(
    canvas: skia.Canvas,
    x: float,
    y: float,
    radius: float,
    start: float,
    sweep: float,
    width: float,
    colour: Rgb,
) -> None:
    brush = paint(colour)
    brush.setStyle(skia.Paint.kStroke_Style)
    brush.setStrokeWidth(width)
    brush.setStrokeCap(skia.Paint.kRound_Cap)
    canvas.drawArc(
        skia.Rect.MakeLTRB(x - radius, y - radius, x + radius, y + radius),
        start,
        sweep,
        False,
        brush,
    )


def regular(corners: int, radius: float = 1.0, turn: float = -90.0) -> list[tuple[float, float]]:
    angles = [math.radians(turn + 360 * i / corners) for i in range(corners)]
    return [(radius * math.cos(a), radius * math.sin(a)) for a in angles]


def spiked(points: int, inner: float, outer: float = 1.0) -> list[tuple[float, float]]:
    path = []
    for i in range(points * 2):
        radius = inner if i % 2 else outer
        angle = math.radians(-90 + 180 * i / points)
        path.append((radius * math.cos(angle), radius * math.sin(angle)))
    return path


# Shapes


def circle(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    disc(canvas, 0, 0, 1, main)


def square(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    box(canvas, -0.9, -0.9, 0.9, 0.9, main)


def rectangle(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    box(canvas, -1, -0.58, 1, 0.58, main)


def triangle(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    polygon(canvas, [(0, -0.92), (1, 0.82), (-1, 0.82)], main)


def star(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    polygon(canvas, [(x * 0.96, y * 0.96 + 0.06) for x, y in spiked(5, 0.44)], main, 0.05)


def heart(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    path = skia.Path()
    path.moveTo(0, 0.92)
    path.cubicTo(-1.5, -0.1, -0.95, -1.15, 0, -0.48)
    path.cubicTo(0.95, -1.15, 1.5, -0.1, 0, 0.92)
    path.close()
    canvas.drawPath(path, paint(main))


def ring(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    arc(canvas, 0, 0, 0.8, 0, 360, 0.4, main)


def cross(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    box(canvas, -0.3, -0.95, 0.3, 0.95, main)
    box(canvas, -0.95, -0.3, 0.95, 0.3, main)


def diamond(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    polygon(canvas, [(0, -1), (0.76, 0), (0, 1), (-0.76, 0)], main)


def hexagon(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    polygon(canvas, regular(6, 1.0, 0), main)


def oval(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    oval_at(canvas, 0, 0, 1, 0.62, main)


def crescent(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    whole, bite = skia.Path(), skia.Path()
    whole.addCircle(0.05, 0, 0.95)
    bite.addCircle(0.5, -0.22, 0.78)
    canvas.drawPath(skia.Op(whole, bite, skia.PathOp.kDifference_PathOp), paint(main))


# Things


def sun(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    for i in range(12):
        angle = math.radians(30 * i)
        x, y = math.cos(angle), math.sin(angle)
        line(canvas, [(0.76 * x, 0.76 * y), (0.94 * x, 0.94 * y)], 0.11, main)
    disc(canvas, 0, 0, 0.6, main)


def moon(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    crescent(canvas, main, second)


def cloud(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    disc(canvas, -0.5, 0.16, 0.38, main)
    disc(canvas, -0.08, -0.14, 0.5, main)
    disc(canvas, 0.46, 0.08, 0.42, main)
    box(canvas, -0.84, 0.1, 0.86, 0.54, main, 0.22)


def house(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    box(canvas, 0.38, -0.78, 0.6, -0.2, darker(main, 0.35))
    box(canvas, -0.74, -0.16, 0.74, 0.96, main)
    polygon(canvas, [(0, -0.92), (0.92, -0.08), (-0.92, -0.08)], second, 0.05)
    box(canvas, -0.16, 0.36, 0.2, 0.96, darker(second, 0.45), 0.03)
    box(canvas, -0.58, 0.14, -0.28, 0.46, (255, 236, 170))
    box(canvas, 0.32, 0.14, 0.62, 0.46, (255, 236, 170))


def tree(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    box(canvas, -0.13, 0.1, 0.13, 0.98, WOOD, 0.04)
    disc(canvas, -0.38, -0.02, 0.42, main)
    disc(canvas, 0.38, -0.02, 0.42, main)
    disc(canvas, 0, -0.42, 0.54, main)
    disc(canvas, -0.16, -0.5, 0.26, lighter(main, 0.18))


def pine(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    box(canvas, -0.12, 0.6, 0.12, 0.98, WOOD)
    polygon(canvas, [(0, -0.3), (0.7, 0.72), (-0.7, 0.72)], darker(main, 0.16), 0.03)
    polygon(canvas, [(0, -0.64), (0.56, 0.28), (-0.56, 0.28)], main, 0.03)
    polygon(canvas, [(0, -0.94), (0.4, -0.16), (-0.4, -0.16)], lighter(main, 0.14), 0.03)


def boat(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    line(canvas, [(-0.04, -0.9), (-0.04, 0.5)], 0.08, WOOD)
    polygon(canvas, [(0.08, -0.84), (0.8, 0.32), (0.08, 0.32)], second)
    polygon(canvas, [(-0.16, -0.6), (-0.7, 0.32), (-0.16, 0.32)], darker(second, 0.12))
    polygon(canvas, [(-0.96, 0.46), (0.96, 0.46), (0.64, 0.92), (-0.64, 0.92)], main, 0.03)


def smiley(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    disc(canvas, 0, 0, 0.98, main)
    oval_at(canvas, -0.36, -0.24, 0.12, 0.17, INK)
    oval_at(canvas, 0.36, -0.24, 0.12, 0.17, INK)
    arc(canvas, 0, 0.06, 0.54, 20, 140, 0.13, INK)


def sad_face(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    disc(canvas, 0, 0, 0.98, main)
    oval_at(canvas, -0.36, -0.24, 0.12, 0.17, INK)
    oval_at(canvas, 0.36, -0.24, 0.12, 0.17, INK)
    arc(canvas, 0, 0.84, 0.5, 215, 110, 0.13, INK)


def flower(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    green = (72, 160, 92)
    line(canvas, [(0, 0), (0, 0.94)], 0.11, green)
    polygon(canvas, [(0, 0.86), (0.42, 0.46), (0.34, 0.7)], green, 0.05)
    for x, y in regular(6, 0.38):
        disc(canvas, x, y - 0.34, 0.25, main)
    disc(canvas, 0, -0.34, 0.22, second)


def balloon(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    line(canvas, [(0, 0.4), (0.06, 0.66), (-0.04, 0.96)], 0.05, (120, 116, 130))
    polygon(canvas, [(0, 0.34), (0.12, 0.52), (-0.12, 0.52)], main)
    oval_at(canvas, 0, -0.28, 0.62, 0.7, main)
    oval_at(canvas, -0.24, -0.52, 0.12, 0.18, lighter(main, 0.5))


def fish(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    polygon(canvas, [(0.4, 0), (0.94, -0.46), (0.94, 0.46)], darker(main, 0.2), 0.05)
    oval_at(canvas, -0.16, 0, 0.8, 0.5, main)
    disc(canvas, -0.58, -0.1, 0.13, WHITE)
    disc(canvas, -0.6, -0.1, 0.07, INK)


def cat(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    for side in (-1, 1):
        polygon(
            canvas, [(side * 0.88, -0.94), (side * 0.14, -0.56), (side * 0.84, 0.0)], main, 0.04
        )
        polygon(
            canvas,
            [(side * 0.74, -0.7), (side * 0.42, -0.5), (side * 0.72, -0.26)],
            (244, 160, 176),
        )
    oval_at(canvas, 0, 0.14, 0.92, 0.76, main)
    eye = INK if sum(main) > 260 else (240, 214, 110)
    for side in (-1, 1):
        oval_at(canvas, side * 0.38, 0.0, 0.12, 0.16, eye)
        for tilt in (0.26, 0.42):
            line(
                canvas,
                [(side * 0.5, 0.32 + (tilt - 0.26) * 0.4), (side * 0.98, tilt)],
                0.035,
                mix(main, eye, 0.7),
            )
    polygon(canvas, [(-0.1, 0.24), (0.1, 0.24), (0, 0.36)], (240, 120, 144), 0.03)
    arc(canvas, -0.11, 0.4, 0.11, 10, 150, 0.06, eye)
    arc(canvas, 0.11, 0.4, 0.11, 20, 150, 0.06, eye)


def mushroom(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    box(canvas, -0.3, -0.06, 0.3, 0.92, (244, 230, 206), 0.18)
    path = skia.Path()
    path.addArc(skia.Rect.MakeLTRB(-0.96, -0.9, 0.96, 1.02), 180, 180)
    path.close()
    canvas.drawPath(path, paint(main))
    for x, y, radius in ((-0.46, -0.26, 0.15), (0.08, -0.56, 0.17), (0.52, -0.2, 0.13)):
        disc(canvas, x, y, radius, second)


def apple(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    line(canvas, [(0.0, -0.4), (0.08, -0.82)], 0.11, WOOD)
    oval_at(canvas, -0.3, 0.22, 0.56, 0.7, main)
    oval_at(canvas, 0.3, 0.22, 0.56, 0.7, main)
    path = skia.Path()
    path.moveTo(0.1, -0.56)
    path.quadTo(0.3, -0.98, 0.7, -0.84)
    path.quadTo(0.5, -0.46, 0.1, -0.56)
    canvas.drawPath(path, paint((92, 176, 92)))
    oval_at(canvas, -0.46, 0.0, 0.12, 0.2, lighter(main, 0.45))


def rocket(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    polygon(canvas, [(-0.2, 0.6), (0.2, 0.6), (0, 1)], (250, 176, 64), 0.02)
    polygon(canvas, [(-0.3, 0.1), (-0.66, 0.7), (-0.3, 0.56)], second, 0.03)
    polygon(canvas, [(0.3, 0.1), (0.66, 0.7), (0.3, 0.56)], second, 0.03)
    path = skia.Path()
    path.moveTo(0, -0.98)
    path.cubicTo(0.44, -0.6, 0.46, 0.1, 0.3, 0.62)
    path.lineTo(-0.3, 0.62)
    path.cubicTo(-0.46, 0.1, -0.44, -0.6, 0, -0.98)
    canvas.drawPath(path, paint(main))
    disc(canvas, 0, -0.16, 0.2, darker(second, 0.3))
    disc(canvas, 0, -0.16, 0.14, (168, 220, 248))


def car(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    polygon(canvas, [(-0.52, 0.06), (-0.34, -0.4), (0.26, -0.4), (0.54, 0.06)], main, 0.06)
    polygon(canvas, [(-0.4, 0.04), (-0.27, -0.3), (-0.06, -0.3), (-0.06, 0.04)], (200, 230, 248))
    polygon(canvas, [(0.05, 0.04), (0.05, -0.3), (0.21, -0.3), (0.4, 0.04)], (200, 230, 248))
    box(canvas, -0.98, 0.02, 0.98, 0.46, main, 0.16)
    for x in (-0.52, 0.52):
        disc(canvas, x, 0.46, 0.24, INK)
        disc(canvas, x, 0.46, 0.1, (206, 210, 218))
    oval_at(canvas, 0.9, 0.18, 0.07, 0.08, (255, 238, 160))


def snowman(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    disc(canvas, 0, 0.52, 0.46, main)
    disc(canvas, 0, -0.2, 0.34, main)
    line(canvas, [(-0.26, 0.1), (0.26, 0.1)], 0.14, second)
    box(canvas, -0.36, -0.56, 0.36, -0.46, INK, 0.04)
    box(canvas, -0.22, -0.94, 0.22, -0.5, INK, 0.03)
    disc(canvas, -0.13, -0.26, 0.05, INK)
    disc(canvas, 0.13, -0.26, 0.05, INK)
    polygon(canvas, [(0, -0.2), (0.0, -0.1), (0.3, -0.12)], (245, 134, 52), 0.02)
    disc(canvas, 0, 0.4, 0.05, INK)
    disc(canvas, 0, 0.62, 0.05, INK)


def flag(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    line(canvas, [(-0.78, -0.88), (-0.78, 0.96)], 0.1, (146, 120, 100))
    disc(canvas, -0.78, -0.92, 0.09, (222, 170, 48))
    for i, colour in enumerate((main, second, main)):
        box(
            canvas,
            -0.72,
            -0.8 + i * 0.34,
            0.94,
            -0.46 + i * 0.34 + (0.0 if i == 2 else 0.01),
            colour,
        )


def mountain(canvas: skia.Canvas, main: Rgb, second: Rgb) -> None:
    polygon(canvas, [(0.36, -0.28), (1.0, 0.86), (-0.3, 0.86)], darker(main, 0.2))
    polygon(canvas, [(-0.22, -0.86), (0.62, 0.86), (-1.0, 0.86)], main)
    polygon(
        canvas,
        [
            (-0.22, -0.86),
            (0.04, -0.33),
            (-0.1, -0.42),
            (-0.22, -0.27),
            (-0.34, -0.42),
            (-0.46, -0.33),
        ],
        second,
    )


SHAPES: dict[str, Draw] = {
    "circle": circle,
    "square": square,
    "rectangle": rectangle,
    "triangle": triangle,
    "star": star,
    "heart": heart,
    "ring": ring,
    "cross": cross,
    "diamond": diamond,
    "hexagon": hexagon,
    "oval": oval,
    "crescent": crescent,
}

ICONS: dict[str, Draw] = {
    "sun": sun,
    "moon": moon,
    "cloud": cloud,
    "house": house,
    "tree": tree,
    "pine": pine,
    "boat": boat,
    "smiley": smiley,
    "sad face": sad_face,
    "flower": flower,
    "balloon": balloon,
    "fish": fish,
    "cat": cat,
    "mushroom": mushroom,
    "apple": apple,
    "rocket": rocket,
    "car": car,
    "snowman": snowman,
    "flag": flag,
    "mountain": mountain,
}

THINGS: dict[str, Draw] = SHAPES | ICONS
