"""Every setting: its value, where that came from, and what it means.

This is the only reader of the environment and of `config.yaml`. A higher place wins: command line,
then environment, then file, then default. A wrong value or an unknown name is an error that says
where it stands; it is never replaced by a default.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from ingle.errors import ConfigurationError
from ingle.files import make_private_folder, write_private
from ingle.settings import config_file
from ingle.settings.config_file import Value
from ingle.settings.sources import (
    Source,
    Texts,
    connection_variable,
    from_environment,
    from_file,
    from_overrides,
    merge,
    unknown_setting,
)
from ingle.settings.values import (
    BaseUrl,
    Bytes,
    ConnectionKey,
    ConnectionName,
    DatabaseUrl,
    Folder,
    Host,
    LogLevel,
    Pick,
    Places,
    RouteName,
    Seconds,
    TargetModels,
    WebUrl,
    Words,
    mask,
)

__all__ = [
    "ConnectionSetting",
    "RouteSetting",
    "Setting",
    "Settings",
    "load_settings",
    "set_in_file",
    "unset_in_file",
]


_DEFAULT = Source("default")
_NAMED = ("connections", "routes")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as people see it: secrets are masked in `value`, which is empty if not set."""

    name: str
    value: str
    source: Source
    description: str
    variable: str
    example: str


class ConnectionSetting(BaseModel):
    """A server of the same API, named in the file or the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: BaseUrl = Field(
        description="Where the server is, in any way of writing it.",
        examples=["http://127.0.0.1:8080"],
    )
    api_key: ConnectionKey | None = Field(
        None, repr=False, description="The key that the server wants, if any.", examples=["sk-…"]
    )


class RouteSetting(BaseModel):
    """A name that stands for models, in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    models: TargetModels = Field(
        description="The models that it leads to, this machine's as local/MODEL.",
        examples=["[local/demo, box/llama-3.1-8b]"],
    )
    pick: Pick = Field(
        "first",
        description="Which one is tried first: the `first` always, or each in turn, `round_robin`.",
        examples=["round_robin"],
    )


class Settings(BaseModel):
    """All settings of one Ingle, sizes in bytes and times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    home: Folder = Field(
        default_factory=lambda: platformdirs.user_data_path("ingle", appauthor=False),
        description="The folder with everything Ingle keeps: models, database, config.yaml, keys.",
        examples=["/srv/ingle"],
    )
    host: Host = Field(
        "127.0.0.1",
        description="The address to listen on. Any but loopback asks every caller for a key.",
        examples=["0.0.0.0"],  # noqa: S104 -- an example, not a default
    )
    port: int = Field(
        4645,
        ge=0,
        le=65535,
        description="The TCP port to listen on; 0 takes any free one.",
        examples=["5000"],
    )
    allowed_hosts: Words = Field(
        (),
        description="Further names under which callers reach Ingle, such as a reverse proxy's.",
        examples=["ingle.example.com,box.local"],
    )
    allowed_origins: Words = Field(
        (),
        description="Web pages of others that may call Ingle from a browser; * lets every page.",
        examples=["http://localhost:3000"],
    )
    log_level: LogLevel = Field(
        "info",
        description="How much is logged: debug, info, warning or error.",
        examples=["debug"],
    )
    database_url: DatabaseUrl | None = Field(
        None,
        repr=False,
        description="The database, if it is not ingle.db in the home folder.",
        examples=["sqlite:////srv/ingle/ingle.db"],
    )
    default_model: str | None = Field(
        None,
        min_length=1,
        description="The model that answers where none is named; else the demo model does.",
        examples=["qwen3-4b"],
    )
    default_image_model: str | None = Field(
        None,
        min_length=1,
        description="The model that draws where none is named; else the demo image model does.",
        examples=["sdxl-turbo"],
    )
    memory_limit_bytes: Bytes | None = Field(
        None,
        description="How much memory all engines together may use; else most of the machine's.",
        examples=["6GiB"],
    )
    gpu_memory_limit_bytes: Bytes | None = Field(
        None,
        description="How much of the GPUs' memory engines may use; else most of what there is.",
        examples=["20GiB"],
    )
    pinned_models: Words = Field(
        (),
        description="Models whose engines stay once they run: neither idle nor for others they go.",
        examples=["qwen3-4b,bge-m3"],
    )
    preload: Words = Field(
        (),
        description="Models that `ingle up` loads at once, so that no first call waits.",
        examples=["qwen3-4b"],
    )
    queue: int = Field(
        256,
        ge=0,
        le=100_000,
        description="How many calls may wait for one model beside those it answers; then 429.",
        examples=["32"],
    )
    threads: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="CPU threads that one engine uses; else as many as there are cores.",
        examples=["4"],
    )
    slots: int = Field(
        4,
        ge=1,
        le=256,
        description="How many requests one engine answers at the same time.",
        examples=["8"],
    )
    context_tokens: int | None = Field(
        None,
        ge=16,
        description="The context window of one request, in tokens; else what the model says.",
        examples=["8192"],
    )
    idle_stop_s: Seconds = Field(
        900.0, description="An engine that was not used for so long is stopped.", examples=["300"]
    )
    engine_start_s: Seconds = Field(
        120.0, description="How long an engine may take to load its model.", examples=["600"]
    )
    drain_s: Seconds = Field(
        30.0,
        description="How long running answers may go on after a stop was asked.",
        examples=["5"],
    )
    max_body_bytes: Bytes = Field(
        64 * 1024 * 1024, description="The largest request that is taken.", examples=["16MiB"]
    )
    body_s: Seconds = Field(
        60.0, description="How long a caller may take to send one request.", examples=["20"]
    )
    max_file_bytes: Bytes = Field(
        512 * 1024 * 1024,
        description="The largest file that is taken by `/v1/files`.",
        examples=["2GiB"],
    )
    keep_responses_days: int = Field(
        30,
        ge=0,
        le=36500,
        description="How long answers of `/v1/responses` are kept to go on from; 0 keeps none.",
        examples=["0"],
    )
    http_allow: Places = Field(
        (),
        description="Hosts and networks that are not public, and that apps may call all the same.",
        examples=["192.168.1.0/24,nas.local,*.corp.example.com"],
    )
    mcp_commands: Words = Field(
        (),
        description="Commands of MCP servers that apps may start, each just as the app writes it.",
        examples=["uvx mcp-server-time"],
    )
    runs_at_once: int = Field(
        64,
        ge=1,
        le=10_000,
        description="How many runs of apps go on at the same time; others wait.",
        examples=["8"],
    )
    keep_runs_days: float | None = Field(
        None,
        gt=0,
        le=36_500,
        description="Runs that were over for so many days are removed; else they are kept for ever.",
        examples=["30"],
    )
    huggingface_url: WebUrl = Field(
        "https://huggingface.co",
        description="Where `hf:` models are pulled from; a mirror of Hugging Face, for one.",
        examples=["https://hub.example.com"],
    )
    huggingface_token: ConnectionKey | None = Field(
        None,
        repr=False,
        description="The token for repositories that are private or ask for consent.",
        examples=["hf_0123456789"],
    )
    huggingface_cache: Folder | None = Field(
        None,
        description="Where huggingface_hub keeps its downloads, if not in ~/.cache/huggingface.",
        examples=["/srv/huggingface/hub"],
    )
    ollama_registry_url: WebUrl = Field(
        "https://registry.ollama.ai",
        description="Where `ollama:` models are pulled from.",
        examples=["https://registry.example.com"],
    )
    ollama_models: Folder | None = Field(
        None,
        description="Where Ollama keeps its models, if not in ~/.ollama/models.",
        examples=["/srv/ollama/models"],
    )
    connections: Mapping[ConnectionName, ConnectionSetting] = Field(
        {},
        description="Servers of the same API by name, each with base_url and api_key.",
        examples=["localai: {base_url: http://127.0.0.1:8080}"],
    )
    routes: Mapping[RouteName, RouteSetting] = Field(
        {},
        description="Names that stand for models, each with models and pick.",
        examples=["fast: {models: [local/demo, box/llama-3.1-8b]}"],
    )
    _sources: Mapping[str, Source] = PrivateAttr(default_factory=dict)

    @field_validator("routes")
    @classmethod
    def _lead_to_models(cls, routes: Mapping[str, RouteSetting]) -> Mapping[str, RouteSetting]:
        for name, route in routes.items():
            for model in route.models:
                if model.removeprefix("local/") in routes:
                    raise ValueError(f"the route {name!r} leads to {model!r}, which is a route")
        return routes

    @property
    def config_path(self) -> Path:
        """The file that settings are read from, whether or not it is there."""
        return self.home / "config.yaml"

    @property
    def sources(self) -> Mapping[str, Source]:
        """Where each value came from that is not a default, by names as in `source`."""
        return self._sources

    def source(self, name: str) -> Source:
        """Where the value of `port` or of `connections.localai.api_key` came from."""
        return self._sources.get(name, _DEFAULT)

    def describe(self) -> list[Setting]:
        """Every setting for people, in the order of the documentation, secrets masked."""
        plain = [self._describe(name) for name in _names()]
        return [*plain, *self._describe_connections(), *self._describe_routes()]

    def _describe(self, name: str) -> Setting:
        value = getattr(self, name)
        if isinstance(value, tuple):
            value = ",".join(value)
        elif name == "huggingface_token" and value:
            value = mask(value)
        elif name == "database_url" and value and not value.startswith("sqlite:"):
            value = f"{value.partition(':')[0]}://…"  # a password may stand anywhere in it
        field = type(self).model_fields[name]
        return Setting(
            name,
            "" if value is None else str(value),
            self.source(name),
            field.description or "",
            f"INGLE_{name.upper()}",
            _example(field),
        )

    def _describe_connections(self) -> Iterator[Setting]:
        for name, connection in sorted(self.connections.items()):
            for part, field in type(connection).model_fields.items():
                value = getattr(connection, part)
                if value is None:
                    continue
                yield Setting(
                    f"connections.{name}.{part}",
                    mask(value) if part == "api_key" else value,
                    self.source(f"connections.{name}.{part}"),
                    field.description or "",
                    connection_variable(name, part),
                    _example(field),
                )

    def _describe_routes(self) -> Iterator[Setting]:
        for name, route in sorted(self.routes.items()):
            for part, field in type(route).model_fields.items():
                value = getattr(route, part)
                yield Setting(
                    f"routes.{name}.{part}",
                    value if isinstance(value, str) else ",".join(value),
                    self.source(f"routes.{name}.{part}"),
                    field.description or "",
                    "",
                    _example(field),
                )


def load_settings(
    *,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """The settings of this process; nothing is created.

    `overrides` are the command line's, by a field's name; `None` there, and an empty environment
    variable, count as not given.

    Raises:
        ConfigurationError: a value is wrong or a name unknown; says which, where, and what is
            right.
        StorageError: the file is there but cannot be read.
    """
    above = from_environment(environ, _names()) | from_overrides(overrides or {}, _names())
    home = _check({keys: text for keys, text in above.items() if keys == ("home",)}).home
    path = home / "config.yaml"
    return _check(merge(from_file(config_file.read_text(path), path), above))


def set_in_file(settings: Settings, name: str, value: str) -> None:
    """Write one setting into `config.yaml`; the rest of the file stays as it is, comments too.

    Raises:
        ConfigurationError: the name is unknown or the value wrong; nothing was changed.
        StorageError: the file cannot be written, such as on a full disk; the old one is intact.
    """
    _refuse_elsewhere(name)
    _check({(name,): (value, Source("command line"))})
    path = settings.config_path
    make_private_folder(settings.home)
    text = config_file.with_value(config_file.read_text(path), name, value, path)
    write_private(path, text.encode())


def unset_in_file(settings: Settings, name: str) -> None:
    """Take one setting out of `config.yaml`, so that its default holds; the rest stays as it is.

    Raises:
        ConfigurationError: the name is unknown.
        StorageError: the file cannot be written; the old one is intact.
    """
    _refuse_elsewhere(name)
    path = settings.config_path
    text = config_file.read_text(path)
    edited = config_file.without(text, name, path)
    if edited != text:
        write_private(path, edited.encode())


def _refuse_elsewhere(name: str) -> None:
    if name == "home":
        raise ConfigurationError("`home` says where config.yaml is. Set INGLE_HOME instead.")
    if name.split(".")[0] == "connections":
        raise ConfigurationError(
            "Connections are not set here, so that their keys are kept encrypted. "
            "Use `ingle connections`."
        )
    if name.split(".")[0] == "routes":
        raise ConfigurationError("Routes are not set here. Use `ingle routes`.")
    if name not in _names():
        raise unknown_setting(name, Source("command line"), _names())


def _names() -> list[str]:
    """The settings that have one text each; connections and routes have names of their own."""
    return [name for name in Settings.model_fields if name not in _NAMED]


def _check(texts: Texts) -> Settings:
    nested: dict[str, Any] = {}  # Any: texts, or dicts of such
    for keys, (value, _) in texts.items():
        node = nested
        for key in keys[:-1]:
            node = node.setdefault(key, {})
        node[keys[-1]] = value
    try:
        settings = Settings.model_validate(nested)
    except ValidationError as error:
        problems = [_problem(detail, texts) for detail in error.errors()]
        raise ConfigurationError("\n".join(problems)) from error
    settings._sources = {".".join(keys): source for keys, (_, source) in texts.items()}
    return settings


def _problem(detail: ErrorDetails, texts: Texts) -> str:
    """What is wrong with one setting, where it stands, and what would be right."""
    keys = tuple(str(key) for key in detail["loc"] if key != "[key]")
    name = ".".join(keys)
    value, source = _nearest_text(keys, texts)
    is_part = keys[0] in _NAMED and len(keys) > 2
    part = ConnectionSetting if keys[0] == "connections" else RouteSetting
    fields = part.model_fields if is_part else Settings.model_fields
    if detail["type"] == "extra_forbidden":
        return unknown_setting(name, source, list(fields)).message
    field = fields[keys[2 if is_part else 0]]
    if detail["type"] == "missing":
        problem = f"`{name}` is not set, but another part of it is ({source})."
    else:
        is_private = keys[0] == "connections" or not field.repr
        written = "" if is_private else f" is {value!r}"
        reason = detail["msg"].removeprefix("Value error, ").replace("Input should", "it should")
        problem = f"`{name}`{written} ({source}): {reason}."
    return f"{problem} {field.description} Example: {_example(field)}"


def _nearest_text(keys: tuple[str, ...], texts: Texts) -> tuple[Value, Source]:
    """The text at these keys; else the first that stands in them or in what they stand in."""
    for end in range(len(keys), 0, -1):
        for written, text in texts.items():
            if written[:end] == keys[:end]:
                return text
    return None, _DEFAULT


def _example(field: FieldInfo) -> str:
    return str((field.examples or [""])[0])
