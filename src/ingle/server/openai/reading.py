"""What several of these endpoints read alike: where a page begins, metadata, when files expire."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from ingle.errors import InvalidRequest
from ingle.server.asgi import Request
from ingle.server.body import read_body
from ingle.server.exchange import Exchange
from ingle.storage.pages import Order, Page, Paging

__all__ = [
    "ExpiresAfter",
    "check_metadata",
    "expires_in_s",
    "list_of",
    "part_of",
    "receive",
    "told_metadata",
    "told_paging",
]

Json = dict[str, Any]  # Any: a JSON value has no narrower type
T = TypeVar("T")

_METADATA = re.compile(r"metadata\[(.+)\]")
_MAX_PAIRS, _MAX_NAME, _MAX_VALUE = 16, 64, 512  # OpenAI's bounds
_MIN_EXPIRY_S, _MAX_EXPIRY_S = 3600, 2_592_000


class ExpiresAfter(msgspec.Struct, kw_only=True):
    """`expires_after` and `output_expires_after`."""

    anchor: str
    seconds: int


async def receive(exchange: Exchange) -> bytes:
    """The whole body of a request that was let in. Raises what `relay` does of a body."""
    settings = exchange.runtime.settings
    return await read_body(exchange.request, settings.max_body_bytes, settings.body_s)


def told_paging(
    request: Request, *, default: int, most: int, default_order: Order = "desc"
) -> Paging:
    """Which page the query asks for.

    Raises:
        InvalidRequest: `limit` or `order` is not what it may be.
    """
    limit, order = request.query("limit"), request.query("order")
    if limit is not None and not (limit.isdigit() and 1 <= int(limit) <= most):
        raise InvalidRequest(
            f"`limit` is {limit[:20]!r}, but must be a whole number from 1 to {most:,}.",
            param="limit",
        )
    if order not in (None, "asc", "desc"):
        raise InvalidRequest(f"`order` is {order!r}, but must be asc or desc.", param="order")
    chosen: Order = default_order if order is None else "asc" if order == "asc" else "desc"
    return Paging(default if limit is None else int(limit), chosen, request.query("after"))


def told_metadata(request: Request) -> dict[str, str]:
    """The pairs of the query's `metadata[name]=value`."""
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"))
    return {match[1]: value for name, value in pairs if (match := _METADATA.fullmatch(name))}


def check_metadata(metadata: dict[str, str] | None) -> dict[str, str] | None:
    """The same metadata.

    Raises:
        InvalidRequest: there is more of it, or longer, than may be.
    """
    pairs = (metadata or {}).items()
    if len(pairs) > _MAX_PAIRS:
        raise InvalidRequest(
            f"`metadata` has {len(pairs)} pairs, and at most {_MAX_PAIRS} are kept.",
            param="metadata",
        )
    for name, value in pairs:
        if len(name) > _MAX_NAME or len(value) > _MAX_VALUE:
            raise InvalidRequest(
                f"`metadata` has the pair {name[:_MAX_NAME]!r}: {value[:40]!r}. A name may have "
                f"{_MAX_NAME} characters and a value {_MAX_VALUE}.",
                param="metadata",
            )
    return metadata


def expires_in_s(asked: ExpiresAfter | None, param: str = "expires_after") -> int | None:
    """For how many seconds a file is kept; None for as long as nobody deletes it.

    Raises:
        InvalidRequest: it is not within OpenAI's bounds.
    """
    if asked is None:
        return None
    if asked.anchor != "created_at":
        raise InvalidRequest(
            f"`{param}.anchor` is {asked.anchor!r}, but must be 'created_at'.",
            param=f"{param}.anchor",
        )
    if not _MIN_EXPIRY_S <= asked.seconds <= _MAX_EXPIRY_S:
        raise InvalidRequest(
            f"`{param}.seconds` is {asked.seconds}, but must be from {_MIN_EXPIRY_S} (an hour) to "
            f"{_MAX_EXPIRY_S} (30 days).",
            param=f"{param}.seconds",
        )
    return asked.seconds


def list_of(page: Page[T], told: Callable[[T], Json]) -> Json:
    """A page as OpenAI's API tells it."""
    data = [told(item) for item in page.items]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": page.has_more,
    }


def part_of(items: Sequence[Json], paging: Paging) -> Page[Json]:
    """A page of a list that is all there, its first item the oldest; items have an `id`.

    Raises:
        InvalidRequest: what it is to begin after is not in the list.
    """
    ordered = list(items) if paging.order == "asc" else list(reversed(items))
    start = 0
    if paging.after is not None:
        ids = [item["id"] for item in ordered]
        if paging.after not in ids:
            raise InvalidRequest(
                f"`after` is {paging.after!r}, which is not in this list. Take the `last_id` of "
                "the page before.",
                param="after",
            )
        start = ids.index(paging.after) + 1
    rest = ordered[start:]
    return Page(rest[: paging.limit], len(rest) > paging.limit)
