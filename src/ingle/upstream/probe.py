"""Which of the base URLs that a person may mean is right: the server itself is asked.

Each candidate's `models` is asked for, in order, until one answers with a list of models.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from ingle.errors import (
    UpstreamError,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from ingle.upstream.base_url import candidates, names_the_api
from ingle.upstream.client import Client
from ingle.upstream.limits import Limits
from ingle.upstream.target import Target
from ingle.upstream.wire import ModelList

__all__ = ["BaseUrls", "Probe", "Tried", "probe"]

# Listing models takes milliseconds; nobody should wait long to hear that an address is wrong.
_LIMITS = Limits(connect_s=5, idle_s=10, total_s=20, tries=1, body_bytes=8 * 1024 * 1024)
_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Tried:
    """One URL that was called, and in words what came of it."""

    url: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found out about an address.

    `base_url` is what to call, or the likeliest candidate where `error` says why none can be;
    `models` the names of what is there; `note` what the choice rests on, where that is not a list
    of models.
    """

    base_url: str
    models: tuple[str, ...]
    tried: tuple[Tried, ...]
    note: str = ""
    error: UpstreamError | None = None


async def probe(
    client: Client, text: str, api_key: str | None = None, *, name: str = "server"
) -> Probe:
    """What is to be called for an address as a person wrote it, found out by calling it.

    An answer that the key is refused shows that the API is there too. A server that answers but
    has no `models` is taken at the person's word, if that named the API (`/v1`, an endpoint).

    Raises:
        ConfigurationError: the text is no address.
    """
    urls = candidates(text)
    tried: list[Tried] = []
    failures: dict[str, UpstreamError] = {}
    for base_url in urls:
        target = Target(base_url, api_key, name)
        try:
            answer = await client.get(target, "models", into=ModelList, limits=_LIMITS)
        except UpstreamError as error:
            failures[base_url] = error
            tried.append(Tried(target.url("models"), _outcome(error, name)))
            if isinstance(error, UpstreamUnreachable | UpstreamTimeout):
                break  # the other candidates are on the same server
            continue
        models = tuple(model.id for model in answer.data)
        count = f"{len(models)} model{'' if len(models) == 1 else 's'}"
        tried.append(Tried(target.url("models"), f"a list of {count}"))
        return Probe(base_url, models, tuple(tried))
    return _unlisted(text, urls, tuple(tried), failures)


def _unlisted(
    text: str, urls: list[str], tried: tuple[Tried, ...], failures: dict[str, UpstreamError]
) -> Probe:
    """What to call where no candidate gave a list of models."""
    for base_url, error in failures.items():
        if isinstance(error, UpstreamRefused) and error.status in (401, 403):
            note = "The API is there, but it refuses the key. Check the API key."
            return Probe(base_url, (), tried, note)
    first = failures[urls[0]]
    is_unlisted = isinstance(first, UpstreamRefused) and first.status in (404, 405, 501)
    if is_unlisted and names_the_api(text):
        note = "The server has no list of models, so the address is taken as it was written."
        return Probe(urls[0], (), tried, note)
    last = failures[max(failures, key=urls.index)]
    if not isinstance(last, UpstreamUnreachable | UpstreamTimeout):
        outcomes = "; ".join(f"{one.url}: {one.outcome}" for one in tried)
        last = UpstreamInvalid(
            f"No OpenAI-compatible API was found at {urls[-1]}. Tried {outcomes}. "
            "Write the address as the server's documentation gives it, up to and with /v1.",
            url=tried[0].url,
            status=first.status,
        )
    return Probe(urls[0], (), tried, error=last)


def _outcome(error: UpstreamError, name: str) -> str:
    match error:
        case UpstreamRefused(status=401 | 403):
            return f"the key is refused (status {error.status})"
        case UpstreamRefused():
            return f"status {error.status}" + (
                f": {error.server_message}" if error.server_message else ""
            )
        case UpstreamTimeout():
            return f"silent for {_LIMITS.idle_s:g} s"
        case UpstreamUnreachable():
            return error.message.removeprefix(f"GET {error.url} ({name}): ")
        case _:
            return "an answer that is not a list of models"


class BaseUrls:
    """What to call for addresses that were probed once, for the life of this object.

    Only what was found is remembered, for the 256 addresses last used; a server that was down is
    asked again. Who asks for the same address at once shares one probe.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def resolve(self, text: str, api_key: str | None = None, *, name: str = "server") -> str:
        """The base URL to call for an address as a person wrote it.

        Raises:
            ConfigurationError: the text is no address.
            UpstreamError: there is no such API at any of the URLs that it may mean.
        """
        known = self._known.setdefault(text, _Known())
        self._known.move_to_end(text)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        async with known.probing:
            if known.base_url is None:
                found = await probe(self._client, text, api_key, name=name)
                if found.error:
                    raise found.error
                known.base_url = found.base_url
        return known.base_url

    def forget(self, text: str) -> None:
        """Ask the server again when this address comes up next."""
        self._known.pop(text, None)


class _Known:
    """What is known about one address; `probing` is held by the one who asks the server."""

    __slots__ = ("base_url", "probing")

    def __init__(self) -> None:
        self.base_url: str | None = None
        self.probing = asyncio.Lock()
