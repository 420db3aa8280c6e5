"""One call to a server as its errors name it: the exact URL, who answers there, and no secret."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from ingle.errors import (
    ConfigurationError,
    UpstreamCut,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from ingle.upstream.explain import Complaint, printable
from ingle.upstream.limits import Limits
from ingle.upstream.target import Target

__all__ = ["Call", "show"]

_MESSAGE_LENGTH = 400
_ADVICE = {
    401: "Check the API key of {name}.",
    403: "Check what the API key of {name} is allowed to do.",
    404: "Check the model's name and the base URL of {name}.",
    405: "Check the base URL of {name}.",
}


@dataclass(frozen=True, slots=True)
class Call:
    """What is called, and within which limits; makes the errors of this call.

    A message reads: what was called, why it failed, and what to do. `why` is a clause without a
    full stop at its end, `fix` a whole sentence.
    """

    method: str
    url: str
    target: Target
    limits: Limits

    @property
    def shown_url(self) -> str:
        """The URL without what may be secret in it: user information and a query's values."""
        return self.clean(show(self.url))

    def headers(self) -> dict[str, str]:
        """The header that carries the key, if there is one.

        Raises:
            ConfigurationError: the key cannot stand in a header.
        """
        key = self.target.api_key
        if not key:
            return {}
        if not (key.isascii() and key.isprintable()):
            raise ConfigurationError(
                f"The API key of {self.target.name} holds a line break or another character that "
                "no HTTP header can carry. Copy the key again, without what surrounds it."
            )
        return {"Authorization": f"Bearer {key}"}

    def clean(self, text: str, length: int = _MESSAGE_LENGTH) -> str:
        """Another's text fit for a message: short, on one line, and without the key."""
        key = self.target.api_key
        return printable(text.replace(key, "[API key]") if key else text, length)

    def unreachable(self, why: str, fix: str) -> UpstreamUnreachable:
        """No connection came about, or it broke before an answer began."""
        return UpstreamUnreachable(self._message(why, fix), url=self.shown_url)

    def timeout(self, why: str, fix: str) -> UpstreamTimeout:
        """A limit of time passed."""
        return UpstreamTimeout(self._message(why, fix), url=self.shown_url)

    def invalid(
        self, why: str, *, status: int | None = None, partial: object = None
    ) -> UpstreamInvalid:
        """What came is not what the protocol says."""
        fix = f"Check that the base URL of {self.target.name} is that of an OpenAI-compatible API."
        return UpstreamInvalid(
            self._message(why, fix), url=self.shown_url, status=status, partial=partial
        )

    def cut(self, why: str, *, status: int | None = None, partial: object = None) -> UpstreamCut:
        """The answer ended before it was whole."""
        fix = "What had arrived is not the whole answer; try again."
        return UpstreamCut(
            self._message(why, fix), url=self.shown_url, status=status, partial=partial
        )

    def refused(
        self,
        status: int,
        complaint: Complaint | None,
        *,
        fix: str = "",
        partial: object = None,
        retry_after_s: float | None = None,
    ) -> UpstreamRefused:
        """The server answered with an error: as its status, or in its words with status 200."""
        said = self.clean(complaint.message) if complaint else None
        own_status = (complaint and complaint.status) or status
        how = f"status {own_status}" if own_status >= 400 else "though with status 200"
        why = f"the server answered with an error ({how})" + (
            f": {said.rstrip('.')}" if said else " and no message"
        )
        return UpstreamRefused(
            self._message(why, fix or _ADVICE.get(own_status, "").format(name=self.target.name)),
            url=self.shown_url,
            status=own_status,
            server_message=said,
            param=self.clean(complaint.param, 100) if complaint and complaint.param else None,
            partial=partial,
            retry_after_s=retry_after_s,
        )

    def redirected(self, status: int, location: str, *, is_elsewhere: bool) -> UpstreamRefused:
        """The server sends us on to an address that we do not follow."""
        shown = self.clean(show(location))
        reason = (
            "another server, so neither the request nor the key was sent there"
            if is_elsewhere
            else "an address that a request like this cannot be sent on to"
        )
        return UpstreamRefused(
            self._message(
                f"the server redirects (status {status}) to {shown}, {reason}",
                f"If that is the right place, make it the base URL of {self.target.name}.",
            ),
            url=self.shown_url,
            status=status,
            server_message=f"redirect to {shown}",
        )

    def _message(self, why: str, fix: str) -> str:
        return f"{self.method} {self.shown_url} ({self.target.name}): {why}. {fix}".rstrip()


def show(url: str) -> str:
    """A URL without user information, fragment and the values of its query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is none"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "…" if parts.query else "", ""))
