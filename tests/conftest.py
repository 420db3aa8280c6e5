"""What every test stands on: a home of its own, and none of the developer's settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `INGLE_HOME`; whatever the developer's own environment sets is out of the way."""
    for name in list(os.environ):
        if name.startswith(("INGLE_", "LOCALAI_", "HF_", "OLLAMA_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("INGLE_HOME", str(home))
    return home
