"""Models that other programs have fetched already: Hugging Face's cache, and Ollama's.

Both keep files by their sha256, so a file is found without a name. Read only: nothing of theirs is
ever changed. Blocks for as long as it takes to list some folders.

Layouts: https://huggingface.co/docs/huggingface_hub/guides/manage-cache, and for Ollama
`manifests/<registry>/<repository>/<tag>` beside `blobs/sha256-<digest>`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ingle.models.pull.names import model_name
from ingle.models.pull.ollama_parameters import parameters_in
from ingle.models.pull.plan import Digest
from ingle.models.pull.quantisation import Listed, projector, variants
from ingle.models.pull.registry_manifest import Manifest
from ingle.settings import Settings

__all__ = ["CachedModel", "find_cached", "hub_blob", "ollama_blob"]

_MODEL = "application/vnd.ollama.image.model"
_PROJECTOR = "application/vnd.ollama.image.projector"
_PARAMETERS = "application/vnd.ollama.image.params"
_SYSTEM = "application/vnd.ollama.image.system"
_TEXT_BYTES = 1024 * 1024
_MOST_MANIFESTS = 10_000
_MANIFEST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A whole model in another program's cache, that can be run from where it lies.

    `paths` are its weights, in order if they are split; `source` is what would pull the same.
    `parameters` and `system_prompt` are defaults that came with it.
    """

    name: str
    source: str
    paths: tuple[Path, ...]
    projector: Path | None
    size_bytes: int
    parameters: Mapping[str, object] = field(default_factory=dict)
    system_prompt: str | None = None


def hub_cache(settings: Settings) -> Path:
    """Where huggingface_hub keeps what it has fetched."""
    return settings.huggingface_cache or Path("~/.cache/huggingface/hub").expanduser()


def ollama_folder(settings: Settings) -> Path:
    """Where Ollama keeps its models."""
    return settings.ollama_models or Path("~/.ollama/models").expanduser()


def hub_blob(settings: Settings, repository: str, digest: Digest | None) -> tuple[Path, ...]:
    """The repository's file with this digest in Hugging Face's cache, if it is there."""
    if digest is None:
        return ()
    folder = hub_cache(settings) / f"models--{repository.replace('/', '--')}" / "blobs"
    return _if_file(folder / digest.value)


def ollama_blob(settings: Settings, digest: Digest) -> tuple[Path, ...]:
    """The file with this digest in Ollama's store, if it is there."""
    return _if_file(ollama_folder(settings) / "blobs" / f"sha256-{digest.value}")


def find_cached(settings: Settings) -> list[CachedModel]:
    """The GGUF models in both caches, by name; what is not whole or cannot be read is left out."""
    found = [*_in_hub_cache(hub_cache(settings)), *_in_ollama(ollama_folder(settings))]
    return sorted(found, key=lambda model: (model.name, model.source))


def _in_hub_cache(cache: Path) -> Iterator[CachedModel]:
    for snapshot in _listed(cache, "models--*/snapshots/*"):
        repository = snapshot.parent.parent.name.removeprefix("models--").replace("--", "/", 1)
        sizes = {
            path.relative_to(snapshot).as_posix(): path.stat().st_size
            for path in _listed(snapshot, "**/*.gguf")
            if path.is_file()
        }
        listed = [Listed(name, size) for name, size in sizes.items()]
        eyes = projector(listed)
        for variant in variants(listed):
            first = variant.files[0].name
            yield CachedModel(
                name=model_name(Path(first).stem.partition("-00001-of-")[0]),
                source=f"hf:{repository}:{first}@{snapshot.name}",
                paths=tuple(snapshot / part.name for part in variant.files),
                projector=snapshot / eyes.name if eyes else None,
                size_bytes=variant.size_bytes + (eyes.size_bytes if eyes else 0),
            )


def _in_ollama(folder: Path) -> Iterator[CachedModel]:
    manifests = folder / "manifests"
    for path in _listed(manifests, "*/*/*/*")[:_MOST_MANIFESTS]:
        registry, space, title, tag = path.relative_to(manifests).parts
        blobs = _blobs(path, folder / "blobs")
        files = [(kind, blob) for kind, blob in blobs if kind in (_MODEL, _PROJECTOR)]
        weights = tuple(blob for kind, blob in files if kind == _MODEL)
        if len(weights) != 1 or not all(blob.is_file() for _, blob in files):
            continue
        eyes = next((blob for kind, blob in files if kind == _PROJECTOR), None)
        name = f"{space}/{title}".removeprefix("library/")
        is_ollamas = registry == "registry.ollama.ai"
        source = f"ollama:{name}:{tag}" if is_ollamas else f"oci://{registry}/{space}/{title}:{tag}"
        yield CachedModel(
            name=model_name(title if tag == "latest" else f"{title}-{tag}"),
            source=source,
            paths=weights,
            projector=eyes,
            size_bytes=sum(blob.stat().st_size for _, blob in files),
            parameters=parameters_in(_small(blobs, _PARAMETERS)),
            system_prompt=_small(blobs, _SYSTEM).decode(errors="replace").strip() or None,
        )


def _small(blobs: list[tuple[str, Path]], kind: str) -> bytes:
    """The content of the blob of a kind; empty if there is none, or it is too large for a text."""
    for path in (blob for found, blob in blobs if found == kind):
        try:
            with path.open("rb") as file:
                content = file.read(_TEXT_BYTES + 1)
        except OSError:
            continue
        return content if len(content) <= _TEXT_BYTES else b""
    return b""


def _blobs(manifest: Path, folder: Path) -> list[tuple[str, Path]]:
    """The kind and place of each blob of a model; empty if the manifest cannot be read."""
    try:
        with manifest.open("rb") as file:
            found = msgspec.json.decode(file.read(_MANIFEST_BYTES), type=Manifest)
    except (OSError, msgspec.DecodeError, RecursionError):
        return []
    return [
        (layer.media_type, folder / layer.digest.replace(":", "-"))
        for layer in found.layers
        if "/" not in layer.digest
    ]


def _listed(folder: Path, pattern: str) -> list[Path]:
    """What matches the pattern; nothing if the folder is not there or not ours to read."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def _if_file(path: Path) -> tuple[Path, ...]:
    try:
        return (path,) if path.is_file() else ()
    except OSError:
        return ()
