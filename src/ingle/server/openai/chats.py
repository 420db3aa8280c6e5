"""Chats that are kept where the caller asks for it: `store: true` of `/v1/chat/completions`.

Any other chat goes the short way as it always did. What is kept is put together from a copy of the
answer's bytes, and it is kept before the caller gets the last of them, so that who has an answer can
ask for it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec

from ingle.processors.in_one import CHUNKS, in_one
from ingle.server.asgi import Message, Send
from ingle.server.decoding import Fields, decode
from ingle.server.endpoints import ENDPOINTS
from ingle.server.exchange import Exchange
from ingle.server.openai.reading import (
    check_metadata,
    list_of,
    part_of,
    receive,
    told_metadata,
    told_paging,
)
from ingle.server.relay import relay
from ingle.storage.stored_chats import StoredChat
from ingle.upstream.sse import EventDecoder

__all__ = [
    "change_chat",
    "create_chat",
    "list_chats",
    "list_messages",
    "remove_chat",
    "show_chat",
]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

_CHAT = ENDPOINTS["chat/completions"]
_MAX_EVENT_BYTES = 1 << 24
_DONE = b"data: [DONE]"
_TOLD_AGAIN = (
    "frequency_penalty",
    "presence_penalty",
    "response_format",
    "seed",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
)
"""What of the request a kept chat shows."""


class _Metadata(msgspec.Struct, kw_only=True):
    metadata: dict[str, str] | None = None


async def create_chat(exchange: Exchange) -> None:
    """Answer a chat, and keep it if that is asked for. Raises what `relay` does."""
    await relay(_CHAT, exchange, _keep_if_asked)


async def list_chats(exchange: Exchange) -> None:
    """Answer with kept chats: by `model`, `metadata[…]`, `after`, `limit` and `order`."""
    request = exchange.request
    paging = told_paging(request, default=20, most=100, default_order="asc")
    page = await asyncio.to_thread(
        exchange.runtime.stored_chats.list,
        paging,
        key_id=exchange.caller.key_id,
        model=request.query("model"),
        metadata=told_metadata(request),
    )
    await exchange.answer.json(list_of(page, _told))


async def show_chat(chat_id: str, exchange: Exchange) -> None:
    """Answer with one kept chat.

    Raises:
        NotFound: none was kept under this id, or it is someone else's.
    """
    await exchange.answer.json(_told(await _get(chat_id, exchange)))


async def change_chat(chat_id: str, exchange: Exchange) -> None:
    """Answer with a kept chat that has other metadata now. Raises what `show_chat` does."""
    metadata = check_metadata(decode(await receive(exchange), _Metadata).metadata)
    chat = await asyncio.to_thread(
        exchange.runtime.stored_chats.change, chat_id, metadata or {}, exchange.caller.key_id
    )
    await exchange.answer.json(_told(chat))


async def remove_chat(chat_id: str, exchange: Exchange) -> None:
    """Answer with the deletion of a kept chat. Raises what `show_chat` does."""
    chats = exchange.runtime.stored_chats
    await asyncio.to_thread(chats.remove, chat_id, exchange.caller.key_id)
    await exchange.answer.json(
        {"object": "chat.completion.deleted", "id": chat_id, "deleted": True}
    )


async def list_messages(chat_id: str, exchange: Exchange) -> None:
    """Answer with the messages that a kept chat answers. Raises what `show_chat` does."""
    paging = told_paging(exchange.request, default=20, most=100, default_order="asc")
    chat = await _get(chat_id, exchange)
    messages = [
        _told_message(f"{chat_id}-{number}", message)
        for number, message in enumerate(chat.messages)
    ]
    await exchange.answer.json(list_of(part_of(messages, paging), dict))


async def _get(chat_id: str, exchange: Exchange) -> StoredChat:
    chats = exchange.runtime.stored_chats
    return await asyncio.to_thread(chats.get, chat_id, exchange.caller.key_id)


def _keep_if_asked(exchange: Exchange, fields: Fields, body: bytes) -> None:
    if "store" not in fields or bytes(fields["store"]) != b"true":
        return
    check_metadata(decode(body, _Metadata).metadata)
    asked: Json = msgspec.json.decode(body)
    exchange.answer.pass_through(_Copy(partial(_keep, exchange, asked)).around)


async def _keep(exchange: Exchange, asked: Json, completion: Json) -> None:
    told = {name: asked[name] for name in _TOLD_AGAIN if name in asked}
    chat = StoredChat(
        id=str(completion["id"]),
        key_id=exchange.caller.key_id,
        model=str(completion["model"]),
        metadata=asked.get("metadata") or {},
        messages=asked["messages"],
        completion={**told, **completion},
    )
    await asyncio.to_thread(exchange.runtime.stored_chats.keep, chat)


def _told(chat: StoredChat) -> Json:
    return {**chat.completion, "metadata": chat.metadata}


def _told_message(message_id: str, message: Json) -> Json:
    content = message.get("content")
    parts = content if isinstance(content, list) else None
    return {
        **message,
        "id": message_id,
        "content": None if parts else content,
        "content_parts": parts,
    }


class _Copy:
    """Keeps a copy of an answer that passes, and gives `keep` the whole of it before its end.

    An answer in one waits until then; of a stream each piece passes at once but the last. An error,
    and what is no chat, passes and is not kept.
    """

    def __init__(self, keep: Callable[[Json], Awaitable[None]]) -> None:
        self._keep = keep
        self._held: list[Message] = []
        self._parts: list[bytes] = []
        self._pass: Callable[[Message, Send], Awaitable[None]] | None = None
        self._is_over = False

    def around(self, send: Send) -> Send:
        """`send`, and what is kept on the way."""

        async def through(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._pass = self._begin(message)
            if self._pass is None:
                await send(message)
            else:
                await self._pass(message, send)

        return through

    def _begin(self, start: Message) -> Callable[[Message, Send], Awaitable[None]] | None:
        headers = dict(start["headers"])
        if start["status"] != 200 or b"content-encoding" in headers:
            return None
        is_stream = headers.get(b"content-type", b"").startswith(b"text/event-stream")
        return self._stream if is_stream else self._whole

    async def _whole(self, message: Message, send: Send) -> None:
        self._held.append(message)
        self._parts.append(message.get("body", b""))
        if message["type"] == "http.response.start" or message.get("more_body"):
            return
        with suppress(msgspec.DecodeError):
            await self._keep(msgspec.json.decode(b"".join(self._parts), type=dict))
        for held in self._held:
            await send(held)

    async def _stream(self, message: Message, send: Send) -> None:
        self._parts.append(message.get("body", b""))
        is_last = message["type"] == "http.response.body" and not message.get("more_body")
        if not self._is_over and (is_last or _DONE in b"".join(self._parts[-2:])):
            self._is_over = True
            await self._keep_stream()
        await send(message)

    async def _keep_stream(self) -> None:
        decoder = EventDecoder(_MAX_EVENT_BYTES)
        events = [*decoder.feed(b"".join(self._parts)), *decoder.finish()]
        if events and not any(event.startswith(b'{"error"') for event in events):
            await self._keep(await in_one(_CHAT.path, "/v1/chat/completions", _chunks(events)))


# Any: what `CHUNKS` says of the endpoint.
async def _chunks(events: list[bytes]) -> AsyncIterator[list[Any]]:
    decode_chunk = msgspec.json.Decoder(CHUNKS[_CHAT.path]).decode
    yield [decode_chunk(event) for event in events]
