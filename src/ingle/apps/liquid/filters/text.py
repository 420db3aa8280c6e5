"""Filters on texts. Each pays for what it reads and refuses what it would make too long."""

from __future__ import annotations

from typing import Any

from ingle.apps.liquid.bounds import MAX_ITEMS, Frame
from ingle.apps.liquid.numbers import whole
from ingle.apps.liquid.values import text

__all__ = [
    "append",
    "capitalize",
    "downcase",
    "lstrip",
    "newline_to_br",
    "prepend",
    "remove",
    "remove_first",
    "remove_last",
    "replace",
    "replace_first",
    "replace_last",
    "rstrip",
    "safe",
    "slice_",
    "split",
    "squish",
    "string",
    "strip",
    "strip_newlines",
    "tostring",
    "truncate",
    "truncatewords",
    "upcase",
]


def string(frame: Frame, value: Any, *, price: int = 256) -> str:
    """A value as the text that a filter works on: null is empty, as in Liquid.

    Raises:
        TemplateError: it is longer than a filter takes.
    """
    if isinstance(value, list | dict):
        frame.check_length(frame.weigh(value))
    return frame.text(text(value), price=price)


def tostring(frame: Frame, value: Any) -> str:
    """The value as it reads in a text: null as nothing, lists and objects as JSON."""
    return string(frame, value)


def safe(frame: Frame, value: Any) -> str:
    """The text as it is: nothing is ever escaped unless a filter does it."""
    return string(frame, value)


def append(frame: Frame, value: Any, end: Any) -> str:
    """The text with another behind it."""
    left, right = string(frame, value), string(frame, end)
    frame.check_length(len(left) + len(right))
    return left + right


def prepend(frame: Frame, value: Any, start: Any) -> str:
    """The text with another before it."""
    return append(frame, start, value)


def capitalize(frame: Frame, value: Any) -> str:
    """The text with its first letter large and all others small."""
    return string(frame, value, price=64).capitalize()


def downcase(frame: Frame, value: Any) -> str:
    """The text in small letters."""
    return string(frame, value, price=64).lower()


def upcase(frame: Frame, value: Any) -> str:
    """The text in capitals."""
    return string(frame, value, price=64).upper()


def strip(frame: Frame, value: Any) -> str:
    """The text without spaces at both ends."""
    return string(frame, value).strip()


def lstrip(frame: Frame, value: Any) -> str:
    """The text without spaces at its start."""
    return string(frame, value).lstrip()


def rstrip(frame: Frame, value: Any) -> str:
    """The text without spaces at its end."""
    return string(frame, value).rstrip()


def strip_newlines(frame: Frame, value: Any) -> str:
    """The text without its line ends."""
    return string(frame, value).replace("\r\n", "").replace("\n", "")


def newline_to_br(frame: Frame, value: Any) -> str:
    """The text with `<br />` before each line end."""
    lines = string(frame, value).replace("\r\n", "\n")
    return _replaced(frame, lines, "\n", "<br />\n")


def squish(frame: Frame, value: Any) -> str:
    """The text without spaces at both ends, and one space for each run of them."""
    return " ".join(string(frame, value, price=16).split())


def replace(frame: Frame, value: Any, old: Any, new: Any = "") -> str:
    """The text with another one in each place of a part."""
    return _replaced(frame, string(frame, value, price=64), string(frame, old), string(frame, new))


def replace_first(frame: Frame, value: Any, old: Any, new: Any = "") -> str:
    """The text with another one in the first place of a part."""
    left, part, sub = string(frame, value, price=64), string(frame, old), string(frame, new)
    frame.check_length(len(left) + len(sub))
    return left.replace(part, sub, 1)


def replace_last(frame: Frame, value: Any, old: Any, new: Any) -> str:
    """The text with another one in the last place of a part."""
    left, part, sub = string(frame, value, price=64), string(frame, old), string(frame, new)
    frame.check_length(len(left) + len(sub))
    at = left.rfind(part)
    return left if at < 0 else left[:at] + sub + left[at + len(part) :]


def remove(frame: Frame, value: Any, part: Any) -> str:
    """The text without a part, wherever it stands."""
    return replace(frame, value, part)


def remove_first(frame: Frame, value: Any, part: Any) -> str:
    """The text without a part where it stands first."""
    return replace_first(frame, value, part)


def remove_last(frame: Frame, value: Any, part: Any) -> str:
    """The text without a part where it stands last."""
    return replace_last(frame, value, part, "")


def slice_(frame: Frame, value: Any, start: Any, length: Any = 1) -> Any:
    """So many characters of a text, or items of a list, from a place on; -1 is the last."""
    sequence = value if isinstance(value, list) else string(frame, value)
    count, first = max(whole(length), 0), whole(start)
    first = first + len(sequence) if first < 0 else first
    if not 0 <= first <= len(sequence):
        return sequence[:0]
    end = min(first + count, len(sequence))
    if isinstance(sequence, list):
        frame.items(end - first)
    return sequence[first:end]


def split(frame: Frame, value: Any, separator: Any) -> list[str]:
    """The parts between separators; without one, the characters. A space stands for any spaces."""
    left, mark = string(frame, value, price=64), string(frame, separator)
    if not left or left == mark:
        return []
    if not mark:
        frame.items(len(left))
        return list(left)
    parts = left.split(None if mark == " " else mark, MAX_ITEMS)
    frame.items(len(parts))
    return parts


def truncate(frame: Frame, value: Any, length: Any = 50, end: Any = "...") -> str:
    """At most so many characters, with an ellipsis as the last of them where some were cut off."""
    left, mark, most = string(frame, value), string(frame, end), max(whole(length), 0)
    return left if len(left) <= most else left[: max(most - len(mark), 0)] + mark


def truncatewords(frame: Frame, value: Any, count: Any = 15, end: Any = "...") -> str:
    """At most so many words, and an ellipsis where some were cut off."""
    left, mark, most = string(frame, value, price=16), string(frame, end), max(whole(count), 1)
    words = left.split(None, min(most, MAX_ITEMS))
    return " ".join(words) if len(words) <= most else " ".join(words[:most]) + mark


def _replaced(frame: Frame, left: str, part: str, sub: str) -> str:
    frame.check_length(len(left) + left.count(part) * (len(sub) - len(part)))
    return left.replace(part, sub)
