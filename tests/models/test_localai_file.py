"""LocalAI's model files: what of them holds here, and what is told of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingle.errors import ConfigurationError, UnsupportedInput
from ingle.models.localai_file import LocalAiModel, read_localai_file


def read(tmp_path: Path, text: str) -> LocalAiModel:
    path = tmp_path / "models" / "model.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return read_localai_file(path)


def test_what_counts_is_taken_and_the_rest_is_told(tmp_path: Path) -> None:
    """Name, weights and context hold; each other field comes with the reason why it does not."""
    (tmp_path / "models").mkdir()
    weights = tmp_path / "models" / "luna.gguf"
    weights.write_bytes(b"GGUF")
    model = read(
        tmp_path,
        "name: luna\nbackend: llama-cpp\ncontext_size: 2048\nthreads: 4\nf16: true\n"
        "template:\n  chat: luna-chat\n"
        "parameters:\n  model: luna.gguf\n  temperature: 0.2\n",
    )
    assert (model.name, model.source, model.context_tokens) == ("luna", str(weights), 2048)
    assert list(model.ignored) == ["f16", "parameters.temperature", "template", "threads"]
    assert model.ignored["threads"] == "it is the setting `threads`, for all models"
    assert "Go templates" in model.ignored["template"]


@pytest.mark.parametrize(
    ("weights", "source"),
    [
        ("huggingface://TheBloke/Luna-GGUF/luna.Q4_0.gguf", "hf:TheBloke/Luna-GGUF:luna.Q4_0.gguf"),
        ("https://example.com/luna.gguf", "https://example.com/luna.gguf"),
        ("ollama://gemma:2b", "ollama:gemma:2b"),
        ("oci://example.com/luna:1", "oci://example.com/luna:1"),
    ],
)
def test_weights_elsewhere_become_what_to_pull(tmp_path: Path, weights: str, source: str) -> None:
    """LocalAI's ways of writing an address are Ingle's sources."""
    assert read(tmp_path, f"name: x\nparameters: {{model: '{weights}'}}\n").source == source


def test_weights_that_localai_would_download_are_found(tmp_path: Path) -> None:
    """A file that is not there yet comes from where the file says, with its hash."""
    model = read(
        tmp_path,
        "name: x\nparameters: {model: x.gguf}\n"
        "download_files:\n- {filename: x.gguf, uri: 'https://example.com/x.gguf', sha256: abc}\n",
    )
    assert model.source == "https://example.com/x.gguf#sha256=abc"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("parameters: {model: x.gguf}", "name: Field required"),
        ("name: x", "names no file of weights"),
        ("name: x\nparameters: {model: x.gguf}", "does not lie beside it"),
        ("name: x\nparameters: {model: ../../secret.gguf}", "leads out of its folder"),
        ("name: x\ncontext_size: many\nparameters: {model: x}", "context_size"),
        ("a: b: c", "no valid YAML"),
        ("- a", "the whole file"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, text: str, reason: str) -> None:
    """The error names the file and what is wrong in it."""
    with pytest.raises(ConfigurationError, match=reason) as caught:
        read(tmp_path, text)
    assert str(tmp_path / "models" / "model.yaml") in caught.value.message


def test_another_backend_is_refused(tmp_path: Path) -> None:
    """What llama.cpp does not run stays in LocalAI, and the error says how to reach it there."""
    with pytest.raises(UnsupportedInput, match=r"'whisper'.*ingle connections add localai URL"):
        read(tmp_path, "name: x\nbackend: whisper\nparameters: {model: x.bin}\n")
