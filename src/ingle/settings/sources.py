"""What was written where, before it is checked: texts from file, environment and command line.

It knows which names there are only from its callers, and nothing of what a text must look like.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ingle.errors import ConfigurationError
from ingle.settings import config_file
from ingle.settings.config_file import Value

__all__ = [
    "Source",
    "Texts",
    "connection_variable",
    "from_environment",
    "from_file",
    "from_overrides",
    "merge",
    "unknown_setting",
]

_CONNECTION_VARIABLE = re.compile(
    r"(?:(?:INGLE_)?(LOCALAI)|INGLE_CONNECTION_(.+))_(BASE_URL|API_KEY)"
)
_BORROWED = {  # what the tools whose models we take call the same
    "HF_ENDPOINT": "huggingface_url",
    "HF_TOKEN": "huggingface_token",
    "HF_HUB_CACHE": "huggingface_cache",
    "OLLAMA_MODELS": "ollama_models",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from; as text `default`, `environment INGLE_PORT`, `file … line 3`."""

    kind: Literal["default", "file", "environment", "command line", "database"]
    where: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.where}".rstrip()


Texts = dict[tuple[str, ...], tuple[Value, Source]]
"""What was written, and where, by the path of keys such as `("connections", "box", "api_key")`."""


def from_file(text: str, path: Path) -> Texts:
    """What `config.yaml` sets; a null counts as not written.

    Raises:
        ConfigurationError: it is no YAML of settings, or sets the folder that it lies in.
    """
    texts: Texts = {}
    for keys, entry in config_file.parse(text, path).items():
        source = Source("file", f"{path} line {entry.line}")
        if entry.value is None:
            continue
        if keys[0] == "home":
            raise ConfigurationError(
                f"`home` ({source}) cannot be set in the folder that it names. Set INGLE_HOME."
            )
        if keys[0] == "connections" and len(keys) < 3:
            raise ConfigurationError(
                f"`{'.'.join(keys)}` ({source}) must hold names, and below each name its "
                "`base_url` and `api_key`."
            )
        if keys[0] == "routes" and len(keys) < 3:
            raise ConfigurationError(
                f"`{'.'.join(keys)}` ({source}) must hold names, and below each name its `models`: "
                "`fast: {models: [local/demo, box/big]}`."
            )
        texts[keys] = (entry.value, source)
    return texts


def from_environment(environ: Mapping[str, str], names: Collection[str]) -> Texts:
    """What `INGLE_<NAME>` and the connections' variables set; an empty one counts as not set.

    So do the variables that users of Hugging Face's and Ollama's own tools have set already.

    Raises:
        ConfigurationError: a variable begins with `INGLE_` and sets nothing that there is.
    """
    texts: Texts = {}
    # The later one wins: INGLE_CONNECTION_LOCALAI_… over INGLE_LOCALAI_… over LOCALAI_….
    for variable in sorted(
        environ, key=lambda name: (name.startswith("INGLE_"), name.startswith("INGLE_CONNECTION_"))
    ):
        keys = _keys_of(variable, names)
        text = environ[variable].strip()
        if keys and text:
            texts[keys] = (text, Source("environment", variable))
    return texts


def from_overrides(overrides: Mapping[str, object], names: Collection[str]) -> Texts:
    """What the command line sets, by a setting's name; None counts as not given.

    Raises:
        ConfigurationError: there is no setting of a name.
    """
    source = Source("command line")
    texts: Texts = {}
    for name, value in overrides.items():
        if name not in names:
            raise unknown_setting(name, source, names)
        if isinstance(value, list | tuple):
            texts[(name,)] = (tuple(str(item) for item in value), source)
        elif value is not None:
            texts[(name,)] = (str(value), source)
    return texts


def merge(file: Texts, above: Texts) -> Texts:
    """The file's texts, and over them those of a higher place.

    A key belongs to the server that it was written for: where a higher place gives a connection
    another base URL, the file's key for it is not sent there.
    """
    spelled = {_as_variable(keys[1]): keys[1] for keys in file if keys[0] == "connections"}
    above = {_spelled(keys, spelled): text for keys, text in above.items()}
    moved = {keys[:2] for keys in above if keys[2:] == ("base_url",)}
    merged = {
        keys: text
        for keys, text in file.items()
        if keys[:1] not in above and not (keys[:2] in moved and keys[2:] == ("api_key",))
    } | above
    # LOCALAI_API_KEY is LocalAI's own variable too: without a base URL it is not meant for us.
    key = ("connections", "localai", "api_key")
    is_ours = ("connections", "localai", "base_url") in merged
    if key in merged and merged[key][1].where == "LOCALAI_API_KEY" and not is_ours:
        del merged[key]
    if _is_for_another_hub(merged):
        del merged["huggingface_token",]
    return merged


def _is_for_another_hub(texts: Texts) -> bool:
    """Whether the token was written where the hub's URL that holds now was not."""
    token, url = texts.get(("huggingface_token",)), texts.get(("huggingface_url",))
    if token is None or url is None:
        return False
    if token[1].where == "HF_TOKEN":  # huggingface_hub's own, for its own endpoint
        return url[1].where != "HF_ENDPOINT"
    return token[1].kind == "file" and url[1].kind != "file"


def connection_variable(name: str, part: str) -> str:
    """The environment variable for the `base_url` or `api_key` of a connection."""
    if name == "localai":
        return f"INGLE_LOCALAI_{part.upper()}"
    return f"INGLE_CONNECTION_{_as_variable(name)}_{part.upper()}"


def unknown_setting(name: str, source: Source, known: Collection[str]) -> ConfigurationError:
    """The error for a name that is not there, with the nearest one that is."""
    near = difflib.get_close_matches(name.split(".")[-1], known, n=1)
    advice = f"Did you mean `{near[0]}`?" if near else f"There are: {', '.join(known)}."
    return ConfigurationError(f"There is no setting `{name}` ({source}). {advice}")


def _keys_of(variable: str, names: Collection[str]) -> tuple[str, ...] | None:
    """What an environment variable sets; None if it is not Ingle's."""
    if match := _CONNECTION_VARIABLE.fullmatch(variable):
        return ("connections", (match[1] or match[2]).lower(), match[3].lower())
    if variable in _BORROWED:
        return (_BORROWED[variable],)
    if not variable.startswith("INGLE_"):
        return None
    known = {f"INGLE_{name.upper()}": (name,) for name in names}
    if variable not in known:
        localai = [connection_variable("localai", part) for part in ("base_url", "api_key")]
        raise unknown_setting(variable, Source("environment"), [*known, *localai])
    return known[variable]


def _as_variable(name: str) -> str:
    return re.sub(r"[.-]", "_", name).upper()


def _spelled(keys: tuple[str, ...], spelled: Mapping[str, str]) -> tuple[str, ...]:
    """The keys with a connection's name as the file spells it: variables have no `-` and `.`."""
    if len(keys) < 3:
        return keys
    return (keys[0], spelled.get(_as_variable(keys[1]), keys[1]), keys[2])
