"""Calls to the one engine that a request was routed to, their faults as errors of ours."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec

from ingle.errors import EngineError, UpstreamCut
from ingle.processors.in_one import CHUNKS, as_stream, in_one
from ingle.server.decoding import Fields, with_fields
from ingle.server.engine_errors import engine_error
from ingle.server.requests import Tokens
from ingle.upstream.client import Client
from ingle.upstream.limits import Limits
from ingle.upstream.relay import Relayed
from ingle.upstream.sse import EventDecoder
from ingle.upstream.target import Target

__all__ = ["ENGINE_LIMITS", "EngineCalls", "read_all"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

ENGINE_LIMITS = Limits(idle_s=3600, total_s=4 * 3600)
"""A long prompt on a slow machine may keep an engine silent for long. That it works is watched by
the supervisor; here only what could never end is bounded."""

_HEADERS = (("content-type", "application/json"),)
_ROOT_ENDPOINTS = frozenset({"tokenize", "detokenize", "apply-template"})
"""What llama.cpp serves without `/v1` only."""


class EngineCalls:
    """Calls to the engine at `target`, which runs `model`."""

    def __init__(self, client: Client, target: Target, model: str) -> None:
        self._client = client
        self._target = target
        self._model = model

    @asynccontextmanager
    async def open(self, endpoint: str, body: bytes) -> AsyncIterator[Relayed]:
        """The engine's answer, its body not yet read. Leaving the block stops the engine's work.

        Raises:
            IngleError: the engine refused or failed.
        """
        target = self._target
        if endpoint in _ROOT_ENDPOINTS:
            target = replace(target, base_url=target.base_url.removesuffix("/v1"))
        async with self._client.relay(
            "POST", target, endpoint, body, _HEADERS, ENGINE_LIMITS
        ) as relayed:
            if relayed.status >= 400:
                told = await read_all(relayed)
                raise engine_error(relayed.status, told, self._model)
            yield relayed

    async def json(self, endpoint: str, body: bytes) -> Json:
        """The whole answer, as JSON."""
        async with self.open(endpoint, body) as relayed:
            told = await read_all(relayed)
        try:
            return msgspec.json.decode(told, type=dict)
        except msgspec.DecodeError as error:
            raise EngineError(
                f"The engine of {self._model!r} answered {endpoint} with broken JSON "
                f"({error}). Try again."
            ) from error

    async def in_one(self, endpoint: str, request: Fields) -> Json:
        """The whole answer of one of the endpoints of `CHUNKS`, put together from a stream.

        `request` holds the encoded fields of the request. Cancelling stops the engine at once.
        """
        body = with_fields(request, **as_stream({}))
        decode = msgspec.json.Decoder(CHUNKS[endpoint]).decode
        async with self.events(endpoint, body) as events:
            chunks = ([decode(event)] async for event in events)
            return await in_one(endpoint, self._target.url(endpoint), chunks)

    @asynccontextmanager
    async def events(
        self, endpoint: str, body: bytes
    ) -> AsyncIterator[AsyncGenerator[bytes, None]]:
        """The data of each event of a streamed answer."""
        async with self.open(endpoint, body) as relayed:
            yield self._events(relayed, endpoint)

    async def _events(self, relayed: Relayed, endpoint: str) -> AsyncGenerator[bytes, None]:
        decoder = EventDecoder(ENGINE_LIMITS.line_bytes)
        async for data in relayed:
            for event in decoder.feed(data):
                yield event
        if decoder.ended == "error":
            raise engine_error(500, decoder.error, self._model)
        if decoder.ended != "done":
            raise UpstreamCut(
                f"The engine of {self._model!r} broke its answer off. Try again.",
                url=self._target.url(endpoint),
            )

    async def text(self, prompt: str | Tokens) -> str:
        """The text of a prompt that may be tokens."""
        if isinstance(prompt, str):
            return prompt
        told = await self.json("detokenize", msgspec.json.encode({"tokens": prompt}))
        return str(told["content"])

    async def count(self, prompt: str | Tokens) -> int:
        """How many tokens a prompt has for the model."""
        if not isinstance(prompt, str):
            return len(prompt)
        asked = {"content": prompt, "add_special": True}
        told = await self.json("tokenize", msgspec.json.encode(asked))
        return len(told["tokens"])


async def read_all(relayed: Relayed) -> bytes:
    """The whole body of an answer."""
    parts = [data async for data in relayed]
    return parts[0] if len(parts) == 1 else b"".join(parts)
