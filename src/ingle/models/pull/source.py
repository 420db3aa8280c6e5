"""What a person wrote to name a model, as the place it comes from.

It knows the ways of writing, and nothing about servers or this machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ingle.errors import InvalidRequest

__all__ = [
    "HubSource",
    "LocalSource",
    "OciSource",
    "OllamaSource",
    "Source",
    "UrlSource",
    "parse_source",
]

_LONGEST = 4096
_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_HUB = re.compile(
    rf"(?P<repository>{_WORD}/{_WORD})(?::(?P<wanted>[^@]+))?(?:@(?P<revision>[^@:\s]+))?"
)
_HUB_HOSTS = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})
_OLLAMA = re.compile(rf"(?:(?P<space>{_WORD})/)?(?P<name>{_WORD})(?::(?P<tag>{_WORD}))?")
_OCI = re.compile(
    r"(?P<registry>[A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9A-Fa-f:]+\](?::\d{1,5})?)"
    r"/(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"  # the distribution spec's <name>
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_SHA256 = re.compile(r"sha256[=:]([0-9a-fA-F]{64})")
_WAYS = (
    "Write hf:OWNER/REPO or hf:OWNER/REPO:Q4_K_M, ollama:NAME:TAG, oci://REGISTRY/NAME:TAG, "
    "the URL of a .gguf file, the path of a local one, or a name of `ingle models suggest`."
)


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository of Hugging Face; `wanted` is a quantisation or a file in it."""

    repository: str
    wanted: str | None = None
    revision: str = "main"

    def __str__(self) -> str:
        wanted = f":{self.wanted}" if self.wanted else ""
        revision = f"@{self.revision}" if self.revision != "main" else ""
        return f"hf:{self.repository}{wanted}{revision}"


@dataclass(frozen=True, slots=True)
class OllamaSource:
    """A model of Ollama's registry; `repository` is `library/llama3.2` or `someone/model`."""

    repository: str
    tag: str = "latest"

    def __str__(self) -> str:
        return f"ollama:{self.repository.removeprefix('library/')}:{self.tag}"


@dataclass(frozen=True, slots=True)
class OciSource:
    """An artifact in a registry of containers; `reference` is a tag or a digest."""

    registry: str
    repository: str
    reference: str = "latest"

    def __str__(self) -> str:
        mark = "@" if self.reference.startswith("sha256:") else ":"
        return f"oci://{self.registry}/{self.repository}{mark}{self.reference}"


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A file on a web server; `sha256` is what a `#sha256=…` at the URL's end demands.

    The query may hold a signature, so only what is before it is shown or kept.
    """

    url: str
    sha256: str | None = None

    def __str__(self) -> str:
        return self.url.partition("?")[0]


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A file or a folder of this machine, by its absolute path."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


Source = HubSource | OllamaSource | OciSource | UrlSource | LocalSource


def parse_source(text: str) -> Source:
    """The source that the text names, in any of its ways of writing.

    A page's address copied from huggingface.co's site is the repository or file that it shows. What
    exists as a path is that file, if it begins with no scheme.

    Raises:
        InvalidRequest: it is none of them; says which there are.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise _not_a_source(text[:200], "a source is one line of up to 4096 characters")
    scheme, _, rest = text.partition(":")
    rest = rest.removeprefix("//")
    match scheme.lower():
        case "hf" | "huggingface":
            return _hub(text, rest)
        case "ollama":
            return _ollama(text, rest)
        case "oci" | "docker":
            return _oci(text, rest)
        case "http" | "https":
            return _web(text)
        case "file":
            return _local(unquote(rest) if "://" in text else rest)
    if text.startswith(tuple(f"{host}/" for host in _HUB_HOSTS)):  # as `ollama run hf.co/…`
        return _hub(text, text.partition("/")[2])
    return _local(text)


def _hub(text: str, rest: str) -> HubSource:
    found = _HUB.fullmatch(rest)
    if not found:
        raise _not_a_source(text, "after hf: comes OWNER/REPO, then perhaps :QUANT and @REVISION")
    return HubSource(found["repository"], found["wanted"], found["revision"] or "main")


def _ollama(text: str, rest: str) -> Source:
    host, _, repository = rest.partition("/")
    if host in _HUB_HOSTS:
        return _hub(text, repository)
    if host == "registry.ollama.ai":
        rest = repository
    found = _OLLAMA.fullmatch(rest)
    if not found:
        raise _not_a_source(text, "after ollama: comes NAME or NAME:TAG, as at ollama.com/library")
    return OllamaSource(f"{found['space'] or 'library'}/{found['name']}", found["tag"] or "latest")


def _oci(text: str, rest: str) -> OciSource:
    found = _OCI.fullmatch(rest)
    if not found:
        raise _not_a_source(text, "after oci:// comes REGISTRY/NAME, then perhaps :TAG or @DIGEST")
    reference = found["digest"] or found["tag"] or "latest"
    return OciSource(found["registry"], found["repository"], reference)


def _web(text: str) -> Source:
    shown = text.partition("?")[0]  # a query may hold a signature
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError as error:
        raise _not_a_source(shown, f"it is no URL ({error})") from error
    if not host:
        raise _not_a_source(shown, "the URL names no server")
    if parts.username or parts.password:
        raise InvalidRequest(
            f"The URL of {host} holds a name or password, which would be kept with the model. "
            "Leave them out; download the file yourself and pull the local one."
        )
    if host in _HUB_HOSTS:
        return _hub_page(text, unquote(parts.path))
    digest = _SHA256.fullmatch(parts.fragment)
    if parts.fragment and not digest:
        raise _not_a_source(shown, "only #sha256=… with 64 hexadecimal digits may follow the URL")
    url = parts._replace(fragment="").geturl()
    return UrlSource(url, digest[1].lower() if digest else None)


def _hub_page(text: str, path: str) -> HubSource:
    """`/owner/repo`, `/owner/repo/tree/main`, `/owner/repo/blob/main/file`, `/…/resolve/main/file`."""
    owner, repository, kind, revision, *file = [*path.strip("/").split("/"), "", "", "", ""]
    wanted = "/".join(part for part in file if part) or None
    is_page = kind in ("", "tree", "blob", "resolve", "raw")
    if not is_page or not _HUB.fullmatch(f"{owner}/{repository}"):
        raise _not_a_source(text, "this page of huggingface.co shows no model")
    return HubSource(f"{owner}/{repository}", wanted, revision or "main")


def _local(text: str) -> LocalSource:
    try:
        path = Path(text).expanduser().absolute()
        is_there = path.exists()
    except (OSError, RuntimeError, ValueError):
        is_there = False
    if is_there:
        return LocalSource(path)
    looks_like_hub = re.fullmatch(rf"{_WORD}/{_WORD}(:.+)?", text)
    hint = f"there is no such file; for the repository of Hugging Face write hf:{text}"
    raise _not_a_source(text, hint if looks_like_hub else "there is no such file")


def _not_a_source(text: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"{text!r} names no model to pull: {why}. {_WAYS}", param="source")
