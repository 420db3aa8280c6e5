"""The examples in README and docs do what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    pytest.param(example, id=f"{page.relative_to(ROOT)}:{number}")
    for page in PAGES
    for number, example in enumerate(FENCE.findall(page.read_text()), start=1)
]
LINK = re.compile(r"\]\((?!https?://|#|mailto:|data:)([^)#]+)")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where an `ingle up` of the tests' own listens."""
    environ = {**os.environ, "INGLE_HOME": str(tmp_path_factory.mktemp("home"))}
    command = [sys.executable, "-m", "ingle", "up", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip().rpartition("http://")[2]
        server.terminate()


@pytest.mark.parametrize("example", EXAMPLES)
def test_python_example_runs(example: str, address: str, tmp_path: Path) -> None:
    """Each Python block runs by itself, in an empty folder, with the demo model."""
    example = example.replace("127.0.0.1:4645", address)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link of a page names a file that is there."""
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []
