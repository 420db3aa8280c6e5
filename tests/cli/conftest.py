"""`ingle` in this process, and as a process of its own."""

from __future__ import annotations

import subprocess
import sys
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


@pytest.fixture
def ingle_process() -> Ingle:
    """Run `ingle` as a process of its own, with this text on its stdin."""

    def run(*args: str, stdin: str = "") -> CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-m", "ingle", *args]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=50)

    return run
