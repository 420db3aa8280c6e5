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
    """Name, weights and what llama.cpp knows hold; each other field comes with the reason why it
    does not."""
    (tmp_path / "models").mkdir()
    weights = tmp_path / "models" / "luna.gguf"
    weights.write_bytes(b"GGUF")
    model = read(
        tmp_path,
        "name: luna\nbackend: llama-cpp\ncontext_size: 2048\nthreads: 4\nf16: true\n"
        "gpu_layers: 99\nflash_attention: 'on'\ncache_type_k: q8_0\nstopwords: ['<end>']\n"
        "system_prompt: Be kind.\ntemplate:\n  chat: luna-chat\nn_draft: 5\n"
        "parameters:\n  model: luna.gguf\n  temperature: 0.2\n  top_k: 80\n  seed: -1\n"
        "  batch: 256\n  rope_freq_base: 10000\n  echo: true\n",
    )
    assert (model.name, model.source) == ("luna", str(weights))
    assert model.fields == {
        "context_tokens": 2048,
        "threads": 4,
        "gpu_layers": 99,
        "cache_type_k": "q8_0",
        "parameters": {
            "stop": ["<end>"],
            "system_prompt": "Be kind.",
            "temperature": 0.2,
            "top_k": 80,
        },
        "draft_tokens": 5,
        "batch_tokens": 256,
        "rope_frequency_base": 10000,
        "flash_attention": True,
    }
    assert list(model.ignored) == ["f16", "parameters.echo", "parameters.seed", "template"]
    assert model.ignored["parameters.seed"] == (
        "-1 cannot be taken: input should be greater than or equal to 0"
    )
    assert model.ignored["parameters.echo"] == "send it with each request"
    assert "Go templates" in model.ignored["template"]


def test_a_template_that_is_the_models_own_needs_no_word(tmp_path: Path) -> None:
    """`use_tokenizer_template` is what Ingle does anyhow."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "x.gguf").write_bytes(b"GGUF")
    text = "name: x\nparameters: {model: x.gguf}\ntemplate: {use_tokenizer_template: true}\n"
    assert read(tmp_path, text).ignored == {}


def test_files_that_go_with_it_are_taken(tmp_path: Path) -> None:
    """Eyes, a draft model and adapters that lie beside come along; of others it is told."""
    folder = tmp_path / "models"
    (folder / "parts").mkdir(parents=True)
    for name in ("x.gguf", "mmproj.gguf", "parts/a.gguf", "b.gguf"):
        (folder / name).write_bytes(b"GGUF")
    model = read(
        tmp_path,
        "name: x\nparameters: {model: x.gguf}\nmmproj: mmproj.gguf\ndraft_model: gone.gguf\n"
        "lora_adapters: [parts/a.gguf, b.gguf]\nlora_scales: [0.5]\n",
    )
    assert model.fields == {
        "projector": "mmproj.gguf",
        "lora": [{"file": "a.gguf", "scale": 0.5}, {"file": "b.gguf", "scale": 1.0}],
    }
    assert [path.name for path in model.parts] == ["mmproj.gguf", "a.gguf", "b.gguf"]
    assert list(model.ignored) == ["draft_model"]
    assert "'gone.gguf' does not lie beside the file" in model.ignored["draft_model"]


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
        ("name: x\nmmproj: ../eyes.gguf\nparameters: {model: hf://a/b/c}", "`mmproj` leads out"),
        ("name: x\nparameters: 5", "parameters: Input should be a valid dictionary"),
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
