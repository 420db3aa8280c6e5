"""What holds for every screen: axe finds nothing serious, nothing is wider than a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.web.conftest import OpenPage, serious_findings

SCREENS = [
    "/",
    "/playground",
    "/models",
    "/images",
    "/settings/connections",
    "/settings/keys",
    "/settings/appearance",
    "/settings/about",
]
PHONE = {"viewport": {"width": 375, "height": 812}, "has_touch": True, "is_mobile": True}
LOOKS = [
    pytest.param({"color_scheme": "light"}, id="light"),
    pytest.param({"color_scheme": "dark"}, id="dark"),
    pytest.param(PHONE, id="phone"),
]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", SCREENS)
def test_screen_is_accessible_and_fits(
    open_page: OpenPage, path: str, look: dict[str, object]
) -> None:
    """axe has no serious finding, and the page is never wider than its window."""
    page = open_page(path, **look)
    expect(page.get_by_role("heading").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
