"""What holds for the package as a whole."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

import pytest

from ingle import errors

HEAVY = ["aiohttp", "alembic", "cryptography", "fastapi", "pydantic", "sqlalchemy", "uvicorn"]


def test_importing_ingle_loads_nothing_heavy() -> None:
    """`import ingle` is for free: no library that takes time comes with it."""
    code = f"import ingle, sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_error_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    """The drawing at the top of errors.py names each class with its true code, status and exit."""
    row = re.compile(r"^[ │├└─]*(\w+) +(\w+) +(\d+|\*) +(\d+)(?: +(yes|\*))?$", re.MULTILINE)
    drawn = {
        name: (code, status, int(exit_code), is_retryable or "")
        for name, code, status, exit_code, is_retryable in row.findall(errors.__doc__ or "")
    }
    star = {"UpstreamRefused"}
    true = {
        name: (
            kind.code,
            "*" if name in star else str(kind.http_status),
            kind.exit_code,
            "*" if name in star else "yes" if kind.is_retryable else "",
        )
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.IngleError)
    }
    assert drawn == true


@pytest.mark.parametrize(
    ("status", "http_status", "is_retryable"),
    [(400, 400, False), (401, 502, False), (404, 404, False), (429, 429, True), (503, 502, True)],
)
def test_refusal_keeps_what_the_caller_got_wrong(
    status: int, http_status: int, is_retryable: bool
) -> None:
    """A caller's fault keeps its status; a refused key or a broken server becomes 502."""
    error = errors.UpstreamRefused("no", url="http://localhost/v1", status=status)
    assert (error.http_status, error.is_retryable) == (http_status, is_retryable)
