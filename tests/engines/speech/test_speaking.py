"""A voice that fails on the way: nobody takes the part for the whole."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncGenerator

import aiohttp
import pytest
from aiohttp import web

from ingle.engines.speech.server import voice_app
from ingle.engines.speech.voice import OnSound, Utterance
from ingle.errors import EngineError

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("av") is None, reason="needs the extra `speech`"
)


class FailingVoice:
    """Makes so many seconds of silence, and fails."""

    rate_hz = 24_000

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds

    def check(self, utterance: Utterance) -> None:
        """Any voice is right."""

    def rest_of_speed(self, speed: float) -> float:
        return 1.0

    def speak(self, utterance: Utterance, on_sound: OnSound) -> None:
        for _ in range(self._seconds):
            on_sound(bytes(2 * self.rate_hz))
        raise EngineError("The voice broke. Try again.")


@pytest.fixture
async def http(request: pytest.FixtureRequest) -> AsyncGenerator[aiohttp.ClientSession]:
    """Calls to a server whose voice fails after the seconds that the test names."""
    runner = web.AppRunner(voice_app(FailingVoice(request.param), name="m", key="k"))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession(url, headers={"Authorization": "Bearer k"}) as session:
        yield session
    await runner.cleanup()


@pytest.mark.parametrize("http", [0], indirect=True)
async def test_a_failure_before_the_first_sound_is_a_status(http: aiohttp.ClientSession) -> None:
    """Whether or not it was to be streamed."""
    for form in ("audio", "sse", None):
        body = {"input": "x", "response_format": "pcm", "stream_format": form}
        async with http.post("/v1/audio/speech", json=body) as response:
            error = (await response.json())["error"]
            assert (response.status, error["code"]) == (502, "engine_error")


@pytest.mark.parametrize("http", [3], indirect=True)
async def test_a_failure_on_the_way_breaks_the_sound_off(http: aiohttp.ClientSession) -> None:
    """The connection ends before its last chunk."""
    body = {"input": "x", "response_format": "pcm"}
    with pytest.raises(aiohttp.ClientError):
        async with http.post("/v1/audio/speech", json=body) as response:
            await response.read()


@pytest.mark.parametrize("http", [3], indirect=True)
async def test_a_failure_on_the_way_is_the_last_event(http: aiohttp.ClientSession) -> None:
    """In place of the one that ends a whole stream."""
    body = {"input": "x", "response_format": "pcm", "stream_format": "sse"}
    async with http.post("/v1/audio/speech", json=body) as response:
        told = await response.text()
    assert told.count("event: speech.audio.delta") >= 3
    assert told.rstrip().rpartition("\n\n")[2].startswith('event: error\ndata: {"type":"error"')
    assert "speech.audio.done" not in told


@pytest.mark.parametrize("http", [3], indirect=True)
async def test_a_file_that_was_to_be_whole_is_an_error(http: aiohttp.ClientSession) -> None:
    """A WAV waits for its length, so its failure is a status."""
    body = {"input": "x", "response_format": "wav"}
    async with http.post("/v1/audio/speech", json=body) as response:
        assert response.status == 502
