"""A real `ingle up` with the built page, a real Chromium, and what any page must not do."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from ingle.server.ui import WEB_FOLDER
from ingle.testing import ScriptedUpstream
from ingle.testing.answers import Answer

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SERIOUS = {"serious", "critical"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever starts a browser is slow."""
    for item in items:
        if Path(__file__).parent in item.path.parents and "browser" in getattr(
            item, "fixturenames", ()
        ):
            item.add_marker(pytest.mark.slow)


@contextmanager
def ingle_up(home: Path, *options: str) -> Iterator[tuple[str, IO[str]]]:
    """The URL of an `ingle up` with this home, and what else it prints."""
    command = [sys.executable, "-m", "ingle", "up", "--port", "0", "--no-browser", *options]
    environ = {**os.environ, "INGLE_HOME": str(home)}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            url = server.stdout.readline().strip().removeprefix("Ingle is running at ")
            yield url, server.stdout
        finally:
            server.terminate()


@contextmanager
def scripted(*answers: Answer) -> Iterator[ScriptedUpstream]:
    """A server that answers by script, on a loop of its own: the browser's has this thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="scripted")
    thread.start()

    def wait_for(work: Any) -> Any:  # Any: a coroutine of whatever kind
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, loop)
        return future.result(20)

    upstream = ScriptedUpstream(*answers)
    wait_for(upstream.__aenter__())
    try:
        yield upstream
    finally:
        wait_for(upstream.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


# Not for the session: Playwright keeps an event loop running in this thread as long as it is open,
# and no asynchronous test of another file could run its own beside it.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; skips where there is none, or no page is built."""
    if not (WEB_FOLDER / "index.html").is_file():
        pytest.skip("The page is not built: `make web` builds it.")
    with sync_playwright() as playwright:
        found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
        own = playwright.chromium.executable_path
        if found is None and not Path(own).exists():
            pytest.skip("No Chromium: `apt-get install chromium` or `playwright install chromium`.")
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox"] if _is_root() else []
        )
        yield browser
        browser.close()


def _is_root() -> bool:
    return os.name == "posix" and os.geteuid() == 0


@pytest.fixture(scope="module")
def url(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Ingle that all tests share, with nothing but the demo models."""
    assert browser.is_connected()
    with ingle_up(tmp_path_factory.mktemp("home")) as (address, _):
        yield address


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[OpenPage]:
    """Opens pages in browsers without a past. At the end: no error, and nothing asked elsewhere."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def told(message: ConsoleMessage) -> None:
        # The browser notes an answer of 4xx as an error; that the page handles it is for its test.
        if message.type == "error" and "the server responded with a status" not in message.text:
            faults.append(f"console: {message.text}")

    def opened(path: str = "/", **options: Any) -> Page:  # Any: as Playwright has them
        options = {"base_url": url, "reduced_motion": "reduce", **options}
        context = browser.new_context(**options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", told)
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on("request", lambda request: check(request.url))
        page.goto(path)
        return page

    def check(asked: str) -> None:
        parts = urlsplit(asked)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            faults.append(f"asked elsewhere: {asked}")

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def serious_findings(page: Page) -> list[str]:
    """What axe finds on the page as it is, if it is serious."""
    page.evaluate(AXE.read_text())
    told = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{found['id']}: {node['target']} {node['failureSummary']}"
        for found in told["violations"]
        if found["impact"] in SERIOUS
        for node in found["nodes"]
    ]
