"""The fields of a manifest that are for text models, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ingle.errors import ConfigurationError
from ingle.models.file_name import FileName
from ingle.models.gguf import FileKind, GgufHeader
from ingle.models.headers import Headers
from ingle.models.parameters import Parameters
from ingle.models.text_options import (
    CacheType,
    Lora,
    Part,
    ReasoningFormat,
    RopeScaling,
    TextOptions,
)

__all__ = ["TextFields"]

_TEMPLATE_SUFFIXES = (".jinja", ".jinja2")
_LARGEST_TEMPLATE_BYTES = 1024 * 1024
_ALL_LAYERS = -1
_MOST_OTHER_TOKENS = 128  # llama.cpp's SPEC_VOCAB_MAX_SIZE_DIFFERENCE
_WITH_ARTICLE: Mapping[FileKind, str] = {
    "model": "a model",
    "adapter": "an adapter",
    "projector": "a projector",
}


class LoraFields(BaseModel):
    """An adapter, as a manifest names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    file: FileName
    scale: float = Field(1.0, ge=-10, le=10)


class TextFields(BaseModel):
    """What a manifest may say of a text model; see `TextOptions` for what each field does.

    `chat_template` is a template, or the name of a `.jinja` file.
    """

    chat_template: Annotated[str, Field(min_length=1)] | None = None
    chat_template_arguments: dict[str, object] = {}
    reasoning_format: ReasoningFormat | None = None
    reasoning_tokens: Annotated[int, Field(ge=0)] | None = None
    parameters: Parameters = Parameters()
    pooling: Literal["mean", "cls", "last"] | None = None
    gpu_layers: Annotated[int, Field(ge=0)] | Literal["all"] | None = None
    cache_type_k: CacheType | None = None
    cache_type_v: CacheType | None = None
    flash_attention: bool | None = None
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    batch_tokens: Annotated[int, Field(ge=32, le=65536)] | None = None
    rope_scaling: RopeScaling | None = None
    rope_frequency_base: Annotated[float, Field(gt=0)] | None = None
    rope_frequency_scale: Annotated[float, Field(gt=0)] | None = None
    projector: FileName | None = None
    draft_model: FileName | None = None
    draft_tokens: Annotated[int, Field(ge=1, le=64)] | None = None
    lora: tuple[LoraFields, ...] = Field((), max_length=16)

    def text_options(self, own: GgufHeader, folder: Path, headers: Headers) -> TextOptions:
        """What the fields come to for a model with this header, with the files that they name.

        Raises:
            ModelFileInvalid: a file is missing, no GGUF, or damaged.
            ConfigurationError: a file is not what the field says.
        """
        find = partial(_part, folder, headers)
        draft = find("draft_model", "model", self.draft_model) if self.draft_model else None
        if draft is not None:
            _require_same_tokens(draft, own)
        return TextOptions(
            chat_template=_template(self.chat_template, folder),
            chat_template_arguments=self.chat_template_arguments,
            reasoning_format=self.reasoning_format,
            reasoning_tokens=self.reasoning_tokens,
            parameters=self.parameters,
            pooling=self.pooling,
            gpu_layers=_ALL_LAYERS if self.gpu_layers == "all" else self.gpu_layers,
            cache_type_k=self.cache_type_k,
            cache_type_v=self.cache_type_v,
            flash_attention=self.flash_attention,
            threads=self.threads,
            batch_tokens=self.batch_tokens,
            rope_scaling=self.rope_scaling,
            rope_frequency_base=self.rope_frequency_base,
            rope_frequency_scale=self.rope_frequency_scale,
            projector=find("projector", "projector", self.projector) if self.projector else None,
            draft=draft,
            draft_tokens=self.draft_tokens,
            lora=tuple(Lora(find("lora", "adapter", each.file), each.scale) for each in self.lora),
        )


def _part(folder: Path, headers: Headers, field: str, kind: FileKind, file: str) -> Part:
    path = folder / file
    header, stat = headers.read(path)
    if header.kind != kind:
        raise ConfigurationError(
            f"The manifest names {path} as its `{field}`, and that file holds no {kind} but "
            f"{_WITH_ARTICLE[header.kind]}. Name the right file, or leave the field out."
        )
    return Part(path, stat.st_size, stat.st_mtime_ns, header)


def _require_same_tokens(draft: Part, own: GgufHeader) -> None:
    """Return if the draft model can guess for the model.

    llama.cpp (common/speculative.cpp) goes on without one that cannot, and says so only in its log.

    Raises:
        ConfigurationError: it has other tokens.
    """
    mine, drafts = (
        (own.tokenizer, own.vocabulary),
        (draft.header.tokenizer, draft.header.vocabulary),
    )
    if mine[0] != drafts[0] or abs(mine[1] - drafts[1]) > _MOST_OTHER_TOKENS:
        raise ConfigurationError(
            f"The manifest names {draft.path} as its `draft_model`, which has {drafts[1]:,} tokens "
            f"(of kind {drafts[0]}) where the model has {mine[1]:,} ({mine[0]}), so it cannot guess "
            "for it. Name a small model of the same family."
        )


def _template(told: str | None, folder: Path) -> str | None:
    """The template itself, read from its file if that is what the field names."""
    if told is None or "\n" in told or not told.endswith(_TEMPLATE_SUFFIXES):
        return told
    path = folder / told
    if path.parent != folder:
        raise ConfigurationError(
            f"`chat_template` names the file {told!r}, and it has to lie beside the manifest. "
            "Name it without its folder."
        )
    try:
        if path.stat().st_size > _LARGEST_TEMPLATE_BYTES:
            raise ConfigurationError(
                f"The chat template {path} is larger than {_LARGEST_TEMPLATE_BYTES:,} bytes, so it "
                "is none. Name the right file in `chat_template`."
            )
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The chat template {path} cannot be read: {error}. Put it beside the manifest, as "
            "UTF-8, or write it into `chat_template` itself."
        ) from error
