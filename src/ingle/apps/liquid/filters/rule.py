"""What a filter is: a function, and how many values it takes after its colon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A filter. `apply` gets the frame, which it pays before it works, the value on the left, and
    `least` to `most` values; all are JSON, and so is what it returns."""

    apply: Callable[..., Any]
    least: int = 0
    most: int = 0
    keywords: frozenset[str] = frozenset()
