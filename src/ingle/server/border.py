"""Who may speak to Ingle from where: the Host header, foreign web pages, CORS.

Bound to loopback, Ingle asks for no key, so a web page open in a browser on this machine must not
get at it. Two ways lead there. A page can make its own name point to 127.0.0.1 (DNS rebinding):
the Host header then shows the page's name, and is refused. And a page can send requests across
origins without reading the answer: those say so in `Origin` or `Sec-Fetch-Site`, and are refused
unless they change nothing.

See `docs/decisions/0051-who-may-call.md`. Sources: https://fetch.spec.whatwg.org/#origin-header,
https://w3c.github.io/webappsec-fetch-metadata/
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass

from ingle.errors import NotAllowed
from ingle.server.answer import Answer
from ingle.server.asgi import Headers, Request

__all__ = ["Border", "is_loopback"]

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"", "none", "same-origin"})
_PREFLIGHT_AGE_S = 600


@dataclass(frozen=True, slots=True)
class Border:
    """The checks before anything else of a request is looked at.

    `checks_host` is set where Ingle listens on loopback only. `allowed_hosts` are further names
    without a port, `allowed_origins` web pages such as `http://localhost:3000`; `*` among these
    lets every page in.
    """

    checks_host: bool
    allowed_hosts: Collection[str] = ()
    allowed_origins: Collection[str] = ()

    def check(self, request: Request) -> None:
        """Let the request in.

        Raises:
            NotAllowed: the Host header is a foreign name, or a foreign web page wants a change.
        """
        host = request.header(b"host")
        if self.checks_host:
            self._check_host(host)
        if request.method not in _SAFE_METHODS:
            self._check_origin(request, host)

    async def answer_preflight(self, request: Request, answer: Answer) -> bool:
        """Answer a browser's CORS preflight and say so; add what CORS needs to any other answer."""
        origin = request.header(b"origin")
        if not self._is_listed(origin):
            return False
        answer.add_header(b"access-control-allow-origin", origin.encode("latin-1"))
        answer.add_header(b"vary", b"Origin")
        wanted = request.header(b"access-control-request-method")
        if request.method != "OPTIONS" or not wanted:
            answer.add_header(b"access-control-expose-headers", b"*")
            return False
        headers = request.header(b"access-control-request-headers")
        permitted: Headers = [
            (b"access-control-allow-methods", wanted.encode("latin-1")),
            (b"access-control-allow-headers", headers.encode("latin-1")),
            (b"access-control-max-age", b"%d" % _PREFLIGHT_AGE_S),
        ]
        await answer.whole(b"", b"text/plain", 200, permitted)
        return True

    def _check_host(self, host: str) -> None:
        name = _without_port(host)
        if not (_is_local(name) or name in self.allowed_hosts):
            raise NotAllowed(
                f"The request was sent to the host {host!r}, which is not a name of this machine's "
                "loopback, so a web page may be behind it (DNS rebinding). Use "
                "http://127.0.0.1 or http://localhost, or list the name in INGLE_ALLOWED_HOSTS."
            )

    def _check_origin(self, request: Request, host: str) -> None:
        origin = request.header(b"origin")
        if origin:
            is_own = origin.partition("://")[2].lower() == host.lower()
        else:
            is_own = request.header(b"sec-fetch-site") in _OWN_SITES
        if not is_own and not self._is_listed(origin):
            raise NotAllowed(
                f"The web page {origin or 'that sent this request'} is not one of Ingle's own and "
                "may not use it. If the page is yours, list it in the setting allowed_origins, "
                f"such as INGLE_ALLOWED_ORIGINS={origin or 'http://localhost:3000'}."
            )

    def _is_listed(self, origin: str) -> bool:
        return bool(origin) and (origin in self.allowed_origins or "*" in self.allowed_origins)


def is_loopback(address: str) -> bool:
    """Whether what listens on this address or name can be reached from this machine only."""
    return _is_local(_without_port(address) if not address.count(":") > 1 else address)


def _is_local(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _without_port(host: str) -> str:
    """The name or address of a Host header, in lower case, without port, brackets or last dot."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].removesuffix(".").lower()
