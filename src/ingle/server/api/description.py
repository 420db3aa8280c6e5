"""The FastAPI application under `/api`: its rooms, its errors, its description."""

from __future__ import annotations

from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ingle._version import __version__
from ingle.errors import IngleError, InvalidRequest, MethodNotAllowed, NotFound
from ingle.runtime import Runtime
from ingle.server.api import (
    apps,
    connections,
    engines,
    files,
    imports,
    keys,
    models,
    processors,
    pulls,
    routes,
    runs,
    schedules,
    sessions,
    settings,
    suggestions,
    web_session,
)
from ingle.server.api.replies import ERRORS, error_reply
from ingle.server.asgi import App

__all__ = ["described_api"]

_PLACES = frozenset({"body", "header", "path", "query"})  # where FastAPI found what is wrong


def described_api(runtime: Runtime) -> App:
    """The application, with its description at `/api/openapi.json`."""
    app = FastAPI(
        title="Ingle",
        version=__version__,
        description="Models, connections, processors, apps and their runs. OpenAI's API is at /v1.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # its pages come from a CDN
        redoc_url=None,
        redirect_slashes=False,
    )
    # What has fixed paths below `/models` comes before the names of models.
    rooms = (
        processors,
        connections,
        routes,
        keys,
        settings,
        engines,
        suggestions,
        imports,
        pulls,
        models,
        apps,
        runs,
        sessions,
        schedules,
        files,
        web_session,
    )
    for room in rooms:
        app.include_router(room.routes(runtime), prefix="/api", responses=ERRORS)
    app.add_exception_handler(IngleError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _not_there)

    @app.get("/api/version", tags=["version"])
    def show_version() -> dict[str, str]:
        """Which Ingle this is."""
        return {"name": "ingle", "version": __version__}

    return cast("App", app)  # FastAPI's own names for the same shape


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, IngleError)
    return error_reply(error)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first: dict[str, Any] = error.errors()[0]  # Any: Pydantic's details
    if first["type"] == "json_invalid":
        told = f"The request's body is not valid JSON: {first['ctx']['error']}."
        return error_reply(InvalidRequest(told))
    param = ".".join(str(part) for part in first["loc"] if part not in _PLACES)
    name = f"`{param}`" if param else "The request's body"
    return error_reply(InvalidRequest(f"{name}: {first['msg']}.", param=param or None))


async def _not_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        told = f"{request.method} is not for {request.url.path}. Use {allowed}."
        return error_reply(MethodNotAllowed(told))
    return error_reply(
        NotFound(f"There is nothing at {request.url.path}. /api/openapi.json lists what there is.")
    )
