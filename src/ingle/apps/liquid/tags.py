"""The tags of a template -> functions that write what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.cycle_tag import CycleNode
from liquid.builtin.tags.decrement_tag import DecrementNode
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.ifchanged_tag import IfChangedNode
from liquid.builtin.tags.increment_tag import IncrementNode
from liquid.builtin.tags.tablerow_tag import TablerowNode
from liquid.builtin.tags.unless_tag import UnlessNode

from ingle.apps.liquid import compare
from ingle.apps.liquid.bounds import Frame
from ingle.apps.liquid.expressions import Expressions
from ingle.apps.liquid.loops import looped
from ingle.apps.liquid.paths import Evaluate
from ingle.apps.liquid.scope import Scope
from ingle.apps.liquid.values import Path, text
from ingle.errors import TemplateSyntaxError

__all__ = ["Render", "Tags"]

Render: TypeAlias = Callable[[Frame], Literal["break", "continue"] | None]
"""Writes to the frame; says if a loop around it shall end or go on with its next item."""


class Tags:
    """Compiles the nodes of a template, in their order, so that the scope is right at each."""

    def __init__(self, results: Mapping[str, Path]) -> None:
        self.scope = Scope()
        self.expressions = Expressions(self.scope, results)

    def block(self, nodes: Sequence[Node]) -> Render:
        """A function that writes the nodes one after the other."""
        before = self.expressions.size
        parts = [self._node(node) for node in nodes]
        self.expressions.size = before  # what is inside pays for itself

        def render(frame: Frame) -> Literal["break", "continue"] | None:
            for part in parts:
                if signal := part(frame):
                    return signal
            return None

        return render

    def _node(self, node: Node) -> Render:
        """One node, which pays a unit for itself and each part of its expressions."""
        before, offset = self.expressions.size, node.token.start_index
        render = self._tag(node)
        price = 1 + self.expressions.size - before

        def paid(frame: Frame) -> Literal["break", "continue"] | None:
            frame.at = offset
            frame.spend(price)
            return render(frame)

        return paid

    def _tag(self, node: Node) -> Render:
        match node:
            case ContentNode():
                return _writes(node.text)
            case OutputNode():
                return self._output(node)
            case BlockNode():
                return self.inner(node)
            case AssignNode():
                return self._assign(node)
            case CaptureNode():
                return self._capture(node)
            case IfNode() | UnlessNode():
                return self._if(node)
            case CaseNode():
                return self._case(node)
            case ForNode() | TablerowNode():
                return looped(self, node)
            case BreakNode() | ContinueNode():
                return self._interrupt(node)
            case CycleNode():
                return self._cycle(node)
            case IncrementNode() | DecrementNode():
                return _counter(str(node.name), 1 if isinstance(node, IncrementNode) else -1)
            case IfChangedNode():
                return self._if_changed(node)
        raise TemplateSyntaxError(f"`{node.token.value}` is not possible.", node.token.start_index)

    def inner(self, node: BlockNode) -> Render:
        """A block inside a tag. One of nothing but spaces and assignments writes nothing."""
        inner = self.block(node.nodes)
        return _silent(inner) if node.blank else inner

    def _output(self, node: OutputNode) -> Render:
        value = self.expressions.compile(node.expression)

        def render(frame: Frame) -> None:
            frame.write(_written(frame, value(frame)))

        return render

    def _assign(self, node: AssignNode) -> Render:
        value, name = self.expressions.compile(node.expression), str(node.name)
        is_shared = not getattr(node.expression, "filters", None)
        self.scope.assign(name)

        def render(frame: Frame) -> None:
            frame.keep(name, value(frame), is_shared=is_shared)

        return render

    def _capture(self, node: CaptureNode) -> Render:
        inner, name = self.block(node.block.nodes), str(node.name)
        self.scope.assign(name)

        def render(frame: Frame) -> Literal["break", "continue"] | None:
            written, signal = _apart(frame, inner)
            frame.keep(name, written)
            return signal

        return render

    def _if(self, node: IfNode | UnlessNode) -> Render:
        condition = self.expressions.compile(node.condition)
        holds: Evaluate = condition
        if isinstance(node, UnlessNode):
            holds = lambda frame: not condition(frame)  # noqa: E731 -- one of two conditions
        branches = [(holds, self.inner(node.consequence))]
        branches += [self._branch(branch) for branch in node.alternatives]
        otherwise = self.inner(node.default) if node.default else None

        def render(frame: Frame) -> Literal["break", "continue"] | None:
            for is_met, branch in branches:
                if is_met(frame):
                    return branch(frame)
            return otherwise(frame) if otherwise else None

        return render

    def _branch(self, branch: ConditionalBlockNode) -> tuple[Evaluate, Render]:
        return self.expressions.compile(branch.expression), self.inner(branch.block)

    def _case(self, node: CaseNode) -> Render:
        """As in Liquid, every `when` that fits is written, and `else` if none before it did."""
        subject = self.expressions.compile(node.expression, is_optional=True)
        branches: list[tuple[list[Evaluate] | None, Render]] = []
        for branch in node.blocks:
            if isinstance(branch, MultiExpressionBlockNode):
                choices = [
                    self._choice(choice, subject) for choice in branch.expression.expressions
                ]
                branches.append((choices, self.inner(branch.block)))
            else:
                branches.append((None, self.inner(branch)))

        def render(frame: Frame) -> Literal["break", "continue"] | None:
            is_met = False
            for choices, branch in branches:
                if choices is None:
                    fits = not is_met
                else:
                    fits = any(choice(frame) for choice in choices)
                    is_met = is_met or fits
                if fits and (signal := branch(frame)):
                    return signal
            return None

        return render

    def _choice(self, choice: Any, subject: Evaluate) -> Evaluate:  # Any: an expression
        value = self.expressions.compile(choice, is_optional=True)
        return lambda frame: compare.equal(frame, subject(frame), value(frame))

    def _interrupt(self, node: BreakNode | ContinueNode) -> Render:
        signal: Literal["break", "continue"] = (
            "break" if isinstance(node, BreakNode) else "continue"
        )
        if not self.scope.loops:
            raise TemplateSyntaxError(
                f"`{signal}` is only possible inside a loop.", node.token.start_index
            )
        return lambda frame: signal

    def _cycle(self, node: CycleNode) -> Render:
        values = [self.expressions.compile(value) for value in node.args]
        group = self.expressions.compile(node.group) if node.group else None
        own = ", ".join(str(value) for value in node.args)

        def render(frame: Frame) -> None:
            key = f"cycle {own if group is None else _written(frame, group(frame))[:64]}"
            turn = frame.counters.get(key, 0)
            frame.counters[key] = turn + 1
            frame.write(_written(frame, values[turn % len(values)](frame)))

        if not values:
            raise TemplateSyntaxError("`cycle` needs values.", node.token.start_index)
        return render

    def _if_changed(self, node: IfChangedNode) -> Render:
        inner, key = self.block(node.block.nodes), node.token.start_index

        def render(frame: Frame) -> Literal["break", "continue"] | None:
            written, signal = _apart(frame, inner)
            if frame.changed.get(key) != written:
                frame.changed[key] = written
                frame.write(written)
            return signal

        return render


def _writes(content: str) -> Render:
    def render(frame: Frame) -> None:
        frame.write(content)

    return render


def _written(frame: Frame, value: Any) -> str:
    if isinstance(value, list | dict):
        frame.check_length(frame.weigh(value))
    return text(value)


def _counter(name: str, step: int) -> Render:
    key = f"counter {name}"

    def render(frame: Frame) -> None:
        now = frame.counters.get(key, 0) - (step < 0)
        frame.write(str(now))
        frame.counters[key] = now + (step > 0)

    return render


def _apart(frame: Frame, inner: Render) -> tuple[str, Literal["break", "continue"] | None]:
    """What a block writes, without writing it, and its signal."""
    out, room = frame.out, frame.room
    frame.out = []
    signal = inner(frame)
    written = "".join(frame.out)
    frame.out, frame.room = out, room
    return written, signal


def _silent(inner: Render) -> Render:
    return lambda frame: _apart(frame, inner)[1]
