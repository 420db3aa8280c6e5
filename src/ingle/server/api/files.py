"""`/api/files`: files that apps are run with, by their ids; the same that `/v1/files` has."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from ingle.errors import InvalidRequest
from ingle.runtime import Runtime
from ingle.server.exchange import Exchange
from ingle.server.openai.upload import read_form
from ingle.storage.files import StoredFile
from ingle.storage.pages import Paging

__all__ = ["routes"]

_LONGEST_NAME = 255
_FORM: dict[str, Any] = {  # Any: a piece of an OpenAPI description
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


class FileDescription(BaseModel):
    """A file. Times are Unix seconds."""

    id: str = Field(description="In an app's input as `file:<id>`.")
    filename: str
    size_bytes: int
    sha256: str
    created_at: float


class FileList(BaseModel):
    """A page of files, the newest first."""

    files: list[FileDescription]
    next: str | None = Field(description="Give it as `after` for the next page; null at the end.")


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room."""
    router = APIRouter(prefix="/files", tags=["files"])
    files = runtime.files

    @router.post("", status_code=201, openapi_extra=_FORM)
    async def upload_file(request: Request) -> FileDescription:
        """Keep a file. It is written to the disk as it comes; `max_file_bytes` bounds it."""
        exchange = _exchange(request)
        limit = runtime.settings.max_file_bytes
        async with read_form(exchange.request, files, limit) as form:
            if form.upload is None:
                raise InvalidRequest(
                    "`file` is missing. Send it as a file of the form.", param="file"
                )
            # What it was called there is told, and never where it is kept.
            name = form.filename.replace("\\", "/").rpartition("/")[2][:_LONGEST_NAME]
            stored = await asyncio.to_thread(
                form.upload.keep,
                filename=name or "file",
                purpose="user_data",
                key_id=exchange.caller.key_id,
            )
        return _described(stored)

    @router.get("")
    def list_files(
        request: Request,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> FileList:
        """Files, the newest first."""
        page = files.list(Paging(limit, after=after), key_id=_exchange(request).caller.key_id)
        last = page.items[-1].id if page.has_more else None
        return FileList(files=[_described(file) for file in page.items], next=last)

    @router.get("/{file_id}")
    def show_file(file_id: str, request: Request) -> FileDescription:
        """One file; GET /v1/files/{file_id}/content has what is in it."""
        return _described(files.get(file_id, _exchange(request).caller.key_id))

    @router.delete("/{file_id}", status_code=204)
    def remove_file(file_id: str, request: Request) -> None:
        """Remove a file. Runs that were begun with it have what was in it."""
        files.remove(file_id, _exchange(request).caller.key_id)

    return router


def _exchange(request: Request) -> Exchange:
    exchange: Exchange = request.scope["ingle"]
    return exchange


def _described(file: StoredFile) -> FileDescription:
    return FileDescription(
        id=file.id,
        filename=file.filename,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        created_at=file.created_at,
    )
