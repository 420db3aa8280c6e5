"""Which models are installed, and what becomes of files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingle.errors import ConfigurationError, ModelFileInvalid, ModelNotFound, NotAllowed
from ingle.models.store import Models
from ingle.settings import load_settings
from ingle.testing.tiny_model import write_model


@pytest.fixture
def models() -> Models:
    models = Models(load_settings())
    models.folder.mkdir(parents=True)
    return models


def names(models: Models) -> list[str]:
    """What is installed beside what comes with Ingle."""
    return [model.name for model in models.list() if not model.is_builtin]


def test_the_demo_model_is_always_there() -> None:
    """With nothing installed, not even a home folder, there is the demo model."""
    models = Models(load_settings())

    assert names(models) == []
    demo = models.get("demo")
    assert demo.is_builtin
    assert demo.capabilities == ("chat", "completions", "embeddings")
    assert demo.header is not None
    assert demo.header.has_chat_template


def test_a_file_is_a_model_by_its_name(models: Models) -> None:
    """Dropping a GGUF into the folder, at any depth, installs it at once."""
    (models.folder / "deep").mkdir()
    path = write_model(models.folder / "deep" / "Qwen3-4B.Q8_0.gguf")

    assert names(models) == ["Qwen3-4B.Q8_0"]
    model = models.get("Qwen3-4B.Q8_0")
    assert (model.path, model.size_bytes) == (path, path.stat().st_size)
    assert model.context_tokens is None


def test_a_manifest_sets_what_the_file_cannot_know(models: Models) -> None:
    """A YAML file beside the model names it and sets its context, slots and template."""
    write_model(models.folder / "weights.gguf")
    (models.folder / "mine.yaml").write_text(
        "file: weights.gguf\nname: my model\ncontext_tokens: 1024\nslots: 2\nchat_template: hey\n"
    )

    assert names(models) == ["my model"]
    model = models.get("my model")
    assert (model.context_tokens, model.slots, model.text.chat_template) == (1024, 2, "hey")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("contxt: 3", "contxt"),
        ("slots: 0", "slots"),
        ("name: ../../up", "name"),
        ("a: b: c", "no valid YAML"),
        ("- a\n- b", "the whole file"),
        ("file: ../other.gguf", "'../other.gguf'"),
        ("file: /etc/passwd", "'/etc/passwd'"),
    ],
)
def test_a_wrong_manifest_is_told(models: Models, text: str, words: str) -> None:
    """The error names the file and the field; the other models are still there."""
    write_model(models.folder / "bad.gguf")
    path = models.folder / "bad.yaml"
    path.write_text(text)

    assert names(models) == []
    (damaged,) = models.damaged()
    assert isinstance(damaged.error, ConfigurationError)
    assert str(path) in damaged.error.message
    assert words in damaged.error.message


def test_a_damaged_file_is_told_and_not_listed(models: Models) -> None:
    """A cut file is no model in the list; asking for it says what is wrong with it."""
    path = write_model(models.folder / "cut.gguf")
    path.write_bytes(path.read_bytes()[:50_000])

    assert names(models) == []
    with pytest.raises(ModelFileInvalid, match="it is cut short"):
        models.get("cut")


def test_a_manifest_without_its_file_is_told(models: Models) -> None:
    """A manifest whose weights are gone says which file is missing."""
    (models.folder / "gone.yaml").write_text("file: gone.gguf\n")

    with pytest.raises(ModelFileInvalid, match=r"gone\.gguf is not there"):
        models.get("gone")


def test_two_files_of_one_name_are_told(models: Models) -> None:
    """The second file of a name is not silently hidden; the built-in model cannot be replaced."""
    write_model(models.folder / "demo.gguf")

    assert models.get("demo").is_builtin
    (damaged,) = models.damaged()
    assert damaged.name == str(models.folder / "demo.gguf")
    assert "has the same name as" in damaged.error.message


@pytest.mark.parametrize(
    "name", ["../demo", "../../etc/passwd", "/etc/passwd", "demo\x00", "", "DEMO", "x" * 100_000]
)
def test_a_name_is_never_a_path(models: Models, name: str) -> None:
    """Names that are not installed are not found, whatever they look like; the error stays short."""
    with pytest.raises(ModelNotFound, match="Installed: demo") as caught:
        models.get(name)
    assert len(caught.value.message) < 400
    assert "\x00" not in caught.value.message


def test_partial_downloads_and_parts_are_no_models(models: Models) -> None:
    """Hidden files, later parts of split models and projectors are not listed."""
    write_model(models.folder / ".download.gguf")
    write_model(models.folder / "mmproj.gguf", extra={"general.architecture": "clip"})
    for number in (1, 2):
        write_model(models.folder / f"big-0000{number}-of-00002.gguf")

    assert names(models) == ["big"]
    assert models.damaged() == []
    one_part = (models.folder / "big-00001-of-00002.gguf").stat().st_size
    assert models.get("big").size_bytes == 2 * one_part
    assert models.get("big").parameters == 2 * 107_200


def test_a_changed_file_is_read_again(models: Models) -> None:
    """What is known of a file is not kept longer than the file."""
    path = write_model(models.folder / "m.gguf")
    first = models.get("m")
    write_model(path, extra={"general.name": "another"})

    assert models.get("m") != first
    header = models.get("m").header
    assert header is not None
    assert header.name == "another"
    path.unlink()
    assert names(models) == []


def image_folder(folder: Path, part: str = "unet/openvino_model") -> Path:
    """A folder that looks like an image model; its weights take 8 bytes."""
    for name in ("scheduler/config.json", f"{part}.xml", f"{part}.bin"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"12345678")
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    (folder / "of-the-model.yaml").write_text("no: manifest\n")
    return folder


def test_a_folder_with_a_pipeline_is_an_image_model(models: Models) -> None:
    """It is called after its folder, is for images, and what lies in it is a part of it."""
    path = image_folder(models.folder / "family" / "sd-1.5")

    assert (names(models), models.damaged()) == (["sd-1.5"], [])
    model = models.get("sd-1.5")
    assert (model.path, model.engine, model.size_bytes) == (path, "openvino", 8)
    assert model.capabilities == ("images",)
    assert (model.header, model.parameters) == (None, None)


def test_a_manifest_chooses_the_image_engine(models: Models) -> None:
    """A manifest beside the folder names it and its engine; one that cannot be is told."""
    image_folder(models.folder / "a", "unet/diffusion_pytorch_model")
    (models.folder / "a.yaml").write_text("name: painter\nengine: diffusers\n")
    image_folder(models.folder / "b")
    (models.folder / "b.yaml").write_text("engine: diffusers\n")
    write_model(models.folder / "c.gguf")
    (models.folder / "c.yaml").write_text("engine: openvino\n")

    assert names(models) == ["painter"]
    assert models.get("painter").engine == "diffusers"
    one, other = models.damaged()
    assert "says `engine: diffusers`, and" in one.error.message
    assert "has files for openvino" in one.error.message
    assert "has files for llama" in other.error.message


def test_an_image_model_is_removed_whole(models: Models) -> None:
    """The folder goes with its manifest, and nothing beside it."""
    image_folder(models.folder / "a")
    (models.folder / "a.yaml").write_text("engine: openvino\n")
    image_folder(models.folder / "b")

    models.remove("a")

    assert [path.name for path in models.folder.iterdir()] == ["b"]


def test_remove_deletes_the_files_of_one_model(models: Models) -> None:
    """The weights and the manifest go, and nothing else does."""
    write_model(models.folder / "a.gguf")
    write_model(models.folder / "b.gguf")
    (models.folder / "b.yaml").write_text("slots: 1\n")

    models.remove("b")

    assert sorted(path.name for path in models.folder.iterdir()) == ["a.gguf"]


def test_a_damaged_model_can_be_removed(models: Models) -> None:
    """A broken download does not have to be deleted by hand."""
    (models.folder / "broken.gguf").write_bytes(b"GGUF")

    models.remove("broken")

    assert list(models.folder.iterdir()) == []


def test_remove_follows_no_link_and_spares_the_demo(models: Models, tmp_path: Path) -> None:
    """A link is removed and not what it leads to; Ingle's own model stays."""
    elsewhere = write_model(tmp_path / "elsewhere.gguf")
    (models.folder / "linked.gguf").symlink_to(elsewhere)

    models.remove("linked")

    assert elsewhere.exists()
    assert names(models) == []
    with pytest.raises(NotAllowed, match="a part of Ingle"):
        models.remove("demo")
    with pytest.raises(ModelNotFound):
        models.remove("../elsewhere")
