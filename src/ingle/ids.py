"""Names for what is made: sortable by when, and not to be guessed."""

from __future__ import annotations

import secrets
import time

__all__ = ["new_id"]

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letter that looks like a digit."""


def new_id(kind: str) -> str:
    """Such as `run_01k9x5m2zj8q4w7t3v6n1b0cde`: 48 bits of Unix milliseconds, then 80 random bits.

    Ids of one kind sort by the millisecond in which they were made (as ULIDs do,
    https://github.com/ulid/spec).
    """
    number = time.time_ns() // 1_000_000 << 80 | secrets.randbits(80)
    return f"{kind}_" + "".join(_DIGITS[number >> shift & 31] for shift in range(125, -1, -5))
