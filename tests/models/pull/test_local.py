"""Files of this machine: pulled from a path, and found in the caches of other programs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ingle.errors import InvalidRequest, ModelFileInvalid
from ingle.models.pull.caches import find_cached
from ingle.models.pull.in_place import use_in_place
from ingle.models.pull.record import read_record
from ingle.models.store import Models
from ingle.settings import Settings

Pulling = Any  # of conftest, which no test can import
Gguf = Any


async def test_file(tmp_path: Path, settings: Settings, pulling: Pulling, gguf: Gguf) -> None:
    """A local file is copied; the original stays and may change."""
    file = tmp_path / "Tiny Model.gguf"
    file.write_bytes(gguf())
    done = await pulling(str(file))
    assert done.name == "tiny-model"
    assert Models(settings).get("tiny-model").size_bytes == 300_000
    assert not (done.path / "Tiny Model.gguf").samefile(file)
    assert (await pulling(str(file))).was_there


async def test_folder(tmp_path: Path, pulling: Pulling, gguf: Gguf) -> None:
    """A folder with one model is that model, all its parts and its projector."""
    for name in ("A-00001-of-00002.gguf", "A-00002-of-00002.gguf", "mmproj-F16.gguf"):
        (tmp_path / name).write_bytes(gguf(mark=name[2:3].encode()))
    (tmp_path / "notes.txt").write_text("hello")
    done = await pulling(str(tmp_path))
    assert (done.name, done.size_bytes) == ("a", 900_000)
    other = await pulling(str(tmp_path / "A-00002-of-00002.gguf"), name="parts")
    assert other.size_bytes == 600_000


@pytest.mark.parametrize(
    ("names", "source", "error", "reason"),
    [
        (["x.pt"], "x.pt", ModelFileInvalid, "Python pickles"),
        (["x.txt"], "x.txt", InvalidRequest, "is no .gguf file"),
        (["x.pt"], "", ModelFileInvalid, "Python pickles"),
        ([], "", InvalidRequest, "holds no whole .gguf file"),
        (["a.gguf", "b.gguf"], "", InvalidRequest, "holds several models: a.gguf, b.gguf"),
        (["a-00001-of-00002.gguf"], "a-00001-of-00002.gguf", InvalidRequest, "a part of it"),
    ],
)
async def test_not_taken(
    tmp_path: Path,
    pulling: Pulling,
    names: list[str],
    source: str,
    error: type[Exception],
    reason: str,
) -> None:
    """What is no one model is refused, with the reason."""
    folder = tmp_path / "given"
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"x")
    with pytest.raises(error, match=reason):
        await pulling(str(folder / source))


async def test_links_in_an_image_model_become_files(tmp_path: Path, pulling: Pulling) -> None:
    """As in Hugging Face's cache, whose snapshots are links; broken ones and circles are left."""
    folder = tmp_path / "painter"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    (tmp_path / "blob").write_bytes(b"weights")
    (folder / "unet" / "openvino_model.bin").symlink_to(tmp_path / "blob")
    (folder / "unet" / "openvino_model.xml").write_text("<net/>")
    (folder / "unet" / "gone.json").symlink_to(tmp_path / "gone")
    (folder / "unet" / "round").symlink_to(folder)
    done = await pulling(str(folder))
    copied = done.path / "unet" / "openvino_model.bin"
    assert (copied.is_symlink(), copied.read_bytes()) == (False, b"weights")
    assert sorted(path.name for path in (done.path / "unet").iterdir()) == [
        "openvino_model.bin",
        "openvino_model.xml",
    ]


async def test_damaged_file(tmp_path: Path, pulling: Pulling) -> None:
    """A file that is no GGUF is refused by its first bytes."""
    (tmp_path / "x.gguf").write_bytes(b"hello" * 10)
    with pytest.raises(ModelFileInvalid, match="is no GGUF file: text that begins with 'hello"):
        await pulling(str(tmp_path / "x.gguf"))


def test_hugging_face_cache(settings: Settings, gguf: Gguf) -> None:
    """Models in huggingface_hub's cache are found by snapshot; broken links are not."""
    assert settings.huggingface_cache is not None
    repository = settings.huggingface_cache / "models--maker--Tiny--GGUF"
    snapshot = repository / "snapshots" / "c0ffee"
    (snapshot / "sub").mkdir(parents=True)
    (repository / "blobs").mkdir()
    blob = repository / "blobs" / hashlib.sha256(gguf()).hexdigest()
    blob.write_bytes(gguf())
    (snapshot / "sub" / "Tiny-Q4_K_M.gguf").symlink_to(blob)
    (snapshot / "Gone-Q4_K_M.gguf").symlink_to(repository / "blobs" / "gone")
    (found,) = find_cached(settings)
    assert (found.name, found.source) == (
        "tiny-q4_k_m",
        "hf:maker/Tiny--GGUF:sub/Tiny-Q4_K_M.gguf@c0ffee",
    )
    assert found.paths == (snapshot / "sub" / "Tiny-Q4_K_M.gguf",)
    assert found.size_bytes == 300_000


async def test_used_in_place(settings: Settings, gguf: Gguf) -> None:
    """A model of a cache is installed by a link, with what came with it; removing it leaves the
    cache alone."""
    assert settings.ollama_models is not None
    folder = settings.ollama_models
    digest = hashlib.sha256(gguf()).hexdigest()
    (folder / "blobs").mkdir(parents=True)
    blob = folder / "blobs" / f"sha256-{digest}"
    blob.write_bytes(gguf())
    manifest = folder / "manifests/registry.ollama.ai/library/tiny/latest"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"}
    said = hashlib.sha256(b"Be kind.").hexdigest()
    (folder / "blobs" / f"sha256-{said}").write_bytes(b"Be kind.")
    kind = "application/vnd.ollama.image.system"
    system = {"mediaType": kind, "digest": f"sha256:{said}", "size": 8}
    manifest.write_text(json.dumps({"layers": [{**layer, "size": 300_000}, system]}))
    (cached,) = find_cached(settings)
    done = await use_in_place(cached, settings, "mine")
    assert (done.path / "mine.gguf").samefile(blob)
    record = read_record(done.path)
    assert record is not None
    assert (record.source, record.files[0].sha256) == ("ollama:tiny:latest", digest)
    models = Models(settings)
    assert models.get("mine").size_bytes == 300_000
    assert models.get("mine").text.parameters.system_prompt == "Be kind."
    models.remove("mine")
    assert blob.is_file()


def test_ollamas_models(settings: Settings, gguf: Gguf) -> None:
    """Ollama's models are found by their manifests; incomplete ones and odd files are left out."""
    folder = settings.ollama_models
    assert folder is not None
    manifests = folder / "manifests" / "registry.ollama.ai" / "library" / "llama3.2"
    manifests.mkdir(parents=True)
    (folder / "blobs").mkdir()
    (folder / "blobs" / "sha256-aa").write_bytes(gguf())

    def manifest(tag: str, digest: str) -> None:
        layer = {"mediaType": "application/vnd.ollama.image.model", "digest": digest, "size": 1}
        (manifests / tag).write_text(json.dumps({"layers": [layer]}))

    manifest("3b", "sha256:aa")
    manifest("gone", "sha256:bb")
    manifest("evil", "sha256:../../../../etc/passwd")
    (manifests / "odd").write_bytes(b"\xff\xfe")
    (found,) = find_cached(settings)
    assert (found.name, found.source) == ("llama3.2-3b", "ollama:llama3.2:3b")
    assert found.paths == (folder / "blobs" / "sha256-aa",)


def test_no_caches(settings: Settings) -> None:
    """Without these programs nothing is found."""
    assert find_cached(settings) == []
