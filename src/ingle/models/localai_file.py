"""LocalAI's own model files, read as models of ours: what holds here, and what does not and why.

Such a file is YAML beside the weights in LocalAI's models folder. Source of the fields:
https://localai.io/advanced/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingle.errors import ConfigurationError, UnsupportedInput

__all__ = ["LocalAiModel", "read_localai_file"]

_LARGEST_BYTES = 1024 * 1024
_LLAMA = frozenset({"", "llama", "llama-cpp", "llama-grpc", "llama-stable", "go-llama"})
_IN_THE_FILE = "the model's own file tells this"
_WHY: Mapping[str, str] = {
    "template": "LocalAI's templates are Go templates; the model's own chat template is used",
    "embeddings": _IN_THE_FILE,
    "reranking": _IN_THE_FILE,
    "known_usecases": _IN_THE_FILE,
    "threads": "it is the setting `threads`, for all models",
    "description": "it is for people only",
    "usage": "it is for people only",
    "stopwords": "the model's own end marks are used; send `stop` with a request",
    "roles": "the model's own chat template names the roles",
    "download_files": "only the model's own file is fetched",
}
_UNKNOWN = "Ingle has nothing like it"
_BY_REQUEST = "send it with each request"


@dataclass(frozen=True, slots=True)
class LocalAiModel:
    """A model as LocalAI's file describes it: `source` is what to pull for its weights.

    `ignored` says of each field that has no effect here why it has none.
    """

    name: str
    source: str
    context_tokens: int | None
    ignored: Mapping[str, str]


class _Download(BaseModel):
    filename: str = ""
    uri: str = ""
    sha256: str = ""


class _File(BaseModel):
    """The fields that count; what else there is, is in `model_extra`."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    name: Annotated[str, Field(min_length=1)]
    backend: str = ""
    context_size: int | None = Field(None, ge=16)
    parameters: dict[str, object] = {}
    download_files: list[_Download] = []


def read_localai_file(path: Path) -> LocalAiModel:
    """The model that the file describes. Nothing is fetched.

    Raises:
        ConfigurationError: it cannot be read, or is no such file.
        UnsupportedInput: its backend is none that Ingle runs.
    """
    file = _parse(path)
    if file.backend.lower() not in _LLAMA:
        raise UnsupportedInput(
            f"{path} is for LocalAI's backend {file.backend!r}, and only those of llama.cpp are "
            "taken over. Keep it in LocalAI, and connect that: `ingle connections add localai URL`."
        )
    weights = file.parameters.get("model")
    if not isinstance(weights, str) or not weights:
        raise _wrong(path, "it names no file of weights under `parameters.model`")
    ignored = {name: _WHY.get(name, _UNKNOWN) for name in file.model_extra or {}}
    if file.download_files:
        ignored["download_files"] = _WHY["download_files"]
    ignored |= {f"parameters.{name}": _BY_REQUEST for name in file.parameters if name != "model"}
    return LocalAiModel(
        name=file.name,
        source=_source(path, weights, file.download_files),
        context_tokens=file.context_size,
        ignored=dict(sorted(ignored.items())),
    )


def _source(path: Path, weights: str, downloads: list[_Download]) -> str:
    """The weights beside the file, else where LocalAI would fetch them from."""
    if "://" in weights:
        return _as_source(weights)
    folder = path.parent.resolve()
    beside = (folder / weights).resolve()
    if not beside.is_relative_to(folder):
        raise _wrong(path, f"`parameters.model` leads out of its folder: {weights!r}")
    if beside.exists():
        return str(beside)
    for download in downloads:
        if download.filename == weights and download.uri:
            source = _as_source(download.uri)
            has_hash = download.sha256 and source.startswith(("http://", "https://"))
            return f"{source}#sha256={download.sha256}" if has_hash else source
    raise _wrong(path, f"{weights!r}, its weights, does not lie beside it in {folder}")


def _as_source(uri: str) -> str:
    """LocalAI's ways of writing where a file is, as Ingle writes them.

    `huggingface://OWNER/REPO/FILE@BRANCH` is `hf:OWNER/REPO:FILE@BRANCH`.
    """
    scheme, _, rest = uri.partition("://")
    if scheme in {"huggingface", "hf"} and rest.count("/") >= 2:
        owner, repository, file = rest.split("/", 2)
        return f"hf:{owner}/{repository}:{file}"
    return f"ollama:{rest}" if scheme == "ollama" else uri


def _parse(path: Path) -> _File:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise _wrong(path, f"it is larger than {_LARGEST_BYTES:,} bytes")
        return _File.model_validate(yaml.safe_load(path.read_bytes()))
    except OSError as error:
        raise _wrong(path, f"it cannot be read: {error.strerror or error}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _wrong(path, f"it is no valid YAML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole file"
        raise _wrong(path, f"{where}: {first['msg']}") from error


def _wrong(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} cannot be taken over from LocalAI: {reason}. It needs `name`, and "
        "`parameters.model` with the name of a .gguf file."
    )
