"""What a template may use at most, and the account that each rendering keeps of it.

All bounds are counts, not seconds, so that a template that works today works tomorrow. One unit of
work stands for about a microsecond on a common machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ingle.errors import TemplateError

__all__ = [
    "MAX_DEPTH",
    "MAX_HELD",
    "MAX_ITEMS",
    "MAX_MARKUP_CHARS",
    "MAX_NUMBER",
    "MAX_OUTPUT_CHARS",
    "MAX_SOURCE_CHARS",
    "MAX_TAGS",
    "MAX_TEXT_CHARS",
    "MAX_WORK",
    "Frame",
]

MAX_SOURCE_CHARS = 262_144
"""Length of a template."""

MAX_TAGS = 2_000
"""How many `{{ … }}` and `{% … %}` a template may have; reading one takes about 30 us."""

MAX_MARKUP_CHARS = 16_384
"""Length of one `{{ … }}` or `{% … %}`."""

MAX_DEPTH = 30
"""How deep tags may be nested, and parts of an expression."""

MAX_OUTPUT_CHARS = 1_048_576
"""Length of what a template writes, if the caller does not say otherwise."""

MAX_TEXT_CHARS = 2_097_152
"""Length of a text that a filter takes or gives. (A variable that is only passed on has none.)"""

MAX_ITEMS = 100_000
"""Length of a list that a filter or a range gives."""

MAX_HELD = 8_388_608
"""Size of all that `assign` and `capture` keep: a character counts one, an item sixteen more."""

MAX_NUMBER = 10**30
"""The largest number that arithmetic takes or gives: no app counts further, and it stays fast."""

MAX_WORK = 500_000
"""Units of work in one rendering: about half a second at the worst."""

_ITEM = 16


@dataclass(slots=True)
class Frame:
    """The state of one rendering: its names, what it has written, and what it may still use.

    `values` came from outside, `names` are made by the template. `at` is the offset of the tag
    that is being carried out.
    """

    values: Mapping[str, Any]
    room: int = MAX_OUTPUT_CHARS
    work: int = MAX_WORK
    at: int = 0
    names: dict[str, Any] = field(default_factory=dict)
    out: list[str] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    changed: dict[int, str] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)
    _held: int = 0
    _max_chars: int = field(init=False)

    def __post_init__(self) -> None:
        self._max_chars = self.room

    def spend(self, work: int) -> None:
        """Pay for work before it is done."""
        self.work -= work
        if self.work < 0:
            raise TemplateError(
                f"The template does too much: more than {MAX_WORK:,} units of work (an item of a "
                "loop or a list costs about one). Let it loop over less."
            )

    def write(self, text: str) -> None:
        """Put a text out."""
        self.room -= len(text)
        if self.room < 0:
            raise TemplateError(
                f"The template writes more than {self._max_chars:,} characters. Shorten what it "
                "puts in, for example with `| truncate: 10000`."
            )
        self.work -= len(text) >> 8
        self.out.append(text)

    def keep(self, name: str, value: Any, *, is_shared: bool = False) -> None:
        """Give a name to a value. One that is there anyway (`is_shared`) takes no memory."""
        size = 0 if is_shared else self.weigh(value)
        self._held += size - self._sizes.get(name, 0)
        self._sizes[name] = size
        if self._held > MAX_HELD:
            raise TemplateError(
                f"`{name}` and the template's other names hold more than {MAX_HELD:,} characters."
            )
        self.names[name] = value

    def weigh(self, value: Any) -> int:
        """The size of a value: its characters, and a charge for each item in it. Pays by item.

        Raises:
            TemplateError: it is larger than any text may be.
        """
        size, waiting = 0, [value]
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                size += len(one)
            elif isinstance(one, list):
                self.spend(len(one))
                size += _ITEM * len(one)
                waiting.extend(one)
            elif isinstance(one, dict):
                self.spend(len(one))
                size += _ITEM * len(one) + sum(map(len, one))
                waiting.extend(one.values())
        return size

    def text(self, text: str, *, price: int = 256) -> str:
        """The same text, after paying a unit for every `price` characters.

        Raises:
            TemplateError: it is too long for a filter.
        """
        self.spend(len(text) // price)
        self.check_length(len(text))
        return text

    def check_length(self, chars: int) -> None:
        """Refuse a text that would be too long, before it is made."""
        if chars > MAX_TEXT_CHARS:
            raise TemplateError(
                f"A text of {chars:,} characters is too long for a filter; at most "
                f"{MAX_TEXT_CHARS:,} are possible."
            )

    def items(self, count: int) -> None:
        """Pay for a list of so many items, before it is made."""
        if count > MAX_ITEMS:
            raise TemplateError(
                f"A list of {count:,} items is too long for a template; at most {MAX_ITEMS:,} "
                "are possible."
            )
        self.spend(count)
