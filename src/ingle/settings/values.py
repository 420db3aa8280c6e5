"""How a setting's text is read: sizes, lists of words, addresses, names and keys.

Each reader raises ValueError with a reason for people; who catches it says which setting and where.
"""

from __future__ import annotations

import ipaddress
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

__all__ = [
    "BaseUrl",
    "Bytes",
    "ConnectionKey",
    "ConnectionName",
    "DatabaseUrl",
    "Folder",
    "Host",
    "LogLevel",
    "Pick",
    "Places",
    "RouteName",
    "Seconds",
    "TargetModels",
    "WebUrl",
    "Words",
    "check_base_url",
    "check_connection_key",
    "check_connection_name",
    "check_route_name",
    "check_target_models",
    "mask",
    "parse_size",
]

_SHORTEST_SHOWN = 16  # of a shorter key, four characters would give too much away
_SIZE = re.compile(r"(\d{1,19}(?:\.\d{1,9})?)\s*([kmgt]?)(i?)(b?)", re.IGNORECASE | re.ASCII)
_CONNECTION_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ROUTE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+@-]{0,127}")
_TARGET = re.compile(r"(?:local|[a-z0-9][a-z0-9._-]{0,63})/[^\s\x00-\x1f\x7f]{1,256}")
_MOST_TARGETS = 64
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_RESERVED_NAMES = frozenset({"app", "local"})  # `local/demo` and `app/slug` mean other things


def mask(secret: str) -> str:
    """The secret as it may be shown: its last four characters if it is long, else none."""
    return f"…{secret[-4:]}" if len(secret) >= _SHORTEST_SHOWN else "…"


def check_connection_name(name: str) -> str:
    """The name itself.

    Raises:
        ValueError: it is not a connection's name.
    """
    if name in _RESERVED_NAMES:
        raise ValueError(f"a connection cannot be called {name!r}: `{name}/…` means something else")
    if not _CONNECTION_NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a connection's name: up to 64 of a-z, 0-9, '.', '_' and '-', "
            "beginning with a letter or digit"
        )
    return name


def check_route_name(name: str) -> str:
    """The name itself.

    Raises:
        ValueError: it is not a route's name.
    """
    if not _ROUTE_NAME.fullmatch(name):
        raise ValueError(
            f"{name[:140]!r} is not a route's name: up to 128 of A-Z, a-z, 0-9, '.', '_', ':', "
            "'+', '@' and '-', beginning with a letter or digit; a slash would name a connection"
        )
    return name


def check_target_models(models: tuple[str, ...]) -> tuple[str, ...]:
    """The models that a route leads to, each as `connection/model`, or `local/model` for here.

    Raises:
        ValueError: there are none, too many, one twice, or one is no such name.
    """
    if not models:
        raise ValueError("a route leads to one model or more, such as local/demo")
    if len(models) > _MOST_TARGETS:
        raise ValueError(f"a route leads to at most {_MOST_TARGETS} models, not {len(models)}")
    named = tuple(model if "/" in model else f"local/{model}" for model in models)
    for model in named:
        if not _TARGET.fullmatch(model):
            raise ValueError(
                f"{model[:80]!r} is no model's name: write local/MODEL or CONNECTION/MODEL"
            )
        if named.count(model) > 1:
            raise ValueError(f"{model!r} stands there twice; name each model once")
    return named


def check_base_url(text: str) -> str:
    """The base URL as written, without spaces around it; what it leads to is found out later.

    Raises:
        ValueError: it can be no URL, or holds a password.
    """
    text = text.strip()
    if not text or len(text) > 2048 or any(c.isspace() or not c.isprintable() for c in text):
        raise ValueError("a base URL is up to 2048 characters without spaces")
    if "@" in text.split("://")[-1].split("/")[0]:
        raise ValueError("a base URL holds no name or password; the key has its own place, api_key")
    return text


def check_connection_key(text: str) -> str:
    """The key without spaces around it.

    Raises:
        ValueError: it cannot be sent in an HTTP header; the reason does not show it.
    """
    text = text.strip()
    if not text or len(text) > 4096 or any(not "!" <= c <= "~" for c in text):
        raise ValueError("a key is up to 4096 visible ASCII characters without spaces")
    return text


def parse_size(text: str) -> int:
    """Bytes of a text such as `1500000`, `512MiB`, `6G` or `1.5GB`.

    As memory is spoken of, `6G` and `6GiB` are 6 x 1024^3; only `6GB`, with its B, counts in
    thousands.

    Raises:
        ValueError: it is none of these.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match or (match[3] and not match[2]):
        raise ValueError("a size is a number of bytes such as 1500000, or such as 512MiB or 6G")
    number, prefix, binary, byte = match.groups()
    base = 1000 if byte and not binary else 1024
    return int(Decimal(number) * base ** " kmgt".index(prefix.lower() or " "))


def _size(value: object) -> object:
    return parse_size(value) if isinstance(value, str) else value


def _words(value: object) -> object:
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _host(value: str) -> str:
    host = value.strip().removeprefix("[").removesuffix("]")
    if not _HOST_NAME.fullmatch(host):
        try:
            ipaddress.IPv6Address(host)
        except ValueError as error:
            raise ValueError(
                "a host is an address or a name such as 127.0.0.1, ::1 or box.local, without a port"
            ) from error
    return host


def _folder(value: Path) -> Path:
    if not str(value).isprintable():
        raise ValueError("a folder's name holds no control characters")
    try:
        return value.expanduser().absolute()
    except RuntimeError as error:  # whose home folder ~ or ~user is, is not known
        raise ValueError(f"{value} cannot be found: {error}") from error


def _web_url(value: str) -> str:
    text = check_base_url(value).rstrip("/")
    if not re.match(r"https?://[^/?#]+[^?#]*$", text):
        raise ValueError("it is to be http:// or https://, a host and perhaps a path")
    return text


def _places(words: tuple[str, ...]) -> tuple[str, ...]:
    for word in words:
        if "/" in word or ":" in word or word.rpartition(".")[2].isdecimal():
            try:
                ipaddress.ip_network(word.strip("[]"))
            except ValueError as error:
                raise ValueError(f"{error}; write it such as 192.168.1.5 or 10.0.0.0/8") from error
        elif not _HOST_NAME.fullmatch(word.removeprefix("*.")):
            raise ValueError(f"{word!r} is no host's name, no *.name, no address and no network")
    return words


def _database_url(value: str) -> str:
    if not value.startswith(("sqlite:", "postgresql:", "postgresql+")):
        raise ValueError("a database URL begins with sqlite: or postgresql:")
    return value


Bytes = Annotated[int, BeforeValidator(_size), Field(ge=1, le=2**62)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Places = Annotated[Words, AfterValidator(_places)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]
Host = Annotated[str, AfterValidator(_host)]
Folder = Annotated[Path, AfterValidator(_folder)]
WebUrl = Annotated[str, AfterValidator(_web_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
ConnectionName = Annotated[str, AfterValidator(check_connection_name)]
BaseUrl = Annotated[str, AfterValidator(check_base_url)]
RouteName = Annotated[str, AfterValidator(check_route_name)]
Pick = Literal["first", "round_robin"]
TargetModels = Annotated[
    tuple[str, ...], BeforeValidator(_words), AfterValidator(check_target_models)
]
ConnectionKey = Annotated[str, AfterValidator(check_connection_key)]
