"""A template's source -> python-liquid's tokens, in time linear in its length.

python-liquid's own lexer is one regular expression that takes quadratic time on some sources, such
as `{{` and a hundred thousand spaces. Comments end here, and `{% liquid %}` becomes the tags that
its lines stand for, so that the parser sees text, outputs and tags only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from liquid.token import TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG, Token

from ingle.apps.liquid.bounds import MAX_DEPTH, MAX_MARKUP_CHARS, MAX_SOURCE_CHARS, MAX_TAGS
from ingle.apps.liquid.values import meant
from ingle.errors import TemplateSyntaxError

__all__ = ["tokens"]

_BLOCKS = frozenset({"capture", "case", "for", "if", "ifchanged", "tablerow", "unless"})
_VERBATIM = frozenset({"comment", "doc", "raw"})
_SINGLE = frozenset({"#", "assign", "break", "continue", "cycle", "decrement", "echo", "increment"})
_INSIDE = {
    "else": ("if", "unless", "case", "for"),
    "elsif": ("if", "unless"),
    "when": ("case",),
}
_TAGS = {
    *_BLOCKS,
    *_VERBATIM,
    *_SINGLE,
    *_INSIDE,
    *(f"end{name}" for name in _BLOCKS | _VERBATIM),
    "liquid",
}
_OF_FILES = frozenset({"block", "extends", "include", "layout", "render", "section", "snippet"})
_NAME = re.compile(r"#|\w+")
_ENDS = {name: re.compile(rf"\{{%(-?)\s*end{name}\s*(-?)%\}}") for name in _VERBATIM}
_COMMENT = re.compile(r"\{%-?\s*comment\b")
_LINE = re.compile(r"[^\n]+")
_DEEP = re.compile(r"[\[(]|\b(?:and|or)\b")
_MAX_DEEP = 100  # brackets look ahead to the end of the markup; `and` and `or` nest in the tree


def tokens(source: str) -> Iterator[Token]:
    """The tokens of a template: content; output or tag, each with its expression.

    Raises:
        TemplateSyntaxError: something is not closed, a tag is not known, or the source is larger
            than a template may be.
    """
    if len(source) > MAX_SOURCE_CHARS:
        raise TemplateSyntaxError(
            f"The template has {len(source):,} characters; at most {MAX_SOURCE_CHARS:,} are "
            "possible. Pass long texts in as input."
        )
    if (count := source.count("{{") + source.count("{%")) > MAX_TAGS:
        raise TemplateSyntaxError(
            f"The template has {count:,} tags and outputs; at most {MAX_TAGS:,} are possible. "
            "Use a loop."
        )
    return _Lexer(source).run()


class _Lexer:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._is_stripped = False
        self._open: list[tuple[str, int]] = []

    def run(self) -> Iterator[Token]:
        source = self._source
        while (opening := self._next_opening()) >= 0:
            yield from self._content(opening, strips=source.startswith("-", opening + 2))
            if source.startswith("{{", opening):
                yield from self._output(opening)
            else:
                yield from self._tag(opening)
        yield from self._content(len(source), strips=False)
        if self._open:
            name, at = self._open[-1]
            raise TemplateSyntaxError(f"`{name}` is not closed: `end{name}` is missing.", at)

    def _next_opening(self) -> int:
        output, tag = self._source.find("{{", self._at), self._source.find("{%", self._at)
        return max(output, tag) if min(output, tag) < 0 else min(output, tag)

    def _content(self, end: int, *, strips: bool) -> Iterator[Token]:
        text = self._source[self._at : end]
        if self._is_stripped:
            text = text.lstrip()
        if strips:
            text = text.rstrip()
        if text:
            yield self._token(TOKEN_CONTENT, text, self._at)

    def _output(self, opening: int) -> Iterator[Token]:
        start, markup = self._inside(opening, "}}")
        if not markup:
            raise TemplateSyntaxError("There is nothing between `{{` and `}}`.", opening)
        yield self._token(TOKEN_OUTPUT, markup, opening)
        yield self._expression(markup, start)

    def _tag(self, opening: int) -> Iterator[Token]:
        start, markup = self._inside(opening, "%}")
        name = self._name(markup, start)
        if name in _ENDS:
            yield from self._verbatim(name, opening)
        elif name == "liquid":
            yield from self._lines(markup[len(name) :], start + len(name))
        elif name != "#":
            yield from self._named(name, markup, start)

    def _inside(self, opening: int, close: str) -> tuple[int, str]:
        """What stands up to the closing mark, and where it starts; goes on behind the mark."""
        end = self._source.find(close, opening + 2)
        if end < 0:
            mark = self._source[opening : opening + 2]
            raise TemplateSyntaxError(f"`{mark}` is not closed: `{close}` is missing.", opening)
        self._at = end + 2
        start = opening + 2 + self._source.startswith("-", opening + 2)
        self._is_stripped = end > start and self._source[end - 1] == "-"
        raw = self._source[start : end - self._is_stripped]
        if len(raw) > MAX_MARKUP_CHARS:
            raise TemplateSyntaxError(
                f"What stands between `{self._source[opening : opening + 2]}` and `{close}` has "
                f"{len(raw):,} characters; at most {MAX_MARKUP_CHARS:,} are possible.",
                opening,
            )
        return start + len(raw) - len(raw.lstrip()), raw.strip()

    def _name(self, markup: str, start: int) -> str:
        match = _NAME.match(markup)
        name = match.group() if match else ""
        if name in _OF_FILES:
            raise TemplateSyntaxError(
                f"`{name}` is not possible here: a template stands alone and reads no files. "
                "Make another step of it.",
                start,
            )
        if name not in _TAGS:
            raise TemplateSyntaxError(f"`{name}` is not a tag.{meant(name, sorted(_TAGS))}", start)
        return name

    def _verbatim(self, name: str, opening: int) -> Iterator[Token]:
        """Go on behind the end of a `raw`, `doc` or `comment`; only `raw` gives its text."""
        start, depth, is_stripped = self._at, 1, self._is_stripped
        while depth:
            at = self._at
            end = _ENDS[name].search(self._source, at)
            if not end:
                raise TemplateSyntaxError(
                    f"`{name}` is not closed: `end{name}` is missing.", opening
                )
            depth -= 1
            if name == "comment":
                depth += len(_COMMENT.findall(self._source, at, end.start()))
            self._at, self._is_stripped = end.end(), bool(end.group(2))
            text = self._source[start : end.start()]
            text = text.rstrip() if end.group(1) else text
        if is_stripped:
            text = text.lstrip()
        if name == "raw" and text:
            yield self._token(TOKEN_CONTENT, text, start)

    def _lines(self, markup: str, start: int) -> Iterator[Token]:
        comments: list[int] = []
        for match in _LINE.finditer(markup):
            line = match.group().strip()
            at = start + match.start() + len(match.group()) - len(match.group().lstrip())
            if not line:
                continue
            if comments:
                first = line.split()[0]
                if first == "comment":
                    comments.append(at)
                elif first == "endcomment":
                    comments.pop()
                continue
            name = self._name(line, at)
            if name == "comment":
                comments.append(at)
            elif name in ("raw", "doc", "liquid"):
                raise TemplateSyntaxError(f"`{name}` is not possible inside `liquid`.", at)
            elif name != "#":
                yield from self._named(name, line, at)
        if comments:
            raise TemplateSyntaxError(
                "`comment` is not closed: `endcomment` is missing.", comments[0]
            )

    def _named(self, name: str, markup: str, start: int) -> Iterator[Token]:
        self._balance(name, start)
        yield self._token(TOKEN_TAG, name, start)
        if expression := markup[len(name) :].lstrip():
            yield self._expression(expression, start + len(markup) - len(expression))

    def _balance(self, name: str, start: int) -> None:
        """Keep account of the blocks that are open."""
        inner = self._open[-1][0] if self._open else None
        if name in _BLOCKS:
            self._open.append((name, start))
            if len(self._open) > MAX_DEPTH:
                raise TemplateSyntaxError(
                    f"The tags are nested more than {MAX_DEPTH} levels deep.", start
                )
        elif name.startswith("end"):
            if name != f"end{inner}":
                wanted = f"`end{inner}` is missing before it." if inner else "Nothing is open here."
                raise TemplateSyntaxError(f"`{name}` does not fit. {wanted}", start)
            self._open.pop()
        elif name in _INSIDE and inner not in _INSIDE[name]:
            where = ", ".join(f"`{one}`" for one in _INSIDE[name])
            raise TemplateSyntaxError(f"`{name}` stands inside {where} only.", start)

    def _expression(self, markup: str, start: int) -> Token:
        if len(_DEEP.findall(markup)) > _MAX_DEEP:
            raise TemplateSyntaxError(
                f"This has more than {_MAX_DEEP} brackets, `and` and `or`.", start
            )
        return self._token(TOKEN_EXPRESSION, markup, start)

    def _token(self, kind: str, value: str, start: int) -> Token:
        return Token(kind, value, start, self._source)
