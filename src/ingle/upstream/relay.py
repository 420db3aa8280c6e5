"""An answer passed on as it comes: its status, the headers that concern the caller, its bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable

from ingle.upstream.exchange import Reply

__all__ = ["Relayed", "request_headers"]

# RFC 9110, section 7.6.1: these belong to one connection, not to the message.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# The caller's keys, cookies and whereabouts are meant for Ingle; the rest is set anew.
_OUR_OWN = frozenset(
    {
        "accept-encoding",
        "api-key",
        "authorization",
        "content-length",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "origin",
        "referer",
        "x-api-key",
    }
)
# These speak for the origin that sends them, which for the caller is Ingle.
_THEIR_OWN = frozenset(
    {
        "alt-svc",
        "clear-site-data",
        "content-security-policy",
        "set-cookie",
        "strict-transport-security",
        "www-authenticate",
    }
)

Headers = list[tuple[str, str]]


class Relayed:
    """An answer whose head has come, of any status. Iterate it, once, for its body as it was sent.

    The headers still name the body's length and compression, where the server gave them.
    """

    def __init__(self, reply: Reply) -> None:
        self.status: int = reply.status
        self.headers: Headers = _end_to_end(reply.headers, _is_theirs)
        self._reply = reply
        self._held = b""

    async def hold_first(self) -> None:
        """Wait for the first bytes of the body, which iterating gives again. Raises as that does."""
        self._held = await self._reply.read_as_sent()

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """The bytes of the body, as many at a time as have come.

        Raises:
            UpstreamCut: it broke off.
            UpstreamTimeout: the server fell silent, or the total limit has passed.
        """
        if self._held:
            yield self._held
        while data := await self._reply.read_as_sent():
            yield data


def request_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Those of a caller's headers that a server may see."""
    return _end_to_end(headers, _OUR_OWN.__contains__)


def _is_theirs(name: str) -> bool:
    return name in _THEIR_OWN or name.startswith("access-control-")


def _end_to_end(headers: Iterable[tuple[str, str]], is_dropped: Callable[[str], bool]) -> Headers:
    """The headers that concern both ends, without those that `is_dropped`, by lower-case name."""
    named = [(name.lower(), name, value) for name, value in headers]
    listed = ",".join(value for lower, _, value in named if lower == "connection").lower()
    one_hop = _HOP_BY_HOP | {name.strip() for name in listed.split(",")}
    return [
        (name, value)
        for lower, name, value in named
        if lower not in one_hop and not is_dropped(lower)
    ]
