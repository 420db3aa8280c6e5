"""Ollama's registry: a model is layers for weights, projector, parameters, system prompt, licence.

The protocol is that of container registries; the media types are Ollama's own (ollama,
server/images.go). Its Go templates are not read: the chat template in the GGUF file is used.
"""

from __future__ import annotations

from ingle.errors import InvalidRequest
from ingle.models.pull.caches import ollama_blob
from ingle.models.pull.names import model_name
from ingle.models.pull.ollama_parameters import parameters_in
from ingle.models.pull.plan import Plan, PlannedFile, Role
from ingle.models.pull.registry import Registry
from ingle.models.pull.registry_manifest import Descriptor, Manifest
from ingle.models.pull.source import OllamaSource
from ingle.models.pull.web import Web
from ingle.settings import Settings

__all__ = ["resolve"]

_TYPE = "application/vnd.ollama.image."
_ROLES: dict[str, Role] = {f"{_TYPE}model": "weights", f"{_TYPE}projector": "projector"}


async def resolve(source: OllamaSource, web: Web, settings: Settings) -> Plan:
    """The model's files, with the parameters, system prompt and licence that come with it.

    Raises:
        InvalidRequest: the tag holds no weights that can be run here.
        UpstreamError: the registry cannot be asked, or has no such model.
    """
    page = f"https://ollama.com/{source.repository.removeprefix('library/')}"
    advice = {0: f"Check the name and the tag at {page}.", 401: f"Check the name at {page}."}
    registry = Registry(settings.ollama_registry_url, source.repository, web, advice)
    manifest = await registry.manifest(source.tag)
    layers = [layer for layer in manifest.layers if layer.media_type in _ROLES]
    weights = [layer for layer in layers if _ROLES[layer.media_type] == "weights"]
    if not weights:
        raise InvalidRequest(
            f"{source} holds no weights, so it runs only in Ollama's own cloud or in a newer "
            f"Ollama. Look for another tag at {page}/tags.",
            param="source",
        )
    title = source.repository.rpartition("/")[2]
    name = model_name(title if source.tag == "latest" else f"{title}-{source.tag}")
    return Plan(
        name=name,
        source=str(source),
        files=tuple(_files(layers, name, registry, settings)),
        why=f"{source.tag}: the tag that was asked for.",
        licence=await _first_line(registry, _layer(manifest, "license")),
        revision=weights[0].digest,
        system_prompt=await _text(registry, _layer(manifest, "system")),
        parameters=await _parameters(registry, _layer(manifest, "params")),
    )


def _files(
    layers: list[Descriptor], name: str, registry: Registry, settings: Settings
) -> list[PlannedFile]:
    counts: dict[Role, int] = {}
    files = []
    for layer in layers:
        role = _ROLES[layer.media_type]
        counts[role] = counts.get(role, 0) + 1
        number = f"-{counts[role]}" if counts[role] > 1 else ""
        stem = name if role == "weights" else f"mmproj-{name}"
        files.append(
            PlannedFile(
                name=f"{stem}{number}.gguf",
                origin=registry.blob_url(layer),
                size_bytes=layer.size,
                digest=layer.sha256,
                role=role,
                at_hand=ollama_blob(settings, layer.sha256),
            )
        )
    return files


def _layer(manifest: Manifest, kind: str) -> Descriptor | None:
    return next((layer for layer in manifest.layers if layer.media_type == f"{_TYPE}{kind}"), None)


async def _text(registry: Registry, layer: Descriptor | None) -> str | None:
    if layer is None:
        return None
    return (await registry.small_blob(layer)).decode(errors="replace").strip() or None


async def _first_line(registry: Registry, layer: Descriptor | None) -> str | None:
    text = await _text(registry, layer)
    return text.splitlines()[0].strip()[:100] if text else None


async def _parameters(registry: Registry, layer: Descriptor | None) -> dict[str, object]:
    """Parameters such as `temperature` and `stop`; none if they are no JSON object."""
    return {} if layer is None else parameters_in(await registry.small_blob(layer))
