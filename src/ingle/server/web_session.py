"""The browser's session: an API key that was given once, kept in a cookie that no script can read.

The cookie holds the key's text, encrypted with this home's key file. So nothing about sessions is
stored here, they outlive a restart, and revoking the key, its expiry and its limits end or bound them.

See `docs/decisions/0101-a-key-in-a-cookie.md`.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from ingle.errors import StorageError
from ingle.server.asgi import Request
from ingle.storage.secrets import Secrets

__all__ = ["cookie_without_key", "has_cookie", "key_of_cookie", "new_cookie"]

_NAME = "ingle_session"
_AGE_S = 30 * 24 * 3600


def has_cookie(request: Request) -> bool:
    """Whether the request came with a session, valid or not."""
    return bool(_value_of(request))


def key_of_cookie(request: Request, secrets: Secrets) -> str:
    """The key's text that the session holds; empty without one, or if it is not of this home.

    Reads the key file: call it in a thread.
    """
    value = _value_of(request)
    if not value or not secrets.has_key():
        return ""
    try:
        return secrets.decrypt(value)
    except StorageError:  # of another Ingle on this host, or from before the key file was made anew
        return ""


def new_cookie(key: str, secrets: Secrets, *, is_secure: bool) -> str:
    """The `Set-Cookie` that begins a session with this key. Call it in a thread.

    Raises:
        StorageError: the key file cannot be made or used.
    """
    return _cookie(secrets.encrypt(key), _AGE_S, is_secure=is_secure)


def cookie_without_key(*, is_secure: bool) -> str:
    """The `Set-Cookie` that ends a session."""
    return _cookie("", 0, is_secure=is_secure)


def _cookie(value: str, age_s: int, *, is_secure: bool) -> str:
    secure = "; Secure" if is_secure else ""
    return f"{_NAME}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}"


def _value_of(request: Request) -> str:
    try:
        cookies = SimpleCookie(request.header(b"cookie"))
    except CookieError:
        return ""
    return cookies[_NAME].value if _NAME in cookies else ""
