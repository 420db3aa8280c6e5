"""A request to the web, and what can go wrong with it, told without what may be secret in it."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ingle.errors import (
    IngleError,
    InvalidRequest,
    NotAllowed,
    UpstreamCut,
    UpstreamError,
    UpstreamInvalid,
    UpstreamUnreachable,
)
from ingle.upstream.call import show
from ingle.upstream.explain import printable

__all__ = ["WebRequest", "not_allowed", "said", "translated"]


@dataclass(frozen=True, slots=True)
class WebRequest:
    """What to ask. `headers` and `body` may hold secrets, and stand in no error."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


def not_allowed(request: WebRequest, addresses: list[str]) -> NotAllowed:
    """The error for a host of which these addresses, one at least, may not be called."""
    host = urlsplit(request.url).hostname or addresses[0]
    where = "" if host == addresses[0] else f", where {host} is,"
    return NotAllowed(
        said(
            request,
            f"{addresses[0]}{where} is not a public address, and so was not called",
            f"If apps may call it, add {host} to the setting `http_allow`.",
        )
    )


def translated(request: WebRequest, error: Exception) -> IngleError:
    """The error of ours for one of the HTTP client's."""
    import aiohttp

    url = show(request.url)
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            why = f"no secure connection ({_plain(error)})"
            fix = "For a certificate of your own, name its authority in SSL_CERT_FILE."
            return UpstreamUnreachable(said(request, why, fix), url=url)
        case aiohttp.ClientConnectorDNSError():
            why = f"the host name {urlsplit(request.url).hostname!r} is not known"
            return UpstreamUnreachable(said(request, why, "Check the address."), url=url)
        case aiohttp.ClientOSError() | aiohttp.ServerDisconnectedError():
            why = f"no answer came ({_plain(error)})"
            return UpstreamUnreachable(said(request, why, "Check that the server runs."), url=url)
        case aiohttp.ClientPayloadError():
            why = "the answer broke off before its end"
            return UpstreamCut(said(request, why, "Try again."), url=url)
        case aiohttp.ClientResponseError():
            why = f"what answers there does not speak HTTP ({printable(error.message, 100)})"
            return UpstreamInvalid(said(request, why, "Check the address."), url=url)
        case aiohttp.InvalidURL() | ValueError():
            # Without the client's words, as they may show a header's value.
            return InvalidRequest(
                said(
                    request, "the URL or a header cannot be sent", "Check them for odd characters."
                )
            )
    return UpstreamError(said(request, type(error).__name__, "Try again."), url=url)


def _plain(error: Exception) -> str:
    """The operating system's or OpenSSL's own words."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    if isinstance(cause, ssl.SSLError):  # its number is not one of the operating system's
        text = getattr(cause, "verify_message", None) or cause.reason or str(cause)
    else:
        number = getattr(cause, "errno", None)
        text = os.strerror(number) if number else str(cause)
    return printable(text, 120).lower() or "the server closed the connection"


def said(request: WebRequest, why: str, fix: str) -> str:
    """A message: what was asked, why it failed (no full stop at its end), and what to do."""
    return f"{request.method} {show(request.url)}: {why}. {fix}"
