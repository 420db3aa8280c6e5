"""The short way of `/v1`: a request to the model's server, its bytes back to who asked.

Of a request only the model is read to find the server. Another server's answer passes as it is. An
engine of this machine is llama.cpp, and what that gets wrong against OpenAI's API is put right:
requests that cannot be right are refused, some are changed, and of its answers the errors, the
model's name and, rarely, more (`corrections`).

When the caller leaves, the call to the server is closed, which stops the work there.
"""

from __future__ import annotations

import msgspec

from ingle.errors import (
    EngineMissing,
    UpstreamCut,
    UpstreamInvalid,
    UpstreamRefused,
)
from ingle.routing import Route
from ingle.runtime import Runtime
from ingle.server import corrections
from ingle.server.answer import JSON, Answer
from ingle.server.asgi import Headers, Request
from ingle.server.assembly import answer_assembled
from ingle.server.body import read_body
from ingle.server.calls import watched
from ingle.server.corrections import Assembled
from ingle.server.decoding import Fields, decode, fields_of, model_of, with_fields
from ingle.server.endpoints import Endpoint
from ingle.server.engine_calls import EngineCalls
from ingle.server.exchange import Exchange
from ingle.server.multipart import multipart_field, with_multipart_field
from ingle.server.requests import (
    ChatRequest,
    CompletionRequest,
    EngineRequest,
    ResponsesRequest,
)
from ingle.server.stream_ends import StreamEnd
from ingle.server.stream_repairs import MessageOpening, Opening, RenamedModel, Repair
from ingle.upstream.limits import Limits
from ingle.upstream.relay import Relayed

__all__ = ["relay"]

_CONNECTION_LIMITS = Limits(idle_s=600)
"""A server elsewhere that answers in one piece may work silently for long; OpenAI's client waits
as long."""

_MAX_ERROR_BYTES = 64 * 1024
_SHOWN_BYTES = 300
_NOT_PASSED_ON = frozenset({"date", "server"})


async def relay(endpoint: Endpoint, exchange: Exchange) -> None:
    """Answer a request to one of the endpoints that a model answers.

    Raises:
        IngleError: what went wrong; the answer may have begun.
        CallerLeft: nobody is there any more.
    """
    request, answer, runtime = exchange.request, exchange.answer, exchange.runtime
    settings = runtime.settings
    body = await read_body(request, settings.max_body_bytes, settings.body_s)
    sent = _Sent(endpoint, request, body)
    provider = "localai" if endpoint.request is None else None
    async with (
        watched(exchange.call, request.receive, answer),
        runtime.router.route(model=sent.model, provider=provider) as route,
    ):
        if route.is_local:
            tail = await _from_engine(sent, route, runtime, answer)
        else:
            tail = await _from_connection(sent, route, runtime, answer)
    exchange.metrics.count_tokens(tail)


class _Sent:
    """What the caller sent."""

    def __init__(self, endpoint: Endpoint, request: Request, body: bytes) -> None:
        self.endpoint = endpoint
        self.request = request
        self.body = body
        self.content_type = request.header(b"content-type")
        self.is_form = self.content_type.startswith("multipart/form-data")
        self.fields: Fields = {} if self.is_form else fields_of(body)
        if self.is_form:
            self.model = multipart_field(body, self.content_type, "model")
        else:
            self.model = model_of(self.fields)

    def with_model(self, name: str) -> bytes:
        """The body with this name of a model, byte for byte the same where it has it already."""
        if name == self.model:
            return self.body
        if self.is_form:
            return with_multipart_field(self.body, self.content_type, "model", name)
        return with_fields(self.fields, model=name)

    @property
    def asks_for_stream(self) -> bool:
        """Whether the answer is to be a stream of events."""
        return bytes(self.fields.get("stream", b"")) == b"true" and bool(self.endpoint.stream_ends)


async def _from_engine(sent: _Sent, route: Route, runtime: Runtime, answer: Answer) -> bytes:
    """Answer from an engine of this machine. Returns the last bytes of the answer."""
    endpoint, model = sent.endpoint, sent.model or route.model
    if endpoint.request is None:
        raise EngineMissing(
            f"No engine of this machine answers /v1/{endpoint.path}; {route.model!r} writes text. "
            "Connect a server that does, such as LocalAI (`ingle connections add`), and name its "
            "model as CONNECTION/MODEL."
        )
    request = decode(sent.body, endpoint.request)
    request.check()
    calls = EngineCalls(runtime.client, route)
    prepared = await _prepared(request, sent, calls)
    if isinstance(prepared, Assembled):
        await answer_assembled(prepared, model, calls, runtime.settings.slots, answer)
        return b""
    async with calls.open(endpoint.path, prepared) as relayed:
        renamed = RenamedModel(route.model, model) if model != route.model else None
        if not sent.asks_for_stream:
            return await _pass_whole(relayed, _headers(relayed), renamed, answer)
        repairs: list[Repair] = []
        if endpoint.path == "chat/completions":
            repairs.append(Opening())
        elif endpoint.path == "messages":
            repairs.append(MessageOpening(route.model))
        if renamed:
            repairs.append(renamed)
        return await _pass_stream(relayed, sent, route, answer, repairs)


async def _prepared(request: EngineRequest, sent: _Sent, calls: EngineCalls) -> bytes | Assembled:
    """What to send to the engine."""
    if sent.endpoint.path == "apply-template":
        return sent.body
    match request:
        case ChatRequest():
            return corrections.chat(request, sent.body, sent.fields)
        case CompletionRequest():
            return await corrections.completion(request, sent.body, sent.fields, calls)
        case ResponsesRequest():
            return corrections.responses(request, sent.body, sent.fields)
        case _:
            return sent.body


async def _from_connection(sent: _Sent, route: Route, runtime: Runtime, answer: Answer) -> bytes:
    """Answer from another server, as it answers. Returns the last bytes of the answer."""
    headers = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in sent.request.scope["headers"]
    ]
    body = sent.with_model(route.model)
    async with runtime.client.relay(
        "POST", route.target, sent.endpoint.path, body, headers, _CONNECTION_LIMITS
    ) as relayed:
        if relayed.status >= 400:
            return await _pass_error(relayed, sent, route, answer)
        if not sent.asks_for_stream:
            return await _pass_whole(relayed, _headers(relayed), None, answer)
        kind = _content_type(relayed)
        if not kind.startswith("text/event-stream"):
            url = route.target.url(sent.endpoint.path)
            raise UpstreamInvalid(
                f"{route.target.name} was asked at {url} for a stream of events and answered with "
                f"the content type {kind!r}. Check that its base URL leads to an API like OpenAI's.",
                url=url,
                status=relayed.status,
            )
        return await _pass_stream(relayed, sent, route, answer, [])


async def _pass_whole(
    relayed: Relayed, headers: Headers, renamed: RenamedModel | None, answer: Answer
) -> bytes:
    """Pass an answer's body on as it comes. Returns its last bytes."""
    end = StreamEnd(())
    if renamed:
        headers = [header for header in headers if header[0] != b"content-length"]
    await answer.start(relayed.status, headers)
    async for data in relayed:
        end.feed(data)
        if renamed:
            data = renamed.feed(data)
        await answer.write(data)
    if renamed:
        await answer.write(renamed.end())
    await answer.finish()
    return end.tail


async def _pass_stream(
    relayed: Relayed,
    sent: _Sent,
    route: Route,
    answer: Answer,
    repairs: list[Repair],
) -> bytes:
    """Pass a stream of events on, each read at once. Returns its last bytes.

    Raises:
        UpstreamCut: it ended without saying that it is whole.
    """
    end = StreamEnd(sent.endpoint.stream_ends)
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
    if not end.is_whole:
        url = route.target.url(sent.endpoint.path)
        raise UpstreamCut(
            f"The stream of {route.target.name} at {url} ended before the answer was whole. "
            "Try again.",
            url=url,
            status=relayed.status,
        )
    await answer.finish()
    return end.tail


async def _pass_error(relayed: Relayed, sent: _Sent, route: Route, answer: Answer) -> bytes:
    """Pass on what another server refuses, if it does so as OpenAI's API would.

    Raises:
        UpstreamRefused: it refused the connection's key, which is no fault of the caller's, or
            answered with something else than JSON.
    """
    told = await _beginning(relayed)
    is_key_refused = relayed.status in (401, 403)
    try:
        is_error = "error" in msgspec.json.decode(told, type=dict)
    except msgspec.DecodeError:
        is_error = False
    if is_error and not is_key_refused:
        headers = [header for header in _headers(relayed) if header[0] == b"retry-after"]
        await answer.whole(told, JSON, relayed.status, headers)
        return b""
    url = route.target.url(sent.endpoint.path)
    words = told[:_SHOWN_BYTES].decode("utf-8", "replace") or "nothing"
    advice = (
        f"Check the key of the connection (`ingle connections test {route.target.name}`)."
        if is_key_refused
        else "Check that its base URL leads to an API like OpenAI's."
    )
    raise UpstreamRefused(
        f"{route.target.name} answered {url} with status {relayed.status}: {words}. {advice}",
        url=url,
        status=relayed.status,
        server_message=words,
    )


async def _beginning(relayed: Relayed) -> bytes:
    """The body of an error; what is absurdly long of it is left out."""
    told = b""
    async for data in relayed:
        told += data
        if len(told) > _MAX_ERROR_BYTES:
            break
    return told[:_MAX_ERROR_BYTES]


def _headers(relayed: Relayed) -> Headers:
    """The headers of another server's answer that are passed on, as ASGI has them."""
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in relayed.headers
        if name.lower() not in _NOT_PASSED_ON
    ]


def _content_type(relayed: Relayed) -> str:
    named = (value for name, value in relayed.headers if name.lower() == "content-type")
    return next(named, "")
