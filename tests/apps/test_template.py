"""Templates: what they give, what they read, and how they say what is wrong."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from ingle.apps.template import (
    Template,
    TemplateError,
    TemplateSyntaxError,
    is_template,
    parse,
)

ANSWER = ("choices", 0, "content")
RESULTS = {"answer": ANSWER}
VALUES = {
    "input": {
        "question": "Why?",
        "tags": ["a", "b"],
        "count": 3,
        "none": None,
        "yes": True,
        "person": {"first": "Ada", "_id": 7, "__class__": "text"},
    },
    "answer": {"choices": [{"content": "Because."}], "id": "x1"},
}


def read(source: str) -> Template:
    return parse(source, results=RESULTS)


def rendered(source: str, **more: Any) -> Any:
    return read(source).render(VALUES | more)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ input.tags }}", ["a", "b"]),
        ("\n  {{input.tags}}\n", ["a", "b"]),
        ("{{- input.count -}}", 3),
        ("{{ input.none }}", None),
        ("{{ input.yes }}", True),
        ("{{ input.person }}", {"first": "Ada", "_id": 7, "__class__": "text"}),
        ("{{ input.count | plus: 1 }}", 4),
        ("{{ input.tags | reverse }}", ["b", "a"]),
        ("{{ input.tags | tojson }}", '["a", "b"]'),
        ("{{ (1..3) }}", [1, 2, 3]),
        ("{{ true }}", True),
    ],
)
def test_a_lone_expression_keeps_its_type(source: str, value: object) -> None:
    """What is nothing but one `{{ … }}` gives a value, whatever spaces are around it."""
    result = rendered(source)
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("Q: {{ input.question }}", "Q: Why?"),
        ("{{ input.tags }}!", '["a", "b"]!'),
        ("{{ input.person }} ", {"first": "Ada", "_id": 7, "__class__": "text"}),
        (
            ".{{ input.person }}",
            '.{"first": "Ada", "_id": 7, "__class__": "text"}',
        ),
        ("{{ input.yes }} {{ input.none }} {{ input.count }}", "true  3"),
        (".{{ input.none }}.{% if input.yes %}{{ input.none }}{% endif %}.", "..."),
        ("{{ none_in }}!", '{"a": [null]}!'),
        ("{% if input.yes %}{{ input.tags }}{% endif %}", '["a", "b"]'),
        ("é{{ umlaut }}", 'é{"ö": "ü"}'),
    ],
)
def test_values_in_a_text_read_as_json(source: str, text: object) -> None:
    """Lists, objects and booleans stand in a text as JSON, never as Python writes them. Null is
    nothing there, as in Liquid; only inside a list or an object it is written."""
    assert rendered(source, umlaut={"ö": "ü"}, none_in={"a": [None]}) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ answer }}", "Because."),
        ("> {{ answer }}", "> Because."),
        ("{{ answer | upcase }}", "BECAUSE."),
        ("{% if answer contains 'cause' %}y{% endif %}", "y"),
        ("{% assign a = answer %}{{ a }}!", "Because.!"),
        ("{% for a in answer %}{{ a }}{% endfor %}", "Because."),
        ("{{ 'x' | append: answer }}", "xBecause."),
        ("{{ answer.id }}", "x1"),
        ("{{ answer['id'] }}", "x1"),
        ("{{ answer.choices[0].content }}", "Because."),
        ("{% assign answer = 'own' %}{{ answer }}.", "own."),
        ("{% for answer in input.tags %}{{ answer }}{% endfor %}{{ answer }}", "abBecause."),
    ],
)
def test_a_bare_name_stands_for_its_result(source: str, text: str) -> None:
    """`answer` alone is the value at its result's path; with more behind it, its output."""
    assert rendered(source) == text


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ("{{ a.b[0].c }}", [(("a", "b", 0, "c"), 3)]),
        ("{{ answer }} {{ answer.id }}", [(("answer", *ANSWER), 3), (("answer", "id"), 16)]),
        ("{% assign x = a | append: b.c %}{{ x }}", [(("a",), 14), (("b", "c"), 26)]),
        ("{% capture x %}{{ x }}{% endcapture %}{{ x }}", [(("x",), 18)]),
        ("{% assign x = x %}{{ x }}", [(("x",), 14)]),
        ("{% for i in a %}{{ i.b }}{{ forloop.index }}{% endfor %}{{ i }}", [(("a",), 12), (("i",), 59)]),
        ("{% if a and b == c.d %}{% elsif e %}{% endif %}", [(("a",), 6), (("b",), 12), (("c", "d"), 17), (("e",), 32)]),
        ("{% unless a %}{% endunless %}{% case b %}{% when c %}{% endcase %}", [(("b",), 37), (("c",), 49), (("a",), 10)]),
        ("{{ a[b.c].d }}", [(("a",), 3), (("b", "c"), 5)]),
        ("{% for i in (a..b) limit: c %}{% endfor %}", [(("a",), 13), (("b",), 16), (("c",), 26)]),
        ("{{ a | default: b }}", [(("a",), 3), (("b",), 16)]),
        ("{% liquid\necho a\n%}", [(("a",), 15)]),
        ("{% comment %}{{ a }}{% endcomment %}{% raw %}{{ b }}{% endraw %}", []),
        ("{{ 'a' }}{% increment a %}", []),
        ("{% cycle g: a, b %}{% tablerow i in c %}{{ i }}{% endtablerow %}", [(("a",), 12), (("b",), 15), (("g",), 9), (("c",), 36)]),
    ],
)  # fmt: skip
def test_uses_are_what_is_read_from_outside(
    source: str, uses: list[tuple[tuple[str | int, ...], int]]
) -> None:
    """Every variable from outside is there with its place; the template's own names are not."""
    assert sorted((u.path, u.offset) for u in read(source).uses) == sorted(uses, key=str)


@pytest.mark.parametrize(
    ("source", "only", "parts"),
    [
        ("{{ a.b }}", ("a", "b"), (("a", "b"),)),
        ("{{ answer }}", ("answer", *ANSWER), (("answer", *ANSWER),)),
        (" {{ a['b c'][-1] }}\n", ("a", "b c", -1), (("a", "b c", -1),)),
        ("x{{ a }}{{ b }} y", None, ("x", ("a",), ("b",), " y")),
        ("x {{- a }} ", None, ("x", ("a",), " ")),
        ("just text", None, ("just text",)),
        ("", None, ()),
        ("{{ a | upcase }}", None, None),
        ("{{ a[b] }}", None, None),
        ("{{ 'a' }}", None, None),
        ("{% if a %}{{ b }}{% endif %}", None, None),
    ],
)
def test_parts_of_a_plain_template(
    source: str,
    only: tuple[str | int, ...] | None,
    parts: tuple[str | tuple[str | int, ...], ...] | None,
) -> None:
    """What is only text and variables says so, so that it can be written as its steps stream."""
    template = read(source)
    assert (template.only_variable, template.parts) == (only, parts)


@pytest.mark.parametrize(
    ("source", "gives_text"),
    [
        ("a {{ b }}", True),
        ("{% if a %}1{% endif %}", True),
        ("{{ a }}", False),
        ("{{ a | size }}", False),
    ],
)
def test_gives_text(source: str, gives_text: bool) -> None:
    """Only a lone expression can give something else than a text."""
    assert read(source).gives_text is gives_text


@pytest.mark.parametrize(
    ("source", "offset", "message"),
    [
        (
            "{{ anwser }}",
            3,
            "`anwser` is not known here. Did you mean `answer`? There are: input, answer.",
        ),
        (
            "{% if inptu.x %}{% endif %}",
            6,
            "`inptu` is not known here. Did you mean `input`? There are: input, answer.",
        ),
        (
            "{{ zzz | default: 'x' }}",
            3,
            "`zzz` is not known here. There are: input, answer.",
        ),
        (
            "a {{ input.quesion }}",
            5,
            (
                "`input.quesion` is not there: `input` has no field `quesion`. Did you mean "
                "`question`? Where it may be missing, write `| default: …` or ask with {% if … %}."
            ),
        ),
        (
            "{{ answer.choices[2].content | upcase }}",
            3,
            (
                "`answer.choices[2].content` is not there: `answer.choices` is a list with 1 item. "
                "Where it may be missing, write `| default: …` or ask with {% if … %}."
            ),
        ),
        (
            "{{ input.question.x }}",
            3,
            (
                "`input.question.x` is not there: `input.question` is a text, and has no fields. "
                "Where it may be missing, write `| default: …` or ask with {% if … %}."
            ),
        ),
        ("{% for i in input.x %}{% endfor %}", 12, "`input.x` is not there"),
        ("{% assign x = input.x %}", 14, "`input.x` is not there"),
        ("{{ 'a' | append: input.x }}", 17, "`input.x` is not there"),
        ("{{ input.tags[input.count] }}", 3, "`input.tags[3]` is not there"),
        (
            "{% if false %}{% assign x = 1 %}{% endif %}{{ x }}",
            46,
            "`x` has no value yet: the tag that gives it one did not run.",
        ),
        (
            "{{ input.question | plus: 1 }}",
            20,
            "A number is needed here, and this is the text 'Why?'.",
        ),
        ("ab {{ 1 | divided_by: 0 }}", 10, "Nothing can be divided by 0."),
        ("{% if input.tags < 3 %}{% endif %}", 17, "A list and a number have no order."),
    ],
)
def test_what_is_not_there_is_an_error(source: str, offset: int, message: str) -> None:
    """An unknown name or a missing field is never empty text; the error says what and where."""
    with pytest.raises(TemplateError) as caught:
        rendered(source)
    assert caught.value.message.startswith(message)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ input.x | default: 'd' }}", "d"),
        ("{{ input.x.y[3] | default: 'd' }}", "d"),
        ("{{ input.none | default: 'd' }}", "d"),
        ("{{ input.x | upcase | default: 'd' }}", "d"),
        ("{{ input.x | default: input.y | default: input.count }}", 3),
        ("{{ input.count | default: input.x }}", 3),
        ("{{ input.x | default }}", ""),
        ("{{ false | default: 'd' }}", "d"),
        ("{{ false | default: 'd', allow_false: true }}", False),
        ("{{ 0 | default: 'd' }}", 0),
        ("{% if input.x %}a{% else %}b{% endif %}", "b"),
        ("{% if input.x.y == nil %}a{% endif %}", "a"),
        ("{% if input.x > 3 %}a{% else %}b{% endif %}", "b"),
        ("{% if input.x contains 'a' or input.yes %}a{% endif %}", "a"),
        ("{% unless input.x %}a{% endunless %}", "a"),
        ("{% case input.x %}{% when 'a' %}a{% else %}b{% endcase %}", "b"),
        ("{% if input.x == blank %}a{% endif %}", "a"),
    ],
)
def test_a_missing_field_is_null_under_default_and_in_conditions(
    source: str, value: object
) -> None:
    """There, and only there, a field may be missing."""
    assert rendered(source) == value


@pytest.mark.parametrize(
    ("source", "offset", "message"),
    [
        ("a {{ b", 2, "`{{` is not closed: `}}` is missing."),
        ("a {% if b", 2, "`{%` is not closed: `%}` is missing."),
        ("{{ }}", 0, "There is nothing between `{{` and `}}`."),
        ("{% if a %}", 3, "`if` is not closed: `endif` is missing."),
        ("{% for a in b %}{% endif %}", 19, "`endif` does not fit. `endfor` is missing before it."),
        ("{% endif %}", 3, "`endif` does not fit. Nothing is open here."),
        ("{% else %}", 3, "`else` stands inside `if`, `unless`, `case`, `for` only."),
        ("{% raw %}", 0, "`raw` is not closed: `endraw` is missing."),
        ("{% comment %}", 0, "`comment` is not closed: `endcomment` is missing."),
        ("{% fro a in b %}", 3, "`fro` is not a tag. Did you mean `for`?"),
        ("{% include 'x' %}", 3, "`include` is not possible here: a template stands alone and reads no files. Make another step of it."),
        ("{% render 'x' %}", 3, "`render` is not possible here"),
        ("{% extends 'x' %}", 3, "`extends` is not possible here"),
        ("{{ a | upcas }}", 7, "`upcas` is not a filter. Did you mean `upcase`?"),
        ("{{ a | qqqqqqq }}", 7, "`qqqqqqq` is not a filter. There are: abs, append, "),
        ("{{ a | replace }}", 7, "After its colon the filter `replace` takes 1 to 2 values, and got 0."),
        ("{{ a | upcase: 1 }}", 7, "After its colon the filter `upcase` takes 0 values, and got 1."),
        ("{{ a | append: x: 1 }}", 7, "The filter `append` takes no `x:`."),
        ("{{ a + b }}", 5, "Unexpected '+'."),
        ("x {{ a | }}", 2, "Expected word, found end of expression."),
        ("{{ a b }}", 5, "Expected end of expression, found word."),
        ("{% if a = b %}{% endif %}", 8, "Expected end of expression, found '='."),
        ("{% break %}", 3, "`break` is only possible inside a loop."),
        ("{{ [a] }}", 3, "A variable begins with a name, such as `answer`."),
        ("{% liquid\n fro\n%}", 11, "`fro` is not a tag."),
        ("{% liquid\n comment\n x %}", 11, "`comment` is not closed"),
        ("{% liquid\n raw\n%}", 11, "`raw` is not possible inside `liquid`."),
    ],
)  # fmt: skip
def test_what_cannot_be_read(source: str, offset: int, message: str) -> None:
    """A template that is no Liquid is refused when it is read, with the place and the reason."""
    with pytest.raises(TemplateSyntaxError) as caught:
        parse(source)
    assert caught.value.message.startswith(message)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        (True, True),
        (False, False),
        (None, False),
        ("yes", True),
        ("", False),
        ("  \n", False),
        ("false", False),
        (" False ", False),
        ("NO", False),
        ("0", False),
        ("nothing", True),
        (0, True),
        (1, True),
        ([], True),
        ({}, True),
    ],
)
def test_truth(value: object, truth: bool) -> None:
    """Null, false and the texts that say no are false; all else is true, as in Liquid."""
    assert parse("{{ a }}").truth({"a": value}) is truth
    assert parse("{{ a.b }}").truth({"a": {"b": value}}) is truth
    if isinstance(value, str):
        assert parse("{{ a }}{{ b }}").truth({"a": value, "b": ""}) is truth


def test_truth_of_more_than_a_variable() -> None:
    """A field may be missing, a name may not; a text is judged by what it says."""
    assert read("{{ input.x }}").truth(VALUES) is False
    assert read("{{ input.x | downcase }}").truth(VALUES) is False
    assert (
        read("{{ input.tags | has: 'x' | default: 1 }}" if False else "{{ input.x.y }}").truth(
            VALUES
        )
        is False
    )
    assert read("{% if input.count > 2 %}yes{% endif %}").truth(VALUES) is True
    assert read("{% if input.count > 3 %}yes{% endif %}").truth(VALUES) is False
    with pytest.raises(TemplateError, match="`inptu` is not known here"):
        read("{{ inptu }}").truth(VALUES)


def test_python_objects_have_no_attributes() -> None:
    """A name that Python knows is a key like any other; nothing of an object can be reached."""
    assert rendered("{{ input.person.__class__ }} {{ input.person._id }}") == "text 7"
    for path in ("input.__class__", "input.tags.append", "input.question.upper", "input.keys"):
        with pytest.raises(TemplateError, match="is not there"):
            rendered("{{ " + path + " }}")
    with pytest.raises(TemplateError, match="cannot be written as JSON"):
        rendered("x{{ thing }}", thing=object())


def test_size_first_and_last() -> None:
    """Lists have `size`, `first` and `last`; objects and texts `size`; a key of that name wins."""
    assert rendered("{{ input.tags.size }}{{ input.tags.first }}{{ input.tags.last }}") == "2ab"
    assert rendered("{{ input.question.size }} {{ input.person.size }}") == "4 3"
    assert rendered("{{ a.size }}", a={"size": "own"}) == "own"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{% for i in (1..3) %}{{ i }}{% unless forloop.last %},{% endunless %}{% endfor %}", "1,2,3"),
        ("{% for i in list limit: 2 %}{{ i }}{% endfor %}|{% for i in list offset: continue %}{{ i }}{% endfor %}", "31|2"),
        ("{% for i in list reversed %}{{ i }}{{ forloop.rindex0 }} {% endfor %}", "22 11 30 "),
        ("{% for i in none %}x{% else %}empty{% endfor %}", "empty"),
        ("{% for p in object %}{{ p[0] }}={{ p[1] }};{% endfor %}", "a=1;b=2;"),
        ("{% for i in list %}{% for j in list %}{{ forloop.parentloop.index }}{{ j }} {% break %}{% endfor %}{% endfor %}", "13 23 33 "),
        ("{% for i in list %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}", "32"),
        ("{% for i in list %}{% capture x %}{{ i }}{% break %}{% endcapture %}{% endfor %}{{ x }}", "3"),
        ("{% tablerow i in list cols: 2 %}{{ i }}{% endtablerow %}", '<tr class="row1">\n<td class="col1">3</td><td class="col2">1</td></tr>\n<tr class="row2"><td class="col1">2</td></tr>\n'),
        ("{% case n %}{% when 1 or 2 %}a{% when 2, 3 %}b{% else %}c{% endcase %}", "b"),
        ("{% cycle 'a', 'b' %}{% cycle 'a', 'b' %}{% cycle 'g': 'a', 'b' %}{% cycle 'a', 'b' %}", "abaa"),
        ("{% increment n %}{% increment n %}{% decrement m %}{% decrement m %}{{ n }}", "01-1-23"),
        ("{% for i in (1..4) %}{% ifchanged %}{{ i | divided_by: 3 }}{% endifchanged %}{% endfor %}", "01"),
        ("a {%- if true -%} b {%- endif -%} c", "abc"),
        ("{% if true %} {% assign x = 1 %} {% endif %}|", "|"),
        ("{% liquid\n  for i in list\n    echo i\n  endfor\n  # a remark\n  comment\n  any thing\n  endcomment\n%}", "312"),
        ("{% raw %}{{ x }}{% endraw %} {% # remark %}{% doc %}{{ {% enddoc %}", "{{ x }} "),
        ("{% comment %}{% comment %}{{ {% endcomment %}{% endcomment %}x", "x"),
        ("{% if n == 3 and none == empty or false %}y{% endif %}", "y"),
        ("{% if object contains 'a' and list contains 3 and 'text' contains 'ex' %}y{% endif %}", "y"),
        ("{% if 1 == 1.0 %}a{% endif %}{% if 1 == true %}b{% endif %}{% if list == list %}c{% endif %}", "ac"),
        ("{% assign a = 'x' %}{% for a in list %}{{ a }}{% endfor %}{{ a }}", "312x"),
    ],
)  # fmt: skip
def test_tags(source: str, text: str) -> None:
    """Liquid's tags do what Liquid says."""
    values = {"list": [3, 1, 2], "object": {"a": 1, "b": 2}, "n": 3, "none": []}
    assert parse(source).render(values) == text


def test_output_is_bounded_by_the_caller() -> None:
    """`max_output_chars` bounds what is written; a lone variable is passed on whatever its size."""
    text = "x" * 100
    with pytest.raises(TemplateError, match="writes more than 50 characters"):
        parse("{{ a }}!").render({"a": text}, max_output_chars=50)
    with pytest.raises(TemplateError, match="writes more than 50 characters"):
        parse("{% for i in (1..60) %}x{% endfor %}").render({}, max_output_chars=50)
    assert parse("{{ a }}").render({"a": text}, max_output_chars=50) == text


def test_is_template() -> None:
    """A text with an output or a tag in it is a template."""
    assert [is_template(text) for text in ("{{ a }}", "{% if %}", "{ a }", "")] == [
        True,
        True,
        False,
        False,
    ]


def test_plain_templates_need_no_liquid() -> None:
    """Text with variables is read and rendered without importing python-liquid."""
    code = (
        "import sys; from ingle.apps.template import parse; "
        "parse('a {{ b.c[0] }} {{ d }}').render({'b': {'c': [1]}, 'd': 2}); "
        "print('liquid' in sys.modules, 'dateutil' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_a_branch_that_is_not_taken_costs_nothing() -> None:
    """In a loop, only what is carried out is paid for, however much stands in other branches."""
    idle = "{{ a | upcase }}" * 1000
    source = "{% for i in (1..2000) %}{% if i == 0 %}" + idle + "{% endif %}{% endfor %}ok"
    assert parse(source).render({"a": "x"}) == "ok"
