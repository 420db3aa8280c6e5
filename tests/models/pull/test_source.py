"""Every way to write where a model comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingle.errors import InvalidRequest
from ingle.models.pull.source import (
    HubSource,
    LocalSource,
    OciSource,
    OllamaSource,
    Source,
    UrlSource,
    parse_source,
)

SHA = "a" * 64


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("hf:Qwen/Qwen3-4B-GGUF", HubSource("Qwen/Qwen3-4B-GGUF")),
        (" hf://Qwen/Qwen3-4B-GGUF ", HubSource("Qwen/Qwen3-4B-GGUF")),
        ("hf:a/b:Q4_K_M", HubSource("a/b", "Q4_K_M")),
        ("hf:a/b:sub/x-Q8_0.gguf@v1.0", HubSource("a/b", "sub/x-Q8_0.gguf", "v1.0")),
        ("hf:a/b@refs/pr/1", HubSource("a/b", None, "refs/pr/1")),
        ("hf.co/a/b:Q8_0", HubSource("a/b", "Q8_0")),
        ("https://huggingface.co/a/b", HubSource("a/b")),
        ("https://huggingface.co/a/b/tree/main", HubSource("a/b")),
        ("https://huggingface.co/a/b/blob/main/x.gguf", HubSource("a/b", "x.gguf")),
        (
            "https://huggingface.co/a/b/resolve/v2/s/x.gguf?download=true",
            HubSource("a/b", "s/x.gguf", "v2"),
        ),
        ("ollama:llama3.2", OllamaSource("library/llama3.2")),
        ("ollama://llama3.2:3b", OllamaSource("library/llama3.2", "3b")),
        ("ollama:some/one:q8", OllamaSource("some/one", "q8")),
        ("ollama:registry.ollama.ai/library/x", OllamaSource("library/x")),
        ("ollama:hf.co/a/b:Q4_K_M", HubSource("a/b", "Q4_K_M")),
        ("oci://ghcr.io/a/b/c:v1", OciSource("ghcr.io", "a/b/c", "v1")),
        ("oci://localhost:5000/a", OciSource("localhost:5000", "a")),
        (f"oci://x.io/a:v1@sha256:{SHA}", OciSource("x.io", "a", f"sha256:{SHA}")),
        ("https://x.org/a.gguf?sig=1", UrlSource("https://x.org/a.gguf?sig=1")),
        (f"https://x.org/a.gguf#sha256={SHA}", UrlSource("https://x.org/a.gguf", SHA)),
    ],
)
def test_ways_of_writing(text: str, source: Source) -> None:
    """Each names what it looks like."""
    assert parse_source(text) == source


def test_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What exists is a path, absolute from then on, however written."""
    file = tmp_path / "my model.gguf"
    file.touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for text in (
        "my model.gguf",
        str(file),
        f"file://{file}".replace(" ", "%20"),
        "~/my model.gguf",
    ):
        assert parse_source(text) == LocalSource(file), text


@pytest.mark.parametrize(
    "text",
    [
        "hf:a/b:Q4_K_M@main",
        "hf:a/b",
        "ollama:llama3.2:3b",
        "ollama:some/one:q8",
        "oci://ghcr.io/a/b:v1",
        f"oci://x.io/a@sha256:{SHA}",
    ],
)
def test_written_back(text: str) -> None:
    """A source as text names the same again."""
    assert str(parse_source(text)) == text.removesuffix("@main")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "one line of up to 4096 characters"),
        ("a\nb", "one line"),
        ("x" * 5000, "one line"),
        ("hf:alone", "after hf: comes OWNER/REPO"),
        ("hf:../../etc", "after hf: comes OWNER/REPO"),
        ("hf:a/..", "after hf: comes OWNER/REPO"),
        ("ollama:", "after ollama: comes NAME"),
        ("ollama:a/b/c/d", "after ollama: comes NAME"),
        ("oci://x", "after oci:// comes REGISTRY/NAME"),
        ("oci://x/../y", "after oci:// comes REGISTRY/NAME"),
        ("https://", "the URL names no server"),
        ("https://[::1/x.gguf", "it is no URL"),
        ("https://x:99999/a.gguf", "it is no URL"),
        ("https://user:secret@x.org/a.gguf", "holds a name or password"),
        ("https://x.org/a.gguf#part", "only #sha256=…"),
        ("https://huggingface.co/docs/hub/api", "shows no model"),
        ("https://huggingface.co/models", "shows no model"),
        ("Qwen/Qwen3-4B-GGUF", "write hf:Qwen/Qwen3-4B-GGUF"),
        ("nothing.gguf", "there is no such file"),
        ("ftp://x/y.gguf", "there is no such file"),
    ],
)
def test_what_names_nothing(text: str, reason: str) -> None:
    """Each says what is wrong and what the ways are, and no secret."""
    with pytest.raises(InvalidRequest) as raised:
        parse_source(text)
    assert reason in raised.value.message
    assert "secret" not in raised.value.message
