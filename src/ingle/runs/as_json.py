"""JSON texts of anything that a step may give, to be stored and read again just as it was."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from ingle.errors import InvalidRequest

__all__ = ["read_json", "read_json_as", "write_json"]

Read = TypeVar("Read")

_encoder = msgspec.json.Encoder()


def write_json(value: Any) -> str:
    """The value as JSON, which no database refuses: without lone surrogates and null characters.

    Raises:
        InvalidRequest: it is no JSON value, or nested too deep.
    """
    try:
        return _encoder.encode(value).decode()
    except (UnicodeError, OverflowError, msgspec.MsgspecError):
        pass  # half of a surrogate pair or a whole number of more than 64 bits: rare, and slower
    except RecursionError as error:
        raise InvalidRequest("A value is nested too deep to be recorded.") from error
    try:
        plain = msgspec.to_builtins(value)
        return json.dumps(plain, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise InvalidRequest(f"A value cannot be recorded as JSON: {error}.") from error


def read_json(text: str | None) -> Any:
    """The value that was written; None for none."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text)


def read_json_as(decoder: msgspec.json.Decoder[Read], text: str) -> Read:
    """The value that was written, as the decoder's type."""
    try:
        return decoder.decode(text)
    except msgspec.DecodeError:
        return msgspec.convert(json.loads(text), decoder.type)
