"""`ingle` within the tests' own process."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from ingle.cli import main

Ingle = Callable[..., CompletedProcess[str]]


@pytest.fixture
def ingle(capsys: pytest.CaptureFixture[str]) -> Ingle:
    """Run `ingle` with these arguments, within this process; nothing is a terminal."""

    def run(*args: str) -> CompletedProcess[str]:
        capsys.readouterr()
        code = main(args)
        return CompletedProcess(args, code, *capsys.readouterr())

    return run
