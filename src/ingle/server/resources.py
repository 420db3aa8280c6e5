"""Which path leads to what answers it: with and without `/v1`, as LocalAI has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from types import MappingProxyType

from ingle._version import __version__
from ingle.errors import NotFound
from ingle.server.asgi import App, Message
from ingle.server.body import read_body
from ingle.server.endpoints import ENDPOINTS
from ingle.server.error_shapes import OPENAI, ErrorShape
from ingle.server.exchange import Exchange, Handler
from ingle.server.metrics import CONTENT_TYPE
from ingle.server.models_api import list_models, remove_model, show_model
from ingle.server.openai.routes import KEPT, find_named
from ingle.server.pictures import show_picture
from ingle.server.relay import relay
from ingle.server.welcome import show_welcome

__all__ = ["Resource", "find_resource", "not_found"]

_HEALTH_PATHS = ("/health", "/healthz", "/livez", "/readyz")
_LONGEST_SHOWN_PATH = 200
_UPLOADS = "/api/files"
_PICTURES = "/generated-images/"  # as LocalAI calls it


@dataclass(frozen=True, slots=True)
class Resource:
    """What answers at a path. `name` is one of a closed set; `is_open` asks for no key."""

    name: str
    handlers: Mapping[str, Handler]
    shape: ErrorShape = OPENAI
    is_open: bool = False


async def _health(exchange: Exchange) -> None:
    await exchange.answer.json({"status": "ok", "name": "ingle", "version": __version__})


async def _api(exchange: Exchange) -> None:
    """Let FastAPI answer."""
    app, request = await exchange.api.app(), exchange.request
    if (request.method, request.path) == ("POST", _UPLOADS):  # which is read as it comes
        request.scope["ingle"] = exchange
        await exchange.answer.hand_over(app, request)
    else:
        await _hand_over(app, exchange)


async def _mcp(exchange: Exchange) -> None:
    """Let the MCP server answer."""
    await _hand_over(await exchange.mcp.app(), exchange)


async def _hand_over(app: App, exchange: Exchange) -> None:
    """Let another application answer; the body is read here, within the bounds of every other."""
    settings = exchange.runtime.settings
    body = await read_body(exchange.request, settings.max_body_bytes, settings.body_s)
    is_read = False

    async def receive() -> Message:
        nonlocal is_read
        if is_read:
            return await exchange.request.receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    exchange.request.scope["ingle"] = exchange
    await exchange.answer.hand_over(app, replace(exchange.request, receive=receive))


async def _metrics(exchange: Exchange) -> None:
    await exchange.answer.whole(exchange.metrics.exposition(), CONTENT_TYPE)


def find_resource(path: str) -> Resource | None:
    """What answers at a path, `None` if nothing does."""
    if resource := _RESOURCES.get(path.rstrip("/") or "/"):
        return resource
    if path == "/api/session":
        return _SESSION
    if path == "/api" or path.startswith("/api/"):
        return _API
    if path.startswith(_PICTURES):
        handlers: dict[str, Handler] = {"GET": partial(show_picture, path.removeprefix(_PICTURES))}
        return Resource("pictures", handlers, is_open=True)
    short = path.removeprefix("/v1")
    if named := find_named(short.strip("/")):
        return Resource(*named)
    if short.startswith("/models/"):
        name = short.removeprefix("/models/")
        handlers = {"GET": partial(show_model, name), "DELETE": partial(remove_model, name)}
        return Resource("models", handlers)
    return None


def not_found(path: str) -> NotFound:
    """The error for a path where nothing answers; names the nearest one that there is."""
    near = get_close_matches(path, _RESOURCES, n=1, cutoff=0.7)
    meant = f" Did you mean {near[0]}?" if near else " The README lists what there is."
    shown = path if len(path) <= _LONGEST_SHOWN_PATH else f"{path[:_LONGEST_SHOWN_PATH]}…"
    return NotFound(f"There is nothing at {shown}.{meant}")


def _all() -> dict[str, Resource]:
    health = Resource("health", {"GET": _health}, is_open=True)
    resources = {
        "/": Resource("welcome", {"GET": show_welcome}, is_open=True),
        "/metrics": Resource("metrics", {"GET": _metrics}),
        "/mcp": Resource("mcp", {"POST": _mcp}),
        **dict.fromkeys(_HEALTH_PATHS, health),
    }
    for prefix in ("/v1", ""):
        resources[f"{prefix}/models"] = Resource("models", {"GET": list_models})
        for path, endpoint in ENDPOINTS.items():
            handlers = {"POST": partial(relay, endpoint)}
            resources[f"{prefix}/{path}"] = Resource(endpoint.path, handlers, endpoint.shape)
        for path, kept in KEPT.items():
            shape = ENDPOINTS[path].shape if path in ENDPOINTS else OPENAI
            resources[f"{prefix}/{path}"] = Resource(path, kept, shape)
    return resources


_API = Resource("api", dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), _api))
_SESSION = replace(_API, is_open=True)
_RESOURCES: Mapping[str, Resource] = MappingProxyType(_all())
