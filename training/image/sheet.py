"""Many pictures on one sheet, to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw


def save_sheet(
    pictures: Sequence[NDArray[np.uint8]],
    path: Path,
    *,
    columns: int,
    cell: int = 192,
    titles: Sequence[str] = (),
) -> None:
    """Writes the pictures to `path` in rows, each fitted into a square, titles below them."""
    strip = 26 if titles else 4
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (cell + 6), rows * (cell + strip)), (255, 255, 255))
    brush = ImageDraw.Draw(sheet)
    for i, picture in enumerate(pictures):
        image = Image.fromarray(picture)
        image.thumbnail((cell, cell), Image.Resampling.LANCZOS)
        left, top = (i % columns) * (cell + 6), (i // columns) * (cell + strip)
        sheet.paste(image, (left, top))
        if titles:
            text = titles[i]
            for row in range(2):
                brush.text(
                    (left, top + cell + row * 11), text[row * 34 : row * 34 + 34], fill=(20, 20, 20)
                )
    sheet.save(path)


if __name__ == "__main__":
    import random

    from captions import make_pair
    from scenes import draw

    rng = random.Random(21)
    pairs = [make_pair(rng) for _ in range(48)]
    build = Path(__file__).parent / "build"
    build.mkdir(exist_ok=True)
    save_sheet(
        [draw(p.scene, 192) for p in pairs],
        build / "drawn.png",
        columns=8,
        titles=[p.caption for p in pairs],
    )
