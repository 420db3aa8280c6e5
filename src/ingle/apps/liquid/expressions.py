"""An expression of a template -> a function that gives its value."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from math import inf
from typing import Any, TypeAlias

from liquid.builtin.expressions import (
    BooleanExpression,
    FilteredExpression,
    KeywordArgument,
    Literal,
    Nil,
)
from liquid.builtin.expressions import Path as PathExpression
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LogicalAndExpression,
    LogicalOrExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import Blank, Empty, RangeLiteral
from liquid.expression import Expression

from ingle.apps.liquid import compare
from ingle.apps.liquid.bounds import MAX_DEPTH, Frame
from ingle.apps.liquid.filters.rule import Rule
from ingle.apps.liquid.filters.table import FILTERS
from ingle.apps.liquid.numbers import whole
from ingle.apps.liquid.paths import Evaluate, constant, dynamic, reader
from ingle.apps.liquid.scope import Scope, Use
from ingle.apps.liquid.values import Path, meant, path_text
from ingle.errors import TemplateError, TemplateSyntaxError

__all__ = ["Evaluate", "Expressions"]

_Stage: TypeAlias = Callable[[Frame, Any], Any]

_COMPARISONS: Mapping[type[Expression], Callable[[Frame, Any, Any], bool]] = {
    ContainsExpression: compare.contains,
    EqExpression: compare.equal,
    NeExpression: lambda frame, left, right: not compare.equal(frame, left, right),
    LtExpression: lambda frame, left, right: compare.less(left, right),
    GtExpression: lambda frame, left, right: compare.less(right, left),
    LeExpression: lambda frame, left, right: compare.less(left, right, or_equal=True),
    GeExpression: lambda frame, left, right: compare.less(right, left, or_equal=True),
}


class Expressions:
    """Compiles expressions, notes what they use, and counts their parts (`size`).

    `is_optional` says of an expression that a field that is missing there is null: so in
    conditions and before `default`. A root that is not known is always an error.
    """

    def __init__(self, scope: Scope, results: Mapping[str, Path]) -> None:
        self.size = 0
        self._scope = scope
        self._results = results
        self._depth = 0

    def compile(self, expression: Expression, *, is_optional: bool = False) -> Evaluate:
        """A function that gives the expression's value.

        Raises:
            TemplateSyntaxError: a filter is not known or has the wrong arguments, or the
                expression is nested too deep.
        """
        self.size += 1
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TemplateSyntaxError(
                f"This expression is nested more than {MAX_DEPTH} levels deep.",
                expression.token.start_index,
            )
        try:
            return self._compile(expression, is_optional=is_optional)
        finally:
            self._depth -= 1

    def _compile(self, expression: Expression, *, is_optional: bool) -> Evaluate:
        match expression:
            case PathExpression():
                return self._path(expression, is_optional=is_optional)
            case FilteredExpression():
                return self._filtered(expression, is_optional=is_optional)
            case BooleanExpression():
                inner = self.compile(expression.expression, is_optional=True)
                return lambda frame: compare.is_true(inner(frame))
            case Nil():
                return lambda frame: None
            case Empty() | Blank():
                return lambda frame: ""
            case Literal():
                return constant(_checked(expression))
            case RangeLiteral():
                return self._range(expression)
            case LogicalAndExpression() | LogicalOrExpression():
                return self._logical(expression)
            case _ if type(expression) in _COMPARISONS:
                return self._comparison(expression)
        raise TemplateSyntaxError(
            f"`{expression}` is not possible here.", expression.token.start_index
        )

    def lone_path(self, expression: Expression) -> Path | None:
        """The path from outside that an expression is, if it is nothing else and wholly fixed."""
        if isinstance(expression, FilteredExpression) and not expression.filters:
            expression = expression.left
        if not isinstance(expression, PathExpression):
            return None
        path = self._fixed(expression)
        is_whole = len(path) == len(expression.path)
        return self._full(path) if is_whole and self._scope.slot(str(path[0])) is None else None

    def _fixed(self, expression: PathExpression) -> Path:
        """The parts of a path up to the first that is itself a variable."""
        fixed: list[str | int] = []
        for part in expression.path:
            if not isinstance(part, str | int):
                break
            fixed.append(part)
        if not fixed or not isinstance(fixed[0], str):
            raise TemplateSyntaxError(
                "A variable begins with a name, such as `answer`.", expression.token.start_index
            )
        return tuple(fixed)

    def _full(self, path: Path) -> Path:
        return path + self._results.get(str(path[0]), ()) if len(path) == 1 else path

    def _path(self, expression: PathExpression, *, is_optional: bool) -> Evaluate:
        offset = expression.token.start_index
        fixed = self._fixed(expression)
        root = str(fixed[0])
        slot = self._scope.slot(root)
        if slot is None:
            if len(fixed) == len(expression.path):
                fixed = self._full(fixed)
            self._scope.uses.append(Use(fixed, offset))
        rest = [
            self.compile(part) if isinstance(part, PathExpression) else constant(part)
            for part in expression.path[len(fixed) :]
        ]
        base = reader(fixed, slot, offset, is_optional)
        return dynamic(base, path_text(fixed), rest, offset, is_optional) if rest else base

    def _range(self, expression: RangeLiteral) -> Evaluate:
        bounds = self.range_bounds(expression)

        def evaluate(frame: Frame) -> list[int]:
            numbers = bounds(frame)
            frame.items(len(numbers))
            return list(numbers)

        return evaluate

    def range_bounds(self, expression: RangeLiteral) -> Callable[[Frame], range]:
        """A function that gives the numbers of `(a..b)`, as yet unmade."""
        start, stop = self.compile(expression.start), self.compile(expression.stop)
        offset = expression.token.start_index

        def evaluate(frame: Frame) -> range:
            first, last = whole(start(frame), offset), whole(stop(frame), offset)
            if last - first >= sys.maxsize:  # what len() can say
                raise TemplateError("This range is longer than any loop.", offset)
            return range(first, max(first, last + 1))

        return evaluate

    def _logical(self, expression: LogicalAndExpression | LogicalOrExpression) -> Evaluate:
        left = self.compile(expression.left, is_optional=True)
        right = self.compile(expression.right, is_optional=True)
        is_true = compare.is_true
        if isinstance(expression, LogicalAndExpression):
            return lambda frame: is_true(left(frame)) and is_true(right(frame))
        return lambda frame: is_true(left(frame)) or is_true(right(frame))

    def _comparison(self, expression: Any) -> Evaluate:  # Any: a pair of expressions
        for one, other in (
            (expression.left, expression.right),
            (expression.right, expression.left),
        ):
            if isinstance(one, Empty | Blank) and isinstance(
                expression, EqExpression | NeExpression
            ):
                value = self.compile(other, is_optional=True)
                is_it = compare.is_blank if isinstance(one, Blank) else compare.is_empty
                if isinstance(expression, EqExpression):
                    return lambda frame: is_it(value(frame))
                return lambda frame: not is_it(value(frame))
        left = self.compile(expression.left, is_optional=True)
        right = self.compile(expression.right, is_optional=True)
        holds, offset = _COMPARISONS[type(expression)], expression.token.start_index

        def evaluate(frame: Frame) -> bool:
            try:
                return holds(frame, left(frame), right(frame))
            except TemplateError as error:
                _locate(error, offset)
                raise

        return evaluate

    def _filtered(self, expression: FilteredExpression, *, is_optional: bool) -> Evaluate:
        filters = expression.filters or []
        last_default = max(
            (i for i, one in enumerate(filters) if one.name == "default"), default=-1
        )
        left = self.compile(expression.left, is_optional=is_optional or last_default >= 0)
        stages = [
            self._default(one, is_optional=is_optional or i < last_default)
            if one.name == "default"
            else self._filter(one, skips_null=i < last_default)
            for i, one in enumerate(filters)
        ]
        if not stages:
            return left

        def evaluate(frame: Frame) -> Any:
            value = left(frame)
            for stage in stages:
                value = stage(frame, value)
            return value

        return evaluate

    def _filter(self, one: Filter, *, skips_null: bool) -> _Stage:
        apply = _rule(one).apply
        arguments = [self.compile(argument.value) for argument in one.args]
        offset = one.token.start_index

        def stage(frame: Frame, left: Any) -> Any:
            if skips_null and left is None:
                return None
            try:
                return apply(frame, left, *[argument(frame) for argument in arguments])
            except TemplateError as error:
                _locate(error, offset)
                raise

        return stage

    def _default(self, one: Filter, *, is_optional: bool) -> _Stage:
        """`default` gives its argument for null, false and what is empty, and only then reads it."""
        _rule(one)
        other, keeps_false = constant(""), constant(False)
        for argument in one.args:
            if isinstance(argument, KeywordArgument):
                keeps_false = self.compile(argument.value)
            else:
                other = self.compile(argument.value, is_optional=is_optional)

        def stage(frame: Frame, left: Any) -> Any:
            if left is False and compare.is_true(keeps_false(frame)):
                return left
            return other(frame) if left is None or left is False or compare.is_empty(left) else left

        return stage


def _rule(one: Filter) -> Rule:
    """The rule of a filter, after its arguments were counted."""
    offset = one.token.start_index
    if one.name not in FILTERS:
        hint = meant(one.name, FILTERS) or f" There are: {', '.join(sorted(FILTERS))}."
        raise TemplateSyntaxError(f"`{one.name}` is not a filter.{hint}", offset)
    rule = FILTERS[one.name]
    named = {argument.name for argument in one.args if isinstance(argument, KeywordArgument)}
    if wrong := sorted(named - rule.keywords):
        raise TemplateSyntaxError(f"The filter `{one.name}` takes no `{wrong[0]}:`.", offset)
    count = len(one.args) - len(named)
    if not rule.least <= count <= rule.most:
        few, many = rule.least, rule.most
        wanted = str(many) if few == many else f"{few} to {many}"
        raise TemplateSyntaxError(
            f"After its colon the filter `{one.name}` takes {wanted} "
            f"value{'s' * (many != 1)}, and got {count}.",
            offset,
        )
    return rule


def _checked(literal: Any) -> Any:  # Any: a literal of any type
    if literal.value in (inf, -inf):
        raise TemplateSyntaxError("This number is too large.", literal.token.start_index)
    return literal.value


def _locate(error: TemplateError, offset: int) -> None:
    """Let the error say where, if it does not yet."""
    if error.offset is None:
        error.offset = offset
