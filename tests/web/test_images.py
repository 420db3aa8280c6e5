"""Images: drawn step by step, kept in the browser, used again; and what to do where nothing draws."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from dataclasses import replace

from playwright.sync_api import Page, expect
from tests.web.conftest import OpenPage, scripted, serious_findings

from ingle.testing import Fault, error, events, models

ENDPOINT = "images/generations"


def png(red: int, green: int, blue: int, side: int = 64) -> str:
    """A square of one colour as base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes((red, green, blue)) * side) * side
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + parts).decode()


def told(kind: str, **fields: object) -> dict[str, object]:
    """An event of a drawing."""
    return {"type": f"image_generation.{kind}", **fields}


STEPS = [
    told("progress", index=0, step=1, steps=2),
    told("partial_image", partial_image_index=0, b64_json=png(200, 150, 120)),
    told("progress", index=0, step=2, steps=2),
]
WHOLE = told("completed", b64_json=png(184, 67, 15), seed=7)


def draw(page: Page, connection: str, url: str) -> None:
    """Ask the model of a connection for a picture."""
    assert page.request.put(f"/api/connections/{connection}", data={"base_url": url}).ok
    page.reload()
    page.get_by_label("Model").select_option(f"{connection}/brush")
    page.get_by_label("What it shows").fill("a red square")
    page.get_by_role("button", name="Draw").click()


def test_a_picture_comes_is_kept_and_is_used_again(open_page: OpenPage) -> None:
    """It is there after a reload, with its prompt and the seed that was chosen, until it is deleted."""
    page = open_page("/images")
    expect(page.get_by_role("heading", name="No pictures yet")).to_be_visible()
    with scripted(
        models("brush"), events(*STEPS, WHOLE, endpoint=ENDPOINT), models("brush")
    ) as upstream:
        draw(page, "easel", upstream.url)
        look = page.get_by_role("button", name="Look at: a red square")
        expect(look).to_be_visible()
        asked = next(one for one in upstream.requests if one.path.endswith(ENDPOINT))
        body = json.loads(asked.body)
        assert body == {
            "prompt": "a red square",
            "response_format": "b64_json",
            "stream": True,
            "partial_images": 3,
            "model": "brush",
        }
        page.reload()
        look.click()
        expect(page.get_by_role("dialog")).to_contain_text("seed 7")
        width = "document.querySelector('dialog img, [role=dialog] img').naturalWidth"
        page.wait_for_function(f"{width} === 64")
        assert serious_findings(page) == []
        page.get_by_role("dialog").get_by_role("button", name="Use again").click()
        expect(page.get_by_label("What it shows")).to_have_value("a red square")
        expect(page.get_by_label("Seed")).to_have_value("7")
        with page.expect_download() as saved:
            page.get_by_role("button", name="Download").click()
        assert saved.value.suggested_filename == "a-red-square.png"
        page.get_by_role("button", name="Delete").click()
        expect(look).to_have_count(0)
        page.get_by_role("button", name="Undo").click()
        expect(look).to_be_visible()
    page.request.delete("/api/connections/easel")


def test_it_is_seen_as_it_is_made_and_can_be_stopped(open_page: OpenPage) -> None:
    """Steps are counted, the unfinished picture shows, and who stops it has the form back."""
    page = open_page("/images")
    answer = events(*STEPS, WHOLE, endpoint=ENDPOINT).cut_after(3, Fault.STALL)
    with scripted(models("brush"), answer) as upstream:
        draw(page, "sketch", upstream.url)
        stage = page.get_by_role("region", name="Being drawn")
        expect(stage).to_contain_text("Step 2 of 2")
        expect(stage.get_by_alt_text("Unfinished: a red square")).to_be_visible()
        assert serious_findings(page) == []
        page.get_by_role("button", name="Stop").click()
        expect(stage).to_have_count(0)
        expect(page.get_by_role("button", name="Draw")).to_be_enabled()
    page.request.delete("/api/connections/sketch")


def test_a_failure_is_told(open_page: OpenPage) -> None:
    """The words of the server that fails stand where the picture would be."""
    refusal = error(400, "This prompt is too odd")
    page = open_page("/images")
    with scripted(
        models("brush"), replace(refusal, endpoint=ENDPOINT), models("brush")
    ) as upstream:
        draw(page, "broken", upstream.url)
        expect(page.get_by_role("alert")).to_contain_text("This prompt is too odd")
    page.request.delete("/api/connections/broken")


def test_where_nothing_draws_it_says_what_to_install(open_page: OpenPage) -> None:
    """The command stands there to copy, with what the server said."""
    page = open_page("/images")
    # Whether the extra is installed differs from machine to machine; the refusal is the server's own.
    refusal = {
        "error": {"message": "No image engine.", "type": "server_error", "code": "engine_missing"}
    }
    page.route("**/v1/images/generations", lambda route: route.fulfill(status=501, json=refusal))
    page.get_by_label("What it shows").fill("a red square")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("pip install 'ingle[images]'")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("No image engine.")
    assert serious_findings(page) == []
