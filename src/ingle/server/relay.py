"""The short way of `/v1`: a request to the model's server, its bytes back to who asked.

Of a request only the model is read to find the server. Another server's answer passes as it is, and
so does the image engine's. The engine for text is llama.cpp, and what that gets wrong against
OpenAI's API is put right: requests that cannot be right are refused, some are changed, and of its
answers the errors, the model's name and, rarely, more (`corrections`).

Of a route's models the first that can answers. When the caller leaves, the call to the server is
closed, which stops the work there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import msgspec

from ingle.errors import EngineMissing, IngleError
from ingle.processors.in_one import CHUNKS
from ingle.routing import Route
from ingle.server import corrections
from ingle.server.app_models import PREFIX, answer_as_model
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
from ingle.server.pictures import ADDRESS, address_of
from ingle.server.requests import CompletionRequest, EngineRequest
from ingle.server.stream_count import CountedStream, asking_for_usage
from ingle.server.stream_repairs import MessageOpening, Opening, RenamedModel, Repair
from ingle.server.system_prompt import with_system_prompt
from ingle.server.told_tokens import told_tokens
from ingle.upstream.limits import Limits

__all__ = ["Look", "relay", "relay_body"]

Look = Callable[[Exchange, Fields, bytes], None]
"""Looks at a request's fields and its body before it is answered; may change what is sent back."""

_COUNT = re.compile(r"[0-9]{1,4}")
_CONNECTION_LIMITS = Limits(idle_s=600)
"""A server elsewhere that answers in one piece may work silently for long; OpenAI's client waits
as long."""


async def relay(endpoint: Endpoint, exchange: Exchange, look: Look | None = None) -> None:
    """Answer a request to one of the endpoints that a model answers.

    Raises:
        InvalidRequest: `look` says so.
        IngleError: what went wrong; the answer may have begun.
        CallerLeft: nobody is there any more.
    """
    settings = exchange.runtime.settings
    exchange.caller.admit(exchange.answer)
    body = await read_body(exchange.request, settings.max_body_bytes, settings.body_s)
    await relay_body(endpoint, exchange, body, look)


async def relay_body(
    endpoint: Endpoint, exchange: Exchange, body: bytes, look: Look | None = None
) -> None:
    """The same, of a request that was let in and whose body is read. Raises what `relay` does."""
    request, answer, caller = exchange.request, exchange.answer, exchange.caller
    sent = _Sent(endpoint, request, body)
    if look is not None:
        look(exchange, sent.fields, body)
    if sent.model is not None and sent.model.startswith(PREFIX):
        async with watched(exchange.call, request.receive, answer):
            await answer_as_model(endpoint, sent.model, sent.fields, exchange)
        return
    counted = CountedStream() if caller.is_counted else None
    told = b""
    try:
        async with watched(exchange.call, request.receive, answer):
            told = await _from_first(sent, exchange, counted)
    finally:  # who leaves before the end has used what had come
        tokens = told_tokens(told)
        if counted is not None:
            written = max(counted.events, answer.writes) if sent.asks_for_stream else 0
            completion = written if tokens.completion is None else tokens.completion
            caller.used(tokens.prompt or 0, completion, sent.images if told else 0)
    exchange.metrics.count_tokens(tokens)


async def _from_first(sent: _Sent, exchange: Exchange, counted: CountedStream | None) -> bytes:
    """Answer from the model that was asked for; from the first of a route's that can.

    Returns the first and last bytes of the answer. Another one is tried until the answer's first
    byte is out, and never after it.
    """
    endpoint = sent.endpoint
    # What no engine here can do goes to LocalAI, if that is connected: who else could be meant?
    is_elsewhere = endpoint.capability is None or (
        endpoint.path.startswith("audio/")
        and not await exchange.router.is_here(sent.model, endpoint.capability)
    )
    provider = "localai" if is_elsewhere else None
    tries = await exchange.router.tries(
        model=sent.model, provider=provider, capability=endpoint.capability
    )
    for way in tries:
        try:
            async with way as route:
                if route.is_local and endpoint.request is not None:
                    return await _from_llama(sent, endpoint.request, route, exchange, counted)
                if route.is_local and endpoint.capability is None:
                    raise _no_engine(endpoint)
                return await _as_it_is(sent, route, exchange, counted)
        except IngleError as error:
            if exchange.answer.is_started or not tries.goes_on(error):
                raise
    raise AssertionError("the last way answers or fails")


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
    def images(self) -> int:
        """How many images were asked for; none at other endpoints."""
        if not self.endpoint.path.startswith("images/"):
            return 0
        if self.is_form:
            number = multipart_field(self.body, self.content_type, "n") or ""
        else:
            number = bytes(self.fields.get("n", b"")).decode("latin-1")
        return int(number) if _COUNT.fullmatch(number) else 1

    @property
    def asks_for_stream(self) -> bool:
        """Whether the answer is to be a stream of events."""
        if self.is_form:
            told = (multipart_field(self.body, self.content_type, "stream") or "").lower()
        elif self.endpoint.path == "audio/speech":
            return bytes(self.fields.get("stream_format", b"")) == b'"sse"'
        else:
            told = bytes(self.fields.get("stream", b"")).decode("latin-1")
        return told == "true" and bool(self.endpoint.stream_ends)


async def _from_llama(
    sent: _Sent,
    shape: type[EngineRequest],
    route: Route,
    exchange: Exchange,
    counted: CountedStream | None,
) -> bytes:
    """Answer from llama.cpp on this machine. Returns the first and last bytes of the answer."""
    assert route.model is not None, "a model of this machine has a name"
    endpoint, runtime, answer = sent.endpoint, exchange.runtime, exchange.answer
    model = route.model if route.named else sent.model or route.model
    request = decode(sent.body, shape)
    request.check()
    calls = EngineCalls(runtime.client, route.target, route.model)
    if prompted := with_system_prompt(request, sent.fields, route.system_prompt):
        sent = _Sent(endpoint, sent.request, prompted)
        request = decode(prompted, shape)
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
        repairs: list[Repair] = [counted] if counted else []
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


async def _as_it_is(
    sent: _Sent, route: Route, exchange: Exchange, counted: CountedStream | None
) -> bytes:
    """Answer as any other server, or the image engine, answers.

    Returns the first and last bytes of the answer. Where the usage is asked for without the
    caller's doing, and the server refuses that, it is asked as the caller did.
    """
    headers = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in sent.request.scope["headers"]
        if name != ADDRESS.encode()
    ]
    if route.is_local:
        headers.append((ADDRESS, address_of(sent.request)))
    limits = ENGINE_LIMITS if route.is_local else _CONNECTION_LIMITS
    if route.is_one_of_several:
        limits = replace(limits, tries=1)
    endpoint, answer = sent.endpoint, exchange.answer
    body = sent.with_model(route.model)
    bodies = [body]
    if counted and endpoint.path in CHUNKS and sent.asks_for_stream:
        options = asking_for_usage(sent.fields)
        if options is not None:
            bodies.insert(0, with_fields(fields_of(body), stream_options=options))
    while bodies:
        one = bodies.pop(0)
        async with exchange.runtime.client.relay(
            "POST", route.target, endpoint.path, one, headers, limits
        ) as relayed:
            if relayed.status in (400, 422) and bodies:
                continue
            if counted:
                counted.takes_usage_out = one is not body
            if relayed.status >= 400:
                return await pass_error(relayed, route, endpoint, answer)
            await relayed.hold_first()
            route.answered()
            if not sent.asks_for_stream:
                return await pass_whole(relayed, answer)
            repairs = [counted] if counted else []
            return await pass_stream(relayed, route.target, endpoint, answer, repairs)
    raise AssertionError("the last body is answered")


def _no_engine(endpoint: Endpoint) -> EngineMissing:
    return EngineMissing(
        f"No engine of this machine answers /v1/{endpoint.path}. Connect a server that does, such "
        "as LocalAI (`ingle connections add localai URL`), or name a connection's model as "
        "CONNECTION/MODEL."
    )
