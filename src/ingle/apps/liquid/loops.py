"""The tags `for` and `tablerow`: a block once for each item of a list, an object or a range."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from liquid.builtin.expressions import LoopExpression, StringLiteral
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.tablerow_tag import TablerowNode

from ingle.apps.liquid.bounds import Frame
from ingle.apps.liquid.numbers import whole

if TYPE_CHECKING:  # tags.py imports this module
    from ingle.apps.liquid.tags import Render, Tags

__all__ = ["looped"]

_Sliced = Callable[[Frame], Sequence[Any]]


def looped(tags: Tags, node: ForNode | TablerowNode) -> Render:
    """A function that writes the loop."""
    items = _items(tags, node.expression)
    own = "forloop" if isinstance(node, ForNode) else "tablerowloop"
    outer = tags.scope.slot("forloop") if own == "forloop" else None
    name = str(node.expression.identifier)
    columns = tags.expressions.compile(node.expression.cols) if node.expression.cols else None
    with tags.scope.loop(name, own) as (item_slot, loop_slot):
        block = tags.inner(node.block)
    otherwise = None
    if isinstance(node, ForNode):
        otherwise = tags.inner(node.default) if node.default else None

    def rounds(frame: Frame, sequence: Sequence[Any]) -> Iterator[int]:
        for i, item in enumerate(sequence):
            frame.spend(1)
            frame.names[item_slot] = item
            yield i

    def render_for(frame: Frame) -> Literal["break", "continue"] | None:
        sequence = items(frame)
        parent = frame.names.get(outer) if outer else None
        for i in rounds(frame, sequence):
            frame.names[loop_slot] = _place(i, len(sequence)) | {"parentloop": parent}
            if block(frame) == "break":
                break
        return otherwise(frame) if otherwise and not sequence else None

    def render_rows(frame: Frame) -> None:
        sequence = items(frame)
        width = max(whole(columns(frame)), 1) if columns else max(len(sequence), 1)
        for i in rounds(frame, sequence):
            row, column = i // width + 1, i % width + 1
            if column == 1:
                frame.write('<tr class="row1">\n' if row == 1 else f'</tr>\n<tr class="row{row}">')
            frame.names[loop_slot] = _place(i, len(sequence)) | {
                "row": row,
                "col": column,
                "col0": column - 1,
                "col_first": column == 1,
                "col_last": column == width,
            }
            frame.write(f'<td class="col{column}">')
            signal = block(frame)
            frame.write("</td>")
            if signal == "break":
                break
        if sequence:
            frame.write("</tr>\n")

    return render_for if isinstance(node, ForNode) else render_rows


def _items(tags: Tags, loop: LoopExpression) -> _Sliced:
    """What a loop goes over, with its `limit`, `offset` and `reversed`."""
    iterable = _iterable(tags, loop)
    limit = tags.expressions.compile(loop.limit) if loop.limit else None
    goes_on = isinstance(loop.offset, StringLiteral) and loop.offset.value == "continue"
    offset = tags.expressions.compile(loop.offset) if loop.offset and not goes_on else None
    key = f"loop {loop.identifier} {loop.iterable}"

    def evaluate(frame: Frame) -> Sequence[Any]:
        sequence = iterable(frame)
        start = frame.counters.get(key, 0) if goes_on else 0
        if offset:
            start = max(whole(offset(frame)), 0)
        stop = len(sequence)
        if limit:
            stop = min(stop, start + max(whole(limit(frame)), 0))
        frame.counters[key] = stop
        frame.spend((stop - start) >> 4 if stop > start else 0)
        chosen = sequence[start:stop]
        return chosen[::-1] if loop.reversed else chosen

    return evaluate


def _iterable(tags: Tags, loop: LoopExpression) -> _Sliced:
    if isinstance(loop.iterable, RangeLiteral):
        return tags.expressions.range_bounds(loop.iterable)
    value = tags.expressions.compile(loop.iterable)

    def evaluate(frame: Frame) -> Sequence[Any]:
        found = value(frame)
        if isinstance(found, dict):
            frame.items(len(found))
            return [[name, item] for name, item in found.items()]
        if isinstance(found, list):
            return found
        return [found] if isinstance(found, str) and found else []

    return evaluate


def _place(i: int, length: int) -> dict[str, Any]:
    return {
        "index": i + 1,
        "index0": i,
        "rindex": length - i,
        "rindex0": length - i - 1,
        "first": i == 0,
        "last": i == length - 1,
        "length": length,
    }
