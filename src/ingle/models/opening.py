"""From a file or folder that should be a model to the model, or to why it cannot be one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import assert_never

from pydantic import BaseModel

from ingle.errors import ConfigurationError
from ingle.models.command_fields import CommandFields
from ingle.models.gguf import GgufHeader, Purpose, shard_paths, unreadable
from ingle.models.headers import Headers
from ingle.models.image_fields import ImageFields
from ingle.models.image_folder import (
    ImageEngine,
    image_engine,
    is_image_folder,
    weights_of,
)
from ingle.models.manifest import Capability, EngineName, Manifest, Model
from ingle.models.speech_files import is_multilingual, speech_engine, weights_of_speech
from ingle.models.text_fields import TextFields
from ingle.models.text_options import Part

__all__ = ["Candidate", "open_model"]

_CAPABILITIES: dict[Purpose, tuple[Capability, ...]] = {
    # A model that writes has vectors of what it reads too, if not the best ones.
    "generate": ("chat", "completions", "embeddings"),
    "embed": ("embeddings",),
    "rerank": ("rerank",),
}
_OF_TEXT: frozenset[Capability] = frozenset(
    {"chat", "completions", "embeddings", "rerank", "vision"}
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file or folder that should be a model, before it is opened."""

    name: str
    path: Path
    manifest: Manifest = field(default_factory=Manifest)
    manifest_path: Path | None = None
    is_builtin: bool = False


def open_model(found: Candidate, headers: Headers) -> Model | None:
    """The model; None if the file holds only a part of another model.

    Raises:
        ModelFileInvalid: a file is damaged.
        ConfigurationError: its manifest says what does not fit its files.
    """
    model = _opened(found, headers)
    if model is None:
        return None
    return replace(
        model,
        aliases=found.manifest.aliases,
        sha256=found.manifest.digests(found.path.name),
        manifest_path=found.manifest_path,
    )


def _opened(found: Candidate, headers: Headers) -> Model | None:
    engine = _engine(found)
    match engine:
        case "llama":
            return _text_model(found, headers)
        case "openvino" | "diffusers":
            return _image_model(found, engine)
        case "espeak" | "sherpa" | "whisper":
            return _speech_model(found, engine)
        case "command":
            return _command_model(found)
        case _:
            assert_never(engine)


def _engine(found: Candidate) -> EngineName:
    """The engine that the manifest names, else the one that the files are made for.

    Raises:
        ConfigurationError: they are made for another one than the manifest names.
    """
    named = found.manifest.engine
    if named == "command":
        return named
    _refuse(found, CommandFields, "models with `engine: command`")
    if named == "espeak" and found.path == found.manifest_path:
        return named  # it has no files
    made_for: EngineName = speech_engine(found.path) or "llama"
    if is_image_folder(found.path):
        made_for = image_engine(found.path)
    if named not in (None, made_for):
        raise ConfigurationError(
            f"The manifest of the model {found.name!r} says `engine: {named}`, and {found.path} "
            f"has files for {made_for}. Correct the manifest, or convert the model."
        )
    return made_for


def _text_model(found: Candidate, headers: Headers) -> Model | None:
    _refuse(found, ImageFields, "image models")
    manifest = found.manifest
    read = [headers.read(path) for path in shard_paths(found.path) or (found.path,)]
    header, _ = read[0]
    if header.kind != "model":
        return None
    text = manifest.text_options(header, found.path.parent, headers)
    return Model(
        name=found.name,
        path=found.path,
        size_bytes=sum(stat.st_size for _, stat in read),
        header=replace(header, parameters=sum(header.parameters for header, _ in read)),
        capabilities=_text_capabilities(found, header, text.projector),
        context_tokens=manifest.context_tokens,
        slots=manifest.slots,
        text=text,
        modified_ns=max(stat.st_mtime_ns for _, stat in read),
        is_builtin=found.is_builtin,
    )


def _text_capabilities(
    found: Candidate, header: GgufHeader, projector: Part | None
) -> tuple[Capability, ...]:
    """What the manifest says, else what the file tells; eyes come with the projector.

    Raises:
        ConfigurationError: the manifest says what no text model can do.
    """
    told = found.manifest.capabilities or _CAPABILITIES[header.purpose]
    if strange := set(told) - _OF_TEXT:
        raise ConfigurationError(
            f"The manifest of the model {found.name!r} gives it the capabilities "
            f"{', '.join(sorted(strange))}, and a text model can have {', '.join(sorted(_OF_TEXT))}."
            " Correct `capabilities`, or leave it out: mostly the file tells."
        )
    has_eyes = projector is not None and projector.header.has_eyes
    if "vision" in told and not has_eyes:
        raise ConfigurationError(
            f"The manifest of the model {found.name!r} gives it the capability vision, and names "
            "no file that sees. Name its mmproj file in `projector`."
        )
    return (*told, "vision") if has_eyes and "chat" in told and "vision" not in told else told


def _image_model(found: Candidate, engine: ImageEngine) -> Model:
    _refuse(found, TextFields, "text models")
    try:
        weights = weights_of(found.path)
    except OSError as error:
        raise unreadable(found.path, error) from error
    return Model(
        name=found.name,
        path=found.path,
        size_bytes=sum(stat.st_size for stat in weights),
        header=None,
        capabilities=found.manifest.capabilities or ("images",),
        engine=engine,
        image=found.manifest.image_options(found.name, engine),
        modified_ns=max((stat.st_mtime_ns for stat in weights), default=0),
        is_builtin=found.is_builtin,
    )


def _speech_model(found: Candidate, engine: EngineName) -> Model:
    _refuse(found, TextFields, "text models")
    told: tuple[Capability, ...] = ("speech",)
    if engine == "whisper":
        translates = is_multilingual(found.path)
        told = ("transcription", "translation") if translates else ("transcription",)
    try:
        weights = weights_of_speech(found.path)
    except OSError as error:
        raise unreadable(found.path, error) from error
    return Model(
        name=found.name,
        path=found.path,
        size_bytes=sum(stat.st_size for stat in weights),
        header=None,
        capabilities=found.manifest.capabilities or told,
        engine=engine,
        aliases=found.manifest.aliases,
        modified_ns=max((stat.st_mtime_ns for stat in weights), default=0),
        is_builtin=found.is_builtin,
    )


def _command_model(found: Candidate) -> Model:
    """A model that another server runs: what it is made of is between that and the manifest."""
    _refuse(found, TextFields, "models that llama.cpp runs")
    _refuse(found, ImageFields, "models that Ingle's own image engines run")
    manifest = found.manifest
    has_file = manifest.file is not None
    options = manifest.command_options(found.name, found.path if has_file else None)
    try:
        stat = found.path.stat()
    except OSError as error:
        raise unreadable(found.path, error) from error
    return Model(
        name=found.name,
        path=found.path,
        size_bytes=stat.st_size if has_file else 0,
        header=None,
        capabilities=manifest.capabilities or ("chat", "completions"),
        engine="command",
        context_tokens=manifest.context_tokens,
        slots=manifest.slots,
        command=options,
        modified_ns=stat.st_mtime_ns,
    )


def _refuse(found: Candidate, fields: type[BaseModel], whose: str) -> None:
    """Return if the manifest sets none of these fields, which are for other models.

    Raises:
        ConfigurationError: it does.
    """
    if told := found.manifest.told_of(fields):
        raise ConfigurationError(
            f"The manifest of the model {found.name!r} sets {', '.join(f'`{one}`' for one in told)}"
            f", which is for {whose}, and {found.path} is none. Leave it out."
        )
