"""A request's body, read within bounds of size and time."""

from __future__ import annotations

import asyncio

from ingle.errors import RequestTooLarge, RequestTooSlow
from ingle.server.asgi import Receive, Request
from ingle.server.calls import CallerLeft

__all__ = ["read_body"]


async def read_body(request: Request, max_bytes: int, within_s: float) -> bytes:
    """The whole body.

    Raises:
        RequestTooLarge: it is, or says that it will be, larger than `max_bytes`.
        RequestTooSlow: it did not come within `within_s` seconds.
        CallerLeft: the caller went away before its end.
    """
    announced = request.header(b"content-length")
    if announced.isdigit() and int(announced) > max_bytes:
        raise _too_large(int(announced), max_bytes)
    try:
        async with asyncio.timeout(within_s):
            return await _receive_all(request.receive, max_bytes)
    except TimeoutError as error:
        raise RequestTooSlow(
            f"The request's body did not come whole within {within_s:g} s. Send it faster or in "
            "smaller requests; INGLE_BODY_S sets the limit."
        ) from error


async def _receive_all(receive: Receive, max_bytes: int) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message["body"]  # the usual case: all of it in one piece, not copied
        if len(body) > max_bytes:
            raise _too_large(len(body), max_bytes)
        return body
    parts = bytearray()
    while message["type"] == "http.request":
        parts += message["body"]
        if len(parts) > max_bytes:
            raise _too_large(len(parts), max_bytes)
        if not message.get("more_body"):
            return bytes(parts)
        message = await receive()
    raise CallerLeft


def _too_large(size: int, max_bytes: int) -> RequestTooLarge:
    return RequestTooLarge(
        f"The request has {size:,} bytes or more, and at most {max_bytes:,} are taken. Send less; "
        "INGLE_MAX_BODY_BYTES sets the limit."
    )
