"""Any registry of containers: a model as an artifact whose layers are its files.

Known are the layouts of ORAS, CNCF ModelPack, Docker Model Runner and RamaLama. A layer that is an
archive is not unpacked.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from ingle.errors import InvalidRequest, ModelFileInvalid
from ingle.models.pull.names import check_file_name, model_name, refuse_code
from ingle.models.pull.plan import Plan, PlannedFile, Role
from ingle.models.pull.registry import open_repository
from ingle.models.pull.registry_manifest import Descriptor
from ingle.models.pull.source import OciSource
from ingle.models.pull.web import Web

__all__ = ["resolve"]

_TITLES = ("org.opencontainers.image.title", "org.cncf.model.filepath")
_LICENCE = "org.opencontainers.image.licenses"
_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?")
_DOCKER_HUB = "registry-1.docker.io"


async def resolve(source: OciSource, web: Web) -> Plan:
    """The artifact's files.

    Raises:
        InvalidRequest: it holds no GGUF file.
        ModelFileInvalid: its files are archives or pickles, or called what no file may be.
        UpstreamError: the registry cannot be asked, or has no such artifact.
    """
    registry = await open_repository(
        _base(source.registry),
        _repository(source),
        web,
        {
            0: f"Check the name and tag of {source}.",
            401: "It is private, or not there: only what anybody may read can be pulled.",
        },
    )
    manifest = await registry.manifest(source.reference)
    files = []
    for layer in manifest.layers:
        name = _name(layer, source)
        if name is None:
            continue
        files.append(
            PlannedFile(
                name=check_file_name(name),
                origin=registry.blob_url(layer),
                size_bytes=layer.size,
                digest=layer.sha256,
                role=_role(name),
                bearer=registry.token,
            )
        )
    if not any(file.role == "weights" for file in files):
        _refuse_archives(manifest.layers)
        kinds = ", ".join(sorted({layer.media_type[:80] for layer in manifest.layers}))
        raise InvalidRequest(
            f"{source} holds no GGUF file (its layers: {kinds or 'none'}). Pull another artifact.",
            param="source",
        )
    title = source.repository.rpartition("/")[2]
    is_plain = source.reference == "latest" or source.reference.startswith("sha256:")
    return Plan(
        name=model_name(title if is_plain else f"{title}-{source.reference}"),
        source=str(source),
        files=tuple(files),
        why=f"{len(files)} of its {len(manifest.layers)} layers are files of the model.",
        licence=(manifest.annotations or {}).get(_LICENCE),
        revision=manifest.config.digest if manifest.config else None,
    )


def _name(layer: Descriptor, source: OciSource) -> str | None:
    """The file's name, if the layer is one that a model needs."""
    kind = layer.media_type.lower()
    if _is_archive(kind):
        return None
    for key in _TITLES:
        if title := (layer.annotations or {}).get(key):
            check_file_name(title)
            refuse_code(title)
            return PurePosixPath(title).name if title.lower().endswith(".gguf") else None
    if "gguf" not in kind:
        return None
    stem = model_name(source.repository.rpartition("/")[2])
    return f"mmproj-{stem}.gguf" if "mmproj" in kind else f"{stem}.gguf"


def _role(name: str) -> Role:
    return "projector" if "mmproj" in name.lower() else "weights"


def _is_archive(media_type: str) -> bool:
    return media_type.endswith(("tar", "+gzip", "+zstd", ".tar.gzip"))


def _refuse_archives(layers: list[Descriptor]) -> None:
    if found := next((layer for layer in layers if _is_archive(layer.media_type)), None):
        raise ModelFileInvalid(
            f"A layer of {found.media_type[:80]} is not taken: archives are not unpacked. Look "
            "for an artifact whose layers are the files themselves, or for the same model as GGUF."
        )


def _base(registry: str) -> str:
    if registry in ("docker.io", "index.docker.io"):
        registry = _DOCKER_HUB
    # As Docker does it: only a registry of this very machine is asked without encryption.
    scheme = "http" if _LOOPBACK.fullmatch(registry) else "https"
    return f"{scheme}://{registry}"


def _repository(source: OciSource) -> str:
    is_official = source.registry in ("docker.io", "index.docker.io")
    if is_official and "/" not in source.repository:
        return f"library/{source.repository}"
    return source.repository
