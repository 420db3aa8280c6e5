"""How the choices of an answer are numbered: from 0 up, none missing, and not without bound."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ingle.errors import UpstreamInvalid
from ingle.processors.pieces import MAX_INDEX

__all__ = ["add_logprobs", "check_all_came", "check_number"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

_ADVICE = "The server is at fault: try again, or another model."


def check_number(number: int, url: str, *, what: str = "a choice numbered") -> None:
    """Raises:
    UpstreamInvalid: a list with this many items would not fit in any output.
    """
    if not 0 <= number <= MAX_INDEX:
        raise UpstreamInvalid(
            f"{url} answered with {what} {number}, where 0 to {MAX_INDEX} is in reason. {_ADVICE}",
            url=url,
        )


def check_all_came(numbers: Collection[int], url: str) -> None:
    """Raises:
    UpstreamInvalid: there are no choices, or one between others is missing.
    """
    if sorted(numbers) != list(range(max(1, len(numbers)))):
        came = ", ".join(map(str, sorted(numbers))) or "none"
        raise UpstreamInvalid(
            f"{url} ended its answer, and the choices that came are {came}; they should count up "
            f"from 0. {_ADVICE}",
            url=url,
        )


def add_logprobs(kept: Json, more: Json | None) -> None:
    """Add the log probabilities of a choice's next chunk to those kept so far, list by list."""
    for name, tokens in (more or {}).items():
        if isinstance(tokens, list):
            kept.setdefault(name, []).extend(tokens)
        else:
            kept.setdefault(name, tokens)
