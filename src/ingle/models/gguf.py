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
from ingle.models.gguf_reader import Contents, Fault, Texts, Value, read_contents

__all__ = ["GgufHeader", "Pooling", "Purpose", "read_header", "shard_paths", "unreadable"]

Pooling = Literal["none", "mean", "cls", "last", "rank"]
"""How one vector is made of all tokens' vectors; `rank` is a score instead."""

Purpose = Literal["generate", "embed", "rerank"]

_POOLINGS: tuple[Pooling, ...] = ("none", "mean", "cls", "last", "rank")  # llama_pooling_type

_MOST_LAYERS = 4096  # far beyond any model, so that a false count makes no long tuple

_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What is needed to list a model, to start it and to tell how much memory it takes.

    Numbers that the file does not give are 0. `kv_heads` has an entry a layer.
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
    name = values.get("general.name")
    tokens = values.get("tokenizer.ggml.tokens")
    width = _whole(values, f"{architecture}.embedding_length")
    heads = max(1, max(_wholes(values, f"{architecture}.attention.head_count", 1)))
    layers = _whole(values, f"{architecture}.block_count")
    kv_heads = _wholes(values, f"{architecture}.attention.head_count_kv", layers)
    if not any(kv_heads):
        kv_heads = (heads,) * min(layers, _MOST_LAYERS)
    pooling = _pooling(values.get(f"{architecture}.pooling_type"))
    return GgufHeader(
        architecture=architecture,
        name=name if isinstance(name, str) and name else None,
        purpose=_purpose(values, architecture, pooling, contents.tensors),
        pooling=pooling,
        has_chat_template=isinstance(values.get("tokenizer.chat_template"), str),
        parameters=contents.parameters,
        context_tokens=_whole(values, f"{architecture}.context_length"),
        vocabulary=tokens.count if isinstance(tokens, Texts) else 0,
        width=width,
        feed_forward=max(_wholes(values, f"{architecture}.feed_forward_length", 1)),
        layers=layers,
        kv_heads=kv_heads,
        key_width=_whole(values, f"{architecture}.attention.key_length", width // heads),
        value_width=_whole(values, f"{architecture}.attention.value_length", width // heads),
    )


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


def _whole(values: dict[str, Value], key: str, default: int = 0) -> int:
    return _wholes(values, key, 1, default)[0]


def _wholes(values: dict[str, Value], key: str, count: int, default: int = 0) -> tuple[int, ...]:
    """A number `count` times, or the numbers of an array; never empty."""
    value = values.get(key)
    if isinstance(value, tuple):
        return tuple(item for item in value if isinstance(item, int)) or (default,)
    number = value if isinstance(value, int) else default
    return (number,) * max(1, min(count, _MOST_LAYERS))
