"""The image model as an OpenAI-compatible HTTP server on loopback.

    POST /v1/images/generations   JSON
    POST /v1/images/edits         a form with `image` and perhaps `mask`
    POST /v1/images/variations    a form with `image`
    GET  /v1/models  /health  /progress

With `stream: true` each step is an event `image_generation.progress`, previews (`partial_images`)
are `image_generation.partial_image`, and each finished picture is `image_generation.completed`
(`image_edit.…` for edits and variations), as OpenAI streams images. A caller who leaves stops
the drawing between two steps. Who knows the key is let in; `/health` asks for none.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

import msgspec
from aiohttp import web

from ingle.engines.images.order import Order, edit_order, generation_order, variation_order
from ingle.engines.images.picture import MEDIA_TYPES, Picture, compose, encode
from ingle.engines.images.pipeline import Drawing, Pipeline, Step
from ingle.engines.images.studio import Draw, Studio
from ingle.errors import Busy, IngleError, InvalidRequest, NotAuthenticated, RequestTooLarge

__all__ = ["make_app"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type
_BODY_BYTES = 64 * 1024 * 1024
_PULSE_S = 10.0  # a comment in the stream while a caller waits its turn, to show that it lives
_RETRY_AFTER_S = 5
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(pipeline: Pipeline, *, name: str, key: str) -> web.Application:
    """The server for one model. `key` is what callers must bear."""
    app = web.Application(client_max_size=_BODY_BYTES, middlewares=[_errors_told, _guard(key)])
    service = _Service(pipeline, name)
    app.router.add_get("/health", _health)
    app.router.add_get("/progress", service.progress)
    app.router.add_get("/v1/models", service.models)
    app.router.add_post("/v1/images/generations", service.generations)
    app.router.add_post("/v1/images/edits", service.edits)
    app.router.add_post("/v1/images/variations", service.variations)
    app.on_cleanup.append(service.close)
    return app


class _Service:
    def __init__(self, pipeline: Pipeline, name: str) -> None:
        self._pipeline = pipeline
        self._name = name
        self._studio = Studio(pipeline)
        self._started_at = int(time.time())

    async def close(self, _: web.Application) -> None:
        self._studio.close()

    async def progress(self, _: web.Request) -> web.Response:
        return _json(asdict(self._studio.progress))

    async def models(self, _: web.Request) -> web.Response:
        model = {
            "id": self._name,
            "object": "model",
            "created": self._started_at,
            "owned_by": "ingle",
        }
        return _json({"object": "list", "data": [model]})

    async def generations(self, request: web.Request) -> web.StreamResponse:
        order = generation_order(await request.read(), self._pipeline.defaults)
        return await self._answer(request, order, "image_generation")

    async def edits(self, request: web.Request) -> web.StreamResponse:
        fields, files = await _form(request)
        order = await asyncio.to_thread(
            edit_order, fields, files, self._pipeline.defaults, self._pipeline.abilities
        )
        return await self._answer(request, order, "image_edit")

    async def variations(self, request: web.Request) -> web.StreamResponse:
        fields, files = await _form(request)
        order = await asyncio.to_thread(
            variation_order, fields, files, self._pipeline.defaults, self._pipeline.abilities
        )
        return await self._answer(request, order, "image_edit")

    async def _answer(self, request: web.Request, order: Order, event: str) -> web.StreamResponse:
        if order.is_streamed:
            return await self._stream(request, order, event)
        data = []
        async with self._studio.turn() as draw:
            for drawing in order.drawings:
                picture = await draw(drawing, lambda _: None)
                data.append(await self._image(order, drawing, picture))
        return _json({"created": int(time.time()), "data": data, **_described(order)})

    async def _stream(self, request: web.Request, order: Order, event: str) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        )
        events = self._events(order, event)
        # The first event is made before the status is sent: a refusal is a status, not an event.
        async with contextlib.aclosing(events):
            first = await anext(events)
            await response.prepare(request)
            await response.write(first)
            try:
                async for block in events:
                    await response.write(block)
            except IngleError as error:
                await response.write(_event({"type": "error", **_told(error)}))
        await response.write_eof()
        return response

    async def _events(self, order: Order, event: str) -> AsyncGenerator[bytes]:
        """The answer as blocks of SSE, in the order of what happens."""
        blocks: asyncio.Queue[bytes | None] = asyncio.Queue()  # bounded by steps times pictures

        async def work() -> None:
            try:
                async with self._studio.turn() as draw:
                    for index, drawing in enumerate(order.drawings):
                        await self._draw_with_events(order, event, index, drawing, draw, blocks)
            finally:
                blocks.put_nowait(None)

        worker = asyncio.create_task(work())
        try:
            while True:
                try:
                    block = await asyncio.wait_for(blocks.get(), _PULSE_S)
                except TimeoutError:
                    yield b": waiting\n\n"
                    continue
                if block is None:
                    break
                yield block
            await worker
        finally:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError, IngleError):
                await worker

    async def _draw_with_events(
        self,
        order: Order,
        event: str,
        index: int,
        drawing: Drawing,
        draw: Draw,
        blocks: asyncio.Queue[bytes | None],
    ) -> None:
        shown = 0

        def on_step(step: Step) -> None:
            nonlocal shown
            said = {"index": index, "step": step.number, "steps": step.total}
            blocks.put_nowait(_event({"type": f"{event}.progress", **said}))
            if step.preview is not None:
                file = encode(step.preview, "png", about={})
                partial = {"partial_image_index": shown, "b64_json": _base64(file)}
                shown += 1
                whole = {"created_at": int(time.time()), **partial, **_described(order), **said}
                blocks.put_nowait(_event({"type": f"{event}.partial_image", **whole}))

        picture = await draw(drawing, on_step)
        image = await self._image(order, drawing, picture)
        done = {"created_at": int(time.time()), "index": index, **image, **_described(order)}
        blocks.put_nowait(_event({"type": f"{event}.completed", **done}))

    async def _image(self, order: Order, drawing: Drawing, picture: Picture) -> Json:
        """An entry of `data`: the file in base64 or as a data URI, and the seed that draws it."""
        about = {
            "model": self._name,
            "prompt": drawing.prompt,
            "negative_prompt": drawing.negative_prompt,
            "seed": drawing.seed,
            "steps": drawing.steps,
            "guidance_scale": drawing.guidance_scale,
            "size": f"{drawing.width}x{drawing.height}",
        }
        if drawing.image is not None:
            about["strength"] = drawing.strength
        if drawing.image is not None and drawing.mask is not None:
            picture = await asyncio.to_thread(compose, picture, drawing.image, drawing.mask)
        file = await asyncio.to_thread(
            encode, picture, order.format, about=about, quality=order.compression
        )
        if order.as_url:
            url = f"data:{MEDIA_TYPES[order.format]};base64,{_base64(file)}"
            return {"url": url, "seed": drawing.seed}
        return {"b64_json": _base64(file), "seed": drawing.seed}


def _described(order: Order) -> Json:
    first = order.drawings[0]
    return {
        "size": f"{first.width}x{first.height}",
        "output_format": order.format,
        "background": "opaque",
        "quality": "auto",
    }


async def _form(request: web.Request) -> tuple[Mapping[str, str], Mapping[str, bytes]]:
    """A form's text fields and files. `image[]`, as some clients write it, is `image`."""
    if not request.content_type.startswith("multipart/"):
        raise InvalidRequest(
            f"The content type {request.content_type!r} cannot hold an image. Send a form "
            "(multipart/form-data) with the image as a file."
        )
    try:
        form = await request.post()
    except ValueError as error:
        raise InvalidRequest(f"The form cannot be read: {error}. Send it whole.") from error
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for written, value in form.items():
        name = written.removesuffix("[]")
        if name in files or name in fields:
            raise InvalidRequest(
                f"The form has {name!r} more than once; one is taken. Send only one.", param=name
            )
        if isinstance(value, str):
            fields[name] = value
        elif isinstance(value, web.FileField):
            files[name] = await asyncio.to_thread(value.file.read)
    return fields, files


async def _health(_: web.Request) -> web.Response:
    return _json({"status": "ok"})


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
        return _json(_told(error), status=error.http_status, headers=headers)
    except web.HTTPRequestEntityTooLarge:
        refused = RequestTooLarge(
            f"The request has more than {_BODY_BYTES // 2**20} MiB. Send smaller images."
        )
        return _json(_told(refused), status=refused.http_status)
    except web.HTTPException as refusal:
        told = {
            "message": f"{request.method} {request.path}: {refusal.reason}.",
            "type": "invalid_request_error",
            "param": None,
            "code": "not_found" if refusal.status == 404 else "invalid_request",
        }
        return _json({"error": told}, status=refusal.status)


def _told(error: IngleError) -> Json:
    if error.http_status == 429:
        kind = "rate_limit_error"
    else:
        kind = "invalid_request_error" if error.http_status < 500 else "server_error"
    told = {"message": error.message, "type": kind, "param": error.param, "code": error.code}
    return {"error": told}


def _json(
    body: Json, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        headers=headers,
    )


def _event(said: Json) -> bytes:
    return f"event: {said['type']}\ndata: {msgspec.json.encode(said).decode()}\n\n".encode()


def _base64(file: bytes) -> str:
    return base64.b64encode(file).decode()
