"""A template's source -> what it does, through python-liquid's parser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from liquid import Environment
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.output import OutputNode
from liquid.exceptions import LiquidError
from liquid.parser import Parser
from liquid.stream import TokenStream

from ingle.apps.liquid.bounds import MAX_DEPTH
from ingle.apps.liquid.expressions import Expressions
from ingle.apps.liquid.lexer import tokens
from ingle.apps.liquid.paths import Evaluate
from ingle.apps.liquid.scope import Scope, Use
from ingle.apps.liquid.tags import Render, Tags
from ingle.apps.liquid.values import Path
from ingle.errors import TemplateSyntaxError

__all__ = ["Program", "read"]


@dataclass(frozen=True, slots=True)
class Program:
    """What a template does.

    `parts` is there if it is nothing but text and plain variables. `value` is there if it is
    nothing but one `{{ … }}`, and `condition` is the same where a missing field is null.
    """

    uses: tuple[Use, ...]
    parts: tuple[str | Path, ...] | None
    render: Render
    value: Evaluate | None
    condition: Evaluate | None


def read(source: str, results: Mapping[str, Path]) -> Program:
    """What a template does. `results` are paths that bare names stand for.

    Raises:
        TemplateSyntaxError: the source is no template, or more than one may be.
    """
    stream = TokenStream(tokens(source))
    try:
        nodes = Parser(_environment()).parse(stream)
    except LiquidError as error:
        offset = error.token.start_index if error.token else -1
        # The end of an expression has no place of its own.
        at = offset if offset >= 0 else stream.tokens[stream.pos - 1].start_index
        raise TemplateSyntaxError(_sentence(error), at) from error
    except RecursionError as error:
        raise TemplateSyntaxError("This template is nested too deep.") from error
    tags = Tags(results)
    render = tags.block(nodes)
    lone = _lone(nodes)
    alone = Expressions(Scope(), results)
    return Program(
        uses=tuple(tags.scope.uses),
        parts=_parts(nodes if lone is None else [lone], tags.expressions),
        render=render,
        value=alone.compile(lone.expression) if lone else None,
        condition=alone.compile(lone.expression, is_optional=True) if lone else None,
    )


class _Environment(Environment):
    block_nesting_limit = MAX_DEPTH + 1


@cache
def _environment() -> Environment:
    return _Environment()


def _sentence(error: LiquidError) -> str:
    said = str(error.message)
    return f"{said[:1].upper()}{said[1:]}."


def _lone(nodes: Sequence[Node]) -> OutputNode | None:
    """The one output that a template consists of; spaces around it do not count."""
    match [node for node in nodes if not (isinstance(node, ContentNode) and node.blank)]:
        case [OutputNode() as output]:
            return output
    return None


def _parts(nodes: Sequence[Node], expressions: Expressions) -> tuple[str | Path, ...] | None:
    parts: list[str | Path] = []
    for node in nodes:
        part = _part(node, expressions)
        if part is None:
            return None
        parts.append(part)
    return tuple(parts)


def _part(node: Node, expressions: Expressions) -> str | Path | None:
    if isinstance(node, ContentNode):
        return node.text
    return expressions.lone_path(node.expression) if isinstance(node, OutputNode) else None
