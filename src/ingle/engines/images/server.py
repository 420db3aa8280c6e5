"""The image model as an OpenAI-compatible HTTP server on loopback.

    POST /v1/images/generations   JSON
    POST /v1/images/edits         a form with `image` and perhaps `mask`
    POST /v1/images/variations    a form with `image`
    GET  /progress

With `stream: true` each step is an event `image_generation.progress`, previews (`partial_images`)
are `image_generation.partial_image`, and each finished picture is `image_generation.completed`
(`image_edit.…` for edits and variations), as OpenAI streams images. A caller who leaves stops
the drawing between two steps.

`response_format: url` gives an address at the server that passed the request on, which it tells in
`X-Ingle-Address`; without that, a data URI.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from ingle.engines.child_http import error_body, event, form_of, json_answer, new_app
from ingle.engines.images.handed_out import hand_out
from ingle.engines.images.order import Order, edit_order, generation_order, variation_order
from ingle.engines.images.picture import MEDIA_TYPES, Picture, compose, encode
from ingle.engines.images.pipeline import Drawing, Pipeline, Step
from ingle.engines.images.studio import Draw, Studio
from ingle.errors import IngleError, InvalidRequest

__all__ = ["make_app"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type
_BODY_BYTES = 64 * 1024 * 1024
_PULSE_S = 10.0  # a comment in the stream while a caller waits its turn, to show that it lives


def make_app(
    pipeline: Pipeline, *, name: str, key: str, images: Path | None = None
) -> web.Application:
    """The server for one model. `key` is what callers must bear.

    `images` is the folder for pictures that are handed out by address.
    """
    app = new_app(name=name, key=key, most_bytes=_BODY_BYTES)
    service = _Service(pipeline, name, images)
    app.router.add_get("/progress", service.progress)
    app.router.add_post("/v1/images/generations", service.generations)
    app.router.add_post("/v1/images/edits", service.edits)
    app.router.add_post("/v1/images/variations", service.variations)
    app.on_cleanup.append(service.close)
    return app


@dataclass(frozen=True, slots=True)
class _Job:
    """An order, how its events are called, and the address of the server that passed it on."""

    order: Order
    event: str
    address: str


class _Service:
    def __init__(self, pipeline: Pipeline, name: str, images: Path | None) -> None:
        self._pipeline = pipeline
        self._name = name
        self._images = images
        self._studio = Studio(pipeline)

    async def close(self, _: web.Application) -> None:
        self._studio.close()

    async def progress(self, _: web.Request) -> web.Response:
        return json_answer(asdict(self._studio.progress))

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
        job = _Job(order, event, request.headers.get("X-Ingle-Address", ""))
        if order.is_streamed:
            return await self._stream(request, job)
        data = []
        async with self._studio.turn() as draw:
            for drawing in order.drawings:
                picture = await draw(drawing, lambda _: None)
                data.append(await self._image(job, drawing, picture))
        return json_answer({"created": int(time.time()), "data": data, **_described(order)})

    async def _stream(self, request: web.Request, job: _Job) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        )
        events = self._events(job)
        # The first event is made before the status is sent: a refusal is a status, not an event.
        async with contextlib.aclosing(events):
            first = await anext(events)
            await response.prepare(request)
            await response.write(first)
            try:
                async for block in events:
                    await response.write(block)
            except IngleError as error:
                await response.write(event({"type": "error", **error_body(error)}))
        await response.write_eof()
        return response

    async def _events(self, job: _Job) -> AsyncGenerator[bytes]:
        """The answer as blocks of SSE, in the order of what happens."""
        blocks: asyncio.Queue[bytes | None] = asyncio.Queue()  # bounded by steps times pictures

        async def work() -> None:
            try:
                async with self._studio.turn() as draw:
                    for index, drawing in enumerate(job.order.drawings):
                        await self._draw_with_events(job, index, drawing, draw, blocks)
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
        job: _Job,
        index: int,
        drawing: Drawing,
        draw: Draw,
        blocks: asyncio.Queue[bytes | None],
    ) -> None:
        shown = 0
        described = _described(job.order)

        def on_step(step: Step) -> None:
            nonlocal shown
            said = {"index": index, "step": step.number, "steps": step.total}
            blocks.put_nowait(event({"type": f"{job.event}.progress", **said}))
            if step.preview is not None:
                file = encode(step.preview, "png", about={})
                partial = {"partial_image_index": shown, "b64_json": _base64(file)}
                shown += 1
                whole = {"created_at": int(time.time()), **partial, **described, **said}
                blocks.put_nowait(event({"type": f"{job.event}.partial_image", **whole}))

        picture = await draw(drawing, on_step)
        image = await self._image(job, drawing, picture)
        done = {"created_at": int(time.time()), "index": index, **image, **described}
        blocks.put_nowait(event({"type": f"{job.event}.completed", **done}))

    async def _image(self, job: _Job, drawing: Drawing, picture: Picture) -> Json:
        """An entry of `data`: the file in base64 or its address, and the seed that draws it."""
        order = job.order
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
        told = {"seed": drawing.seed}
        if not order.as_url:
            return {"b64_json": _base64(file), **told}
        if self._images is None or not job.address:
            return {"url": f"data:{MEDIA_TYPES[order.format]};base64,{_base64(file)}", **told}
        name = await asyncio.to_thread(hand_out, self._images, file, order.format)
        return {"url": f"{job.address}/generated-images/{name}", **told}


def _described(order: Order) -> Json:
    first = order.drawings[0]
    return {
        "size": f"{first.width}x{first.height}",
        "output_format": order.format,
        "background": "opaque",
        "quality": "auto",
    }


async def _form(request: web.Request) -> tuple[Mapping[str, str], Mapping[str, bytes]]:
    """A form's text fields, each with its one value, and files.

    Raises:
        InvalidRequest: it is no form, or has a field more than once.
    """
    fields, files = await form_of(request, of="an image")
    for name, values in fields.items():
        if len(values) > 1 or name in files:
            raise InvalidRequest(
                f"The form has {name!r} more than once; one is taken. Send only one.", param=name
            )
    return {name: values[0] for name, values in fields.items()}, files


def _base64(file: bytes) -> str:
    return base64.b64encode(file).decode()
