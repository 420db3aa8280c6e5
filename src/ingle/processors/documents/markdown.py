"""HTML as Markdown: headings, paragraphs, lists, tables, links, code. The rest is its text.

Reads any HTML, however broken, in one pass and without a tree, so that depth costs nothing.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from ingle.processors.documents.found import table

__all__ = ["MarkdownWriter"]

_SILENT = frozenset({"script", "style", "template", "noscript", "svg", "math", "iframe"})
# fmt: off
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "details", "dd", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "main", "nav", "p", "section",
    "summary",
})
# fmt: on
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_DEEPEST_LIST = 12
_LONGEST_LINK = 2000

Attributes = list[tuple[str, str | None]]


class MarkdownWriter(HTMLParser):
    """`feed` it HTML, and `take` what there is of Markdown; `title` is the page's own."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: str | None = None
        self._out: list[str] = []
        self._has_text = False  # in the block that is being written
        self._blank_lines = 2
        self._silent: list[str] = []
        self._lists: list[int] = []  # the next number of each, or 0 where items have none
        self._verbatim = 0
        self._links: list[str] = []
        self._titled: list[str] | None = None
        self._rows: list[list[str]] | None = None
        self._tables = 0
        self._cell: list[str] | None = None

    @classmethod
    def written(cls, html: str) -> str:
        """The Markdown of a whole page."""
        writer = cls()
        writer.feed(html)
        writer.close()
        return writer.take()

    def take(self) -> str:
        """What was written since this was last called; a table comes when it has ended."""
        text = "".join(self._out)
        self._out.clear()
        return text

    def close(self) -> None:
        """The page has ended, whatever was left open."""
        super().close()
        self._end_table()
        self._end_block()

    # -- what the parser calls ---------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        """An element begins."""
        if tag == "title":
            self._titled = []
        elif self._silent or tag in _SILENT:
            if tag in _SILENT:
                self._silent.append(tag)
        elif tag in _HEADINGS:
            self._end_block()
            self._mark(f"{_HEADINGS[tag]} ")
        elif tag in _BLOCKS:
            self._end_block()
        elif tag in ("ul", "ol"):
            self._end_block(lines=1 if self._lists else 2)
            self._lists.append(1 if tag == "ol" else 0)
        elif tag == "li":
            self._begin_item()
        elif tag == "pre":
            self._end_block()
            self._verbatim += 1
            self._mark("```\n")
        elif tag in ("table", "tr", "td", "th"):
            self._begin_in_table(tag)
        elif tag == "br":
            self._write(" " if self._cell is not None else "\n")
        elif tag == "hr":
            self._end_block()
            self._mark("---")
            self._end_block()
        elif tag == "a":
            self._links.append(self._target(attrs))
            self._write("[" if self._links[-1] else "")
        elif tag == "img":
            self._write(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        """An element ends, if it had begun."""
        if tag == "title" and self._titled is not None:
            self.title = self.title or " ".join("".join(self._titled).split())
            self._titled = None
        elif self._silent:
            if tag in self._silent:  # what was left open in it ends with it
                del self._silent[self._silent.index(tag) :]
        elif tag in _HEADINGS or tag in _BLOCKS:
            self._end_block()
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
            self._end_block(lines=1 if self._lists else 2)
        elif tag == "pre" and self._verbatim:
            self._verbatim -= 1
            self._write("\n```")
            self._end_block()
        elif tag in ("td", "th", "tr"):
            self._end_cell()
        elif tag == "table":
            self._tables = max(0, self._tables - 1)
            if not self._tables:
                self._end_table()
        elif tag == "a" and self._links and (target := self._links.pop()):
            self._write(f"]({target})")

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        """An element of nothing, such as `<br/>`; others HTML takes as begun."""
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        """Text."""
        if self._titled is not None:
            self._titled.append(data)
        elif not self._silent:
            if not self._verbatim:
                data = re.sub(r"\s+", " ", data)
                if not self._has_text and self._cell is None:
                    data = data.lstrip()
            self._write(data)

    # -- writing -----------------------------------------------------------------------------------

    def _write(self, text: str) -> None:
        if self._cell is not None:
            self._cell.append(text)
        elif text:
            self._out.append(text)
            self._has_text = self._has_text or not text.isspace()
            self._blank_lines = 0

    def _mark(self, text: str) -> None:
        """What stands before a block's text; the text's own first space is none."""
        self._write(text)
        self._has_text = False

    def _end_block(self, lines: int = 2) -> None:
        """See that so many line ends stand before what comes next."""
        if self._cell is not None:
            self._cell.append(" ")
            return
        missing = lines - self._blank_lines
        if missing > 0:
            self._out.append("\n" * missing)
            self._blank_lines = lines
        self._has_text = False

    def _begin_item(self) -> None:
        self._end_block(lines=1)
        depth = min(len(self._lists), _DEEPEST_LIST)
        number = self._lists[-1] if self._lists else 0
        if number:
            self._lists[-1] += 1
        self._mark("  " * max(0, depth - 1) + (f"{number}. " if number else "- "))

    def _begin_in_table(self, tag: str) -> None:
        """A table within a cell is text of that cell."""
        if tag == "table":
            self._tables += 1
            if self._tables == 1:
                self._end_block()
                self._rows = []
        elif self._tables == 1 and self._rows is not None:
            self._end_cell()
            if tag == "tr":
                self._rows.append([])
            else:
                self._cell = []

    def _end_cell(self) -> None:
        if self._cell is not None and self._rows is not None and self._tables <= 1:
            if not self._rows:
                self._rows.append([])
            self._rows[-1].append("".join(self._cell))
            self._cell = None

    def _end_table(self) -> None:
        self._tables = min(self._tables, 1)
        self._end_cell()
        rows, self._rows, self._tables = self._rows, None, 0
        if rows:
            self._write("".join(table(rows)))
            self._blank_lines = 1
            self._end_block()

    def _target(self, attributes: Attributes) -> str:
        """Where a link leads, if that is the web; links within a page and to scripts are text."""
        target = (dict(attributes).get("href") or "").strip()
        is_web = re.match(r"(https?:|mailto:|/[^/])", target, re.IGNORECASE)
        is_plain = not re.search(r"[\s()<>]", target) and len(target) <= _LONGEST_LINK
        return target if is_web and is_plain else ""
