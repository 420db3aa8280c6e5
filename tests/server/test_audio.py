"""`/v1/audio/…` from the speech engines of this machine, by OpenAI's own client."""

from __future__ import annotations

import asyncio
import http.client
import importlib.util
import io
import json
import os
import signal
import wave
from collections.abc import Generator
from contextlib import closing

import openai
import pytest
from tests.engines.speech.tiny_voice import write_piper_voice
from tests.engines.speech.tiny_whisper import write_whisper
from tests.server.conftest import Caller, running, settings_for

from ingle.server.serve import Serving
from ingle.testing import ScriptedUpstream, json_answer, models

has_extra = importlib.util.find_spec("av") is not None
needs_extra = pytest.mark.skipif(not has_extra, reason="needs the extra `speech`")

FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--x--\r\n'
FORM_HEADERS = {"Content-Type": "multipart/form-data; boundary=x"}


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Generator[Serving]:
    """A server with a model that listens and a voice of Piper, beside demo-voice."""
    home = tmp_path_factory.mktemp("talking")
    (home / "models").mkdir()
    write_whisper(home / "models/ggml-tiny.bin")
    write_piper_voice(home / "models/hum.onnx")
    with running(settings_for(home)) as serving:
        yield serving


@pytest.fixture
def api(talking: Serving) -> Generator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{talking.url}/v1", api_key="none", max_retries=0) as api:
        yield api


def test_the_models_that_speak_and_listen_are_listed(talking: Serving) -> None:
    """By their files; demo-voice is always there."""
    models = Caller(talking.url)("GET", "/v1/models").json["data"]
    assert {"demo-voice", "ggml-tiny", "hum"} <= {model["id"] for model in models}


@pytest.mark.skipif(has_extra, reason="the extra `speech` is installed")
def test_without_the_extra_it_is_said_what_to_install(call: Caller) -> None:
    """A status, a code and the command."""
    answer = call.post("/v1/audio/speech", {"input": "Hi.", "voice": "alloy"})
    assert (answer.status, answer.error["code"]) == (501, "engine_missing")
    assert "pip install 'ingle[speech]'" in answer.error["message"]


@needs_extra
def test_text_becomes_sound_where_no_model_is_named(talking: Serving) -> None:
    """By demo-voice, as a whole WAV."""
    asked = {"input": "Hi there.", "voice": "nova", "response_format": "wav"}
    answer = Caller(talking.url).post("/v1/audio/speech", asked)
    with wave.open(io.BytesIO(answer.body)) as sound:
        assert sound.getnframes() > 10_000
    assert answer.headers["content-type"] == "audio/wav"


@needs_extra
@pytest.mark.parametrize("model", ["demo-voice", "local/hum"])
def test_openais_client_streams_sound(api: openai.OpenAI, model: str) -> None:
    """To a file, in pieces."""
    with api.audio.speech.with_streaming_response.create(
        model=model, voice="alloy", input="Good morning. And good night.", response_format="mp3"
    ) as response:
        pieces = list(response.iter_bytes(256))
    assert response.headers["content-type"] == "audio/mpeg"
    assert len(pieces) > 3


@needs_extra
def test_openais_client_has_sound_written_down(api: openai.OpenAI) -> None:
    """Its own types for a transcript, a stream of it, and a translation."""
    spoken = api.audio.speech.create(model="demo-voice", voice="alloy", input="Hello there.")
    file = ("a.mp3", spoken.read())
    whole = api.audio.transcriptions.create(
        model="ggml-tiny",
        file=file,
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        temperature=1,
    )
    assert whole.segments is not None
    assert whole.words is not None
    assert whole.duration == pytest.approx(0.9, abs=0.5)
    events = list(
        api.audio.transcriptions.create(
            model="ggml-tiny", file=file, language="en", stream=True, temperature=1
        )
    )
    assert events[-1].type == "transcript.text.done"
    with pytest.warns(
        DeprecationWarning, match="deprecated"
    ):  # their client's; servers still have it
        translated = api.audio.translations.create(model="ggml-tiny", file=file, temperature=1)
    assert translated.text


@needs_extra
def test_without_a_name_the_model_that_listens_is_asked(talking: Serving) -> None:
    """Here there is one."""
    answer = Caller(talking.url)("POST", "/v1/audio/transcriptions", FORM, headers=FORM_HEADERS)
    assert (answer.status, answer.error["param"]) == (400, "file")


def test_a_voice_does_not_listen(api: openai.OpenAI) -> None:
    """The error names a model that does."""
    with pytest.raises(openai.BadRequestError, match="ggml-tiny") as refused:
        api.audio.transcriptions.create(model="demo-voice", file=("a.wav", b"x"))
    assert refused.value.code == "unsupported_input"
    with pytest.raises(openai.BadRequestError, match="demo-voice"):
        api.audio.speech.create(model="ggml-tiny", voice="alloy", input="Hi.")


@needs_extra
@pytest.mark.parametrize("stream_format", ["audio", "sse"])
def test_an_engine_that_dies_ends_its_sound_as_an_error(
    talking: Serving, stream_format: str
) -> None:
    """The connection breaks, or the last event says it; nobody takes the part for the whole."""
    caller = Caller(talking.url)
    caller.post("/v1/audio/speech", {"input": "Hi."})
    engines = caller("GET", "/api/engines").json
    (pid,) = (engine["pid"] for engine in engines if engine["name"] == "demo-voice")
    asked = {"input": "word " * 800, "speed": 0.25, "stream_format": stream_format}
    with closing(http.client.HTTPConnection(*caller.address, timeout=30)) as connection:
        connection.request("POST", "/v1/audio/speech", json.dumps(asked))
        answer = connection.getresponse()
        told = answer.read1(1024)
        os.kill(pid, signal.SIGKILL)
        if stream_format == "audio":
            with pytest.raises(http.client.IncompleteRead):
                answer.read()
        else:
            told += answer.read()
            assert b"engine_crashed" in told
            assert b"speech.audio.done" not in told


async def test_sound_goes_to_localai_where_nothing_here_listens(call: Caller) -> None:
    """If that is connected: a name that nothing here has can mean no other."""
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n'
        b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--x--\r\n'
    )
    async with ScriptedUpstream(models("whisper-1")) as far:
        saved = {"base_url": f"{far.url}/v1"}
        await asyncio.to_thread(call, "PUT", "/api/connections/localai", saved)
        far.script(json_answer({"text": "hello"}))
        answer = await asyncio.to_thread(
            call, "POST", "/v1/audio/transcriptions", form, headers=FORM_HEADERS
        )
        await asyncio.to_thread(call, "DELETE", "/api/connections/localai")
    assert answer.json == {"text": "hello"}
    assert far.requests[-1].body == form


def test_without_a_model_that_listens_it_is_said_where_to_get_one(call: Caller) -> None:
    """501, as no engine of this machine does it."""
    answer = call("POST", "/v1/audio/transcriptions", FORM, headers=FORM_HEADERS)
    assert (answer.status, answer.error["code"]) == (501, "engine_missing")
    assert "ingle connections add" in answer.error["message"]
