"""What a GGUF file says of the model inside, read without loading it.

It knows nothing about engines. What the keys mean:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ingle.errors import ModelFileInvalid
from ingle.models.gguf_layers import kv_heads, state_numbers, whole, wholes, windowed
from ingle.models.gguf_reader import Contents, Fault, Texts, Value, read_contents
from ingle.models.quantisation_names import QUANTISATIONS

__all__ = [
    "FileKind",
    "GgufHeader",
    "Pooling",
    "Purpose",
    "read_header",
    "shard_paths",
    "unreadable",
]

Pooling = Literal["none", "mean", "cls", "last", "rank"]
"""How one vector is made of all tokens' vectors; `rank` is a score instead."""

Purpose = Literal["generate", "embed", "rerank"]

FileKind = Literal["model", "adapter", "projector"]
"""A file holds a model, or what changes one (LoRA), or what sees or hears for one."""

_POOLINGS: tuple[Pooling, ...] = ("none", "mean", "cls", "last", "rank")  # llama_pooling_type

_MOST_LAYERS = 4096  # far beyond any model, so that a false count makes no long tuple

_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What is needed to list a model, to start it and to tell how much memory it takes.

    Numbers that the file does not give are 0. `kv_heads` has an entry a layer, 0 for one that keeps
    no keys and values of its own. `has_eyes` is for projectors: others only hear.

    `windowed` tells for each layer whether it sees only the last `window_tokens`. A layer without
    attention keeps `state_numbers` of 32 bits instead, and is `inner_width` wide. `mla` is
    attention that makes the values from what it keeps as keys. `bytes_by_type` is how much of the
    file is of which ggml_type.
    """

    architecture: str
    name: str | None
    purpose: Purpose
    pooling: Pooling | None
    has_chat_template: bool
    parameters: int
    context_tokens: int
    vocabulary: int
    width: int
    feed_forward: int
    layers: int
    kv_heads: tuple[int, ...]
    key_width: int
    value_width: int
    kind: FileKind = "model"
    has_eyes: bool = False
    quantisation: str | None = None
    tokenizer: str | None = None
    heads: int = 1
    window_tokens: int = 0
    windowed: tuple[bool, ...] = ()
    state_numbers: int = 0
    inner_width: int = 0
    is_mla: bool = False
    bytes_by_type: tuple[tuple[int, int], ...] = ()


def read_header(path: Path) -> GgufHeader:
    """The header of a model's file, after checking that all its tensors lie inside the file.

    Raises:
        ModelFileInvalid: there is no such file, it is no GGUF, or it is damaged or cut short.
    """
    try:
        with path.open("rb") as file:
            return _describe(read_contents(file, path.stat().st_size))
    except Fault as fault:
        raise ModelFileInvalid(
            f"The model file {path} cannot be used: {fault}. Download or copy it again."
        ) from fault
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> ModelFileInvalid:
    """The error for a model's file that is missing, or that the system does not let be read."""
    if isinstance(error, FileNotFoundError):
        return ModelFileInvalid(
            f"The model file {path} is not there. Put it back, or remove the model."
        )
    return ModelFileInvalid(
        f"The model file {path} cannot be read: {error.strerror or error}. "
        "Check its rights and the disk."
    )


def shard_paths(path: Path) -> tuple[Path, ...]:
    """The files of a model that is split as `NAME-00001-of-00003.gguf`, else just the one.

    A file that is a later part of a model gives nothing.
    """
    shard = _SHARD.fullmatch(path.name)
    if shard is None:
        return (path,)
    if int(shard["number"]) != 1:
        return ()
    count = int(shard["count"])
    names = (f"{shard['stem']}-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1))
    return tuple(path.with_name(name) for name in names)


def _describe(contents: Contents) -> GgufHeader:
    values = contents.values
    architecture = values.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise Fault("it does not name the architecture of its model")
    tokens = values.get("tokenizer.ggml.tokens")
    width = whole(values, f"{architecture}.embedding_length")
    heads = max(1, max(wholes(values, f"{architecture}.attention.head_count", 1)))
    layers = whole(values, f"{architecture}.block_count")
    pooling = _pooling(values.get(f"{architecture}.pooling_type"))
    return GgufHeader(
        architecture=architecture,
        name=_text(values.get("general.name")),
        purpose=_purpose(values, architecture, pooling, contents.tensors),
        pooling=pooling,
        has_chat_template=isinstance(values.get("tokenizer.chat_template"), str),
        parameters=contents.parameters,
        context_tokens=whole(values, f"{architecture}.context_length"),
        vocabulary=tokens.count if isinstance(tokens, Texts) else 0,
        width=width,
        feed_forward=max(wholes(values, f"{architecture}.feed_forward_length", 1)),
        layers=layers,
        kv_heads=kv_heads(values, architecture, heads, min(layers, _MOST_LAYERS)),
        key_width=whole(values, f"{architecture}.attention.key_length", width // heads),
        value_width=whole(values, f"{architecture}.attention.value_length", width // heads),
        kind=_kind(values, architecture),
        has_eyes=values.get("clip.has_vision_encoder") is True,
        tokenizer=_text(values.get("tokenizer.ggml.model")),
        quantisation=QUANTISATIONS.get(whole(values, "general.file_type", -1)),
        heads=heads,
        window_tokens=whole(values, f"{architecture}.attention.sliding_window"),
        windowed=windowed(values, architecture, min(layers, _MOST_LAYERS)),
        state_numbers=state_numbers(values, architecture),
        inner_width=whole(values, f"{architecture}.ssm.inner_size"),
        is_mla=f"{architecture}.attention.key_length_mla" in values,
        bytes_by_type=tuple(sorted(contents.bytes_by_type.items())),
    )


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) and value else None


def _kind(values: dict[str, Value], architecture: str) -> FileKind:
    if architecture == "clip":
        return "projector"
    return "adapter" if values.get("general.type") == "adapter" else "model"


def _purpose(
    values: dict[str, Value],
    architecture: str,
    pooling: Pooling | None,
    tensor_names: frozenset[str],
) -> Purpose:
    """What the model was trained for.

    Encoders (BERT and its kin, or attention that looks both ways) and models that say how they
    pool are for embeddings; those with a classifier on top, or that pool by rank, score texts.
    """
    if pooling == "rank" or "cls.weight" in tensor_names or "cls.output.weight" in tensor_names:
        return "rerank"
    looks_both_ways = values.get(f"{architecture}.attention.causal") is False
    if "bert" in architecture or looks_both_ways or pooling not in (None, "none"):
        return "embed"
    return "generate"


def _pooling(value: Value) -> Pooling | None:
    if isinstance(value, int) and 0 <= value < len(_POOLINGS):
        return _POOLINGS[value]
    return None
