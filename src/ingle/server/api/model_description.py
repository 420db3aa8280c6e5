"""How a model of this machine looks under `/api`."""

from __future__ import annotations

from pydantic import BaseModel, Field

from ingle.engines.loading import estimate
from ingle.engines.memory import Memory
from ingle.errors import EngineError
from ingle.models.manifest import Capability, Model
from ingle.models.pull.record import Record, read_record
from ingle.server.api.engines import EngineDescription
from ingle.settings import Settings

__all__ = ["InstalledDescription", "ModelDetails", "described", "detailed"]


class InstalledDescription(BaseModel):
    """A model of this machine."""

    name: str
    aliases: list[str] = Field(description="The other names that it answers to.")
    engine: str = Field(description="What runs it.")
    capabilities: list[Capability] = Field(description="What it can be asked for.")
    size_bytes: int = Field(description="Of its own weights.")
    parameters: int | None = Field(description="How many weights it has, if its files tell.")
    architecture: str | None
    context_tokens: int | None = Field(description="Of its manifest, else of its file.")
    is_builtin: bool = Field(description="Whether it is a part of Ingle.")
    path: str


class FileDescription(BaseModel):
    """A file of a model, as it was when it was pulled."""

    name: str
    size_bytes: int
    sha256: str
    role: str = Field(description="weights, projector or other.")


class OriginDescription(BaseModel):
    """Where a model came from."""

    source: str = Field(description="What to pull to get the same again.")
    revision: str | None
    licence: str | None
    files: list[FileDescription]


class HeaderDescription(BaseModel):
    """What its GGUF file says of itself; 0 is a number that it does not give."""

    name: str | None
    context_tokens: int = Field(description="What it was trained for.")
    vocabulary: int
    layers: int
    width: int
    has_chat_template: bool


class EstimateDescription(BaseModel):
    """How much memory it would take here, with the context and slots that it would get."""

    fits: bool
    total_bytes: int | None = Field(
        description="Of this machine's memory. Null if it does not fit."
    )
    gpu_bytes: int | None = Field(description="Of the GPU's memory.")
    parts: dict[str, int] | None = Field(description="What both together are made of, in bytes.")
    context_tokens: int | None = Field(description="Of one call.")
    slots: int | None
    limit_bytes: int = Field(description="What all engines together may take.")
    gpu_limit_bytes: int = Field(description="The same on the GPU; 0 without one.")
    reason: str | None = Field(description="Why it cannot be loaded, and what would help.")


class ModelDetails(InstalledDescription):
    """All that is known of a model of this machine."""

    origin: OriginDescription | None = Field(description="Null if it was not pulled or imported.")
    header: HeaderDescription | None
    estimate: EstimateDescription
    running: EngineDescription | None = Field(description="Its engine, if there is one now.")


def described(model: Model) -> InstalledDescription:
    """The description of a model in a list."""
    return InstalledDescription(
        name=model.name,
        aliases=list(model.aliases),
        engine=model.engine,
        capabilities=list(model.capabilities),
        size_bytes=model.size_bytes,
        parameters=model.parameters,
        architecture=model.header.architecture if model.header else None,
        context_tokens=model.context_tokens
        or (model.header.context_tokens if model.header else 0)
        or None,
        is_builtin=model.is_builtin,
        path=str(model.path),
    )


def detailed(
    model: Model, settings: Settings, limit: Memory, running: EngineDescription | None
) -> ModelDetails:
    """All that is known of a model. Reads its files' headers: call it in a thread.

    Raises:
        StorageError: the record of what was pulled cannot be read.
    """
    record = read_record(model.path if model.header is None else model.path.parent)
    return ModelDetails(
        **described(model).model_dump(),
        origin=_origin(record) if record else None,
        header=HeaderDescription.model_validate(model.header, from_attributes=True)
        if model.header
        else None,
        estimate=_estimate(model, settings, limit),
        running=running,
    )


def _origin(record: Record) -> OriginDescription:
    return OriginDescription(
        source=record.source,
        revision=record.revision,
        licence=record.licence,
        files=[FileDescription.model_validate(file, from_attributes=True) for file in record.files],
    )


def _estimate(model: Model, settings: Settings, limit: Memory) -> EstimateDescription:
    limits = {"limit_bytes": limit.ram_bytes, "gpu_limit_bytes": limit.gpu_bytes}
    try:
        size = estimate(model, settings, limit=limit)
    except EngineError as error:
        return EstimateDescription(
            fits=False,
            total_bytes=None,
            gpu_bytes=None,
            parts=None,
            context_tokens=None,
            slots=None,
            reason=error.message,
            **limits,
        )
    return EstimateDescription(
        fits=True,
        total_bytes=size.memory.ram_bytes,
        gpu_bytes=size.memory.gpu_bytes,
        parts=size.parts,
        context_tokens=size.context_tokens,
        slots=size.slots,
        reason=None,
        **limits,
    )
