"""A model: its name, its files, what it can do and how it is run.

What a GGUF file says of itself is read from it, never asked. A YAML manifest beside it may add to
that what the file cannot know:

    file: qwen3-4b-q4_k_m.gguf     # else the file of the manifest's own name
    name: qwen3-4b                 # else the file's name without its ending
    context_tokens: 16384
    slots: 2
    chat_template: "{% for message in messages %}…"

An image model is a folder; its manifest may choose who runs it: `engine: openvino` or `diffusers`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from ingle.errors import ConfigurationError
from ingle.files import write_private
from ingle.models.gguf import GgufHeader, Purpose
from ingle.models.image_folder import ImageEngine

__all__ = ["Capability", "EngineName", "Manifest", "Model", "read_manifest", "set_context_tokens"]

Capability = Literal["chat", "completions", "embeddings", "rerank", "images"]
EngineName = Literal["llama"] | ImageEngine

_CAPABILITIES: dict[Purpose, tuple[Capability, ...]] = {
    # A model that writes has vectors of what it reads too, if not the best ones.
    "generate": ("chat", "completions", "embeddings"),
    "embed": ("embeddings",),
    "rerank": ("rerank",),
}
_LARGEST_MANIFEST_BYTES = 1024 * 1024

Name = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:+@ ()-]*$", max_length=128)
]
"""No slash, as that parts a connection from a model, and nothing that a terminal would obey."""


def _beside(file: str) -> str:
    if file in {"", ".", ".."} or any(c in "/\\" or not c.isprintable() for c in file):
        raise ValueError(f"{file!r} is no file name; the file lies beside the manifest")
    return file


FileName = Annotated[str, AfterValidator(_beside)]
"""The name of a file in the same folder, never a way to another one."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model of this machine. Two that are equal can share an engine.

    `path` is its file, or the folder of an image model, which has no `header`. `context_tokens` and
    `slots` are what its manifest sets; None leaves them to the settings.
    """

    name: str
    path: Path
    size_bytes: int
    header: GgufHeader | None = field(repr=False)
    engine: EngineName = "llama"
    context_tokens: int | None = None
    slots: int | None = None
    chat_template: str | None = field(default=None, repr=False)
    modified_ns: int = 0
    is_builtin: bool = False

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What it can be asked for."""
        return _CAPABILITIES[self.header.purpose] if self.header else ("images",)

    @property
    def parameters(self) -> int | None:
        """How many weights it has; None if its files do not tell."""
        return self.header.parameters if self.header else None


class Manifest(BaseModel):
    """What a manifest may say. An unknown field is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Name | None = None
    engine: EngineName | None = None
    file: FileName | None = None
    context_tokens: int | None = Field(None, ge=16)
    slots: int | None = Field(None, ge=1, le=256)
    chat_template: str | None = Field(None, min_length=1)


def read_manifest(path: Path) -> Manifest:
    """The manifest in a YAML file; an empty file is one that says nothing.

    Raises:
        ConfigurationError: it cannot be read, is no YAML, or has a wrong or unknown field.
    """
    try:
        if path.stat().st_size > _LARGEST_MANIFEST_BYTES:
            raise _wrong(path, f"it is larger than {_LARGEST_MANIFEST_BYTES:,} bytes")
        told = yaml.safe_load(path.read_bytes())
        return Manifest.model_validate({} if told is None else told)
    except OSError as error:
        raise _wrong(path, f"it cannot be read: {error.strerror or error}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _wrong(path, f"it is no valid YAML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole file"
        raise _wrong(path, f"{where}: {first['msg']}") from error


def set_context_tokens(path: Path, context_tokens: int) -> None:
    """Set the context in a manifest that is there, and keep what else it says.

    Raises:
        ConfigurationError: it cannot be read.
        StorageError: it cannot be written.
    """
    told = read_manifest(path).model_dump(exclude_none=True)
    told["context_tokens"] = context_tokens
    write_private(path, yaml.safe_dump(told, sort_keys=False).encode())


def _wrong(path: Path, reason: str) -> ConfigurationError:
    fields = ", ".join(Manifest.model_fields)
    return ConfigurationError(
        f"The model manifest {path} cannot be used: {reason}. It may have: {fields}."
    )
