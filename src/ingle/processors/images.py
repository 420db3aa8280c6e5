"""Images as servers give them, in base64, as a data URI or at an address, as plain base64.

An address is only followed to the server that was called: its answer must not make this machine
ask others, inside its network, nor carry the key to them.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote_to_bytes, urljoin, urlsplit

from ingle.errors import UpstreamInvalid
from ingle.upstream.limits import Limits
from ingle.upstream.target import Target
from ingle.upstream.wire import Image

if TYPE_CHECKING:
    from ingle.upstream.client import Client

__all__ = ["as_base64", "image_kind"]

_MAX_IMAGE_BYTES = 32 * 1024 * 1024
_DEFAULT_PORTS = {"http": 80, "https": 443}


async def as_base64(
    image: Image, *, client: Client, target: Target, url: str, limits: Limits
) -> str:
    """The image as base64, fetched from `target` if need be. `url` is the one that was called.

    Raises:
        UpstreamInvalid: there is none, it is elsewhere, or it is no PNG, JPEG, WebP or GIF.
        UpstreamError: it could not be fetched.
    """
    if image.b64_json:
        text = image.b64_json
        content = _of_data_uri(text, url) if text.startswith("data:") else _decoded(text, url)
    elif image.url and image.url.startswith("data:"):
        content = _of_data_uri(image.url, url)
    elif image.url:
        content = await _fetched(image.url, client, target, url, limits)
    else:
        raise _invalid(url, "an item of its answer has neither `b64_json` nor `url`")
    if image_kind(content) is None:
        raise _invalid(url, f"what it calls an image begins with {content[:16]!r}, as none does")
    return base64.b64encode(content).decode("ascii")


def image_kind(content: bytes) -> str | None:
    """`png`, `jpeg`, `webp` or `gif`, by the first bytes; None if it is none of them."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "webp"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    return None


async def _fetched(address: str, client: Client, target: Target, url: str, limits: Limits) -> bytes:
    try:
        place, called = urlsplit(urljoin(url, address)), urlsplit(url)
        is_same_server = _origin(place) == _origin(called)
    except ValueError:  # such as a port that is no number
        is_same_server = False
    if not is_same_server:
        raise _invalid(
            url,
            f"it answered with an image at {address[:200]!r}, which is not on that server and was "
            "not fetched",
        )
    endpoint = place.path.lstrip("/") + (f"?{place.query}" if place.query else "")
    there = Target(f"{place.scheme}://{place.netloc}", target.api_key, target.name)
    bounded = Limits(idle_s=limits.idle_s, total_s=limits.total_s, body_bytes=_MAX_IMAGE_BYTES)
    return await client.get(there, endpoint, into=bytes, limits=bounded)


def _origin(place: SplitResult) -> tuple[str, str | None, int | None]:
    return place.scheme, place.hostname, place.port or _DEFAULT_PORTS.get(place.scheme)


def _of_data_uri(uri: str, url: str) -> bytes:
    """The content of `data:image/png;base64,…` (RFC 2397)."""
    head, _, text = uri.partition(",")
    if head.endswith(";base64"):
        return _decoded(text, url)
    return unquote_to_bytes(text)


def _decoded(text: str, url: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid(url, f"an image of its answer is no base64 ({error})") from error


def _invalid(url: str, why: str) -> UpstreamInvalid:
    return UpstreamInvalid(
        f"{url} made no image that can be used: {why}. Check that its model makes images, and that "
        "the server gives them as `b64_json`.",
        url=url,
    )
