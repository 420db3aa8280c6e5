"""Starting and stopping the server."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from tests.server.conftest import Caller, running, settings_for

from ingle.errors import ConfigurationError, Conflict
from ingle.server.listener import listen
from ingle.server.serve import Serving, serve
from ingle.testing import ScriptedUpstream, chat_stream, models

CHAT = {"model": "far/big", "messages": [{"role": "user", "content": "hi"}], "stream": True}


def test_a_port_that_is_taken_is_one_clear_error(call: Caller, tmp_path: Path) -> None:
    """It says that another Ingle answers there, and what to do; nothing was opened."""
    settings = settings_for(tmp_path / "other", port=call.address[1])
    with pytest.raises(
        Conflict, match=r"Another Ingle \(.+\) listens on 127\.0\.0\.1:\d+.*--port 0"
    ):
        serve(settings, ready=lambda _: None)
    assert not (tmp_path / "other").exists()


def test_a_port_that_another_program_has_is_told_so() -> None:
    """It is asked, and does not answer as Ingle would."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        thread = threading.Thread(target=lambda: other.accept()[0].close())
        thread.start()
        with pytest.raises(Conflict, match="Another program listens"):
            listen("127.0.0.1", port)
        thread.join()


@pytest.mark.parametrize(
    ("host", "told"),
    [("no such host", "No address is known"), ("203.0.113.7", "cannot be listened")],
)
def test_a_host_that_is_not_here_is_told_so(host: str, told: str) -> None:
    """With hosts that are."""
    with pytest.raises(ConfigurationError, match=told) as raised:
        listen(host, 0)
    assert "127.0.0.1" in raised.value.message


async def _stream_from(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A chat with the far server whose first piece has come."""
    reader, writer = await asyncio.open_connection(*Caller(url).address)
    body = json.dumps(CHAT).encode()
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    await reader.readuntil(b"data: {")
    return reader, writer


@asynccontextmanager
async def _running_with_far(
    home: Path, goes_on: asyncio.Event, **overrides: object
) -> AsyncIterator[Serving]:
    """A server with a connection that sends one piece and then waits for `goes_on`."""
    scripted = chat_stream("Hel", "lo").paused_before(1, goes_on)
    async with ScriptedUpstream(models("big"), scripted) as far:
        server = running(settings_for(home, **overrides))
        serving = await asyncio.to_thread(server.__enter__)
        try:
            saved = {"base_url": f"{far.url}/v1"}
            await asyncio.to_thread(Caller(serving.url), "PUT", "/api/connections/far", saved)
            yield serving
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)


async def test_stopping_lets_a_running_stream_end_and_takes_no_new_request(home: Path) -> None:
    """A new one on a kept connection hears 503 and when to try again."""
    goes_on = asyncio.Event()
    async with _running_with_far(home, goes_on) as serving:
        with closing(http.client.HTTPConnection(*Caller(serving.url).address)) as kept:
            await asyncio.to_thread(kept.request, "GET", "/health")
            kept.getresponse().read()
            reader, writer = await _stream_from(serving.url)
            serving.stop()
            answer = await asyncio.to_thread(_until_refused, kept)
            assert answer.status == 503
            assert answer.getheader("Retry-After") == "1"
            assert json.loads(answer.read())["error"]["code"] == "server_busy"
        goes_on.set()
        rest = await reader.read()
        writer.close()
        assert b"data: [DONE]" in rest
        assert b"error" not in rest


def _until_refused(kept: http.client.HTTPConnection) -> http.client.HTTPResponse:
    """The first answer that is not 200: `stop` takes effect on the server's own thread."""
    while True:
        kept.request("GET", "/health")
        answer = kept.getresponse()
        if answer.status != 200:
            return answer
        answer.read()


async def test_a_stream_that_does_not_end_in_time_is_told_why(home: Path) -> None:
    """It gets one last event, an error, and the server stops."""
    async with _running_with_far(home, asyncio.Event(), drain_s=0.1) as serving:
        reader, writer = await _stream_from(serving.url)
        serving.stop()
        rest = await reader.read()
        writer.close()
        assert rest.count(b'data: {"error"') == 1
        assert b"Ingle is stopping" in rest
        assert b"[DONE]" not in rest


async def test_asked_twice_it_stops_at_once(home: Path) -> None:
    """Whatever still runs is cut, long before `drain_s` is over."""
    async with _running_with_far(home, asyncio.Event(), drain_s=600) as serving:
        reader, writer = await _stream_from(serving.url)
        serving.stop()
        serving.stop()
        async with asyncio.timeout(5):
            rest = await reader.read()
        writer.close()
        assert b"[DONE]" not in rest


SERVE = """
from ingle.server.serve import Serving, serve
from ingle.settings import load_settings
serve(load_settings(), ready=lambda serving: print(serving.url, flush=True))
"""


@pytest.mark.slow
def test_a_signal_stops_the_process_in_order(home: Path) -> None:
    """SIGTERM: it ends with code 0 and leaves no engine behind."""
    environ = {**os.environ, "INGLE_HOME": str(home), "INGLE_PORT": "0", "INGLE_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        call = Caller(process.stdout.readline().strip())
        asked = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
        assert call.post("/v1/chat/completions", asked).status == 200
        [engine] = call("GET", "/api/engines").json
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert not Path(f"/proc/{engine['pid']}/cmdline").exists()
