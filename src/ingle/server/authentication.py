"""Which caller may come in: the key of a request, checked against the stored ones."""

from __future__ import annotations

import asyncio

from ingle.errors import NotAuthenticated
from ingle.server.asgi import Request
from ingle.storage.api_keys import ApiKeys

__all__ = ["check_key"]


async def check_key(request: Request, api_keys: ApiKeys) -> None:
    """Let a request with a valid key in.

    Raises:
        NotAuthenticated: no key came, or one that is not known or was revoked.
        StorageError: the keys could not be read.
    """
    key = _key_of(request)
    if not key:
        raise NotAuthenticated(
            "This Ingle asks for an API key, and none came. Send it as `Authorization: Bearer "
            "ik-…`; `ingle keys create` makes one."
        )
    if api_keys.is_stale:
        await asyncio.to_thread(api_keys.refresh)
    if api_keys.verify(key) is None:
        raise NotAuthenticated(
            "The API key that came is not known here, or was revoked. `ingle keys list` shows "
            "which there are; `ingle keys create` makes one."
        )


def _key_of(request: Request) -> str:
    """The key, however OpenAI's, Azure's and Anthropic's clients send it."""
    scheme, _, key = request.header(b"authorization").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    return request.header(b"x-api-key") or request.header(b"api-key")
