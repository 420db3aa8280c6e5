"""Pictures in a request: they come with it, and nothing is fetched for a caller.

llama.cpp would fetch an `http://` address itself, from inside this machine's network, for whoever
may ask the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingle.errors import UnsupportedInput

__all__ = ["check_picture", "check_pictures"]

_SHOWN = 80
_LEVELS = 4  # an Anthropic tool's result holds parts, too


def check_pictures(items: object, param: str) -> None:
    """Return if all pictures in messages or items of any API's form are part of the request.

    Raises:
        UnsupportedInput: one is elsewhere.
    """
    for url in _addresses(items, _LEVELS):
        check_picture(url, param)


def check_picture(url: str, param: str) -> None:
    """Return if the address of a picture holds the picture.

    Raises:
        UnsupportedInput: it does not.
    """
    if not url.startswith("data:"):
        raise UnsupportedInput(
            f"The picture {url[:_SHOWN]!r} is not fetched: that would let whoever may ask a model "
            "reach addresses inside this network. Send the picture itself, as "
            "`data:image/png;base64,…`.",
            param=param,
        )


def _addresses(items: object, levels: int) -> Iterator[str]:
    """The addresses of pictures among the parts of a content, and in contents inside them."""
    if not isinstance(items, list) or not levels:
        return
    for item in items:
        if not isinstance(item, dict):
            continue
        yield from _address(item)
        yield from _addresses(item.get("content"), levels - 1)
        yield from _addresses(item.get("output"), levels - 1)


def _address(part: dict[str, Any]) -> Iterator[str]:
    """OpenAI's `image_url`, as text or in an object, or Anthropic's `source` of type `url`."""
    told = part.get("image_url")
    if isinstance(told, dict):
        told = told.get("url")
    source = part.get("source")
    if part.get("type") == "image" and isinstance(source, dict) and source.get("type") == "url":
        told = source.get("url")
    if isinstance(told, str):
        yield told
