"""`/v1/batches`: many requests in a file, answered in another."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import msgspec

from ingle.errors import Conflict, InvalidRequest
from ingle.ids import new_id
from ingle.server.decoding import decode
from ingle.server.exchange import Exchange
from ingle.server.openai.batch_work import BATCH_ENDPOINTS
from ingle.server.openai.reading import (
    ExpiresAfter,
    check_metadata,
    expires_in_s,
    list_of,
    receive,
    told_paging,
)
from ingle.storage.files import new_file_id
from ingle.storage.openai_batches import OpenAIBatch

__all__ = ["cancel_batch", "create_batch", "list_batches", "show_batch"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

_WINDOW = re.compile(r"([1-9][0-9]{0,3})(h|d)")
_SECONDS = {"h": 3600, "d": 86400}
_MAX_BYTES = 200 * 1000 * 1000
"""OpenAI's bound."""


class _Request(msgspec.Struct, kw_only=True):
    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: dict[str, str] | None = None
    output_expires_after: ExpiresAfter | None = None


async def create_batch(exchange: Exchange) -> None:
    """Answer with a new batch, which is checked and run from now on.

    Raises:
        InvalidRequest: the endpoint, the window or the file is not one for batches.
        NotFound: there is no such file, or it is someone else's.
    """
    request = decode(await receive(exchange), _Request)
    window = _WINDOW.fullmatch(request.completion_window)
    if window is None:
        raise InvalidRequest(
            f"`completion_window` is {request.completion_window[:20]!r}, but must be hours or days, "
            "such as 24h.",
            param="completion_window",
        )
    if request.endpoint not in BATCH_ENDPOINTS:
        raise InvalidRequest(
            f"`endpoint` is {request.endpoint[:64]!r}, but must be one of "
            f"{', '.join(sorted(BATCH_ENDPOINTS))}.",
            param="endpoint",
        )
    key_id = exchange.caller.key_id
    stored = await asyncio.to_thread(exchange.runtime.files.get, request.input_file_id, key_id)
    if stored.purpose != "batch":
        raise InvalidRequest(
            f"The purpose of {stored.id} is {stored.purpose!r}. Upload the file with the purpose "
            "'batch'.",
            param="input_file_id",
        )
    if stored.size_bytes > _MAX_BYTES:
        raise InvalidRequest(
            f"{stored.id} has {stored.size_bytes:,} bytes, and a batch takes {_MAX_BYTES:,}. Make "
            "several of it.",
            param="input_file_id",
        )
    now = time.time()
    batch = OpenAIBatch(
        id=new_id("batch"),
        key_id=key_id,
        endpoint=request.endpoint,
        input_file_id=stored.id,
        output_file_id=new_file_id(),
        error_file_id=new_file_id(),
        completion_window=request.completion_window,
        expires_at=now + int(window[1]) * _SECONDS[window[2]],
        output_expires_s=expires_in_s(request.output_expires_after, "output_expires_after"),
        metadata=check_metadata(request.metadata),
        moments={"created_at": now},
    )
    await asyncio.to_thread(exchange.runtime.openai_batches.add, batch)
    exchange.batches.add(batch.id)
    await exchange.answer.json(_told(batch))


async def list_batches(exchange: Exchange) -> None:
    """Answer with batches, the newest first: by `after` and `limit`."""
    page = await asyncio.to_thread(
        exchange.runtime.openai_batches.list,
        told_paging(exchange.request, default=20, most=100),
        key_id=exchange.caller.key_id,
    )
    await exchange.answer.json(list_of(page, _told))


async def show_batch(batch_id: str, exchange: Exchange) -> None:
    """Answer with one batch.

    Raises:
        NotFound: there is none of this id, or it is someone else's.
    """
    batches = exchange.runtime.openai_batches
    batch = await asyncio.to_thread(batches.get, batch_id, exchange.caller.key_id)
    await exchange.answer.json(_told(batch))


async def cancel_batch(batch_id: str, exchange: Exchange) -> None:
    """Answer with a batch that is being cancelled; what it has answered stays.

    Raises:
        NotFound: there is none of this id, or it is someone else's.
        Conflict: it is over.
    """
    batch = await asyncio.to_thread(
        exchange.runtime.openai_batches.move,
        batch_id,
        "cancelling",
        "validating",
        "in_progress",
        key_id=exchange.caller.key_id,
    )
    if batch.is_over:
        raise Conflict(f"Cannot cancel a batch with status {batch.state!r}. It is over.")
    exchange.batches.stop_asking(batch_id)
    await exchange.answer.json(_told(batch))


def _told(batch: OpenAIBatch) -> Json:
    has_files = batch.is_over and batch.state != "failed"
    moments = {
        f"{name}_at": None if (at := batch.moments.get(f"{name}_at")) is None else int(at)
        for name in (
            "created",
            "in_progress",
            "finalizing",
            "completed",
            "failed",
            "expired",
            "cancelling",
            "cancelled",
        )
    }
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "errors": {"object": "list", "data": batch.errors} if batch.errors else None,
        "input_file_id": batch.input_file_id,
        "completion_window": batch.completion_window,
        "status": batch.state,
        "output_file_id": batch.output_file_id if has_files and batch.completed else None,
        "error_file_id": batch.error_file_id if has_files and batch.failed else None,
        **moments,
        "expires_at": int(batch.expires_at),
        "request_counts": {
            "total": batch.total,
            "completed": batch.completed,
            "failed": batch.failed,
        },
        "usage": _told_usage(batch.usage),
        "metadata": batch.metadata,
    }


def _told_usage(usage: dict[str, int]) -> Json | None:
    if not usage:
        return None
    return {
        **usage,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
