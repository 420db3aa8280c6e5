"""The web page as it is served: its files, what a browser may keep, and what it may run."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from tests.server.conftest import settings_for

from ingle.runtime import open_runtime
from ingle.server.app import Application
from ingle.server.asgi import Message, Scope

PAGE = b"<!doctype html><title>Ingle</title>"
SCRIPT = b"console.log(1)"
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Browser:
    """Asks an application as a browser does."""

    app: Application

    async def __call__(
        self, path: str, method: str = "GET", accept: str = BROWSER, **headers: str
    ) -> Reply:
        """The answer to a request without a body."""
        told = {"host": "127.0.0.1", "accept": accept, **headers}
        scope: Scope = {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": path,
            "query_string": b"",
            "headers": [
                (name.replace("_", "-").encode(), value.encode()) for name, value in told.items()
            ],
        }
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        got = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Reply(sent[0]["status"], got, b"".join(part["body"] for part in sent[1:]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A built page: its HTML, and a script with its packed form."""
    folder = tmp_path / "web_dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(PAGE)
    (folder / "assets" / "index-B1a.js").write_bytes(SCRIPT)
    (folder / "assets" / "index-B1a.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "secret.txt").write_text("not a part of the page")
    return folder


@pytest_asyncio.fixture
async def browse(home: Path, folder: Path) -> AsyncIterator[Browser]:
    """A browser at a server with that page."""
    async with open_runtime(settings_for(home)) as runtime:
        yield Browser(Application(runtime, folder))


@pytest.mark.parametrize("path", ["/", "/chat/chat_1", "/settings", "/models", "/no/such/page"])
async def test_paths_of_pages_lead_to_the_page(browse: Browser, path: str) -> None:
    """The page's own router reads the path, so that an address can be kept and sent."""
    reply = await browse(path)
    assert (reply.status, reply.body) == (200, PAGE)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"


async def test_the_page_may_run_its_own_scripts_only(browse: Browser) -> None:
    """Nothing inline, nothing of another origin, and no other page may frame it."""
    policy = (await browse("/")).headers["content-security-policy"]
    assert "unsafe" not in policy
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["img-src"] == "'self' data: blob:"


async def test_callers_of_the_api_never_get_the_page(browse: Browser) -> None:
    """Not below /api and /v1, not by POST, and not where no document is asked for."""
    for path in ("/api/nothing", "/v1/nothing", "/assets/nothing.js"):
        reply = await browse(path)
        assert (reply.status, reply.headers["content-type"]) == (404, "application/json")
    assert (await browse("/nothing", accept="*/*")).status == 404
    assert (await browse("/nothing", "POST")).status == 404
    assert b'"object":"list"' in (await browse("/models", accept="application/json")).body
    assert (await browse("/health")).body.startswith(b"{")


async def test_assets_are_kept_for_ever_and_come_packed(browse: Browser) -> None:
    """Their names change with their contents; packed for who takes it."""
    packed = await browse("/assets/index-B1a.js", accept="*/*", accept_encoding="gzip, br")
    assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert packed.headers["content-type"] == "text/javascript; charset=utf-8"
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == SCRIPT
    plain = await browse("/assets/index-B1a.js", accept="*/*")
    assert "content-encoding" not in plain.headers
    assert plain.body == SCRIPT


async def test_the_page_is_asked_for_anew_and_not_sent_twice(browse: Browser) -> None:
    """What a browser has is confirmed by its ETag; a new build has another one."""
    first = await browse("/")
    assert first.headers["cache-control"] == "no-cache"
    again = await browse("/", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert (await browse("/", if_none_match='"other"')).status == 200


@pytest.mark.parametrize(
    "path", ["/secret.txt", "/assets/../secret.txt", "/assets/..%2fsecret.txt", "/.sources"]
)
async def test_only_files_of_the_page_are_served(browse: Browser, path: str) -> None:
    """Whatever else lies in the folder, or above it, stays there."""
    assert (await browse(path, accept="*/*")).status == 404


async def test_without_a_built_page_the_start_page_says_how_to_call(
    browse: Browser, folder: Path
) -> None:
    """And the paths of pages are unknown, so that `/models` is the API's."""
    (folder / "index.html").unlink()
    assert b"Ingle is running" in (await browse("/")).body
    assert (await browse("/settings")).status == 404
    assert b'"object":"list"' in (await browse("/models")).body
