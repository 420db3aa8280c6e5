"""`ingle models`: what is installed, whole or not."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from ingle.testing.tiny_model import write_model
from ingle.testing.tiny_parts import write_adapter

Ingle = Callable[..., CompletedProcess[str]]


@pytest.fixture
def tiny(home: Path) -> Path:
    """An installed model, `tiny`, and a file beside it that is none."""
    folder = home / "models"
    folder.mkdir(parents=True)
    (folder / "broken.gguf").write_bytes(b"GGUF, or so it says")
    return write_model(folder / "tiny.gguf")


def test_list_shows_models_and_what_is_wrong_with_files(ingle: Ingle, tiny: Path) -> None:
    """Each model has a row with its size and what it can do; a damaged file is told on stderr."""
    done = ingle("models")
    heading, demo, *_, other = done.stdout.splitlines()
    assert heading.split() == ["MODEL", "SIZE", "PARAMETERS", "CONTEXT", "CAN"]
    assert demo.split()[0] == "demo"
    assert demo.endswith("chat, completions, embeddings")
    assert "2,048 tokens" in demo
    assert other.split()[0] == "tiny"
    assert "32,768 tokens" in other
    assert done.stderr.startswith(
        f"broken: The model file {tiny.parent}/broken.gguf cannot be used"
    )
    assert ingle("models", "list").stdout == done.stdout


def test_programs_get_exact_numbers(ingle: Ingle, tiny: Path) -> None:
    """`--json` lists the models with bytes, parameters and paths; `show` gives one of them."""
    listed = json.loads(ingle("models", "--json").stdout)
    assert [model["name"] for model in listed if not model["is_builtin"]] == ["tiny"]
    assert listed[-1] == json.loads(ingle("models", "show", "tiny", "--json").stdout)
    assert listed[-1] == {
        "name": "tiny",
        "aliases": [],
        "engine": "llama",
        "path": str(tiny),
        "size_bytes": tiny.stat().st_size,
        "parameters": listed[-1]["parameters"],
        "architecture": "llama",
        "quantisation": "Q8_0",
        "context_tokens": 32768,
        "capabilities": ["chat", "completions", "embeddings"],
        "options": {},
        "is_builtin": False,
    }


def test_one_model_is_shown(ingle: Ingle, tiny: Path) -> None:
    """`show` has a line for each thing that is known."""
    lines = dict(
        line.split(maxsplit=1) for line in ingle("models", "show", "tiny").stdout.splitlines()
    )
    assert lines["name"] == "tiny"
    assert lines["context"] == "32,768 tokens"
    assert lines["file"] == str(tiny)


def test_what_the_manifest_sets_is_shown(ingle: Ingle, tiny: Path) -> None:
    """Aliases stand behind the name in the list; `show` finds a model by one and tells all fields."""
    write_adapter(tiny.parent / "lora.gguf")
    tiny.with_suffix(".yaml").write_text(
        "aliases: [gpt-4, small]\ncontext_tokens: 4096\nflash_attention: true\n"
        "lora: [{file: lora.gguf, scale: 0.5}]\nparameters: {top_k: 20, stop: [a, b]}\n"
    )
    row = ingle("models").stdout.splitlines()[-1]
    assert row.startswith("tiny = gpt-4 +1  ")

    told, _, fields = ingle("models", "show", "small").stdout.partition("\n\n")
    lines = dict(line.split(maxsplit=1) for line in told.splitlines())
    assert lines["name"] == "tiny"
    assert lines["also"] == "called   gpt-4, small"
    assert lines["context"] == "4,096 tokens of the 32,768 that it was made for"
    assert " with 4,096 tokens in each of 4 slots" in lines["memory"]
    assert lines["architecture"] == "llama, 2 layers, Q8_0"
    assert lines["manifest"] == str(tiny.with_suffix(".yaml"))
    assert dict(line.split(maxsplit=1) for line in fields.splitlines()) == {
        "parameters.top_k": "20",
        "parameters.stop": "'a', 'b'",
        "flash_attention": "yes",
        "lora": "file lora.gguf, scale 0.5",
    }


def test_removed_model_is_gone(ingle: Ingle, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`rm` deletes the file; without a terminal it does not ask."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    done = ingle("models", "rm", "tiny")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Removed tiny.\n")
    assert not tiny.exists()
    done = ingle("models", "show", "tiny")
    assert done.returncode == 5
    assert done.stderr.startswith("error: Model 'tiny' is not installed. Installed: demo")


def test_demo_model_stays(ingle: Ingle) -> None:
    """The model that comes with Ingle cannot be removed."""
    done = ingle("models", "rm", "demo", "--yes")
    assert done.returncode == 4
    assert "is a part of Ingle and cannot be removed" in done.stderr
