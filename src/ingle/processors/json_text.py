"""JSON within text: whole, in a fenced block, or between the words of a model that explains itself.

Nothing is ever evaluated. How much is tried is bounded, since a model can write anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from pydantic_core import PydanticSerializationError, to_json

from ingle.errors import InvalidRequest
from ingle.upstream.explain import printable

__all__ = ["find_json", "is_plain"]

Json = Any  # Any: a JSON value has no narrower type

_MOST_CHARACTERS = 4_000_000
_MOST_TRIES = 200
_MOST_READ = 10_000_000  # characters, by all tries together: a third of a second
_FENCED = re.compile(r"```[ \t]*(?:[\w+-]+[ \t]*)?\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
_BEGINNING = re.compile(r"[\[{]")
_SHOWN = 60


def is_plain(value: Json) -> bool:
    """Whether it can be written as JSON again: not nested beyond all measure, no half characters."""
    try:
        to_json(value)
    except (PydanticSerializationError, RecursionError, ValueError):
        return False
    return True


def find_json(text: str, *, param: str) -> Json:
    """The JSON value that the text holds.

    The whole text, if it is JSON; else what the first fenced block with JSON holds; else the
    longest object or list anywhere in it.

    Raises:
        InvalidRequest: there is none; says where it broke off, if there is the beginning of one.
    """
    if len(text) > _MOST_CHARACTERS:
        raise InvalidRequest(
            f"`{param}` has {len(text):,} characters; at most {_MOST_CHARACTERS:,} are searched for "
            "JSON. Give a part of it.",
            param=param,
        )
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    blocks = (found[1] for found in _FENCED.finditer(text))
    for candidate in (text, *(_few(blocks))):
        try:
            return _checked(decoder.decode(candidate.strip().lstrip("\ufeff")), param)
        except (ValueError, RecursionError):
            continue
    fault: json.JSONDecodeError | None = None
    longest: tuple[int, Json] | None = None
    at, tries, read = 0, 0, 0
    while tries < _MOST_TRIES and read < _MOST_READ and (begin := _BEGINNING.search(text, at)):
        tries += 1
        try:
            value, at = decoder.raw_decode(text, begin.start())
        except (ValueError, RecursionError) as error:
            if isinstance(error, json.JSONDecodeError):
                read += error.pos - begin.start()
                fault = error if fault is None or error.pos > fault.pos else fault
            at = begin.start() + 1
        else:
            if longest is None or at - begin.start() > longest[0]:
                longest = at - begin.start(), value
    if longest is not None:
        return _checked(longest[1], param)
    raise _none_found(text, fault, param)


def _few(blocks: Iterator[str]) -> Iterator[str]:
    for _, block in zip(range(_MOST_TRIES), blocks, strict=False):
        yield block


def _checked(value: Json, param: str) -> Json:
    if not is_plain(value):
        raise InvalidRequest(
            f"`{param}` holds JSON that cannot be passed on: it is nested too deeply, or has half "
            "of a character (a lone surrogate). Ask for it again in a simpler form.",
            param=param,
        )
    return value


def _none_found(text: str, fault: json.JSONDecodeError | None, param: str) -> InvalidRequest:
    if fault is None:
        where = f"It begins with {printable(text, _SHOWN)!r}." if text.strip() else "It is empty."
        why = f"there is no JSON in it. {where}"
    else:
        near = printable(text[max(0, fault.pos - _SHOWN // 2) : fault.pos + _SHOWN // 2], _SHOWN)
        why = (
            f"its JSON is broken at line {fault.lineno}, column {fault.colno}, near {near!r}: "
            f"{fault.msg[0].lower()}{fault.msg[1:]}."
        )
    return InvalidRequest(
        f"`{param}`: {why} Ask the model for JSON alone, best with `response_format`, and give it "
        "enough `max_tokens` to finish.",
        param=param,
    )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
