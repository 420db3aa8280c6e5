"""`ingle models import` and `verify`: what is on this machine already, and whether it is whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from ingle.testing.tiny_model import write_model
from ingle.testing.tiny_parts import write_projector

Ingle = Callable[..., CompletedProcess[str]]


def image_folder(folder: Path) -> Path:
    """A folder with all files of an OpenVINO pipeline, and one that is none of it."""
    (folder / "unet").mkdir(parents=True)
    (folder / "unet" / "openvino_model.xml").write_text("<net/>")
    (folder / "unet" / "openvino_model.bin").write_bytes(b"weights")
    (folder / ".cache").write_text("")
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["x", "y"]}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def test_an_image_model_is_imported_whole(ingle: Ingle, home: Path, tmp_path: Path) -> None:
    """The folder is copied, and each byte of it can be verified from then on."""
    folder = image_folder(tmp_path / "painter")
    done = ingle("models", "import", str(folder))
    assert (done.returncode, done.stdout) == (0, "")
    assert "painter is installed (" in done.stderr
    told = json.loads(ingle("models", "show", "painter", "--json").stdout)
    assert (told["engine"], told["capabilities"]) == ("openvino", ["images"])
    assert not (home / "models/painter/.cache").exists()
    assert ingle("models", "verify", "painter").stdout.split()[-3:] == ["painter", "sha256", "ok"]

    (home / "models/painter/unet/openvino_model.bin").write_bytes(b"Weights")
    wrong = ingle("models", "verify", "painter", "--json")
    assert wrong.returncode == 6
    [verdict] = json.loads(wrong.stdout)
    assert verdict["faults"][0].startswith("unet/openvino_model.bin should have sha256 ")


def test_an_incomplete_image_model_is_refused(ingle: Ingle, home: Path, tmp_path: Path) -> None:
    """It is looked over before anything is copied."""
    folder = image_folder(tmp_path / "painter")
    (folder / "unet" / "openvino_model.bin").unlink()
    done = ingle("models", "import", str(folder))
    assert done.returncode == 6
    assert "incomplete: its part 'unet' needs unet/openvino_model.bin" in done.stderr
    assert not (home / "models/painter").exists()


def test_all_models_are_verified_and_faults_told(ingle: Ingle, home: Path) -> None:
    """Models that were only put there are looked at for being whole; a fault is exit code 6."""
    (home / "models").mkdir(parents=True)
    write_model(home / "models" / "tiny.gguf")
    assert ingle("models", "verify").returncode == 0
    (home / "models" / "broken.gguf").write_bytes(b"GGUF, or so it says")
    done = ingle("models", "verify")
    assert done.returncode == 6
    assert [line.split()[:3] for line in done.stdout.splitlines()][1] == ["demo", "header", "ok"]
    assert "error: Not whole: broken. Pull such a model again" in done.stderr


def test_a_localai_file_is_taken_over(ingle: Ingle, home: Path, tmp_path: Path) -> None:
    """The model has its name and context; what has no effect is told, a line for each field."""
    write_model(tmp_path / "weights.gguf")
    write_projector(tmp_path / "eyes.gguf")
    file = tmp_path / "luna.yaml"
    file.write_text(
        "name: Luna\ncontext_size: 2048\nnuma: true\nmmproj: eyes.gguf\n"
        "parameters: {model: weights.gguf, temperature: 0.5}\n"
    )
    done = ingle("models", "import", str(file))
    assert done.returncode == 0, done.stderr
    assert "`numa` has no effect: Ingle has nothing like it." in done.stderr
    told = json.loads(ingle("models", "show", "Luna", "--json").stdout)
    assert (told["name"], told["aliases"], told["context_tokens"]) == ("luna", ["Luna"], 2048)
    assert "vision" in told["capabilities"]
    assert told["options"]["parameters"] == {"temperature": 0.5}

    report = json.loads(ingle("models", "import", str(file), "--name", "two", "--json").stdout)
    assert [installed["name"] for installed in report["installed"]] == ["two"]
    assert list(report["ignored"]) == ["numa"]
    for name in ("luna", "two"):
        assert ingle("models", "rm", name, "--yes").returncode == 0
        assert not (home / "models" / name).exists()


def test_models_of_a_cache_are_used_where_they_lie(
    ingle: Ingle, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is copied, a second time changes nothing, and `rm` leaves the cache alone."""
    snapshot = tmp_path / "hub" / "models--maker--tiny" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    weights = write_model(snapshot / "Tiny.gguf")
    monkeypatch.setenv("INGLE_HUGGINGFACE_CACHE", str(tmp_path / "hub"))
    for _ in range(2):
        done = ingle("models", "import", "hf")
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr.startswith("tiny is there (")
    assert (home / "models/tiny/Tiny.gguf").resolve() == weights
    assert ingle("models", "import", "ollama").stderr == "Nothing was found.\n"
    ingle("models", "rm", "tiny", "--yes")
    assert weights.exists()
    assert ingle("models", "import", "hf", "--name", "x").returncode == 2
