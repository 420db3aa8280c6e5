"""Answers of `/api` that FastAPI does not write itself, and how its errors are described."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import BaseModel, Field
from starlette.responses import Response

from ingle.errors import IngleError
from ingle.server.error_shapes import OPENAI, retry_after_s

__all__ = ["ERRORS", "ErrorDescription", "error_reply", "event_stream"]


class ErrorDescription(BaseModel):
    """What went wrong: which thing, with its values, why, and what to do next."""

    message: str
    type: str
    param: str | None = Field(description="The field of the request that is wrong, where one is.")
    code: str = Field(description="What kind of error it is, such as `model_not_found`.")


class ErrorReply(BaseModel):
    """An error, as on `/v1`."""

    error: ErrorDescription


ERRORS: dict[int | str, dict[str, Any]] = {  # Any: FastAPI's own type
    "default": {"model": ErrorReply, "description": "An error, with a status that fits it."}
}
"""What every operation may answer besides what it is for."""


def event_stream(description: str) -> dict[int | str, dict[str, Any]]:  # Any: FastAPI's own type
    """The description of an operation that answers with server-sent events.

    With `response_class=Response` these are all that it answers with.
    """
    content = {"text/event-stream": {"schema": {"type": "string"}}}
    return {200: {"description": description, "content": content}}


def error_reply(error: IngleError) -> Response:
    """An error, in the shape that it has on `/v1`, too."""
    body = msgspec.json.encode(OPENAI.body(error))
    after_s = retry_after_s(error)
    headers = {} if after_s is None else {"retry-after": str(after_s)}
    return Response(body, error.http_status, headers, "application/json")
