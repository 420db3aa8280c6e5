"""Which caller may come in: the key of a request, checked against the stored ones."""

from __future__ import annotations

import asyncio

from ingle.errors import NotAuthenticated
from ingle.server.asgi import Request
from ingle.server.web_session import has_cookie, key_of_cookie
from ingle.storage.api_keys import ApiKey, ApiKeys
from ingle.storage.secrets import Secrets

__all__ = ["key_of"]


async def key_of(
    request: Request, api_keys: ApiKeys, secrets: Secrets, *, is_asked_for: bool
) -> ApiKey | None:
    """The key that a request came with, be it expired. Where none is asked for, it may have none.

    The web page sends its session's cookie instead. Clients of OpenAI's API cannot go without a key, so that where none is asked for any other text
    counts as none.

    Raises:
        NotAuthenticated: one is asked for, and none came, or none that is known and not revoked.
        StorageError: the keys could not be read.
    """
    text = _text_of(request)
    if not text and has_cookie(request):
        text = await asyncio.to_thread(key_of_cookie, request, secrets)
    if text.startswith("ik-") or (text and is_asked_for):
        if api_keys.is_stale:
            await asyncio.to_thread(api_keys.refresh)
        if (key := api_keys.verify(text)) is not None:
            return key
    if not is_asked_for:
        return None
    if not text:
        raise NotAuthenticated(
            "This Ingle asks for an API key, and none came. Send it as `Authorization: Bearer "
            "ik-…`; `ingle keys create` makes one."
        )
    raise NotAuthenticated(
        "The API key that came is not known here, or was revoked. `ingle keys list` shows "
        "which there are; `ingle keys create` makes one."
    )


def _text_of(request: Request) -> str:
    """The key, however OpenAI's, Azure's, Anthropic's and LLMStack's clients send it."""
    scheme, _, key = request.header(b"authorization").partition(" ")
    if scheme.lower() in ("bearer", "token") and key.strip():
        return key.strip()
    return request.header(b"x-api-key") or request.header(b"api-key")
