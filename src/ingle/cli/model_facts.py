"""What is told of a model: by its files, by its manifest, and of where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ingle.cli.terminal import count, size

if TYPE_CHECKING:
    from ingle.models.manifest import Model
    from ingle.settings import Settings

__all__ = ["as_json", "context", "facts", "lines", "options"]

_SHOWN_ELSEWHERE = ("name", "aliases", "engine", "file", "capabilities", "context_tokens")
_LONGEST_VALUE = 200


def as_json(model: Model) -> dict[str, object]:
    """All of it, for programs."""
    return {
        "name": model.name,
        "aliases": model.aliases,
        "engine": model.engine,
        "path": str(model.path),
        "size_bytes": model.size_bytes,
        "parameters": model.parameters,
        "architecture": model.header.architecture if model.header else None,
        "quantisation": model.header.quantisation if model.header else None,
        "context_tokens": _context_tokens(model) or None,
        "capabilities": model.capabilities,
        "options": options(model),
        "is_builtin": model.is_builtin,
    }


def facts(model: Model, settings: Settings) -> Iterator[tuple[str, str]]:
    """A line for each thing that is known of a model, but for what its manifest sets.

    Raises:
        StorageError: the record of what was pulled cannot be read.
    """
    yield "name", model.name
    if model.aliases:
        yield "also called", ", ".join(model.aliases)
    yield "can", ", ".join(model.capabilities)
    if model.parameters:
        yield "parameters", count(model.parameters)
    if model.header:
        layers = f", {model.header.layers} layers" if model.header.layers else ""
        kept = f", {model.header.quantisation}" if model.header.quantisation else ""
        yield "architecture", f"{model.header.architecture}{layers}{kept}"
    if context(model):
        yield "context", _full_context(model)
    if model.size_bytes:
        beside = sum(part.size_bytes for part in model.text.parts)
        more = f", and {size(beside)} of files that go with it" if beside else ""
        yield "size", f"{size(model.size_bytes)}{more}"
    yield "memory", _memory(model, settings)
    yield "engine", model.engine
    yield from _origin(model)
    yield "file", f"{model.path}{' (comes with Ingle)' if model.is_builtin else ''}"
    if model.manifest_path not in (None, model.path):
        yield "manifest", str(model.manifest_path)


def options(model: Model) -> dict[str, object]:
    """What the manifest sets that is told nowhere else."""
    from ingle.models.manifest import read_manifest

    if model.manifest_path is None:
        return {}
    told = read_manifest(model.manifest_path).model_dump(mode="json", exclude_unset=True)
    if "environment" in told:  # the values may be keys
        told["environment"] = list(told["environment"])
    return {name: value for name, value in told.items() if name not in _SHOWN_ELSEWHERE}


def context(model: Model) -> str:
    """The context window in words; empty if it is not known."""
    tokens = _context_tokens(model)
    return f"{tokens:,} tokens" if tokens else ""


def lines(told: Mapping[str, object], before: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a manifest with their values, a line each: `parameters.top_k  20`."""
    for name, value in told.items():
        if isinstance(value, Mapping):
            yield from lines(value, f"{before}{name}.")
        elif not (isinstance(value, list) and any(isinstance(one, Mapping) for one in value)):
            yield f"{before}{name}", _written(value)
        else:
            for one in value:
                yield f"{before}{name}", ", ".join(f"{key} {_written(one[key])}" for key in one)


def _context_tokens(model: Model) -> int:
    """The context window that the manifest sets, else the one that the file gives; 0 if none."""
    return model.context_tokens or (model.header.context_tokens if model.header else 0)


def _written(value: object) -> str:
    match value:
        case list():
            return ", ".join(repr(one) if isinstance(one, str) else str(one) for one in value)
        case bool():
            return "yes" if value else "no"
        case _:
            text = " ".join(str(value).split())
            return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _full_context(model: Model) -> str:
    trained = model.header.context_tokens if model.header else 0
    if model.context_tokens and trained and model.context_tokens != trained:
        return f"{context(model)} of the {trained:,} that it was made for"
    return context(model)


def _memory(model: Model, settings: Settings) -> str:
    """What it would take here, or that it does not fit and what would."""
    from ingle.engines.loading import estimate
    from ingle.engines.memory import engines_limit
    from ingle.errors import ModelTooLarge

    limit = engines_limit(settings)
    try:
        needed = estimate(model, settings, limit=limit)
    except ModelTooLarge as error:
        return error.message
    on_gpu = f" and {size(needed.memory.gpu_bytes)} of the GPU's" if needed.memory.gpu_bytes else ""
    window = f" with {needed.context_tokens:,} tokens" if needed.context_tokens else ""
    slots = f" in each of {needed.slots} slots" if window and needed.slots else ""
    return f"{size(needed.memory.ram_bytes)} of {size(limit.ram_bytes)}{on_gpu}{window}{slots}"


def _origin(model: Model) -> Iterator[tuple[str, str]]:
    from ingle.models.pull.record import read_record

    folder = model.path if model.path.is_dir() else model.path.parent
    record = read_record(folder)
    if record is None:
        return
    yield "pulled from", record.source
    if record.licence:
        yield "licence", record.licence
