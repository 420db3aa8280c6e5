"""Pulling models that listen and speak, by the addresses at which people find them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.engines.speech.tiny_voice import write_piper_voice
from tests.engines.speech.tiny_whisper import write_whisper

from ingle.errors import ModelFileInvalid
from ingle.models.store import Models
from ingle.settings import Settings
from ingle.testing.file_server import FileServer

Pulling = Any  # of conftest, which no test can import


async def test_a_model_of_whisper_is_pulled(
    server: FileServer, settings: Settings, pulling: Pulling, tmp_path: Path
) -> None:
    """It listens by its name, and goes without a trace."""
    write_whisper(tmp_path / "w.bin")
    server.serve("/resolve/main/ggml-Base.bin", (tmp_path / "w.bin").read_bytes())
    done = await pulling(f"{server.url}/resolve/main/ggml-Base.bin")
    models = Models(settings)
    assert done.name == models.get("ggml-base").name
    assert models.get("ggml-base").capabilities == ("transcription", "translation")
    models.remove("ggml-base")
    assert [path.name for path in models.folder.iterdir() if path.name[0] != "."] == []


async def test_a_voice_of_piper_is_pulled_with_its_description(
    server: FileServer, settings: Settings, pulling: Pulling, tmp_path: Path
) -> None:
    """Which lies beside it on the server."""
    write_piper_voice(tmp_path / "v.onnx")
    server.serve("/de_DE-anna-low.onnx", (tmp_path / "v.onnx").read_bytes())
    server.serve("/de_DE-anna-low.onnx.json", (tmp_path / "v.onnx.json").read_bytes())
    done = await pulling(f"{server.url}/de_DE-anna-low.onnx")
    models = Models(settings)
    assert models.get(done.name).capabilities == ("speech",)
    models.remove(done.name)
    assert [path.name for path in models.folder.iterdir() if path.name[0] != "."] == []


async def test_a_page_in_place_of_a_model_is_not_kept(server: FileServer, pulling: Pulling) -> None:
    """As servers answer that want a login."""
    server.serve("/ggml-base.bin", b"<!doctype html><title>Log in</title>" * 20)
    with pytest.raises(ModelFileInvalid, match=r"no model of whisper\.cpp"):
        await pulling(f"{server.url}/ggml-base.bin")
