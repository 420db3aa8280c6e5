"""Events as they are stored: what comes out is what went in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingle.runs.chunks import joined, separate
from ingle.runs.events import Event, OutputPiece, RunEnded, StepPiece, StepStarted

_TEXTS = st.text(max_size=5)
_KINDS = st.one_of(
    st.builds(
        lambda step, path, text, item: StepPiece(0, step, path, text, item=item),
        st.sampled_from(["a", "b"]),
        st.sampled_from([("x",), ("choices", 0, "content")]),
        _TEXTS,
        st.sampled_from([None, 0, 1]),
    ),
    st.builds(lambda value: StepPiece(0, "a", ("v",), value=value), st.integers() | _TEXTS),
    st.builds(lambda text, again: OutputPiece(0, text, again), _TEXTS, st.booleans()),
    st.builds(lambda at: StepStarted(0, "a", "x/y", at), st.floats(0, 1e10)),
    st.builds(lambda value: RunEnded(0, value, 1.0), st.lists(_TEXTS, max_size=2)),
)


@given(st.lists(st.tuples(_KINDS, st.integers(1, 3)), min_size=1), st.integers(0, 2**52))
def test_any_events_come_back_as_they_were(kinds: list[tuple[Event, int]], first: int) -> None:
    """In their order, with their numbers, be they joined or not."""
    events: list[Event] = []
    for event, gap in kinds:
        first += gap
        fields = {name: getattr(event, name) for name in event.__struct_fields__}
        events.append(type(event)(**{**fields, "sequence": first}))
    assert separate(joined(events)) == events


def test_pieces_take_a_few_bytes() -> None:
    """Five thousand pieces of two steps that write at the same time take ten bytes each, texts and
    all, where one as JSON takes ninety."""
    events: list[Event] = [
        StepPiece(i, "ab"[i % 2], ("choices", 0, "content"), "word ") for i in range(5000)
    ]
    assert len(joined(events)) < 5000 * 10
