"""The web page: built files of `web_dist`, as a browser may keep and run them.

A page path answers with `index.html`, in which the page's own router reads the path. What is in
`assets/` has a hash in its name and never changes. Nothing of it tells anything, so no key is asked
for: what the page shows it fetches from `/api` and `/v1`, where the keys count.

Which paths are pages: those that a browser asks for as a document and that nothing else answers, and
`/`, and `/models`, which answers API clients too and so is told apart by what the caller accepts.

See `docs/decisions/0100-the-page-is-built-into-the-wheel.md`.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ingle.server.asgi import Headers, Request
from ingle.server.exchange import Exchange
from ingle.server.resources import Resource, find_resource, not_found

__all__ = ["WEB_FOLDER", "find_page"]

WEB_FOLDER = Path(__file__).parent.parent / "web_dist"
"""Where the built page lies; absent in a checkout in which it was not built."""

_ASSET = re.compile(r"/assets/[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_ROOT_FILES = frozenset({"/favicon.svg", "/theme.js"})
_SHARED_PATHS = frozenset({"/", "/models"})
_NOT_PAGES = ("/api", "/v1", "/assets")
_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".png": b"image/png",
    ".svg": b"image/svg+xml",
    ".woff2": b"font/woff2",
}
_ENCODINGS = ((b"br", ".br"), (b"gzip", ".gz"))  # the smaller first
_FOR_EVER = b"public, max-age=31536000, immutable"
_ASK_EACH_TIME = b"no-cache"
_POLICY: Headers = [
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
            b"media-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; "
            b"manifest-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
            b"frame-ancestors 'none'"
        ),
    ),
    # Not `no-referrer`: with it, browsers send `Origin: null`, which the border refuses.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), payment=(), usb=()"),
]
_NOSNIFF = (b"x-content-type-options", b"nosniff")


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is sent; `encoding` is empty where it is sent as it is."""

    body: bytes
    content_type: bytes
    encoding: bytes

    @property
    def etag(self) -> bytes:
        return b'"%b"' % hashlib.sha256(self.body).hexdigest()[:32].encode()


def find_page(request: Request, folder: Path = WEB_FOLDER) -> Resource | None:
    """What of the page answers this request, `None` if it is not for the page, or none is built."""
    path = request.path
    if request.method not in ("GET", "HEAD"):
        return None
    if _ASSET.fullmatch(path) or path in _ROOT_FILES:
        return _resource(folder, path)
    if (path == "/" or _is_page(request)) and (folder / "index.html").is_file():
        return _resource(folder, "/index.html")
    return None


def _is_page(request: Request) -> bool:
    path = request.path
    if "text/html" not in request.header(b"accept"):
        return False
    if path in _SHARED_PATHS:
        return True
    is_ours = any(path == root or path.startswith(f"{root}/") for root in _NOT_PAGES)
    return not is_ours and find_resource(path) is None


def _resource(folder: Path, name: str) -> Resource:
    return Resource("page", {"GET": partial(_show, folder, name)}, is_open=True)


async def _show(folder: Path, name: str, exchange: Exchange) -> None:
    """Answer with a file, or that the browser has it already."""
    request, answer = exchange.request, exchange.answer
    accepted = request.header(b"accept-encoding")
    file = await asyncio.to_thread(_read, folder / name[1:], accepted)
    if file is None:
        raise not_found(request.path)
    is_page = name == "/index.html"
    headers: Headers = [
        (b"cache-control", _FOR_EVER if _ASSET.fullmatch(name) else _ASK_EACH_TIME),
        (b"etag", file.etag),
        (b"vary", b"accept, accept-encoding" if is_page else b"accept-encoding"),
        _NOSNIFF,
        *(_POLICY if is_page else []),
    ]
    if file.etag.decode() in request.header(b"if-none-match"):
        await answer.start(304, headers)
        await answer.finish()
        return
    if file.encoding:
        headers.append((b"content-encoding", file.encoding))
    await answer.whole(file.body, file.content_type, headers=headers)


def _read(path: Path, accepted: str) -> _File | None:
    """The file in the first form that is there and accepted, `None` if there is none."""
    content_type = _TYPES.get(path.suffix, b"application/octet-stream")
    # A weight of 0, which forbids an encoding, is sent by no browser.
    offered = {part.partition(";")[0].strip() for part in accepted.split(",")}
    for encoding, suffix in _ENCODINGS:
        packed = path.with_name(path.name + suffix)
        if encoding.decode() in offered and packed.is_file():
            return _File(packed.read_bytes(), content_type, encoding)
    return _File(path.read_bytes(), content_type, b"") if path.is_file() else None
