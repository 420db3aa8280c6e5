"""Templates: texts in an app's definition with variables in them, in Liquid.

`{{ answer }}` puts in a value, `{{ a | upcase }}` passes it through a filter, `{% if … %}` and
`{% for … %}` decide and repeat. A template that is nothing but one `{{ … }}` keeps its value's type:
a list stays a list. In the middle of a text, values read as JSON, texts as they are, and null as
nothing.

Strict: a name that is not known is an error, and so is a field that is missing. Only under
`default` and in a condition a missing field counts as null, but the name it begins with must be
known there, too. Bounded: `liquid/bounds.py` says how much a template may do; none reads a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingle.apps.liquid.bounds import MAX_OUTPUT_CHARS, Frame
from ingle.apps.liquid.plain import read_plain, render_parts
from ingle.apps.liquid.scope import Use
from ingle.apps.liquid.values import Path, at, optional
from ingle.errors import TemplateError, TemplateSyntaxError

if TYPE_CHECKING:  # it imports python-liquid, which takes 120 ms
    from ingle.apps.liquid.reader import Program

__all__ = ["Template", "TemplateError", "TemplateSyntaxError", "Use", "is_template", "parse"]

_FALSE = frozenset({"", "false", "no", "0"})
_LONGEST_FALSE = max(map(len, _FALSE))


@dataclass(frozen=True, slots=True)
class Template:
    """A template that has been read.

    `uses` are the variables it reads from outside. `only_variable` is the path of the variable
    that it consists of, if it is nothing else. `parts` are its texts and the paths of its
    variables in their order, if it is nothing else. `gives_text` says whether what it gives is a
    text in any case.
    """

    source: str
    uses: tuple[Use, ...]
    only_variable: Path | None
    parts: tuple[str | Path, ...] | None
    gives_text: bool
    _program: Program | None = field(repr=False, compare=False)

    def render(self, values: Mapping[str, Any], *, max_output_chars: int = MAX_OUTPUT_CHARS) -> Any:
        """The text that it makes with these values, which are JSON, or the value of a lone `{{ … }}`.

        Raises:
            TemplateError: a variable is not there, a filter cannot take its value, or the template
                does or writes more than it may. A lone variable has no bound: it is passed on.
        """
        if self.only_variable is not None:
            return at(values, self.only_variable, self.uses[0].offset)
        return self._carried_out(Frame(values, max_output_chars))

    def truth(self, values: Mapping[str, Any]) -> bool:
        """What it says as a condition: `when` of a step.

        Null, false and a missing field are false, and so are the texts "", "false", "no" and "0"
        (in capitals, too, and with spaces around them), for a text is all that a template beside
        a lone `{{ … }}` can give. All else is true, as in Liquid: also the number 0 and an empty
        list.

        Raises:
            TemplateError: as for `render`.
        """
        value = self._condition(Frame(values))
        if isinstance(value, str):
            said = value.strip()
            return len(said) > _LONGEST_FALSE or said.lower() not in _FALSE
        return value is not None and value is not False

    def _condition(self, frame: Frame) -> Any:
        if self.only_variable is not None and self.only_variable[0] in frame.values:
            root, *rest = self.only_variable
            return optional(frame.values[str(root)], rest)
        return self._carried_out(frame, is_condition=True)

    def _carried_out(self, frame: Frame, *, is_condition: bool = False) -> Any:
        try:
            program = self._program
            if program is None:
                return render_parts(self.parts or (), self.uses, frame)
            value = program.condition if is_condition else program.value
            if value is not None:
                return value(frame)
            program.render(frame)
            return "".join(frame.out)
        except TemplateError as error:
            if error.offset is None:
                error.offset = frame.at
            raise
        except RecursionError as error:
            raise TemplateError("A value here is nested too deep.", frame.at) from error


def parse(source: str, *, results: Mapping[str, Path] | None = None) -> Template:
    """Read a template.

    `results` says of names which path below them they stand for when they stand alone: with
    `{"answer": ("choices", 0, "content")}`, `{{ answer }}` is `answer.choices[0].content`, in
    filters, conditions and loops, too, and that is also the path in `uses`. `answer.id` and
    `answer["id"]` reach below the name itself.

    Raises:
        TemplateSyntaxError: it cannot be read; with the offset in the source where that is known.
    """
    plain = read_plain(source, results or {})
    if plain is not None:
        return _plain(source, *plain)
    from ingle.apps.liquid.reader import read

    program = read(source, results or {})
    if program.parts is not None:
        return _plain(source, program.parts, program.uses)
    return Template(
        source=source,
        uses=program.uses,
        only_variable=None,
        parts=None,
        gives_text=program.value is None,
        _program=program,
    )


def is_template(text: str) -> bool:
    """Whether a text has anything in it that Liquid would carry out."""
    return "{{" in text or "{%" in text


def _plain(source: str, parts: tuple[str | Path, ...], uses: tuple[Use, ...]) -> Template:
    lone = parts[0] if len(parts) == 1 and not isinstance(parts[0], str) else None
    return Template(
        source=source,
        uses=uses,
        only_variable=lone,
        parts=parts,
        gives_text=lone is None,
        _program=None,
    )
