"""Models that speak and listen are known by their files, and opened without their libraries."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engines.speech.tiny_voice import write_piper_voice, write_sherpa_voice
from tests.engines.speech.tiny_whisper import ENGLISH, write_whisper

from ingle.errors import ConfigurationError, NotAllowed
from ingle.models.store import Models
from ingle.settings import load_settings


@pytest.fixture
def models(home: Path) -> Models:
    models = Models(load_settings())
    models.folder.mkdir(parents=True)
    return models


def test_each_kind_is_known_by_its_files(models: Models) -> None:
    """With what it can do; a file of another kind with the same ending is none."""
    write_whisper(models.folder / "ggml-base.bin")
    write_whisper(models.folder / "ggml-base.en.bin", vocabulary=ENGLISH)
    write_piper_voice(models.folder / "anna.onnx")
    write_sherpa_voice(models.folder / "bob")
    (models.folder / "weights.bin").write_bytes(b"x" * 100)
    (models.folder / "other.onnx").write_bytes(b"x" * 100)
    found = {
        model.name: (model.engine, model.capabilities)
        for model in models.list()
        if model.engine in {"espeak", "sherpa", "whisper"}
    }
    assert found == {
        "anna": ("sherpa", ("speech",)),
        "bob": ("sherpa", ("speech",)),
        "demo-voice": ("espeak", ("speech",)),
        "ggml-base": ("whisper", ("transcription", "translation")),
        "ggml-base.en": ("whisper", ("transcription",)),
    }
    assert not models.damaged()


def test_a_manifest_names_a_model_anew(models: Models) -> None:
    """By the file of its own name, or the one that it names."""
    write_whisper(models.folder / "ggml-base.bin")
    (models.folder / "ggml-base.yaml").write_text("name: ears\naliases: [whisper-1]\n")
    write_piper_voice(models.folder / "hum.onnx")
    (models.folder / "anna.yaml").write_text("file: hum.onnx\nengine: sherpa\n")
    assert models.get("whisper-1").path == models.folder / "ggml-base.bin"
    assert models.get("anna").engine == "sherpa"
    assert {"ears", "anna"} <= {model.name for model in models.list()}
    assert not {"ggml-base", "hum"} & {model.name for model in models.list()}


def test_a_manifest_for_another_engine_is_told(models: Models) -> None:
    """With the engine that the files are made for."""
    write_whisper(models.folder / "ggml-base.bin")
    (models.folder / "ggml-base.yaml").write_text("engine: sherpa\n")
    with pytest.raises(ConfigurationError, match="has files for whisper"):
        models.get("ggml-base")


def test_a_field_for_text_models_is_told(models: Models) -> None:
    """It would change nothing."""
    write_whisper(models.folder / "ggml-base.bin")
    (models.folder / "ggml-base.yaml").write_text("chat_template: x\n")
    with pytest.raises(ConfigurationError, match="`chat_template`"):
        models.get("ggml-base")


def test_the_voice_that_is_always_there_stays(models: Models) -> None:
    """Others go with their files."""
    write_sherpa_voice(models.folder / "bob")
    models.remove("bob")
    assert not (models.folder / "bob").exists()
    with pytest.raises(NotAllowed):
        models.remove("demo-voice")
