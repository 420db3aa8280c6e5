"""One image in memory, and its way to and from PNG, JPEG and WebP.

Knows nothing about models or HTTP. Pillow is imported only where it works, because the server's
own process may import this module and has no Pillow.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ingle.errors import InvalidRequest, UnsupportedInput

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "MEDIA_TYPES",
    "ImageFormat",
    "Picture",
    "compose",
    "encode",
    "read_mask",
    "read_picture",
]

ImageFormat = Literal["png", "jpeg", "webp"]
MEDIA_TYPES: Mapping[ImageFormat, str] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
}
_LARGEST_INPUT_PIXELS = 40_000_000  # a photo of today's telephones; more is taken for a bomb


@dataclass(frozen=True, slots=True)
class Picture:
    """Rows of RGB pixels from the top left, a byte a channel."""

    width: int
    height: int
    rgb: bytes


def encode(
    picture: Picture, into: ImageFormat, *, about: Mapping[str, object], quality: int = 95
) -> bytes:
    """The picture as a file, with what made it in its metadata.

    PNG carries each entry of `about` as a text chunk of that name, and all of them as JSON under
    `ingle`; JPEG and WebP carry the JSON as their Exif description. `quality` (0 to 100) is for
    JPEG and WebP.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    image = Image.frombytes("RGB", (picture.width, picture.height), picture.rgb)
    file = io.BytesIO()
    if into == "png":
        texts = PngInfo()
        for name, value in about.items():
            texts.add_itxt(name, str(value))
        texts.add_itxt("ingle", json.dumps(about, ensure_ascii=False))
        image.save(file, "PNG", pnginfo=texts, compress_level=6)
        return file.getvalue()
    exif = Image.Exif()
    exif[0x010E] = json.dumps(about)  # ImageDescription, which holds ASCII
    image.save(file, into.upper(), quality=quality, exif=exif.tobytes())
    return file.getvalue()


def read_picture(data: bytes, *, param: str, size: tuple[int, int] | None = None) -> Picture:
    """The image in `data`, in RGB, fitted to `size` (width, height) if that is given.

    Raises:
        InvalidRequest: not an image, cut short, or with too many pixels; `param` names the field.
    """
    return _picture(_open(data, param).convert("RGB"), size)


def read_mask(data: bytes, *, param: str, size: tuple[int, int]) -> Picture | None:
    """Where to draw anew: white there, black where the image stays.

    A mask says so by being transparent there, as in OpenAI's API, or, having no transparency, by
    being white. None if it is an image with no transparent spot in a field that need not be one.

    Raises:
        InvalidRequest: not an image, cut short, or with too many pixels.
    """
    from PIL import ImageOps

    image = _open(data, param)
    if "A" in image.getbands() or "transparency" in image.info:
        alpha = image.convert("RGBA").getchannel("A")
        if alpha.getextrema()[0] == 255:
            return None
        return _picture(ImageOps.invert(alpha).convert("RGB"), size)
    if param != "mask":
        return None
    return _picture(image.convert("L").convert("RGB"), size)


def compose(drawn: Picture, original: Picture, mask: Picture) -> Picture:
    """`drawn` where the mask is white, the untouched `original` where it is black.

    All three have the same size. Models draw the whole picture, and change a little everywhere.
    """
    from PIL import Image

    size = (drawn.width, drawn.height)
    front, back, where = (Image.frombytes("RGB", size, p.rgb) for p in (drawn, original, mask))
    return _picture(Image.composite(front, back, where.convert("L")), None)


def _picture(image: Image.Image, size: tuple[int, int] | None) -> Picture:
    from PIL import Image

    if size is not None and image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    return Picture(image.width, image.height, image.tobytes())


def _open(data: bytes, param: str) -> Image.Image:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP"))
        if image.width * image.height > _LARGEST_INPUT_PIXELS:
            raise InvalidRequest(
                f"The image in {param!r} has {image.width}x{image.height} pixels; at most "
                f"{_LARGEST_INPUT_PIXELS:,} are read. Send a smaller one.",
                param=param,
            )
        image.load()
    except UnidentifiedImageError as error:
        raise UnsupportedInput(
            f"The {len(data):,} bytes in {param!r} are not a PNG, JPEG or WebP image. "
            "Convert the image to one of these.",
            param=param,
        ) from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidRequest(
            f"The image in {param!r} cannot be read: {error}. Send a whole, undamaged file.",
            param=param,
        ) from error
    return ImageOps.exif_transpose(image)
