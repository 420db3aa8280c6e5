"""`/v1/responses`: made as ever, and kept so that later ones can go on from them.

Kept is what OpenAI keeps: every response that does not say `store: false`. See
`docs/decisions/0093-responses-are-kept.md`.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import msgspec

from ingle.errors import (
    Conflict,
    InvalidRequest,
    PreviousResponseNotFound,
    UnsupportedInput,
)
from ingle.ids import new_id
from ingle.server.calls import watched
from ingle.server.chat_requests import ResponsesRequest
from ingle.server.decoding import Fields, decode, fields_of, with_fields
from ingle.server.endpoints import ENDPOINTS
from ingle.server.exchange import Exchange
from ingle.server.openai.background import Transcript
from ingle.server.openai.items import items_of
from ingle.server.openai.reading import check_metadata, list_of, part_of, receive, told_paging
from ingle.server.openai.response_form import Asked, encoded
from ingle.server.openai.response_writer import ResponseWriter
from ingle.server.relay import relay_body
from ingle.storage.stored_responses import StoredResponse

__all__ = [
    "cancel_response",
    "count_input_tokens",
    "create_response",
    "list_input_items",
    "remove_response",
    "show_response",
]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

_RESPONSES = ENDPOINTS["responses"]
_COUNT = ENDPOINTS["responses/input_tokens"]


class _Request(msgspec.Struct, kw_only=True):
    input: str | list[dict[str, Any]] | None = None  # Any: items are not looked into here
    store: bool | None = None
    stream: bool | None = None
    background: bool | None = None
    previous_response_id: str | None = None
    metadata: dict[str, str] | None = None


async def create_response(exchange: Exchange) -> None:
    """Answer with a response, which is kept unless it says otherwise. Raises what `relay` does.

    Raises:
        PreviousResponseNotFound: the one to go on from is not there, or is someone else's.
        Conflict: the one to go on from is still being made.
        UnsupportedInput: it shall be kept, or made in background, and nothing is kept here.
    """
    exchange.caller.admit(exchange.answer)
    body = await receive(exchange)
    fields = fields_of(body)
    request = decode(body, _Request)
    check_metadata(request.metadata)
    is_kept = _is_kept(request, exchange)
    before = await _before(request, fields, exchange)
    if before is not None:
        body = _after(before, fields)
    told: Json = msgspec.json.decode(body)
    asked = Asked(
        {**told, "background": bool(request.background)},
        new_id("resp") if is_kept else None,
        None if before is None else request.previous_response_id,
    )
    if request.background:
        await _in_background(
            exchange, asked, request, with_fields(fields_of(body), background=None)
        )
        return
    keep = partial(_keep, exchange, asked, request) if is_kept else None
    exchange.answer.pass_through(ResponseWriter(asked, keep).around)
    await relay_body(_RESPONSES, exchange, body)


async def count_input_tokens(exchange: Exchange) -> None:
    """Answer with how many tokens the input of a response would have, all before it counted.

    Raises what `create_response` does.
    """
    exchange.caller.admit(exchange.answer)
    body = await receive(exchange)
    fields = fields_of(body)
    before = await _before(decode(body, _Request), fields, exchange)
    if before is not None:
        body = _after(before, fields)
    await relay_body(_COUNT, exchange, body)


async def show_response(response_id: str, exchange: Exchange) -> None:
    """Answer with a kept response; with `stream=true` with its events after `starting_after`.

    Raises:
        NotFound: there is none of this id, or it is someone else's.
        InvalidRequest: its events are asked for, and it was not made in background as a stream.
    """
    request = exchange.request
    stored = await _get(response_id, exchange)
    if request.query("stream") != "true":
        await exchange.answer.json(stored.response)
        return
    told = request.query("starting_after") or "-1"
    if told != "-1" and not told.isdigit():
        raise InvalidRequest(
            f"`starting_after` is {told[:20]!r}, but must be the `sequence_number` of an event.",
            param="starting_after",
        )
    await _stream(exchange, stored, int(told))


async def remove_response(response_id: str, exchange: Exchange) -> None:
    """Answer with the deletion of a response; one under way is stopped. Raises `NotFound`."""
    responses = exchange.runtime.stored_responses
    await asyncio.to_thread(responses.remove, response_id, exchange.caller.key_id)
    await exchange.background.cancel(response_id)
    await exchange.answer.json({"id": response_id, "object": "response", "deleted": True})


async def cancel_response(response_id: str, exchange: Exchange) -> None:
    """Answer with a response in background that is made no further; one that ended stays.

    Raises:
        NotFound: there is none of this id, or it is someone else's.
        InvalidRequest: it is not made in background.
    """
    stored = await _get(response_id, exchange)
    if not stored.response.get("background"):
        raise InvalidRequest(
            f"Cannot cancel a synchronous response: {response_id} was not made with "
            "`background: true`. Close the connection to stop one that is being made."
        )
    responses = exchange.runtime.stored_responses
    stored = await asyncio.to_thread(responses.cancel, response_id, exchange.caller.key_id)
    await exchange.background.cancel(response_id)
    await exchange.answer.json(stored.response)


async def list_input_items(response_id: str, exchange: Exchange) -> None:
    """Answer with all that the model was given for a response. Raises `NotFound`."""
    paging = told_paging(exchange.request, default=20, most=100)
    responses = exchange.runtime.stored_responses
    items = await asyncio.to_thread(responses.input_items, response_id, exchange.caller.key_id)
    await exchange.answer.json(list_of(part_of(items, paging), dict))


def _is_kept(request: _Request, exchange: Exchange) -> bool:
    keeps_any = exchange.runtime.settings.keep_responses_days > 0
    wanted = request.store is not False
    if request.background and not wanted:
        raise InvalidRequest(
            "`background` is true and `store` is false, but what is made in background has to be "
            "kept to be asked for. Leave one of them out.",
            param="store",
        )
    if not keeps_any and (request.store or request.background):
        param = "store" if request.store else "background"
        raise UnsupportedInput(
            f"`{param}` is true, but this Ingle keeps no responses. The setting "
            "`keep_responses_days` lets it.",
            param=param,
        )
    return keeps_any and wanted


async def _before(request: _Request, fields: Fields, exchange: Exchange) -> list[Json] | None:
    """What was said up to the previous response; None where none is named, or another server's."""
    if request.previous_response_id is None:
        return None
    responses = exchange.runtime.stored_responses
    try:
        return await asyncio.to_thread(
            responses.context, request.previous_response_id, exchange.caller.key_id
        )
    except PreviousResponseNotFound:
        model = msgspec.json.decode(fields.get("model", b"null"))
        if isinstance(model, str) and not await exchange.router.is_here(model, "chat"):
            return None  # its own server may have kept it
        raise


def _after(before: list[Json], fields: Fields) -> bytes:
    """The same request with all of its context in it."""
    given = decode(with_fields(fields), _Request).input
    return with_fields(fields, input=[*before, *items_of(given or [])], previous_response_id=None)


async def _keep(exchange: Exchange, asked: Asked, request: _Request, response: Json) -> None:
    responses = exchange.runtime.stored_responses
    await asyncio.to_thread(responses.keep, _stored(exchange, asked, request, response))


def _stored(exchange: Exchange, asked: Asked, request: _Request, response: Json) -> StoredResponse:
    assert asked.own_id is not None, "what is kept has an id of ours"
    return StoredResponse(
        id=asked.own_id,
        key_id=exchange.caller.key_id,
        previous_id=asked.previous_id,
        items=items_of(request.input or []),
        response=response,
    )


async def _in_background(exchange: Exchange, asked: Asked, request: _Request, body: bytes) -> None:
    decode(body, ResponsesRequest).check()  # what cannot be right is told at once
    exchange.background.check()
    stored = _stored(exchange, asked, request, asked.begun("queued"))
    await asyncio.to_thread(exchange.runtime.stored_responses.keep, stored)
    streamed = with_fields(fields_of(body), stream=True)
    transcript = exchange.background.start(stored, asked, streamed)
    if not request.stream:
        await exchange.answer.json(stored.response)
        return
    await _follow(exchange, transcript, -1)


async def _stream(exchange: Exchange, stored: StoredResponse, after: int) -> None:
    answer = exchange.answer
    transcript = exchange.background.transcript(stored.id)
    if transcript is not None:
        await _follow(exchange, transcript, after)
        return
    if stored.is_under_way:  # when it was read; its end is kept before it leaves the background
        stored = await _get(stored.id, exchange)
    if stored.is_under_way:
        raise Conflict(
            f"The response {stored.id} is being made by another process, which alone can stream "
            "it. Ask that one, or wait for its end."
        )
    if stored.events is None:
        raise InvalidRequest(
            f"The events of {stored.id} are not kept: it was not made in background. Ask for it "
            "without `stream`.",
            param="stream",
        )
    events = [f"{event}\n\n".encode() for event in stored.events.split("\n\n") if event]
    last = {
        "type": f"response.{stored.response['status']}",
        "sequence_number": len(events),
        "response": stored.response,
    }
    await answer.start_stream()
    await answer.write(b"".join([*events, encoded(last)][after + 1 :]))
    await answer.finish()


async def _follow(exchange: Exchange, transcript: Transcript, after: int) -> None:
    answer = exchange.answer
    await answer.start_stream()
    async with watched(exchange.call, exchange.request.receive, answer):
        async for data in transcript.listen(after):
            await answer.write(data)
    await answer.finish()


async def _get(response_id: str, exchange: Exchange) -> StoredResponse:
    responses = exchange.runtime.stored_responses
    return await asyncio.to_thread(responses.get, response_id, exchange.caller.key_id)
