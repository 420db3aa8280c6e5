"""What a caller asks for, checked: the bodies of OpenAI's image endpoints, and Ingle's extensions.

Extensions, in bodies and forms alike: `seed`, `steps`, `guidance_scale`, `negative_prompt`, and
`strength` where an image is given. `model`, `quality`, `style`, `background`, `moderation` and
`user` are taken and change nothing.

Source: https://platform.openai.com/docs/api-reference/images, of 2025.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal, TypeVar

import msgspec

from ingle.engines.images.picture import ImageFormat, Picture, read_mask, read_picture
from ingle.engines.images.pipeline import Ability, Defaults, Drawing
from ingle.errors import InvalidRequest, UnsupportedInput

__all__ = ["SEEDS", "Order", "edit_order", "generation_order", "variation_order"]

SEEDS = 2**32  # OpenVINO's generator of noise takes 32 bits
_SIDE_UNIT = 8  # pixels a latent in every family of models
_SHORTEST_SIDE = 128
_LONGEST_SIDE = 2048
_MOST_PIXELS = 1536 * 1536
_VARIATION_STRENGTH = 0.6  # the picture stays to be recognised, and is not the same

_T = TypeVar("_T", bound="_Fields")
Prompt = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class _Fields(msgspec.Struct, kw_only=True):
    """What every endpoint takes. A null counts as left out, as with OpenAI."""

    n: Annotated[int, msgspec.Meta(ge=1, le=10)] | None = None
    size: str | None = None
    response_format: Literal["b64_json", "url"] | None = None
    output_format: ImageFormat | None = None
    output_compression: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    stream: bool | None = None
    partial_images: Annotated[int, msgspec.Meta(ge=0, le=3)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, lt=SEEDS)] | None = None
    steps: Annotated[int, msgspec.Meta(ge=1, le=150)] | None = None
    guidance_scale: Annotated[float, msgspec.Meta(ge=0, le=50)] | None = None
    negative_prompt: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class _Generation(_Fields, kw_only=True):
    prompt: Prompt


class _Edit(_Generation, kw_only=True):
    strength: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None


class _Variation(_Fields, kw_only=True):
    prompt: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    strength: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """The pictures to draw, and how to hand them over."""

    drawings: tuple[Drawing, ...]
    as_url: bool
    format: ImageFormat
    compression: int
    is_streamed: bool


def generation_order(body: bytes, defaults: Defaults) -> Order:
    """From the JSON of `/v1/images/generations`.

    Raises:
        InvalidRequest: not JSON, or a field is missing or out of its range; `param` names it.
    """
    try:
        fields = msgspec.json.decode(body, type=_Generation)
    except msgspec.DecodeError as error:
        raise _refused(error) from error
    return _order(fields, fields.prompt, defaults, _size(fields.size, defaults))


def edit_order(
    form: Mapping[str, str],
    files: Mapping[str, bytes],
    defaults: Defaults,
    abilities: frozenset[Ability],
) -> Order:
    """From the form of `/v1/images/edits`: draws anew where the mask, or the image, is transparent.

    With no transparent spot the whole image is drawn over, as far as `strength` lets it.

    Raises:
        InvalidRequest, UnsupportedInput: a field, or an image, is not right; `param` names it.
    """
    fields = _form(form, _Edit)
    source = _source(files, abilities)
    size = _size(fields.size, defaults, like=read_picture(source, param="image"))
    image = read_picture(source, param="image", size=size)
    if "mask" in files:
        mask = read_mask(files["mask"], param="mask", size=size)
    else:
        mask = read_mask(source, param="image", size=size)
    if mask is not None and "mask" not in abilities:
        raise UnsupportedInput(
            "This image model cannot draw within a mask. Leave it out.", param="mask"
        )
    strength = fields.strength or (1.0 if mask else defaults.strength)
    order = _order(fields, fields.prompt, defaults, size)
    return _starting_from(order, image, mask, strength)


def variation_order(
    form: Mapping[str, str],
    files: Mapping[str, bytes],
    defaults: Defaults,
    abilities: frozenset[Ability],
) -> Order:
    """From the form of `/v1/images/variations`: pictures like the one given.

    Raises:
        InvalidRequest, UnsupportedInput: a field, or the image, is not right; `param` names it.
    """
    fields = _form(form, _Variation)
    source = _source(files, abilities)
    size = _size(fields.size, defaults, like=read_picture(source, param="image"))
    image = read_picture(source, param="image", size=size)
    order = _order(fields, fields.prompt, defaults, size)
    return _starting_from(order, image, None, fields.strength or _VARIATION_STRENGTH)


def _order(fields: _Fields, prompt: str, defaults: Defaults, size: tuple[int, int]) -> Order:
    seed = secrets.randbelow(SEEDS) if fields.seed is None else fields.seed
    guidance = defaults.guidance_scale if fields.guidance_scale is None else fields.guidance_scale
    first = Drawing(
        prompt=prompt,
        negative_prompt=fields.negative_prompt or "",
        width=size[0],
        height=size[1],
        seed=seed,
        steps=fields.steps or defaults.steps,
        guidance_scale=guidance,
        previews=(fields.partial_images or 0) if fields.stream else 0,
    )
    return Order(
        drawings=tuple(replace(first, seed=(seed + i) % SEEDS) for i in range(fields.n or 1)),
        as_url=fields.response_format == "url",
        format=fields.output_format or "png",
        compression=95 if fields.output_compression is None else fields.output_compression,
        is_streamed=bool(fields.stream),
    )


def _starting_from(order: Order, image: Picture, mask: Picture | None, strength: float) -> Order:
    # A way of less than one step is none, and libraries refuse it.
    strength = min(1.0, max(strength, 1.01 / order.drawings[0].steps))
    drawings = (replace(d, image=image, mask=mask, strength=strength) for d in order.drawings)
    return replace(order, drawings=tuple(drawings))


def _size(said: str | None, defaults: Defaults, like: Picture | None = None) -> tuple[int, int]:
    """Width and height: as said, else like the image given, else what the model draws best."""
    if said is None or said == "auto":
        if like is None:
            return defaults.width, defaults.height
        return _nearest_size(like.width, like.height)
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", said)
    if match is None:
        raise InvalidRequest(
            f"The size {said!r} is not understood. Give width and height, such as '512x512', "
            "or 'auto'.",
            param="size",
        )
    width, height = int(match[1]), int(match[2])
    if width % _SIDE_UNIT or height % _SIDE_UNIT:
        nearest = "x".join(map(str, _nearest_size(width, height)))
        raise InvalidRequest(
            f"The size {said!r} is not possible: width and height must be multiples of "
            f"{_SIDE_UNIT}. The nearest is {nearest!r}.",
            param="size",
        )
    if min(width, height) < _SHORTEST_SIDE or max(width, height) > _LONGEST_SIDE:
        raise InvalidRequest(
            f"The size {said!r} is not possible: each side has {_SHORTEST_SIDE} to "
            f"{_LONGEST_SIDE} pixels.",
            param="size",
        )
    if width * height > _MOST_PIXELS:
        raise InvalidRequest(
            f"The size {said!r} is too large: {width * height:,} pixels, and at most "
            f"{_MOST_PIXELS:,} are drawn. Ask for less, such as '1024x1024'.",
            param="size",
        )
    return width, height


def _nearest_size(width: int, height: int) -> tuple[int, int]:
    """The possible size that is most like this one, its shape kept as far as the bounds allow."""
    scale = min(1.0, _LONGEST_SIDE / max(width, height), (_MOST_PIXELS / (width * height)) ** 0.5)
    sides = (int(side * scale / _SIDE_UNIT) * _SIDE_UNIT for side in (width, height))
    fitted = [min(max(side, _SHORTEST_SIDE), _LONGEST_SIDE) for side in sides]
    return fitted[0], fitted[1]


def _source(files: Mapping[str, bytes], abilities: frozenset[Ability]) -> bytes:
    if "image" not in abilities:
        raise UnsupportedInput(
            "This image model draws from a prompt only; its files hold no image encoder.",
            param="image",
        )
    if "image" not in files:
        raise InvalidRequest("The form has no file in its field 'image'. Send one.", param="image")
    return files["image"]


def _form(form: Mapping[str, str], into: type[_T]) -> _T:
    try:
        return msgspec.convert(dict(form), into, strict=False)
    except msgspec.ValidationError as error:
        raise _refused(error) from error


def _refused(error: msgspec.DecodeError | msgspec.ValidationError) -> InvalidRequest:
    told = str(error)
    missing = re.search(r"missing required field `(\w+)`", told)
    field = missing or re.search(r"`\$\.(\w+)", told)
    param = field[1] if field else None
    return InvalidRequest(f"The request is not right: {told}. Correct it.", param=param)
