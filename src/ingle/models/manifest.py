"""A model: its name, its files, what it can do and how it is run.

What a GGUF file says of itself is read from it, never asked. A YAML manifest beside it may add to
that what the file cannot know; `docs/models.md` has one with all fields:

    file: qwen3-4b-q4_k_m.gguf     # else the file of the manifest's own name
    name: qwen3-4b                 # else the file's name without its ending
    aliases: [gpt-4o-mini]
    context_tokens: 16384
    parameters: {temperature: 0.7}

An image model is a folder; its manifest may choose who runs it: `engine: openvino` or `diffusers`.
A model that another server runs, by `engine: command`, may have no file at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ingle.errors import ConfigurationError
from ingle.files import write_private
from ingle.models.command_fields import CommandFields, CommandOptions
from ingle.models.file_name import FileName
from ingle.models.gguf import GgufHeader, Purpose
from ingle.models.image_fields import ImageFields
from ingle.models.image_folder import ImageEngine
from ingle.models.image_options import ImageOptions
from ingle.models.manifest_faults import manifest_fault
from ingle.models.speech_files import SpeechEngine
from ingle.models.text_fields import TextFields
from ingle.models.text_options import TextOptions

__all__ = ["Capability", "EngineName", "Manifest", "Model", "read_manifest", "update_manifest"]

Capability = Literal[
    "chat",
    "completions",
    "embeddings",
    "rerank",
    "vision",
    "images",
    "transcription",
    "translation",
    "speech",
]
"""What a model can be asked for; `vision` is that its chat takes pictures."""

EngineName = Literal["llama", "command"] | ImageEngine | SpeechEngine

_LARGEST_MANIFEST_BYTES = 1024 * 1024

Name = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:+@ ()-]*$", max_length=128)
]
"""No slash, as that parts a connection from a model, and nothing that a terminal would obey."""

Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$", to_lower=True)]


@dataclass(frozen=True, slots=True)
class Model:
    """A model of this machine. Two that are equal can share an engine.

    `path` is its file, or its folder, and only a GGUF file has a `header`. `size_bytes` is of its
    own weights, without `text.parts`. `context_tokens` and `slots` are what its manifest sets; None
    leaves them to the settings. It answers to each of its `aliases` too. `sha256` is what files by
    name, beside the manifest or in the folder, are said to have. With a `command`, some
    other server runs it, and without a file its `path` is the manifest.
    """

    name: str
    path: Path
    size_bytes: int
    header: GgufHeader | None = field(repr=False)
    capabilities: tuple[Capability, ...]
    engine: EngineName = "llama"
    aliases: tuple[str, ...] = ()
    context_tokens: int | None = None
    slots: int | None = None
    text: TextOptions = field(default_factory=TextOptions)
    image: ImageOptions = field(default_factory=ImageOptions)
    command: CommandOptions | None = None
    modified_ns: int = 0
    is_builtin: bool = False
    sha256: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    manifest_path: Path | None = field(default=None, compare=False)

    @property
    def purpose(self) -> Purpose:
        """What a text model is started for."""
        if "rerank" in self.capabilities:
            return "rerank"
        return "generate" if {"chat", "completions"} & set(self.capabilities) else "embed"

    @property
    def parameters(self) -> int | None:
        """How many weights it has; None if its files do not tell."""
        return self.header.parameters if self.header else None


class Manifest(TextFields, ImageFields, CommandFields):
    """What a manifest may say: here for every engine, in its bases for one. An unknown field is an
    error that names it.

    `capabilities` is for what the files do not tell. `sha256` is of `file`, or of each file by its
    name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Name | None = None
    aliases: tuple[Name, ...] = Field((), max_length=64)
    engine: EngineName | None = None
    file: FileName | None = None
    sha256: Sha256 | dict[FileName, Sha256] | None = None
    capabilities: Annotated[tuple[Capability, ...], Field(min_length=1)] | None = None
    context_tokens: int | None = Field(None, ge=16)
    slots: int | None = Field(None, ge=1, le=256)

    def told_of(self, fields: type[BaseModel]) -> list[str]:
        """Which of these fields, of a base of this class, the file sets."""
        return [name for name in fields.model_fields if name in self.model_fields_set]

    def digests(self, file: str) -> dict[str, str]:
        """The sha256 of each file by its name; a single one is that of `file`."""
        if isinstance(self.sha256, str):
            return {file: self.sha256}
        return self.sha256 or {}


def read_manifest(path: Path) -> Manifest:
    """The manifest in a YAML file; an empty file is one that says nothing.

    Raises:
        ConfigurationError: it cannot be read, is no YAML, or has a wrong or unknown field; says in
            which line.
    """
    try:
        if path.stat().st_size > _LARGEST_MANIFEST_BYTES:
            raise _unusable(path, f"it is larger than {_LARGEST_MANIFEST_BYTES:,} bytes")
        text = path.read_bytes()
        told = yaml.safe_load(text)
        return Manifest.model_validate({} if told is None else told)
    except OSError as error:
        raise _unusable(path, f"it cannot be read: {error.strerror or error}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _unusable(path, f"it is no valid YAML: {error}") from error
    except ValidationError as error:
        raise _unusable(path, manifest_fault(error, text, Manifest)) from error


def update_manifest(path: Path, fields: Mapping[str, object]) -> None:
    """Set fields of a manifest, or begin one with them; what else it says stays, but comments.

    Raises:
        ConfigurationError: it cannot be read, or would be wrong with these fields.
        StorageError: it cannot be written.
    """
    told: dict[str, object] = {}
    if path.exists():
        read_manifest(path)
        told = yaml.safe_load(path.read_bytes()) or {}
    text = yaml.safe_dump({**told, **fields}, sort_keys=False, allow_unicode=True).encode()
    try:
        Manifest.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        raise _unusable(path, manifest_fault(error, text, Manifest)) from error
    write_private(path, text)


def _unusable(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"The model manifest {path} cannot be used: {reason}. Correct it there, or remove the "
        "manifest; docs/models.md tells its fields."
    )
