"""`/generated-images/<name>`: pictures that an answer gave by address, for an hour."""

from __future__ import annotations

import asyncio

from ingle.engines.images.handed_out import handed_out, pictures_folder
from ingle.server.asgi import Request
from ingle.server.exchange import Exchange

__all__ = ["ADDRESS", "address_of", "show_picture"]

ADDRESS = "x-ingle-address"
"""The header that tells the image engine where its pictures can be had."""


def address_of(request: Request) -> str:
    """Where this server is for the caller, such as `http://127.0.0.1:4645`; empty if it is unsaid."""
    host = request.header(b"host")
    return f"{request.scope['scheme']}://{host}" if host else ""


async def show_picture(name: str, exchange: Exchange) -> None:
    """Answer with a picture.

    Raises:
        NotFound: there is none of this name, or its hour is over.
    """
    folder = pictures_folder(exchange.runtime.settings.home)
    file, media_type = await asyncio.to_thread(handed_out, folder, name)
    headers = [(b"cache-control", b"private, max-age=3600")]
    await exchange.answer.whole(file, media_type.encode(), 200, headers)
