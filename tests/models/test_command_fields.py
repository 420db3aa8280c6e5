"""A manifest for a model that another server runs, and what becomes of one that is not whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingle.errors import ConfigurationError
from ingle.models.store import Models
from ingle.settings import load_settings

WHOLE = 'engine: command\ncommand: [serve, --port, "{port}"]\nmemory: 1GiB\n'


@pytest.fixture
def models() -> Models:
    models = Models(load_settings())
    models.folder.mkdir(parents=True)
    return models


def write(models: Models, text: str) -> Path:
    path = models.folder / "big.yaml"
    path.write_text(text)
    return path


def test_a_manifest_alone_is_a_model(models: Models) -> None:
    """It needs no file, can chat and complete unless it says otherwise, and goes with its manifest."""
    path = write(models, WHOLE)

    model = models.get("big")
    assert model.path == path
    assert model.size_bytes == 0
    assert model.engine == "command"
    assert model.capabilities == ("chat", "completions")
    assert model.command is not None
    assert model.command.command == ("serve", "--port", "{port}")
    assert model.command.health == ("/health", "/v1/models")
    assert model.command.serves == "big"
    assert model.command.memory_bytes == 2**30
    assert model.command.start_s == 600

    models.remove("big")
    assert not path.exists()


@pytest.mark.parametrize(
    "told",
    [
        "command: serve 'a b' --port {port} --gpus 8",
        'command: [serve, "a b", --port, "{port}", --gpus, 8]',
    ],
)
def test_a_command_is_words_or_one_line(models: Models, told: str) -> None:
    """A line is parted as a shell would, a number may be bare; no shell is there to expand more."""
    write(models, f"engine: command\n{told}\nmemory: 1GiB\n")

    command = models.get("big").command
    assert command is not None
    assert command.command == ("serve", "a b", "--port", "{port}", "--gpus", "8")


def test_a_file_beside_it_may_be_handed_on(models: Models) -> None:
    """`file` is what `{file}` stands for, counts as the model's size, and is removed with it."""
    path = write(models, WHOLE.replace("serve,", 'serve, "{file}",') + "file: big.gguf\n")
    (models.folder / "big.gguf").write_bytes(b"GGUF" * 25)

    model = models.get("big")
    assert model.path == models.folder / "big.gguf"
    assert model.size_bytes == 100
    models.remove("big")
    assert not path.exists()
    assert list(models.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("engine: command\nmemory: 1GiB\n", "lacks `command`"),
        ("engine: command\ncommand: serve --port {port}\n", "lacks `memory`. Nothing else tells"),
        ("engine: command\ncommand: serve\nmemory: 1GiB\n", r"lacks `\{port\}`. Ingle chooses"),
        (WHOLE.replace("serve", '"{file}"'), "lacks `file`"),
        (WHOLE + "gpu_layers: 3\n", "sets `gpu_layers`, which is for models that llama.cpp runs"),
        (
            WHOLE + "environment: {INGLE_HOME: /x}\n",
            "settings of Ingle's, such as INGLE_HOME, are not for other programs",
        ),
        (WHOLE + "environment: {A-B: x}\n", "environment"),
        (WHOLE + "health: health\n", "health"),
        (WHOLE + "start_s: 0\n", "start_s"),
        (
            'engine: command\ncommand: "serve \'a"\nmemory: 1GiB\n',
            "`command`: No closing quotation",
        ),
        ("engine: command\ncommand: []\nmemory: 1GiB\n", "a command begins with a program"),
        ("engine: command\ncommand: [serve, [x]]\nmemory: 1GiB\n", "command"),
        ("serves: x\n", "sets `serves`, which is for models with `engine: command`"),
    ],
)
def test_what_is_wrong_is_told(models: Models, told: str, reason: str) -> None:
    """A field that is missing, wrong or meant for another engine is named."""
    write(models, told)

    with pytest.raises(ConfigurationError, match=reason):
        models.get("big")


def test_the_values_of_the_environment_are_not_shown(models: Models) -> None:
    """They may be keys: no repr shows them, nor does the error of a field beside them."""
    write(models, WHOLE + "environment: {HF_TOKEN: hf_secret}\n")
    assert "hf_secret" not in repr(models.get("big"))

    write(models, WHOLE + "environment: {HF_TOKEN: [hf_secret]}\n")
    with pytest.raises(ConfigurationError) as caught:
        models.get("big")
    assert "hf_secret" not in caught.value.message


def test_every_example_of_the_page_can_be_used(models: Models) -> None:
    """Each manifest of docs/other-engines.md is whole, and what it runs takes the port."""
    page = (Path(__file__).parents[2] / "docs" / "other-engines.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 6
    (models.folder / "qwen3-4b-q4_k_m.gguf").write_bytes(b"GGUF")

    for example in examples:
        write(models, example)
        command = models.get("big").command
        assert command is not None
        assert any("{port}" in word for word in command.command)
