"""Any way a person writes a server's address -> the base URLs that it may mean, best first.

A base URL ends where an endpoint's name begins: `http://localhost:8080/v1`. Everything here is
pure; which of the candidates is right, `probe` finds out.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote

import idna

from ingle.errors import ConfigurationError

__all__ = ["candidates", "names_the_api"]

_EXAMPLE = "Write it like http://localhost:8080 or https://example.com/v1."
_VERSION = re.compile(r"v[0-9]+[a-z0-9]*")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TLS_PORTS = frozenset({443, 8443})
# People copy the whole URL of an endpoint from a program's documentation. Longest first.
_ENDPOINTS = (
    ("chat", "completions"),
    ("images", "generations"),
    ("audio", "transcriptions"),
    ("audio", "speech"),
    ("completions",),
    ("embeddings",),
    ("models",),
    ("rerank",),
    ("responses",),
    ("messages",),
)
# RFC 6762, RFC 8375, RFC 6761, ICANN's reservation of 2024, and what home routers use.
_PRIVATE_DOMAINS = (".local", ".home.arpa", ".localhost", ".internal", ".lan", ".home")


@dataclass(frozen=True, slots=True)
class _Address:
    """What the text says: `origin` is scheme, host and port; `path` the segments without endpoint."""

    origin: str
    path: tuple[str, ...]
    has_endpoint: bool

    @property
    def has_version(self) -> bool:
        return bool(self.path) and _VERSION.fullmatch(self.path[-1].lower()) is not None


def candidates(text: str) -> list[str]:
    """The base URLs that the text may mean, in the order to try them.

    Root, `/v1`, `/v1/` and the full URL of an endpoint mean the same server; quotes, spaces and
    full stops that were copied along do not matter. Where no scheme is written, `http` is meant on
    this machine and in private networks, where certificates are rare, and `https` anywhere else:
    a key goes over the internet in the open only if `http://` was written.

    Raises:
        ConfigurationError: the text is no address, or says what a base URL cannot.
    """
    address = _parse(text)
    path = address.path
    if address.has_version and path[-1].lower() == "v1":
        paths = [(*path[:-1], "v1"), path[:-1]]
    elif address.has_version or address.has_endpoint:
        paths = [path, (*path, "v1")]
    else:
        paths = [(*path, "v1"), path]
    return ["/".join((address.origin, *segments)) for segments in paths]


def names_the_api(text: str) -> bool:
    """Whether the text itself says where the API is: it names a version or an endpoint.

    Raises:
        ConfigurationError: as `candidates`.
    """
    address = _parse(text)
    return address.has_version or address.has_endpoint


def _parse(text: str) -> _Address:
    written = text.strip(" \t\r\n\"'`<>.,;?#").replace("\\", "/")
    if not written:
        raise ConfigurationError(f"The base URL is empty. {_EXAMPLE}")
    if not written.isprintable() or " " in written:
        raise _wrong(written, "it holds a space, a line break or another such character")
    scheme, rest = _split_scheme(written)
    rest, _, fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    if query or fragment:
        raise _wrong(
            written,
            "a base URL has no query (?…) and no fragment (#…), because the names of endpoints "
            "are put at its end",
        )
    authority, _, path = rest.partition("/")
    if "@" in authority:
        raise _wrong(
            written,
            "a user name or password in an address would show up in logs and messages. Give the "
            "key as the connection's API key instead",
        )
    host, port = _split_port(written, authority)
    host, is_near = _host(written, host)
    if scheme is None:
        scheme = "http" if is_near and port not in _TLS_PORTS else "https"
    origin = f"{scheme}://{host}" + ("" if port in (None, _DEFAULT_PORTS[scheme]) else f":{port}")
    segments = _segments(path)
    for endpoint in _ENDPOINTS:
        if tuple(segment.lower() for segment in segments[-len(endpoint) :]) == endpoint:
            return _Address(origin, segments[: -len(endpoint)], has_endpoint=True)
    return _Address(origin, segments, has_endpoint=False)


def _split_scheme(written: str) -> tuple[str | None, str]:
    """The scheme, if one is written, and what follows it; `http:/host` is forgiven."""
    found = re.match(r"([a-z][a-z0-9+.-]*)://|(https?):/*", written, re.IGNORECASE)
    if found is None:
        return None, written.lstrip("/")
    scheme = (found[1] or found[2]).lower()
    rest = written[found.end() :].lstrip("/")
    if scheme not in _DEFAULT_PORTS:
        raise _wrong(written, f"{scheme}:// is not spoken here, only http:// and https://")
    if "://" in rest.partition("?")[0]:
        raise _wrong(written, "it holds two addresses")
    return scheme, rest


def _split_port(written: str, authority: str) -> tuple[str, int | None]:
    """The host and the port, if one is written. A lone `:8080` means this machine."""
    if authority.startswith("["):
        host, bracket, port = authority[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise _wrong(written, "the brackets around its IPv6 address do not match")
        if not _is_ipv6(host):
            raise _wrong(written, f"{host!r} is not an IPv6 address")
        port = port[1:]
    elif authority.count(":") > 1:
        head, _, tail = authority.rpartition(":")
        if _is_ipv6(head) and tail.isdecimal() and int(tail) >= 80:
            raise _wrong(
                written, f"it may mean [{authority}] or [{head}]:{tail}; the brackets tell which"
            )
        host, port = authority, ""
    else:
        host, colon, port = authority.partition(":")
        if colon and port and not host:
            host = "localhost"
    if not port:
        return host, None
    if not (port.isascii() and port.isdecimal() and 1 <= int(port[:6]) <= 65535):
        raise _wrong(written, "its port is not a number from 1 to 65535")
    return host, int(port)


def _host(written: str, host: str) -> tuple[str, bool]:
    """The host as it stands in a URL, and whether it is this machine or in a private network.

    The addresses that servers listen on, `0.0.0.0` and `::`, become those that reach them.
    """
    if ":" in host:
        if not _is_ipv6(host):
            raise _wrong(written, f"{host!r} is not an IPv6 address")
        six = ipaddress.IPv6Address(host.replace("%25", "%"))
        six = ipaddress.IPv6Address("::1") if six.is_unspecified else six
        return f"[{six}]", six.is_private or six.is_link_local
    name = _name(written, host)
    if name.rpartition(".")[2].isdecimal():
        try:
            four = ipaddress.IPv4Address(name)
        except ValueError:
            raise _wrong(written, f"{name!r} is neither a name nor an IPv4 address") from None
        four = ipaddress.IPv4Address("127.0.0.1") if four.is_unspecified else four
        return str(four), four.is_private or four.is_link_local
    return name, "." not in name or name.endswith(_PRIVATE_DOMAINS)


def _name(written: str, host: str) -> str:
    """A host's name in lower case and ASCII; any script is encoded as browsers do (UTS #46)."""
    name = host.rstrip(".").lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise _wrong(written, f"{host!r} is not a valid host name ({error})") from error
    if not name:
        raise _wrong(written, "it names no host")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise _wrong(written, f"{host!r} is not a valid host name")
    return name


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text.replace("%25", "%"))
    except ValueError:
        return False
    return True


def _segments(path: str) -> tuple[str, ...]:
    """A path's segments, percent-encoded, without empty ones, `.` and `..`."""
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            segments = segments[:-1]
        elif segment not in ("", "."):
            segments.append(quote(segment, safe="%:@!$&'()*+,;=~"))
    return tuple(segments)


def _wrong(written: str, why: str) -> ConfigurationError:
    """The error for an address, which is shown without a password or query that it may hold."""
    shown = re.sub(r"[?#].*", "?…", re.sub(r"(://|^).*@", r"\1…@", written))
    return ConfigurationError(f"The base URL {shown[:200]!r} cannot be used: {why}. {_EXAMPLE}")
