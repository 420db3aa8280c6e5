"""The image server over HTTP, with a pipeline that draws a step whenever the test lets it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import threading
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from ingle.engines.images.pipeline import Pipeline
from ingle.engines.images.server import make_app

Json = dict[str, Any]  # Any: a JSON value has no narrower type


class Stepped(Protocol):
    """What these tests use of the pipeline of `conftest.py`."""

    go: threading.Semaphore
    began: list[int]
    stopped_after: int | None


@pytest.fixture
def stepped(pipeline: Stepped) -> Stepped:
    """The same pipeline, by the side that tests hold."""
    return pipeline


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The folder for pictures that are handed out by address."""
    return tmp_path / "pictures"


@pytest.fixture
async def http(
    pipeline: Pipeline, stepped: Stepped, images: Path
) -> AsyncGenerator[aiohttp.ClientSession]:
    app = make_app(pipeline, name="stepped", key="key", images=images)
    async with (
        TestServer(app, handler_cancellation=True) as server,
        aiohttp.ClientSession(
            str(server.make_url("/")), headers={"Authorization": "Bearer key"}
        ) as session,
    ):
        yield session
        stepped.go.release(1000)  # the server waits for a step that has begun


def asked(http: aiohttp.ClientSession, **fields: object) -> asyncio.Task[aiohttp.ClientResponse]:
    async def ask() -> aiohttp.ClientResponse:
        return await http.post("v1/images/generations", json={"prompt": "a cat", **fields})

    return asyncio.create_task(ask())


async def until_progress(http: aiohttp.ClientSession, **wanted: object) -> None:
    async with asyncio.timeout(5):
        said: Json = {}
        while not wanted.items() <= said.items():
            async with http.get("progress") as response:
                said = await response.json()


async def test_a_full_line_is_told_with_a_time(
    http: aiohttp.ClientSession, pipeline: Stepped
) -> None:
    """One draws and eight wait; the tenth is told to come back later, stream or not."""
    line = [asked(http, seed=seed) for seed in range(9)]
    await until_progress(http, is_drawing=True, waiting=8)
    for stream in (False, True):
        refused = await asked(http, stream=stream)
        assert refused.status == 503
        assert refused.headers["Retry-After"] == "5"
        assert (await refused.json())["error"]["code"] == "server_busy"
    for request in line:
        request.cancel()
    await until_progress(http, waiting=0)
    pipeline.go.release(3)
    await until_progress(http, is_drawing=False)
    assert pipeline.began == [0]
    await asyncio.gather(*line, return_exceptions=True)


@pytest.mark.skipif(
    importlib.util.find_spec("PIL") is None, reason="needs the extra `images`, for PNG"
)
async def test_an_address_leads_to_the_server_that_passed_the_request_on(
    http: aiohttp.ClientSession, pipeline: Stepped, images: Path
) -> None:
    """It says where it is; the file lies in its folder. Without that it is a data URI."""
    pipeline.go.release(6)
    wanted = {"prompt": "a cat", "response_format": "url"}
    told = {"X-Ingle-Address": "http://box:4645"}
    async with http.post("v1/images/generations", json=wanted, headers=told) as response:
        url = (await response.json())["data"][0]["url"]
    (file,) = await asyncio.to_thread(lambda: list(images.iterdir()))
    assert url == f"http://box:4645/generated-images/{file.name}"
    assert file.read_bytes().startswith(b"\x89PNG")
    async with http.post("v1/images/generations", json=wanted) as response:
        url = (await response.json())["data"][0]["url"]
    assert url.startswith("data:image/png;base64,")


async def test_a_failure_in_a_stream_is_its_last_event(http: aiohttp.ClientSession) -> None:
    """What was drawn so far was sent already, so the error comes as an event."""
    response = await asked(http, seed=666, stream=True)
    assert response.status == 200
    events = [
        json.loads(line[6:])
        for line in (await response.text()).splitlines()
        if line.startswith("data: ")
    ]
    assert [event["type"] for event in events] == ["image_generation.progress", "error"]
    assert events[-1]["error"]["code"] == "engine_error"


async def test_a_failure_without_a_stream_is_a_status(http: aiohttp.ClientSession) -> None:
    """The library's fault is a 502 with its reason."""
    response = await asked(http, seed=666)
    assert response.status == 502
    assert "The library failed" in (await response.json())["error"]["message"]


async def test_edits_need_a_model_that_sees(http: aiohttp.ClientSession) -> None:
    """A pipeline without an image encoder says so."""
    form = aiohttp.FormData({"prompt": "a cat"})
    form.add_field("image", b"PNG", filename="a.png")
    async with http.post("v1/images/edits", data=form) as response:
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "unsupported_input"


async def test_a_form_must_be_a_form(http: aiohttp.ClientSession) -> None:
    """JSON where a form is asked for is refused with the way out."""
    async with http.post("v1/images/edits", json={"prompt": "a"}) as response:
        assert response.status == 400
        assert "multipart/form-data" in (await response.json())["error"]["message"]
