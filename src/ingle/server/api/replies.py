"""Answers of `/api` that FastAPI does not write itself."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from ingle.errors import IngleError
from ingle.server.error_shapes import OPENAI, retry_after_s

__all__ = ["error_reply"]


def error_reply(error: IngleError) -> Response:
    """An error, in the shape that it has on `/v1`, too."""
    body = msgspec.json.encode(OPENAI.body(error))
    after_s = retry_after_s(error)
    headers = {} if after_s is None else {"retry-after": str(after_s)}
    return Response(body, error.http_status, headers, "application/json")
