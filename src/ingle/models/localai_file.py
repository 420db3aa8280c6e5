"""LocalAI's own model files, read as models of ours: what holds here, and what does not and why.

Such a file is YAML beside the weights in LocalAI's models folder. Source of the fields:
https://localai.io/advanced/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingle.errors import ConfigurationError, UnsupportedInput
from ingle.models.manifest import Manifest

__all__ = ["LocalAiModel", "read_localai_file"]

_LARGEST_BYTES = 1024 * 1024
_LLAMA = frozenset({"", "llama", "llama-cpp", "llama-grpc", "llama-stable", "go-llama"})

_SAME = (
    "temperature top_p top_k min_p typical_p repeat_penalty repeat_last_n presence_penalty "
    "frequency_penalty seed max_tokens"
)
_OURS: Mapping[str, str] = {
    "context_size": "context_tokens",
    "gpu_layers": "gpu_layers",
    "threads": "threads",
    "cache_type_k": "cache_type_k",
    "cache_type_v": "cache_type_v",
    "rope_scaling": "rope_scaling",
    "n_draft": "draft_tokens",
    "system_prompt": "parameters.system_prompt",
    "stopwords": "parameters.stop",
    "parameters.batch": "batch_tokens",
    "parameters.rope_freq_base": "rope_frequency_base",
    "parameters.rope_freq_scale": "rope_frequency_scale",
    **{f"parameters.{name}": f"parameters.{name}" for name in _SAME.split()},
}
"""What a manifest calls a field of LocalAI's."""

_IN_THE_FILE = "the model's own file tells this"
_PEOPLE = "it is for people only"
_WHY: Mapping[str, str] = {
    "template": "LocalAI's templates are Go templates; the model's own chat template is used",
    "embeddings": _IN_THE_FILE,
    "reranking": _IN_THE_FILE,
    "known_usecases": _IN_THE_FILE,
    "f16": "llama.cpp chooses; of the key/value cache `cache_type_k` and `cache_type_v` tell",
    "mmap": "llama.cpp chooses",
    "description": _PEOPLE,
    "usage": _PEOPLE,
    "grammar": "send it with each request",
    "roles": "the model's own chat template names the roles",
    "download_files": "only the model's own file is fetched",
}
_UNKNOWN = "Ingle has nothing like it"
_BY_REQUEST = "send it with each request"


@dataclass(frozen=True, slots=True)
class LocalAiModel:
    """A model as LocalAI's file describes it: `source` is what to pull for its weights.

    `fields` are what its manifest is to say besides, and `parts` the files of this machine that
    this names. `ignored` says of each field that has no effect here why it has none.
    """

    name: str
    source: str
    fields: Mapping[str, object]
    parts: tuple[Path, ...]
    ignored: Mapping[str, str]


class _Download(BaseModel):
    filename: str = ""
    uri: str = ""
    sha256: str = ""


class _File(BaseModel):
    """The fields of which the type counts; what else there is, is in `model_extra`."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    name: Annotated[str, Field(min_length=1)]
    backend: str = ""
    parameters: dict[str, object] = {}
    download_files: list[_Download] = []
    flash_attention: bool | str | None = None
    mmproj: str | None = None
    draft_model: str | None = None
    lora_adapter: str | None = None
    lora_scale: float = 1.0
    lora_adapters: list[str] = []
    lora_scales: list[float] = []

    @property
    def plain(self) -> dict[str, object]:
        """All fields that are a value here and there, by LocalAI's names."""
        below = {f"parameters.{name}": value for name, value in self.parameters.items()}
        below.pop("parameters.model", None)
        return (self.model_extra or {}) | below

    @property
    def loras(self) -> list[tuple[str, float]]:
        """The adapters with their scales."""
        one = [(self.lora_adapter, self.lora_scale)] if self.lora_adapter else []
        scales = [*self.lora_scales, *(1.0 for _ in self.lora_adapters)]
        return one + list(zip(self.lora_adapters, scales, strict=False))


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
    taken = _Taken(path)
    for name, value in file.plain.items():
        taken.take(name, value)
    taken.take_flash_attention(file.flash_attention)
    taken.take_part("mmproj", "projector", file.mmproj)
    taken.take_part("draft_model", "draft_model", file.draft_model)
    taken.take_loras(file.loras)
    if file.download_files:
        taken.ignored["download_files"] = _WHY["download_files"]
    return LocalAiModel(
        name=file.name,
        source=_source(path, weights, file.download_files),
        fields=taken.fields,
        parts=tuple(taken.parts),
        ignored=dict(sorted(taken.ignored.items())),
    )


class _Taken:
    """What is taken over so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.fields: dict[str, Any] = {}  # Any: values of YAML
        self.parts: list[Path] = []
        self.ignored: dict[str, str] = {}

    def take(self, name: str, value: object) -> None:
        """A field that is a value here, too."""
        if name == "template" and _is_only_the_models_own(value):
            return
        if (ours := _OURS.get(name)) is None:
            unknown = _BY_REQUEST if name.startswith("parameters.") else _UNKNOWN
            self.ignored[name] = _WHY.get(name, unknown)
            return
        outer, _, inner = ours.rpartition(".")
        try:
            Manifest.model_validate({outer: {inner: value}} if outer else {ours: value})
        except ValidationError as error:
            said = error.errors(include_url=False)[0]["msg"]
            self.ignored[name] = f"{value!r} cannot be taken: {said[:1].lower()}{said[1:]}"
            return
        if outer:
            self.fields.setdefault(outer, {})[inner] = value
        else:
            self.fields[ours] = value

    def take_flash_attention(self, value: bool | str | None) -> None:
        """LocalAI writes it as a text of llama.cpp's, which may be `auto`."""
        word = str(value).lower()
        if word in {"on", "true", "enabled"}:
            self.fields["flash_attention"] = True
        elif word in {"off", "false", "disabled"}:
            self.fields["flash_attention"] = False

    def take_part(self, name: str, ours: str, file: str | None) -> None:
        """A field that names another file."""
        if file and (part := self._part(name, file)):
            self.fields[ours] = part

    def take_loras(self, loras: list[tuple[str, float]]) -> None:
        """The adapters that are there."""
        found = [
            {"file": part, "scale": scale}
            for file, scale in loras
            if (part := self._part("lora_adapters", file))
        ]
        if found:
            self.fields["lora"] = found

    def _part(self, name: str, file: str) -> str | None:
        """The file's own name, if it is there to be copied."""
        path = _beside(self._path, file, name)
        if not path.is_file():
            self.ignored[name] = (
                f"{file!r} does not lie beside the file; put it into the model's folder, and name "
                "it in the manifest there"
            )
            return None
        self.parts.append(path)
        return path.name


def _is_only_the_models_own(template: object) -> bool:
    return template == {"use_tokenizer_template": True}


def _beside(path: Path, file: str, field: str) -> Path:
    """The place of a file that LocalAI finds from its models folder.

    Raises:
        ConfigurationError: it is in another folder.
    """
    folder = path.parent.resolve()
    found = (folder / file).resolve()
    if not found.is_relative_to(folder):
        raise _wrong(path, f"`{field}` leads out of its folder: {file!r}")
    return found


def _source(path: Path, weights: str, downloads: list[_Download]) -> str:
    """The weights beside the file, else where LocalAI would fetch them from."""
    if "://" in weights:
        return _as_source(weights)
    beside = _beside(path, weights, "parameters.model")
    if beside.exists():
        return str(beside)
    for download in downloads:
        if download.filename == weights and download.uri:
            source = _as_source(download.uri)
            has_hash = download.sha256 and source.startswith(("http://", "https://"))
            return f"{source}#sha256={download.sha256}" if has_hash else source
    raise _wrong(path, f"{weights!r}, its weights, does not lie beside it in {beside.parent}")


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
