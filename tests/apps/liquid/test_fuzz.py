"""Whatever a template says, and whatever the values are, it ends soon: in a value or in our error."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.apps.liquid.filters.table import FILTERS
from ingle.apps.liquid.plain import read_plain
from ingle.apps.liquid.reader import read
from ingle.apps.template import Template, TemplateError, parse

NAMES = ["a", "b", "c", "input", "step", "forloop", "_x"]
EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1", "-2.5", "2024-03-01", "[1,", "%41", "<b>", "a,b c"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*NAMES, "size", "first"]), inner, max_size=4)
    ),
    max_leaves=12,
)
roots = st.fixed_dictionaries(dict.fromkeys(NAMES[:5], json_values))

names = st.sampled_from(NAMES)
paths = st.builds(
    lambda root, rest: root + "".join(rest),
    names,
    st.lists(
        st.sampled_from([".a", ".b", ".size", ".first", ".last", "[0]", "[-1]", "['a']", "[b]", "[c.a]"]),
        max_size=3,
    ),
)  # fmt: skip
literals = st.sampled_from(
    [
        "1",
        "-3",
        "2.5",
        "0",
        "'x'",
        "''",
        '"a,b"',
        "true",
        "false",
        "nil",
        "empty",
        "blank",
        "100000",
        "99999999999999999999",
        "'%Y'",
        "'%9d'",
        "'now'",
        "(1..3)",
        "(a..b)",
        "(1..9999999)",
    ]
)
primitives = paths | literals
filters = st.builds(
    lambda name, arguments: name + (": " + ", ".join(arguments) if arguments else ""),
    st.sampled_from(sorted(FILTERS)),
    st.lists(primitives, max_size=2),
)
filtered = st.builds(
    lambda left, stages: " | ".join([left, *stages]), primitives, st.lists(filters, max_size=3)
)
conditions = st.builds(
    lambda left, rest: left + "".join(f" {operator} {right}" for operator, right in rest),
    primitives,
    st.lists(
        st.tuples(
            st.sampled_from(["==", "!=", "<", ">", "<=", ">=", "<>", "contains", "and", "or"]),
            primitives,
        ),
        max_size=3,
    ),
)


def _tags(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    text = inner
    return st.one_of(
        st.builds("{{% if {} %}}{}{{% elsif {} %}}{}{{% else %}}{}{{% endif %}}".format, conditions, text, conditions, text, text),
        st.builds("{{% unless {} %}}{}{{% endunless %}}".format, conditions, text),
        st.builds("{{% for {} in {} %}}{}{{% else %}}{}{{% endfor %}}".format, names, primitives, text, text),
        st.builds("{{% for {} in {} limit: {} offset: {} reversed %}}{}{{% endfor %}}".format, names, primitives, primitives, primitives, text),
        st.builds("{{% for a in (1..1000) %}}{}{{% break %}}{{% continue %}}{{% endfor %}}".format, text),
        st.builds("{{% tablerow {} in {} cols: {} %}}{}{{% endtablerow %}}".format, names, primitives, primitives, text),
        st.builds("{{% case {} %}}{{% when {}, {} %}}{}{{% else %}}{}{{% endcase %}}".format, primitives, primitives, primitives, text, text),
        st.builds("{{% capture {} %}}{}{{% endcapture %}}".format, names, text),
        st.builds("{{% ifchanged %}}{}{{% endifchanged %}}".format, text),
        st.builds("{}{}".format, text, text),
    )  # fmt: skip


templates = st.recursive(
    st.one_of(
        st.builds("{{{{ {} }}}}".format, filtered),
        st.builds("{{{{- {} -}}}}".format, filtered),
        st.builds("{{% assign {} = {} %}}".format, names, filtered),
        st.builds("{{% cycle {}, {} %}}".format, primitives, primitives),
        st.builds("{{% increment {} %}}".format, names),
        st.builds("{{% liquid\n echo {}\n assign a = {}\n%}}".format, filtered, filtered),
        st.sampled_from([" ", "text", "\n", "{% raw %}{{ {% endraw %}", "{% comment %}{% endcomment %}"]),
    ),
    _tags,
    max_leaves=8,
)  # fmt: skip
scraps = st.lists(
    st.sampled_from(
        [
            "{{",
            "}}",
            "{%",
            "%}",
            "-",
            "if",
            "endif",
            "for",
            "endfor",
            "raw",
            "endraw",
            "comment",
            "endcomment",
            "liquid",
            "a",
            ".b",
            "[",
            "]",
            "(",
            ")",
            "..",
            "|",
            ":",
            ",",
            "'",
            '"',
            "1",
            "in",
            "assign",
            "=",
            "==",
            "and",
            "case",
            "when",
            "capture",
            "#",
            "cycle",
            "é",
            "\x00",
        ]
    )
    | st.sampled_from([" ", "\n"]),
    max_size=25,
).map("".join)


def _check_offset(error: TemplateError, source: str) -> None:
    assert error.offset is not None
    assert 0 <= error.offset <= len(source)


def _render(template: Template, values: dict[str, Any]) -> None:
    """Render and judge, and see that what comes is JSON."""
    for call in (template.render, template.truth):
        try:
            result = call(values)
        except TemplateError as error:
            _check_offset(error, template.source)
        else:
            json.dumps(result)


@EXAMPLES
@given(source=templates, values=roots)
def test_any_template_ends_in_a_value_or_in_our_error(source: str, values: dict[str, Any]) -> None:
    """Templates put together from the whole grammar raise nothing but TemplateError."""
    try:
        template = parse(source, results={"step": ("a", 0)})
    except TemplateError as error:
        _check_offset(error, source)
        return
    _render(template, values)
    known = {use.path[0] for use in template.uses}
    assert known <= set(NAMES)


@EXAMPLES
@given(source=scraps | st.text(max_size=40), values=roots)
def test_any_source_is_read_or_refused(source: str, values: dict[str, Any]) -> None:
    """Scraps of Liquid, and any text at all, raise nothing but TemplateError."""
    try:
        template = parse(source)
    except TemplateError as error:
        _check_offset(error, source)
        return
    _render(template, values)


@EXAMPLES
@given(
    pieces=st.lists(
        st.sampled_from(["{{ a }}", "{{step}}", "{{ a.b[0].c }}", "{{\nb.size }}", " ", "x", "{", "}"])
        | st.text("ab }{.[]0-\n", max_size=6),
        max_size=6,
    )
)  # fmt: skip
def test_the_short_way_of_reading_is_the_same(pieces: list[str]) -> None:
    """What is read without python-liquid is read by it with the same parts and the same uses."""
    source = "".join(pieces)
    results = {"step": ("a", 0)}
    plain = read_plain(source, results)
    if plain is not None:
        program = read(source, results)
        assert plain == (program.parts, program.uses)
