"""A server's answer, passed on to the caller as it comes: whole, as a stream, or as an error."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ingle.errors import UpstreamCut, UpstreamInvalid, UpstreamRefused
from ingle.routing import CALLERS_FAULT, Route
from ingle.server.answer import JSON, Answer
from ingle.server.asgi import Headers
from ingle.server.endpoints import Endpoint
from ingle.server.stream_ends import StreamEnd
from ingle.server.stream_repairs import Repair
from ingle.upstream.relay import Relayed
from ingle.upstream.target import Target

__all__ = ["pass_error", "pass_stream", "pass_whole"]

_NOT_PASSED_ON = frozenset({"date", "server", "x-request-id"})
_MAX_ERROR_BYTES = 64 * 1024
_SHOWN_BYTES = 300


async def pass_whole(relayed: Relayed, answer: Answer, repair: Repair | None = None) -> bytes:
    """Pass a body on. Returns its first and last bytes."""
    end = StreamEnd()
    headers = _headers(relayed)
    if repair:  # it may change the length
        headers = [header for header in headers if header[0] != b"content-length"]
    await answer.start(relayed.status, headers)
    async for data in relayed:
        end.feed(data)
        await answer.write(repair.feed(data) if repair else data)
    if repair:
        await answer.write(repair.end())
    await answer.finish()
    return end.both


async def pass_stream(
    relayed: Relayed,
    target: Target,
    endpoint: Endpoint,
    answer: Answer,
    repairs: Sequence[Repair] = (),
) -> bytes:
    """Pass a stream of events on, each read at once. Returns its first and last bytes.

    Raises:
        UpstreamInvalid: it is no stream of events.
        UpstreamCut: it ended without saying that it is whole.
    """
    url = target.url(endpoint.path)
    named = (value for name, value in relayed.headers if name.lower() == "content-type")
    kind = next(named, "")
    if not kind.startswith("text/event-stream"):
        raise UpstreamInvalid(
            f"{target.name} was asked at {url} for a stream of events and answered with the "
            f"content type {kind!r}. Check that its base URL leads to an API like OpenAI's.",
            url=url,
            status=relayed.status,
        )
    end = StreamEnd()
    await answer.start_stream()
    async for data in relayed:
        end.feed(data)
        for repair in repairs:
            data = repair.feed(data)
        if data:
            await answer.write(data)
    rest = b""
    for repair in repairs:
        rest = repair.feed(rest) + repair.end()
    if rest:
        await answer.write(rest)
    if not end.is_whole(endpoint.stream_ends):
        raise UpstreamCut(
            f"The stream of {target.name} at {url} ended before the answer was whole. Try again.",
            url=url,
            status=relayed.status,
        )
    await answer.finish()
    return end.both


async def pass_error(relayed: Relayed, route: Route, endpoint: Endpoint, answer: Answer) -> bytes:
    """Pass on what a server refuses, if it does so in JSON, as OpenAI's API would.

    Raises:
        UpstreamRefused: it refused the connection's key, which is no fault of the caller's;
            answered with something else; or is one of several and another may answer better.
    """
    told = await _beginning(relayed)
    target, status = route.target, relayed.status
    is_key_refused = status in (401, 403)
    is_tried_elsewhere = route.is_one_of_several and status not in CALLERS_FAULT
    if _is_error(told) and not is_key_refused and not is_tried_elsewhere:
        route.answered(status)
        headers = [header for header in _headers(relayed) if header[0] == b"retry-after"]
        await answer.whole(told, JSON, status, headers)
        return b""
    url = target.url(endpoint.path)
    words = told[:_SHOWN_BYTES].decode("utf-8", "replace") or "nothing"
    if is_key_refused:
        advice = f" Check the key of the connection (`ingle connections test {target.name}`)."
    else:
        advice = (
            "" if _is_error(told) else " Check that its base URL leads to an API like OpenAI's."
        )
    raise UpstreamRefused(
        f"{target.name} answered {url} with status {status}: {words}.{advice}",
        url=url,
        status=status,
        server_message=words,
    )


def _is_error(told: bytes) -> bool:
    try:
        return "error" in msgspec.json.decode(told, type=dict)
    except msgspec.DecodeError:
        return False


async def _beginning(relayed: Relayed) -> bytes:
    """The body of an error; what is absurdly long of it is left out."""
    told = b""
    async for data in relayed:
        told += data
        if len(told) > _MAX_ERROR_BYTES:
            break
    return told[:_MAX_ERROR_BYTES]


def _headers(relayed: Relayed) -> Headers:
    """The headers that are passed on, as ASGI has them."""
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in relayed.headers
        if name.lower() not in _NOT_PASSED_ON
    ]
