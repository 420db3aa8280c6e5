"""Settings: connections and their test, keys that are shown once, the theme."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from tests.web.conftest import OpenPage, scripted

from ingle.testing import error, models


def test_a_connection_is_tested_kept_and_removed(open_page: OpenPage) -> None:
    """Test shows the URL that is called and the models; the key is masked ever after."""
    page = open_page("/settings")
    with scripted(models("llama", "qwen"), models("llama", "qwen")) as upstream:
        page.get_by_role("button", name="Add a connection").click()
        page.get_by_label("Name").fill("box")
        page.get_by_label("Address").fill(upstream.url.removesuffix("/v1"))
        page.get_by_label("Key").fill("sk-very-secret-0042")
        page.get_by_role("button", name="Test").click()
        result = page.get_by_role("status").filter(has_text="It answers.")
        expect(result).to_contain_text(f"Called: {upstream.url}")
        expect(result).to_contain_text("2 models:")
        page.get_by_role("button", name="Keep").click()
        expect(page.get_by_role("heading", name="box")).to_be_visible()
        expect(page.get_by_text("Key …0042")).to_be_visible()
        assert "very-secret" not in page.content()
        page.get_by_role("button", name="Test").click()
        expect(page.get_by_text("llama", exact=True)).to_be_visible()
        page.get_by_role("button", name="More about box").click()
        page.get_by_role("menuitem", name="Remove").click()
        page.get_by_role("button", name="Remove").click()
        expect(page.get_by_role("heading", name="No connections")).to_be_visible()


def test_a_failing_test_says_why(open_page: OpenPage) -> None:
    """A refused key is told as such, with the URL that was called."""
    page = open_page("/settings/connections")
    with scripted(error(401, "This key is unknown here")) as upstream:
        page.get_by_role("button", name="Add a connection").click()
        page.get_by_label("Address").fill(upstream.url)
        page.get_by_role("button", name="Test").click()
        result = page.get_by_role("status").filter(has_text="Called:")
        expect(result).to_contain_text("It answers, but lists no models.")
        expect(result).to_contain_text("it refuses the key")


def test_a_key_is_shown_once_and_revoked(open_page: OpenPage) -> None:
    """The text of a new key is there until the dialog closes, and never again."""
    page = open_page("/settings/keys")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_label("Name").fill("notebook")
    page.get_by_role("button", name="Make the key").click()
    key = page.get_by_label("API key", exact=True).inner_text()
    assert re.fullmatch(r"ik-[\w-]{43}", key)
    page.get_by_role("button", name="I have copied it").click()
    expect(page.get_by_text("notebook")).to_be_visible()
    assert key not in page.content()
    page.get_by_role("button", name="Revoke notebook").click()
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_text("revoked", exact=True)).to_be_visible()


def test_the_theme_is_kept(open_page: OpenPage) -> None:
    """Dark stays dark after a reload, whatever the system has."""
    page = open_page("/settings/appearance", color_scheme="light")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(background) == "rgb(251, 249, 246)"
    page.get_by_text("Dark", exact=True).click()
    assert page.evaluate(background) == "rgb(20, 17, 14)"
    page.reload()
    assert page.evaluate(background) == "rgb(20, 17, 14)"
