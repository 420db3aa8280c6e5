"""A running server with the demo model, shared by all tests of this room, and ways to call it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

from ingle.server.serve import Serving, serve
from ingle.settings import Settings, load_settings

START_S = 30
MAX_BODY_BYTES = 256 * 1024
BODY_S = 1.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # Any: whatever JSON came
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error that the body tells."""
        error: dict[str, Any] = self.json["error"]
        return error

    @property
    def events(self) -> list[str]:
        """The data of each event of the body."""
        blocks = self.body.decode().split("\n\n")
        return [
            line.removeprefix("data: ")
            for block in blocks
            for line in block.split("\n")
            if line.startswith("data: ")
        ]


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls one server, a connection for each call."""

    url: str

    @property
    def address(self) -> tuple[str, int]:
        """Where its socket is."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """The answer to a request; a body that is not bytes is sent as JSON."""
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        with closing(http.client.HTTPConnection(*self.address, timeout=START_S)) as connection:
            told = {"Content-Type": "application/json", **(headers or {})}
            connection.request(method, path, sent, told)
            answer = connection.getresponse()
            received = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, received, answer.read())

    def post(self, path: str, body: object) -> Reply:
        """The answer to a POST."""
        return self("POST", path, body)

    @contextmanager
    def raw(self) -> Iterator[socket.socket]:
        """A connection on which a test writes what it likes."""
        with closing(socket.create_connection(self.address, timeout=START_S)) as connection:
            yield connection


def read_to_end(connection: socket.socket) -> bytes:
    """All that still comes until the other side closes."""
    data = b""
    while part := connection.recv(65536):
        data += part
    return data


def settings_for(home: Path, **overrides: object) -> Settings:
    """Settings of a small server on a free port, whatever the environment says."""
    small = {"home": home, "port": 0, "slots": 2, "threads": 1, "context_tokens": 512}
    return load_settings(environ={}, overrides={**small, **overrides})


@contextmanager
def running(settings: Settings) -> Iterator[Serving]:
    """A server in a thread of its own; on leaving it has stopped."""
    is_ready = threading.Event()
    served: list[Serving] = []
    failed: list[BaseException] = []

    def ready(serving: Serving) -> None:
        served.append(serving)
        is_ready.set()

    def run() -> None:
        try:
            serve(settings, ready=ready)
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            is_ready.set()

    thread = threading.Thread(target=run, name="server")
    thread.start()
    try:
        assert is_ready.wait(START_S)
        assert not failed, failed
        yield served[0]
    finally:
        if served:
            served[0].stop()
        thread.join(START_S)
    assert not thread.is_alive(), "the server did not stop"
    assert not failed, failed


@pytest.fixture(scope="session")
def served_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the shared server."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="session")
def server(served_home: Path) -> Generator[Serving, None, None]:
    """The shared server: on loopback, with small bounds."""
    settings = settings_for(served_home, max_body_bytes=MAX_BODY_BYTES, body_s=BODY_S)
    with running(settings) as serving:
        yield serving


@pytest.fixture(scope="session")
def call(server: Serving) -> Caller:
    """Calls the shared server."""
    return Caller(server.url)


@pytest.fixture(scope="session")
def client(server: Serving) -> Generator[openai.OpenAI, None, None]:
    """The official client of OpenAI's API, at the shared server."""
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield client
