"""Bytes of a whole JSON answer -> the typed answer, or the error that says what came instead."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from ingle.errors import UpstreamError
from ingle.upstream.call import Call
from ingle.upstream.explain import Complaint, describe, error_object
from ingle.upstream.wire import Answer

__all__ = ["flaw", "read_answer", "refusal_in"]

T = TypeVar("T")


def read_answer(call: Call, status: int, body: bytes, into: type[T]) -> T:
    """The answer that a body with a status of 2xx holds; the body itself if `into` is `bytes`.

    A choice may lack its finish reason: some servers leave it out, and unlike in a stream, the
    body's end shows that nothing is missing.

    Raises:
        UpstreamRefused: it holds an error.
        UpstreamInvalid: it is not JSON, or not of the shape that was asked for.
    """
    if issubclass(into, bytes):
        return into(body)
    try:
        # Any: JSON of an unknown shape, which is checked right below.
        value: Any = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
        if said := refusal_in(value):
            raise call.refused(status, said, partial=body)
        answer = msgspec.convert(value, into)
    except (ValueError, RecursionError) as error:
        raise _invalid(call, status, body, error) from error
    if isinstance(answer, Answer):
        answer.raw = value
    return answer


def refusal_in(value: Any) -> Complaint | None:
    """The error that a JSON answer holds although its status says that all is well."""
    if isinstance(value, dict) and value.get("error"):
        return error_object(value["error"])
    return None


def flaw(error: Exception) -> str:
    """What a decoder found wrong, as the end of a sentence that begins with what was decoded."""
    if isinstance(error, msgspec.ValidationError):
        return f"has not the shape that OpenAI's API has ({error})"
    return f"is not valid JSON ({error})"


def _invalid(call: Call, status: int, body: bytes, error: Exception) -> UpstreamError:
    kind = describe(body)
    if kind.startswith("plain JSON"):
        why = f"the answer {flaw(error)}"
    else:
        why = f"{kind} came where a JSON answer was asked for"
    return call.invalid(why, status=status, partial=body)
