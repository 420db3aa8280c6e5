"""`/v1` with a model of another server: its bytes pass as they are, its faults are told."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.server.conftest import Caller, Reply

from ingle.testing import (
    Answer,
    Framing,
    ScriptedUpstream,
    chat_answer,
    chat_stream,
    error,
    json_answer,
    models,
    page,
)

CHAT: dict[str, Any] = {"model": "far/big", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
async def far(call: Caller) -> AsyncIterator[ScriptedUpstream]:
    """Another server, connected as `far`, with a key."""
    async with ScriptedUpstream(models("big")) as upstream:
        saved = {"base_url": f"{upstream.url}/v1", "api_key": "sk-far-0123456789"}
        await asyncio.to_thread(call, "PUT", "/api/connections/far", saved)
        yield upstream
        await asyncio.to_thread(call, "DELETE", "/api/connections/far")


async def _asked(call: Caller, **fields: object) -> Reply:
    return await asyncio.to_thread(call.post, "/v1/chat/completions", {**CHAT, **fields})


async def test_a_stream_passes_byte_for_byte(call: Caller, far: ScriptedUpstream) -> None:
    """The head says that it is one, and that nobody shall hold it back."""
    scripted = chat_stream("Hel", "lo")
    far.script(scripted)
    answer = await _asked(call, stream=True)
    assert answer.status == 200
    assert answer.body == scripted.body
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"


async def test_only_the_models_name_changes_on_the_way(call: Caller, far: ScriptedUpstream) -> None:
    """What no engine here would take goes along; the connection's key is sent, not the caller's."""
    scripted = chat_answer("Hello")
    far.script(scripted)
    asked = {**CHAT, "temperature": 9.50, "strange": [{"a": 1}]}
    answer = await asyncio.to_thread(
        call,
        "POST",
        "/v1/chat/completions",
        asked,
        headers={"Authorization": "Bearer sk-callers-own", "OpenAI-Beta": "x"},
    )
    assert (answer.status, answer.body) == (200, scripted.body)
    sent = far.requests[-1]
    assert sent.json == {**asked, "model": "big"}
    assert sent.headers["authorization"] == "Bearer sk-far-0123456789"
    assert sent.headers["openai-beta"] == "x"
    assert "sk-callers-own" not in str(sent.headers)


async def test_its_models_are_listed_under_its_name(call: Caller, far: ScriptedUpstream) -> None:
    """As they have to be asked for."""
    listed = await asyncio.to_thread(call, "GET", "/v1/models")
    assert {"far/big": "far"}.items() <= {
        m["id"]: m["owned_by"] for m in listed.json["data"]
    }.items()
    one = await asyncio.to_thread(call, "GET", "/v1/models/far/big")
    assert one.json["id"] == "far/big"


async def test_its_own_error_passes_as_it_is(call: Caller, far: ScriptedUpstream) -> None:
    """With its status and its Retry-After."""
    far.script(error(429, "slow down", retry_after="7"))
    answer = await _asked(call)
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert "slow down" in answer.error["message"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_not_the_callers_fault(
    call: Caller, far: ScriptedUpstream, status: int
) -> None:
    """It is the connection's, and is told without the key."""
    far.script(error(status, "bad key"))
    answer = await _asked(call)
    assert (answer.status, answer.error["code"]) == (502, "upstream_refused")
    assert "ingle connections test far" in answer.error["message"]
    assert "0123456789" not in answer.body.decode()


@pytest.mark.parametrize("answer", [page("<h1>hello</h1>"), json_answer({}), chat_answer("whole")])
async def test_what_is_no_stream_is_an_error_where_one_was_asked_for(
    call: Caller, far: ScriptedUpstream, answer: Answer
) -> None:
    """A page or plain JSON with status 200 fools most clients."""
    far.script(answer)
    told = await _asked(call, stream=True)
    assert (told.status, told.error["code"]) == (502, "upstream_invalid")


async def test_a_page_instead_of_an_error_is_told_in_openais_shape(
    call: Caller, far: ScriptedUpstream
) -> None:
    """With what it says."""
    far.script(page("<h1>Bad Gateway</h1>", status=502))
    answer = await _asked(call)
    assert (answer.status, answer.error["code"]) == (502, "upstream_refused")
    assert "Bad Gateway" in answer.error["message"]


@pytest.mark.parametrize("framing", ["chunked", "close"])
async def test_a_stream_that_is_cut_ends_with_one_error_event(
    call: Caller, far: ScriptedUpstream, framing: Any
) -> None:
    """Also where the connection ends in order; never with `[DONE]`."""
    far.script(chat_stream("Hel", "lo").framed(framing).cut_after(1))
    answer = await _asked(call, stream=True)
    *pieces, last = answer.events
    assert len(pieces) == 1
    assert json.loads(last)["error"]["code"] == "upstream_cut"


async def test_an_answer_that_is_cut_is_not_taken_for_whole(
    call: Caller, far: ScriptedUpstream
) -> None:
    """It has begun, so nothing can be told any more: the caller's connection breaks."""
    far.script(chat_answer("Hello there").in_pieces(40).cut_after(1))
    with pytest.raises(http.client.IncompleteRead):
        await _asked(call)


@pytest.mark.parametrize("is_stream", [True, False])
async def test_a_caller_who_leaves_stops_the_work_there(
    call: Caller, far: ScriptedUpstream, is_stream: bool
) -> None:
    """Streaming, or waiting for the first byte, within a quarter of a second."""
    never = asyncio.Event()
    far.script(
        chat_stream("a", "b").paused_before(1, never)
        if is_stream
        else chat_answer("late").paused_before(0, never)
    )
    body = json.dumps({**CHAT, "stream": is_stream}).encode()
    reader, writer = await asyncio.open_connection(*call.address)
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    request = await far.received(1)
    while not request.path.endswith("chat/completions"):  # the models are asked for before
        request = await far.received(len(far.requests) + 1)
    if is_stream:
        await reader.readuntil(b"data: ")
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(0.25):
        await request.left.wait()


async def test_images_and_speech_pass_through(call: Caller, far: ScriptedUpstream) -> None:
    """Whatever their bytes are."""
    sound = Answer((b"\x00\x01\xff",), headers=(("Content-Type", "audio/mpeg"),))
    far.script(sound)
    asked = {"model": "far/big", "input": "hi", "voice": "alloy"}
    answer = await asyncio.to_thread(call.post, "/v1/audio/speech", asked)
    assert (answer.headers["content-type"], answer.body) == ("audio/mpeg", b"\x00\x01\xff")
    assert far.requests[-1].path == "/v1/audio/speech"


async def test_a_form_finds_its_server_by_its_model(call: Caller, far: ScriptedUpstream) -> None:
    """The name in it changes, the file does not."""
    far.script(json_answer({"text": "hello"}))
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\xff\r\n'
        b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\n%b\r\n--x--\r\n'
    )
    answer = await asyncio.to_thread(
        call,
        "POST",
        "/v1/audio/transcriptions",
        form % b"far/whisper",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert answer.json == {"text": "hello"}
    assert far.requests[-1].body == form % b"whisper"


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_an_empty_answer_passes(
    call: Caller, far: ScriptedUpstream, framing: Framing
) -> None:
    """It is what the server said, however it told its end."""
    far.script(Answer((), framing=framing, endpoint="chat/completions"))
    answer = await _asked(call)
    assert (answer.status, answer.body) == (200, b"")
