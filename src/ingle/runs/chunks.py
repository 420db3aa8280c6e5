"""Events as they are stored: those of a fifth of a second together, their pieces joined.

A chunk gives back exactly the events that it was made of, so a replay does not differ from what was
heard live. A piece takes a few bytes in it beside its text, where as JSON it takes a hundred.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ingle.processors.pieces import Path
from ingle.runs.as_json import read_json_as, write_json
from ingle.runs.events import Event, OutputPiece, StepPiece

__all__ = ["joined", "separate"]


class _Text(msgspec.Struct, omit_defaults=True):
    """All that was written at one place. `step` is None for the output of the app.

    The first piece has the number `gaps[0]`, and each other that of the one before it plus its gap.
    """

    text: str
    gaps: list[int]
    sizes: list[int]
    step: str | None = None
    path: Path = ()
    item: int | None = None


class _Chunk(msgspec.Struct, omit_defaults=True):
    events: list[Event] = []
    texts: list[_Text] = []


class _Joining:
    """The pieces of one place, while they are joined."""

    __slots__ = ("gaps", "last", "parts", "sizes")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.gaps: list[int] = []
        self.sizes: list[int] = []
        self.last = 0

    def add(self, sequence: int, text: str) -> None:
        self.parts.append(text)
        self.sizes.append(len(text))
        self.gaps.append(sequence - self.last)
        self.last = sequence


_decoder = msgspec.json.Decoder(_Chunk)


def joined(events: Sequence[Event]) -> str:
    """The events as one text.

    Raises:
        InvalidRequest: one holds what is no JSON value.
    """
    others: list[Event] = []
    places: dict[tuple[str | None, Path, int | None], _Joining] = {}
    for event in events:
        if type(event) is StepPiece and event.value is msgspec.UNSET:
            place: tuple[str | None, Path, int | None] = (event.step, event.path, event.item)
        elif type(event) is OutputPiece and not event.is_restart:
            place = (None, (), None)
        else:
            others.append(event)
            continue
        if (joining := places.get(place)) is None:
            joining = places[place] = _Joining()
        joining.add(event.sequence, event.text)
    texts = [
        _Text("".join(joining.parts), joining.gaps, joining.sizes, *place)
        for place, joining in places.items()
    ]
    return write_json(_Chunk(others, texts))


def separate(chunk: str) -> list[Event]:
    """The events that `joined` was given."""
    found = read_json_as(_decoder, chunk)
    events = found.events
    for text in found.texts:
        sequence = start = 0
        for gap, size in zip(text.gaps, text.sizes, strict=True):
            sequence += gap
            written = text.text[start : start + size]
            start += size
            events.append(
                OutputPiece(sequence, written)
                if text.step is None
                else StepPiece(sequence, text.step, text.path, written, item=text.item)
            )
    events.sort(key=_sequence)
    return events


def _sequence(event: Event) -> int:
    return event.sequence
