"""Models: a download that is paused, resumed and cancelled, and a model that is loaded and removed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.web.conftest import OpenPage, ingle_up, serious_findings

from ingle.testing.file_server import FileServer, ServedFile, file_server
from ingle.testing.tiny_model import ModelShape, write_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SOURCE = "hf:maker/Tiny-GGUF"
DOWNLOAD = "tiny-q8_0"


class Hub:
    """A stub of Hugging Face with one small model, which comes up to a point and then waits."""

    def __init__(self, server: FileServer, loop: asyncio.AbstractEventLoop, model: bytes) -> None:
        self._loop = loop
        self.url = server.url
        self.file: ServedFile = server.serve(
            f"/maker/Tiny-GGUF/resolve/{COMMIT}/tiny-Q8_0.gguf", model
        )
        self.file.etag = '"one"'
        self.file.holds_after = 64 * 1024
        digest = hashlib.sha256(model).hexdigest()
        entry = {
            "rfilename": "tiny-Q8_0.gguf",
            "size": len(model),
            "blobId": hashlib.sha1(b"blob %d\0%b" % (len(model), model)).hexdigest(),
            "lfs": {"sha256": digest, "size": len(model), "pointerSize": 130},
        }
        body = {"sha": COMMIT, "siblings": [entry], "cardData": {"license": "apache-2.0"}}
        server.serve("/api/models/maker/Tiny-GGUF/revision/main?blobs=true", json.dumps(body))

    def let_go(self) -> None:
        """Send the rest, also of what is asked for from now on."""
        self._loop.call_soon_threadsafe(self.file.go.set)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """The stub, on a loop of its own: the browser's has this thread."""
    path = tmp_path / "tiny.gguf"
    write_model(path, ModelShape(context_tokens=512))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="hub")
    thread.start()
    running = file_server()
    server = asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result(20)
    yield Hub(server, loop, path.read_bytes())
    asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(20)
    loop.close()


@pytest.fixture
def own_url(
    hub: Hub, tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """An Ingle of this test alone, whose hub is the stub."""
    assert browser.is_connected()
    monkeypatch.setenv("INGLE_HUGGINGFACE_URL", hub.url)
    monkeypatch.setenv("INGLE_HUGGINGFACE_CACHE", str(tmp_path / "cache"))
    with ingle_up(tmp_path / "home") as (address, _):
        yield address


def begin(page: Page, source: str = SOURCE) -> None:
    """Paste a model's name and install it."""
    page.get_by_label("Install a model").fill(source)
    page.get_by_role("button", name="Install", exact=True).click()


def test_a_download_is_paused_resumed_loaded_and_removed(
    own_url: str, open_page: OpenPage, hub: Hub
) -> None:
    """It goes on where it was, is there without a reload, runs, shows its log, and goes."""
    page = open_page("/models", base_url=own_url)
    begin(page)
    row = page.get_by_role("article", name=re.compile("Download of"))
    expect(row).to_contain_text(re.compile(r"66 kB of \d+ kB"))
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text(re.compile(r"Paused at 66 kB of \d+ kB"))
    assert serious_findings(page) == []
    hub.let_go()
    row.get_by_role("button", name="Resume").click()
    expect(row).to_contain_text("Installed as")
    model = page.get_by_role("article", name=DOWNLOAD, exact=True)
    expect(model).to_contain_text("chats")
    model.get_by_role("button", name="Load").click()
    expect(model.get_by_text("loaded", exact=True)).to_be_visible()
    expect(model).to_contain_text("of memory now")
    model.get_by_role("button", name="More about").click()
    page.get_by_role("menuitem", name="Verify its files").click()
    expect(model).to_contain_text("Every byte is as it was downloaded.")
    model.get_by_role("button", name="More about").click()
    page.get_by_role("menuitem", name="Details and log").click()
    details = page.get_by_role("dialog", name=DOWNLOAD)
    expect(details).to_contain_text("Memory it takes")
    expect(details.get_by_label("the last lines")).to_contain_text("llama")
    assert serious_findings(page) == []
    details.get_by_role("button", name="Close").click()
    model.get_by_role("button", name="Unload").click()
    expect(model.get_by_role("button", name=re.compile("^Load"))).to_be_visible()
    model.get_by_role("button", name="More about").click()
    page.get_by_role("menuitem", name="Remove").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(model).to_have_count(0)


def test_a_download_is_cancelled(own_url: str, open_page: OpenPage) -> None:
    """It asks before what has come is deleted; then it is listed no more."""
    page = open_page("/models", base_url=own_url)
    begin(page)
    row = page.get_by_role("article", name=re.compile("Download of"))
    expect(row).to_contain_text("66 kB of")
    row.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the download").click()
    expect(row).to_have_count(0)


def test_what_cannot_be_installed_says_why(own_url: str, open_page: OpenPage) -> None:
    """A name that is none is told at the field; a repository that is not there, at its download."""
    page = open_page("/models", base_url=own_url)
    begin(page, "not a model")
    expect(page.get_by_role("alert")).to_contain_text("hf:OWNER/REPO")
    begin(page, "hf:maker/nothing")
    row = page.get_by_role("article", name="Download of hf:maker/nothing")
    expect(row).to_contain_text("Failed")
    expect(row.get_by_role("button", name="Try again")).to_be_visible()


def test_suggestions_are_told_in_plain_words(open_page: OpenPage) -> None:
    """Each has its size and what its quantisation means; the demo model cannot be removed."""
    page = open_page("/models")
    expect(page.get_by_role("button", name=re.compile(r"^Install .+ [GM]B$")).first).to_be_visible()
    expect(page.get_by_text(re.compile("Q4_K_M: small and fast|Q8_0: large")).first).to_be_visible()
    page.get_by_text("Code", exact=True).click()
    expect(page.get_by_role("article", name=re.compile("coder"))).not_to_have_count(0)
    page.get_by_role("button", name="More about demo", exact=True).click()
    gone = page.get_by_role("menuitem", name="Remove (it is a part of Ingle)")
    expect(gone).to_be_disabled()
