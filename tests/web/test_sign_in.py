"""Where Ingle is open to a network the page asks for a key, and keeps it out of scripts' reach."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect
from tests.web.conftest import OpenPage, ingle_up, serious_findings


def test_a_key_opens_the_page_until_it_is_signed_out(open_page: OpenPage, tmp_path: Path) -> None:
    """A wrong key is refused with a reason; the right one holds over a reload, in a closed cookie."""
    with ingle_up(tmp_path / "home", "--host", "0.0.0.0") as (url, printed):
        key = printed.readline().strip().rpartition(" ")[2]
        page = open_page(base_url=url.replace("0.0.0.0", "127.0.0.1"))
        field = page.get_by_label("API key")
        assert serious_findings(page) == []
        field.fill("ik-wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("This is not a key of this Ingle")
        field.fill(key)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("textbox", name="Message")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="Models that fit this machine")).to_be_visible()
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert key not in cookie["value"]
        page.goto("/settings/about")
        page.get_by_role("button", name="Sign out").click()
        expect(field).to_be_visible()
