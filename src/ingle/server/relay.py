"""The short way of `/v1`: a request to the model's server, its bytes back to who asked.

Of a request only the model is read to find the server. Another server's answer passes as it is, and
so does the image engine's. The engine for text is llama.cpp, and what that gets wrong against
OpenAI's API is put right: requests that cannot be right are refused, some are changed, and of its
answers the errors, the model's name and, rarely, more (`corrections`).

When the caller leaves, the call to the server is closed, which stops the work there.
"""

from __future__ import annotations

import msgspec

from ingle.errors import EngineMissing
from ingle.processors.in_one import CHUNKS
from ingle.routing import Route
from ingle.runtime import Runtime
from ingle.server import corrections
from ingle.server.answer import Answer
from ingle.server.asgi import Request
from ingle.server.assembly import answer_assembled
from ingle.server.body import read_body
from ingle.server.calls import watched
from ingle.server.chat_requests import ChatRequest, ResponsesRequest
from ingle.server.corrections import Assembled
from ingle.server.decoding import Fields, decode, fields_of, model_of, with_fields
from ingle.server.endpoints import Endpoint
from ingle.server.engine_calls import ENGINE_LIMITS, EngineCalls
from ingle.server.exchange import Exchange
from ingle.server.multipart import multipart_field, with_multipart_field
from ingle.server.passing import pass_error, pass_stream, pass_whole
from ingle.server.requests import CompletionRequest, EngineRequest
from ingle.server.stream_repairs import MessageOpening, Opening, RenamedModel, Repair
from ingle.upstream.limits import Limits

__all__ = ["relay"]

_CONNECTION_LIMITS = Limits(idle_s=600)
"""A server elsewhere that answers in one piece may work silently for long; OpenAI's client waits
as long."""


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
    # What no engine here can do goes to LocalAI, if that is connected: who else could be meant?
    provider = None if endpoint.capability else "localai"
    routed = runtime.router.route(
        model=sent.model, provider=provider, capability=endpoint.capability
    )
    async with watched(exchange.call, request.receive, answer), routed as route:
        if route.is_local and endpoint.request is not None:
            tail = await _from_llama(sent, endpoint.request, route, runtime, answer)
        elif route.is_local and endpoint.capability is None:
            raise _no_engine(endpoint)
        else:
            tail = await _as_it_is(sent, route, runtime, answer)
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

    def with_model(self, name: str | None) -> bytes:
        """The body with this name of a model, byte for byte the same where it has it already."""
        if name is None or name == self.model:
            return self.body
        if self.is_form:
            return with_multipart_field(self.body, self.content_type, "model", name)
        return with_fields(self.fields, model=name)

    @property
    def asks_for_stream(self) -> bool:
        """Whether the answer is to be a stream of events."""
        return bytes(self.fields.get("stream", b"")) == b"true" and bool(self.endpoint.stream_ends)


async def _from_llama(
    sent: _Sent, shape: type[EngineRequest], route: Route, runtime: Runtime, answer: Answer
) -> bytes:
    """Answer from llama.cpp on this machine. Returns the last bytes of the answer."""
    assert route.model is not None, "a model of this machine has a name"
    endpoint, model = sent.endpoint, sent.model or route.model
    request = decode(sent.body, shape)
    request.check()
    calls = EngineCalls(runtime.client, route.target, route.model)
    prepared = await _prepared(request, sent, calls)
    if isinstance(prepared, Assembled):
        return await answer_assembled(prepared, model, calls, runtime.settings.slots, answer)
    if endpoint.path in CHUNKS and not sent.asks_for_stream:
        told = await calls.in_one(endpoint.path, fields_of(prepared))
        await answer.json({**told, "model": model})
        return msgspec.json.encode(told.get("usage"))
    async with calls.open(endpoint.path, prepared) as relayed:
        renamed = RenamedModel(route.model, model) if model != route.model else None
        if not sent.asks_for_stream:
            return await pass_whole(relayed, answer, renamed)
        repairs: list[Repair] = []
        if endpoint.path == "chat/completions":
            repairs.append(Opening())
        elif endpoint.path == "messages":
            repairs.append(MessageOpening(route.model))
        if renamed:
            repairs.append(renamed)
        return await pass_stream(relayed, route.target, endpoint, answer, repairs)


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


async def _as_it_is(sent: _Sent, route: Route, runtime: Runtime, answer: Answer) -> bytes:
    """Answer as any other server, or the image engine, answers. Returns the answer's last bytes."""
    headers = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in sent.request.scope["headers"]
    ]
    body = sent.with_model(route.model)
    limits = ENGINE_LIMITS if route.is_local else _CONNECTION_LIMITS
    async with runtime.client.relay(
        "POST", route.target, sent.endpoint.path, body, headers, limits
    ) as relayed:
        if relayed.status >= 400:
            return await pass_error(relayed, route.target, sent.endpoint, answer)
        if not sent.asks_for_stream:
            return await pass_whole(relayed, answer)
        return await pass_stream(relayed, route.target, sent.endpoint, answer)


def _no_engine(endpoint: Endpoint) -> EngineMissing:
    return EngineMissing(
        f"No engine of this machine answers /v1/{endpoint.path}. Connect a server that does, such "
        "as LocalAI (`ingle connections add localai URL`), or name a connection's model as "
        "CONNECTION/MODEL."
    )
