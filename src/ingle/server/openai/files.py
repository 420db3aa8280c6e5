"""`/v1/files`: what callers leave here for batches and for themselves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ingle.errors import InvalidRequest, NotFound
from ingle.files import storage_error
from ingle.server.exchange import Exchange
from ingle.server.openai.reading import ExpiresAfter, expires_in_s, list_of, told_paging
from ingle.server.openai.upload import Form, read_form
from ingle.storage.files import StoredFile

__all__ = ["create_file", "list_files", "remove_file", "show_content", "show_file"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

_PURPOSES = ("assistants", "batch", "evals", "fine-tune", "user_data", "vision")
_READ_BYTES = 1 << 18
_MAX_NAME = 255


async def create_file(exchange: Exchange) -> None:
    """Keep the file of a form with `file`, `purpose` and perhaps `expires_after`.

    Raises:
        InvalidRequest: a field is missing or wrong.
        RequestTooLarge: the file is larger than `max_file_bytes`.
        StorageError: the disk is full or failed.
    """
    runtime = exchange.runtime
    limit = runtime.settings.max_file_bytes
    async with read_form(exchange.request, runtime.files, limit) as form:
        purpose, kept_s = _purpose(form), _kept_s(form)
        if form.upload is None:
            raise InvalidRequest("`file` is missing. Send it as a file of the form.", param="file")
        name = form.filename.replace("\\", "/").rpartition("/")[2][:_MAX_NAME]
        stored = await asyncio.to_thread(
            form.upload.keep,
            filename=name or "file",
            purpose=purpose,
            key_id=exchange.caller.key_id,
            expires_in_s=kept_s,
        )
    await exchange.answer.json(_told(stored))


async def list_files(exchange: Exchange) -> None:
    """Answer with files: by `purpose`, `after`, `limit` and `order`."""
    request = exchange.request
    page = await asyncio.to_thread(
        exchange.runtime.files.list,
        told_paging(request, default=10_000, most=10_000),
        key_id=exchange.caller.key_id,
        purpose=request.query("purpose"),
    )
    await exchange.answer.json(list_of(page, _told))


async def show_file(file_id: str, exchange: Exchange) -> None:
    """Answer with what a file is.

    Raises:
        NotFound: there is none of this id, or it is someone else's.
    """
    await exchange.answer.json(_told(await _get(file_id, exchange)))


async def remove_file(file_id: str, exchange: Exchange) -> None:
    """Answer with the deletion of a file. Raises what `show_file` does."""
    files = exchange.runtime.files
    await asyncio.to_thread(files.remove, file_id, exchange.caller.key_id)
    await exchange.answer.json({"id": file_id, "object": "file", "deleted": True})


async def show_content(file_id: str, exchange: Exchange) -> None:
    """Answer with what is in a file, never more of it in memory than a piece.

    Raises:
        NotFound: there is none of this id, it is someone else's, or its bytes are gone.
        StorageError: it cannot be read.
    """
    stored = await _get(file_id, exchange)
    answer = exchange.answer
    try:
        file = await asyncio.to_thread(stored.path.open, "rb")
    except FileNotFoundError as error:
        raise NotFound(
            f"The bytes of the file {file_id} are gone from {stored.path.parent}. Upload it again.",
            param="id",
        ) from error
    except OSError as error:
        raise storage_error(f"{stored.path} cannot be read", error) from error
    try:
        await answer.start(
            200,
            [
                # Never a type that a browser would show as a page of this origin.
                (b"content-type", b"application/octet-stream"),
                (b"content-length", b"%d" % stored.size_bytes),
                (b"content-disposition", _disposition(stored.filename)),
                (b"x-content-type-options", b"nosniff"),
            ],
        )
        while data := await asyncio.to_thread(file.read, _READ_BYTES):
            await answer.write(data)
        await answer.finish()
    finally:
        await asyncio.to_thread(file.close)


async def _get(file_id: str, exchange: Exchange) -> StoredFile:
    files = exchange.runtime.files
    return await asyncio.to_thread(files.get, file_id, exchange.caller.key_id)


def _purpose(form: Form) -> str:
    purpose = form.fields.get("purpose", "")
    if purpose not in _PURPOSES:
        told = f"is {purpose!r}" if purpose else "is missing"
        raise InvalidRequest(
            f"`purpose` {told}, but must be one of {', '.join(_PURPOSES)}.", param="purpose"
        )
    if purpose == "batch" and Path(form.filename).suffix != ".jsonl":
        raise InvalidRequest(
            f"The file is called {form.filename!r}, but one for a batch must be JSON Lines, its "
            "name ending in .jsonl.",
            param="file",
        )
    return purpose


def _kept_s(form: Form) -> int | None:
    anchor = form.fields.get("expires_after[anchor]")
    seconds = form.fields.get("expires_after[seconds]")
    if anchor is None and seconds is None:
        return None
    if not (seconds or "").isdigit():
        raise InvalidRequest(
            f"`expires_after.seconds` is {seconds!r}, but must be a whole number.",
            param="expires_after.seconds",
        )
    return expires_in_s(ExpiresAfter(anchor=anchor or "", seconds=int(seconds or 0)))


def _disposition(filename: str) -> bytes:
    """Source: RFC 6266."""
    return f"attachment; filename*=UTF-8''{quote(filename, safe='')}".encode()


def _told(stored: StoredFile) -> Json:
    return {
        "id": stored.id,
        "object": "file",
        "bytes": stored.size_bytes,
        "created_at": int(stored.created_at),
        "expires_at": None if stored.expires_at is None else int(stored.expires_at),
        "filename": stored.filename,
        "purpose": stored.purpose,
        "status": "processed",
        "status_details": None,
    }
