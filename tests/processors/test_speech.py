"""Speech: transcription, translation, and text read aloud."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ingle.errors import InvalidRequest, UpstreamInvalid, UpstreamRefused
from ingle.processors.base import Output
from ingle.processors.catalogue import run_processor
from ingle.routing import Router
from ingle.testing import Answer, ScriptedUpstream, error, json_answer, models, page

WAV = b"RIFF\x24\0\0\0WAVEfmt "
FILE = f"data:audio/x-wav;name=a.wav;base64,{base64.b64encode(WAV).decode()}"
HEAR = "localai/audio_transcriptions"


async def out(
    slug: str,
    input_: dict[str, Any],
    router: Router,
    upstream: ScriptedUpstream,
    **config: Any,  # Any: JSON values
) -> Output:
    """The output of one run."""
    run = run_processor(slug, input_, {"base_url": upstream.url, **config}, router)
    *_, output = [item async for item in run]
    assert isinstance(output, Output)
    return output


async def test_recording_is_sent_as_a_form(router: Router) -> None:
    """The file with its name and kind; of the fields, those that are set."""
    heard = json_answer({"text": " Hi. ", "x": 1}, endpoint="audio/transcriptions")
    async with ScriptedUpstream(models("m", "n"), heard) as upstream:
        output = await out(
            HEAR,
            {"file": FILE, "language": "en", "prompt": "Names: Ingle"},
            router,
            upstream,
            model="n",
            temperature=0.5,
        )
    assert output.model_dump() == {"text": "Hi.", "_api_response": {"text": " Hi. ", "x": 1}}
    body = upstream.requests[-1].body
    assert b'name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n' + WAV in body
    for name, value in {
        "language": "en",
        "prompt": "Names: Ingle",
        "model": "n",
        "temperature": "0.5",
        "response_format": "json",
    }.items():
        assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in body


@pytest.mark.parametrize(
    ("served", "model"), [(("one",), "one"), (("a", "b"), "whisper-1"), ((), "whisper-1")]
)
async def test_model_of_another_server(served: tuple[str, ...], model: str, router: Router) -> None:
    """Its only model, or else what OpenAI and LocalAI call theirs."""
    heard = json_answer({"text": "Hi"}, endpoint="audio/translations")
    async with ScriptedUpstream(models(*served), heard) as upstream:
        await out("localai/audio_translations", {"file_data": FILE}, router, upstream)
    assert f'name="model"\r\n\r\n{model}\r\n'.encode() in upstream.requests[-1].body


@pytest.mark.parametrize(
    ("form", "body", "text"),
    [
        ("text", b"Hi.\n", "Hi."),
        ("srt", b"1\n00:00:00,000 --> 00:00:01,000\nHi.\n\n", None),
        ("text", b'{"text": "Hi."}', "Hi."),
        ("text", b"[music] Hi.", "[music] Hi."),
        ("vtt", b"", ""),
    ],
)
async def test_text_in_other_forms(
    form: str, body: bytes, text: str | None, router: Router
) -> None:
    """Subtitles and plain text are given as they are; JSON all the same is read."""
    heard = Answer((body,), endpoint="audio/transcriptions")
    async with ScriptedUpstream(models("m"), heard) as upstream:
        output = await out(HEAR, {"file": FILE}, router, upstream, response_format=form)
    expected = body.decode().strip() if text is None else text
    assert output.model_dump() == {"text": expected, "_api_response": {}}


@pytest.mark.parametrize(
    ("form", "given", "message"),
    [
        ("text", page("<html><title>Login</title>"), r"an HTML page \('Login'\) came"),
        ("vtt", Answer((b"\xff\xff",)), "not UTF-8 text came"),
        ("json", Answer((b"Hi",)), "came where a JSON answer was asked for"),
        ("json", json_answer({"texts": []}), "text"),
    ],
)
async def test_what_is_no_transcript_is_an_error(
    form: str, given: Answer, message: str, router: Router
) -> None:
    """Whatever else comes is not taken for what was said."""
    async with ScriptedUpstream(models("m"), given) as upstream:
        with pytest.raises(UpstreamInvalid, match=message):
            await out(HEAR, {"file": FILE}, router, upstream, response_format=form)


async def test_missing_recording_is_an_error(router: Router) -> None:
    """It is said before anything is asked."""
    with pytest.raises(InvalidRequest, match="`file` is missing"):
        run_processor(HEAR, {}, {}, router)


async def test_text_is_read_aloud(router: Router) -> None:
    """The sound is a data URI of the kind that it is, whatever was asked for."""
    sound = Answer((WAV,), endpoint="audio/speech")
    async with ScriptedUpstream(models("a", "b"), sound) as upstream:
        output = await out(
            "localai/text_to_speech", {"input_text": "Hi"}, router, upstream, speed=1.5
        )
    uri = f"data:audio/wav;base64,{base64.b64encode(WAV).decode()}"
    assert output.model_dump() == {"result": uri}
    assert upstream.requests[-1].json == {
        "input": "Hi",
        "model": "tts-1",
        "voice": "alloy",
        "response_format": "mp3",
        "speed": 1.5,
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (page("<html>no</html>"), "an HTML page came where sound was asked for"),
        (Answer(()), "an empty body came"),
        (json_answer({"a": 1}), "plain JSON came"),
        (Answer((b"\x89PNG\r\n\x1a\n",)), "came where sound was asked for"),
    ],
)
async def test_what_is_no_sound_is_an_error(given: Answer, message: str, router: Router) -> None:
    """A page with status 200 is no sound."""
    async with ScriptedUpstream(models("m"), given) as upstream:
        with pytest.raises(UpstreamInvalid, match=message):
            await out("localai/text_to_speech", {"input_text": "Hi"}, router, upstream)


async def test_refusal_is_told_in_the_servers_words(router: Router) -> None:
    """A voice that the server does not have is its to say."""
    refusal = error(400, "There is no voice 'x'.", param="voice")
    async with ScriptedUpstream(models("m"), refusal) as upstream:
        with pytest.raises(UpstreamRefused, match="There is no voice 'x'"):
            await out("localai/text_to_speech", {"input_text": "Hi"}, router, upstream, voice="x")
