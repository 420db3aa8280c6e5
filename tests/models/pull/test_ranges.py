"""Whether the rest that a server offers belongs to what is already here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ingle.models.pull.ranges import Agreement, agree

FILE = cast("Any", SimpleNamespace(digest=None, size_bytes=None))


@pytest.mark.parametrize(
    ("etag", "start"),
    [('"one"', 100), ('"two"', None), (None, None)],
)
def test_nothing_is_missing_only_if_it_is_still_the_same_file(
    etag: str | None, start: int | None
) -> None:
    """A server that ignores If-Range says 416 of another file of the same length, too."""
    headers = {"Content-Range": "bytes */100"} | ({"ETag": etag} if etag else {})
    answer = cast("Any", SimpleNamespace(status=416, headers=headers, url="http://files/x"))
    assert agree(FILE, answer, 100, '"one"') == Agreement(start, 100)
