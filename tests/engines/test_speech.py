"""The speech engine as its parent sees it: real child processes with a voice and a listener."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import wave
from array import array
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.engines.speech.tiny_voice import write_piper_voice
from tests.engines.speech.tiny_whisper import write_whisper

import ingle
from ingle.engines.speech.voice import OPENAI_VOICES

KEY = "a-key-of-this-test"
TEXT = "Good morning. This is a voice that is always there."
Json = dict[str, Any]  # Any: a JSON value has no narrower type

has_extra = importlib.util.find_spec("av") is not None
needs_extra = pytest.mark.skipif(not has_extra, reason="needs the extra `speech`")


@dataclass(frozen=True)
class Child:
    """A running engine."""

    process: subprocess.Popen[bytes]
    port: int

    def session(self) -> aiohttp.ClientSession:
        """Calls to it, with its key."""
        headers = {"Authorization": f"Bearer {KEY}"}
        return aiohttp.ClientSession(f"http://127.0.0.1:{self.port}", headers=headers)


def start(**said: object) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "ingle.engines.audio"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(ingle.__file__).parents[1])},
    )
    assert process.stdin is not None
    line = {"model": "", "name": "m", "key": KEY, "engine": "espeak", **said}
    process.stdin.write(json.dumps(line).encode() + b"\n")
    process.stdin.flush()
    return process


def first_line(process: subprocess.Popen[bytes]) -> Json:
    assert process.stdout is not None
    told: Json = json.loads(process.stdout.readline())
    return told


def end(process: subprocess.Popen[bytes]) -> int:
    """Its exit code, once its standard input is closed."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    code = process.wait(timeout=15)
    process.stdout.close()
    return code


@contextmanager
def running(**said: object) -> Generator[Child]:
    """An engine that ends well after the block."""
    process = start(**said)
    told = first_line(process)
    try:
        assert "port" in told, told
        yield Child(process, told["port"])
    finally:
        code = end(process)
    assert code == 0


@pytest.fixture(scope="module")
def voice() -> Iterator[Child]:
    """One engine of demo-voice for all tests of this file."""
    with running() as child:
        yield child


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """One engine that listens, with random weights."""
    path = tmp_path_factory.mktemp("whisper") / "ggml-tiny.bin"
    write_whisper(path)
    with running(model=str(path), engine="whisper", threads=1) as child:
        yield child


@pytest.fixture
async def speak(voice: Child) -> AsyncGenerator[aiohttp.ClientSession]:
    async with voice.session() as session:
        yield session


@pytest.fixture
async def listen(listener: Child) -> AsyncGenerator[aiohttp.ClientSession]:
    async with listener.session() as session:
        yield session


async def speech(http: aiohttp.ClientSession, text: str = TEXT, **fields: object) -> bytes:
    body = {"model": "m", "voice": "alloy", "input": text, **fields}
    async with http.post("/v1/audio/speech", json=body) as response:
        assert response.status == 200, await response.text()
        return await response.read()


async def refusal(http: aiohttp.ClientSession, **fields: object) -> tuple[int, str, str]:
    """The status of a request to speak, its `param` and the message."""
    body = {"model": "m", "voice": "alloy", "input": TEXT, **fields}
    async with http.post("/v1/audio/speech", json=body) as response:
        error = (await response.json())["error"]
        return response.status, error["param"], error["message"]


def samples(file: bytes) -> tuple[array[int], int]:
    """The samples of a WAV and how many there are a second."""
    with wave.open(io.BytesIO(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        return array("h", sound.readframes(sound.getnframes())), sound.getframerate()


def loudness(sound: array[int]) -> float:
    return float(sum(map(abs, sound)) / len(sound))


def decoded(file: bytes) -> tuple[float, float]:
    """How long a file of any format lasts, in seconds, and its mean loudness, up to 1."""
    from ingle.engines.speech.decoding import RATE_HZ, read_sound

    sound = read_sound(file)
    return len(sound) / RATE_HZ, sum(map(abs, sound)) / len(sound)


async def transcribed(
    http: aiohttp.ClientSession, file: bytes, path: str = "transcriptions", **fields: object
) -> aiohttp.ClientResponse:
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(file), filename="sound.wav")
    form.add_field("model", "m")
    # Below 1 Whisper tries again where it is not sure, and one of random weights never is.
    for name, value in {"temperature": 1, **fields}.items():
        for one in value if isinstance(value, list) else [value]:
            form.add_field(f"{name}[]" if isinstance(value, list) else name, str(one))
    async with http.post(f"/v1/audio/{path}", data=form) as response:
        await response.read()
        return response


@needs_extra
async def test_a_wav_says_how_long_it_is_and_is_loud(speak: aiohttp.ClientSession) -> None:
    """At 24 kHz, and the text takes some three seconds."""
    sound, rate_hz = samples(await speech(speak, response_format="wav"))
    assert rate_hz == 24_000
    assert 2 < len(sound) / rate_hz < 5
    assert loudness(sound) > 300


@needs_extra
@pytest.mark.parametrize("speed", [0.25, 0.5, 2, 4])
async def test_the_length_follows_the_speed(speak: aiohttp.ClientSession, speed: float) -> None:
    """Within a tenth."""
    usual, _ = samples(await speech(speak, response_format="wav"))
    other, _ = samples(await speech(speak, response_format="wav", speed=speed))
    assert len(other) == pytest.approx(len(usual) / speed, rel=0.1)


@needs_extra
@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac", "wav"])
async def test_each_format_is_sound_again(speak: aiohttp.ClientSession, form: str) -> None:
    """As long as the plain samples, and as loud."""
    plain = array("h", await speech(speak, response_format="pcm"))
    length_s, mean = decoded(await speech(speak, response_format=form))
    assert length_s == pytest.approx(len(plain) / 24_000, abs=0.15)
    assert mean == pytest.approx(loudness(plain) / 32768, rel=0.15)


@needs_extra
async def test_a_wav_that_is_to_be_streamed_does_not_know_its_length(
    speak: aiohttp.ClientSession,
) -> None:
    """As OpenAI's."""
    streamed = await speech(speak, response_format="wav", stream_format="audio")
    whole = await speech(speak, response_format="wav")
    assert streamed[:4] + streamed[40:44] == b"RIFF\xff\xff\xff\xff"
    assert len(streamed) == pytest.approx(len(whole), rel=0.01)  # no two are quite the same


@needs_extra
async def test_events_carry_the_same_sound(speak: aiohttp.ClientSession) -> None:
    """`speech.audio.delta` many times, and `speech.audio.done` once, at the end."""
    body = await speech(speak, response_format="pcm", stream_format="sse")
    events = [json.loads(line[6:]) for line in body.decode().splitlines() if line[:5] == "data:"]
    assert [event["type"] for event in events[-2:]] == ["speech.audio.delta", "speech.audio.done"]
    sound = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert len(events) > 5
    whole = await speech(speak, response_format="pcm")
    assert len(sound) == pytest.approx(len(whole), rel=0.01)


@needs_extra
async def test_voices_and_languages_differ(speak: aiohttp.ClientSession) -> None:
    """All of OpenAI's names; German by its code, and as a language of another voice."""
    text = "Schöne Grüße aus Köln, Straße 12."
    voices = [*OPENAI_VOICES, "de", "de+f3", {"id": "en-gb"}]
    spoken = [
        array("h", await speech(speak, text, voice=voice, response_format="pcm"))
        for voice in voices
    ]
    assert len({(len(sound), loudness(sound)) for sound in spoken}) == len(voices)
    told = await speech(speak, text, voice="nova", language="de", response_format="pcm")
    assert len(told) // 2 == pytest.approx(len(spoken[voices.index("de+f3")]), rel=0.01)
    assert len(told) // 2 != pytest.approx(len(spoken[voices.index("nova")]), rel=0.05)


@needs_extra
@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"input": ""}, "input", "nothing to be spoken"),
        ({"input": " \n"}, "input", "nothing to be spoken"),
        ({"input": "x" * 4097}, "input", "4,097 characters, and at most 4,096"),
        ({"voice": "../../tmp/x"}, "voice", "alloy, ash, ballad"),
        ({"voice": "de", "language": "fr"}, "language", "speaks 'de'"),
        ({"language": "tlh"}, "language", "does not speak 'tlh'"),
        ({"response_format": "ogg"}, "response_format", "'ogg'"),
        ({"speed": 5}, "speed", "<= 4.0"),
        ({"stream_format": "sms"}, "stream_format", "'sms'"),
    ],
)
async def test_what_cannot_be_spoken_is_refused(
    speak: aiohttp.ClientSession, fields: Json, param: str, words: str
) -> None:
    """With the field, and what would be right."""
    status, named, message = await refusal(speak, **fields)
    assert (status, named) == (400, param)
    assert words in message


@needs_extra
async def test_the_longest_text_is_spoken(speak: aiohttp.ClientSession) -> None:
    """4,096 characters are some minutes."""
    sound = await speech(speak, ("word " * 820)[:4096], response_format="pcm")
    assert len(sound) / 48_000 > 120


@needs_extra
async def test_a_caller_who_leaves_stops_the_voice(speak: aiohttp.ClientSession) -> None:
    """Another is answered at once, though the first had 20 minutes to be spoken."""
    body = {"input": ("word " * 820)[:4096], "speed": 0.25, "response_format": "mp3"}
    response = await speak.post("/v1/audio/speech", json=body)
    await response.content.readany()
    response.close()
    async with asyncio.timeout(5):
        assert await speech(speak, "Hi.", response_format="pcm")


@needs_extra
async def test_a_voice_that_dies_breaks_its_sound_off() -> None:
    """Nobody takes the part for the whole."""
    process = start()
    child = Child(process, first_line(process)["port"])
    body = {"input": ("word " * 820)[:4096], "speed": 0.25, "response_format": "mp3"}
    async with child.session() as session:
        response = await session.post("/v1/audio/speech", json=body)
        await response.content.readany()
        process.send_signal(signal.SIGKILL)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
        response.close()
    assert end(process) == -signal.SIGKILL


@needs_extra
async def test_who_has_no_key_is_refused(voice: Child) -> None:
    """Health is told to everybody."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{voice.port}") as stranger:
        async with stranger.get("/health") as health:
            assert health.status == 200
        async with stranger.post("/v1/audio/speech", json={"input": "x"}) as refused:
            assert refused.status == 401


@needs_extra
async def test_a_voice_of_piper_speaks_sentence_by_sentence(tmp_path: Path) -> None:
    """The real library with a network that hums; its speakers have names."""
    path = tmp_path / "en_US-hum-low.onnx"
    write_piper_voice(path, speakers=["anna", "bob"])
    with running(model=str(path), engine="sherpa", threads=1) as child:
        async with child.session() as http:
            one, _ = samples(await speech(http, "Hello there.", response_format="wav"))
            two, _ = samples(await speech(http, "Hello there. Hello there.", voice="bob",
                                          response_format="wav"))  # fmt: skip
            quick, _ = samples(await speech(http, "Hello there.", speed=2, response_format="wav"))
            status, param, message = await refusal(http, voice="carl")
            other = await refusal(http, language="de")
    assert loudness(one) > 300
    assert len(two) == pytest.approx(2 * len(one), rel=0.1)
    assert len(quick) == pytest.approx(len(one) / 2, rel=0.1)
    assert (status, param) == (400, "voice")
    assert "0 to 1 (anna, bob)" in message
    assert other[:2] == (400, "language")


@needs_extra
async def test_a_transcript_has_segments_words_and_times(
    speak: aiohttp.ClientSession, listen: aiohttp.ClientSession
) -> None:
    """Noise for words, as the weights are random; the rest is what whisper.cpp tells."""
    file = await speech(speak, "Hello.", response_format="mp3")
    asked: Json = {
        "response_format": "verbose_json",
        "timestamp_granularities": ["word", "segment"],
    }
    told = await (await transcribed(listen, file, language="de", **asked)).json()
    assert (told["task"], told["language"]) == ("transcribe", "de")
    assert told["text"] == "".join(segment["text"] for segment in told["segments"]).strip() != ""
    assert {word["word"] for word in told["words"]} >= set(told["text"].split()[:1])
    for timed in (*told["segments"], *told["words"]):
        assert 0 <= timed["start"] <= timed["end"] <= told["duration"]
    assert told["usage"] == {"type": "duration", "seconds": 1}


@needs_extra
async def test_the_language_is_found_out_where_nobody_says(
    speak: aiohttp.ClientSession, listen: aiohttp.ClientSession
) -> None:
    """Which one a model of random weights finds is chance, but it is one."""
    file = await speech(speak, "Hello.", response_format="wav")
    told = await (await transcribed(listen, file, response_format="verbose_json")).json()
    assert 2 <= len(told["language"]) <= 3


@needs_extra
async def test_a_transcript_is_written_in_each_format(
    speak: aiohttp.ClientSession, listen: aiohttp.ClientSession
) -> None:
    """A translation comes in the same way."""
    file = await speech(speak, "Hello.", response_format="opus")
    text, srt, vtt = [
        await (await transcribed(listen, file, language="en", response_format=form)).text()
        for form in ("text", "srt", "vtt")
    ]
    told = await (await transcribed(listen, file, language="en")).json()
    assert told["text"].strip() != "" != text.strip()
    assert srt.startswith("1\n00:00:00,")
    assert vtt.startswith("WEBVTT\n\n00:00:00.")
    assert " --> 00:00:0" in srt
    translated = await transcribed(listen, file, "translations", response_format="verbose_json")
    assert (await translated.json())["task"] == "translate"


@needs_extra
async def test_a_transcript_streams(
    speak: aiohttp.ClientSession, listen: aiohttp.ClientSession
) -> None:
    """The deltas make the text of the last event."""
    file = await speech(speak, "Hello.", response_format="wav")
    body = await (await transcribed(listen, file, language="en", stream="true")).text()
    events = [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data:")]
    assert events[-1]["type"] == "transcript.text.done"
    assert "".join(event["delta"] for event in events[:-1]).strip() == events[-1]["text"]


@needs_extra
@pytest.mark.parametrize(
    ("file", "fields", "param"),
    [
        (b"no sound at all" * 100, {}, "file"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", {}, "file"),
        (b"", {}, "file"),
        (b"x", {"language": "klingon"}, "language"),
        (b"x", {"response_format": "pdf"}, "response_format"),
        (b"x", {"temperature": 2}, "temperature"),
        (b"x", {"timestamp_granularities": ["word"]}, "timestamp_granularities"),
        (b"x", {"response_format": "srt", "stream": "true"}, "stream"),
        (b"x", {"include": ["logprobs"]}, "include"),
    ],
)
async def test_what_cannot_be_written_down_is_refused(
    listen: aiohttp.ClientSession, file: bytes, fields: Json, param: str
) -> None:
    """A playlist too, which FFmpeg would follow to other files."""
    response = await transcribed(listen, file, **fields)
    assert (response.status, (await response.json())["error"]["param"]) == (400, param)


@needs_extra
@pytest.mark.slow
async def test_a_caller_who_leaves_stops_the_listening(
    speak: aiohttp.ClientSession, listen: aiohttp.ClientSession
) -> None:
    """Minutes of sound take seconds even in so small a model; the next caller need not wait."""
    long = await speech(speak, "word " * 200, speed=0.25, response_format="flac")
    short = await speech(speak, "Hi.", response_format="flac")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await transcribed(listen, long, language="en")
    async with asyncio.timeout(10):
        assert (await transcribed(listen, short, language="en")).status == 200


@pytest.mark.skipif(has_extra, reason="the extra `speech` is installed")
def test_a_missing_library_is_told() -> None:
    """The reason says what to install."""
    process = start()
    error = first_line(process)["error"]
    assert error["code"] == "engine_missing"
    assert error["message"].endswith("Run: pip install 'ingle[speech]'")
    assert end(process) == 6
