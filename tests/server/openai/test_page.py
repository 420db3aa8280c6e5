"""docs/openai-api.md says what there is."""

from __future__ import annotations

import re
from pathlib import Path

from ingle.server.openai.routes import KEPT, KEPT_NAMED
from ingle.server.resources import find_resource

PAGE = (Path(__file__).parents[3] / "docs" / "openai-api.md").read_text()
NAMED = re.findall(r"`(GET|POST|DELETE) (/v1/[^`]+)`", PAGE)


def test_all_that_the_page_names_is_there() -> None:
    """Each method at each path."""
    assert len(NAMED) > 25
    for method, path in NAMED:
        resource = find_resource(re.sub(r"\{\w+\}", "some-id", path))
        assert resource is not None, path
        assert method in resource.handlers, (method, path)


def test_the_page_names_all_that_is_kept() -> None:
    """No endpoint of this room is left out."""
    routes = {**KEPT, **KEPT_NAMED}
    there = {(method, f"/v1/{path}") for path, handlers in routes.items() for method in handlers}
    assert there - set(NAMED) == set()
