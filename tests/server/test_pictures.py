"""`/generated-images/…`: pictures that an answer gave by address."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server.conftest import Caller

from ingle.engines.images.handed_out import hand_out, pictures_folder


def test_a_picture_is_given_to_whoever_knows_its_name(call: Caller, served_home: Path) -> None:
    """With its type, and to be kept by nobody between."""
    name = hand_out(pictures_folder(served_home), b"picture", "png")
    answer = call("GET", f"/generated-images/{name}")
    assert (answer.status, answer.body) == (200, b"picture")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"].startswith("private")
    head = call("HEAD", f"/generated-images/{name}")
    assert (head.status, head.headers["content-length"]) == (200, "7")


@pytest.mark.parametrize("name", ["", "none.png", "..%2fingle.db", "0" * 32 + ".png"])
def test_no_other_name_gives_anything(call: Caller, name: str) -> None:
    """Least of all a file of Ingle's."""
    answer = call("GET", f"/generated-images/{name}")
    assert (answer.status, answer.error["code"]) == (404, "not_found")
