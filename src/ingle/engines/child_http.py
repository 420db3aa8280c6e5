"""What every HTTP server of a child process has: its key, errors in OpenAI's shape, events."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from ingle.errors import Busy, IngleError, InvalidRequest, NotAuthenticated, RequestTooLarge

__all__ = ["error_body", "event", "form_of", "json_answer", "new_app"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type
_RETRY_AFTER_S = 5
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def new_app(*, name: str, key: str, most_bytes: int) -> web.Application:
    """A server that lets in who bears `key`, and already answers `/health` and `/v1/models`.

    A larger body than `most_bytes` is refused.
    """
    app = web.Application(client_max_size=most_bytes, middlewares=[_errors_told, _guard(key)])
    model = {"id": name, "object": "model", "created": int(time.time()), "owned_by": "ingle"}

    async def models(_: web.Request) -> web.Response:
        return json_answer({"object": "list", "data": [model]})

    app.router.add_get("/health", _health)
    app.router.add_get("/v1/models", models)
    return app


async def form_of(
    request: web.Request, *, of: str
) -> tuple[Mapping[str, list[str]], Mapping[str, bytes]]:
    """A form's text fields, each with all its values, and its files; `x[]` is a way to write `x`.

    `of` is what the form should hold, for messages.

    Raises:
        InvalidRequest: it is no form, or a file comes more than once.
    """
    if not request.content_type.startswith("multipart/"):
        raise InvalidRequest(
            f"The content type {request.content_type!r} cannot hold {of}. Send a form "
            f"(multipart/form-data) with {of} as a file."
        )
    try:
        form = await request.post()
    except ValueError as error:
        raise InvalidRequest(f"The form cannot be read: {error}. Send it whole.") from error
    fields: dict[str, list[str]] = {}
    files: dict[str, bytes] = {}
    for written, value in form.items():
        field = written.removesuffix("[]")
        if isinstance(value, str):
            fields.setdefault(field, []).append(value)
        elif field in files:
            raise InvalidRequest(
                f"The form has {field!r} more than once; one is taken. Send only one.", param=field
            )
        elif isinstance(value, web.FileField):
            files[field] = await asyncio.to_thread(value.file.read)
    return fields, files


def json_answer(
    body: Json, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A whole answer in JSON."""
    return web.Response(
        body=msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        headers=headers,
    )


def event(said: Json) -> bytes:
    """A server-sent event, named by its `type`."""
    return f"event: {said['type']}\ndata: {msgspec.json.encode(said).decode()}\n\n".encode()


def error_body(error: IngleError) -> Json:
    """An error as OpenAI tells it."""
    if error.http_status == 429:
        kind = "rate_limit_error"
    else:
        kind = "invalid_request_error" if error.http_status < 500 else "server_error"
    told = {"message": error.message, "type": kind, "param": error.param, "code": error.code}
    return {"error": told}


async def _health(_: web.Request) -> web.Response:
    return json_answer({"status": "ok"})


def _guard(key: str) -> Any:  # Any: aiohttp's type for a middleware is private
    @web.middleware
    async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
        borne = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if request.path != "/health" and not hmac.compare_digest(borne.encode(), key.encode()):
            raise NotAuthenticated("This engine answers only to the server that started it.")
        return await handler(request)

    return guard


@web.middleware
async def _errors_told(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Every error in OpenAI's shape."""
    try:
        return await handler(request)
    except IngleError as error:
        headers = {"Retry-After": str(_RETRY_AFTER_S)} if isinstance(error, Busy) else {}
        return json_answer(error_body(error), status=error.http_status, headers=headers)
    except web.HTTPRequestEntityTooLarge:
        refused = RequestTooLarge(
            f"The request has more than {request.client_max_size // 2**20} MiB. Send smaller files."
        )
        return json_answer(error_body(refused), status=refused.http_status)
    except web.HTTPException as refusal:
        told = {
            "message": f"{request.method} {request.path}: {refusal.reason}.",
            "type": "invalid_request_error",
            "param": None,
            "code": "not_found" if refusal.status == 404 else "invalid_request",
        }
        return json_answer({"error": told}, status=refusal.status)
