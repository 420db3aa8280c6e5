"""Filters: what each gives, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ingle.apps.liquid.filters.table import FILTERS
from ingle.apps.template import TemplateError, parse

VALUES = {
    "list": [3, 1, None, 2],
    "words": ["b", "A", "c"],
    "rows": [{"k": 1, "v": "x"}, {"k": 2, "v": "y"}, {"k": 1, "v": None}],
    "nested": [[1, [2]], 3],
    "object": {"b": 1, "a": [True, None]},
    "none": None,
}

CASES: list[tuple[str, Any]] = [
    ("'ab' | append: 1", "ab1"),
    ("none | append: none", ""),
    ("'b' | prepend: 'a'", "ab"),
    ("'hELLO you' | capitalize", "Hello you"),
    ("'ÄB' | downcase", "äb"),
    ("'äß' | upcase", "ÄSS"),
    ("' a ' | strip", "a"),
    ("' a ' | lstrip", "a "),
    ("' a ' | rstrip", " a"),
    ("lines | strip_newlines", "ab"),
    ("lines | newline_to_br", "a<br />\nb"),
    ("' a   b ' | squish", "a b"),
    ("'a-b-c' | remove: '-'", "abc"),
    ("'a-b-c' | remove_first: '-'", "ab-c"),
    ("'a-b-c' | remove_last: '-'", "a-bc"),
    ("'a-b-c' | replace: '-', '+'", "a+b+c"),
    ("'a-b-c' | replace: '-'", "abc"),
    ("'a-b-c' | replace_first: '-', '+'", "a+b-c"),
    ("'a-b-c' | replace_last: '-', '+'", "a-b+c"),
    ("'abc' | replace_last: 'x', '+'", "abc"),
    ("'hello' | slice: 1", "e"),
    ("'hello' | slice: 1, 3", "ell"),
    ("'hello' | slice: -3, 2", "ll"),
    ("'hello' | slice: -9, 2", ""),
    ("list | slice: 1, 2", [1, None]),
    ("'a,b' | split: ','", ["a", "b"]),
    ("' a  b ' | split: ' '", ["a", "b"]),
    ("'ab' | split: ''", ["a", "b"]),
    ("'' | split: ','", []),
    ("'hello world' | truncate: 8", "hello..."),
    ("'hello world' | truncate: 5, ''", "hello"),
    ("'hello' | truncate: 5", "hello"),
    ("'a b c' | truncatewords: 2", "a b..."),
    ("'a b c' | truncatewords: 3", "a b c"),
    ("'a b c' | truncatewords: 1, '!'", "a!"),
    ("'x' | safe", "x"),
    ("object | tostring", '{"b": 1, "a": [true, null]}'),
    ("none | to_string", ""),
    ("html | escape", "&lt;a b=&quot;&amp;amp;&quot;&gt;"),
    ("html | escape_once", "&lt;a b=&quot;&amp;&quot;&gt;"),
    ("'a\"<' | escapejs", "a\\u0022\\u003C"),
    ("'<p>a</p><!-- <b> --><script>x<y</SCRIPT>b <br' | strip_html", "ab <br"),
    ("'a<!-- b <i>c</i>' | strip_html", "ac"),
    ("'a b&ü' | url_encode", "a+b%26%C3%BC"),
    ("'a b' | urlencode", "a+b"),
    ("'a+b%26%C3%BC' | url_decode", "a b&ü"),
    ("'ü?>' | base64_encode", "w7w/Pg=="),
    ("'w7w/Pg==' | base64_decode", "ü?>"),
    ("'ü?>' | base64_url_safe_encode", "w7w_Pg=="),
    ("'w7w_Pg==' | base64_url_safe_decode", "ü?>"),
    ("object | json", '{"b": 1, "a": [true, null]}'),
    ("'ü' | json", '"ü"'),
    ("rows | first | json: 2", '{\n  "k": 1,\n  "v": "x"\n}'),
    ("'ü' | tojson", '"\\u00fc"'),
    ("object | to_json", '{"b": 1, "a": [true, null]}'),
    ("""'{"a": [1, null]}' | todict""", {"a": [1, None]}),
    ("object | to_dict", {"b": 1, "a": [True, None]}),
    (r"'a\u00e9\ud83d\ude00é\n' | escape_unicode", "aé😀é\n"),
    (r"'\ud83d \U00999999' | escape_unicode", "� �"),
    ("escaped | escape_unicode", {"a": ["é", 1]}),
    ("-3 | abs", 3),
    ("'-2.5' | abs", 2.5),
    ("3 | at_least: 4", 4),
    ("3 | at_most: 2", 2),
    ("1.2 | ceil", 2),
    ("1.8 | floor", 1),
    ("1.25 | round: 1", 1.2),
    ("2.5 | round", 2),
    ("0.1 | plus: 0.2", 0.3),
    ("3 | minus: '1'", 2),
    ("3 | times: 2", 6),
    ("1.1 | times: 3", 3.3),
    ("7 | divided_by: 2", 3),
    ("7 | divided_by: 2.0", 3.5),
    ("-7 | modulo: 3", 2),
    ("none | plus: 1", 1),
    ("list | first", 3),
    ("list | last", 2),
    ("'abc' | first", None),
    ("list | size", 4),
    ("'abc' | size", 3),
    ("object | size", 2),
    ("7 | size", 0),
    ("words | join", "b A c"),
    ("list | join: '-'", "3-1--2"),
    ("nested | join: ','", "1,2,3"),
    ("words | concat: list", ["b", "A", "c", 3, 1, None, 2]),
    ("rows | map: 'v'", ["x", "y", None]),
    ("list | reverse", [2, None, 1, 3]),
    ("list | sort", [1, 2, 3, None]),
    ("words | sort", ["A", "b", "c"]),
    ("words | sort_natural", ["A", "b", "c"]),
    ("rows | sort: 'v' | map: 'v'", ["x", "y", None]),
    ("rows | where: 'k', 1 | map: 'v'", ["x", None]),
    ("rows | where: 'v' | map: 'k'", [1, 2]),
    ("rows | reject: 'k', 1 | map: 'v'", ["y"]),
    ("rows | find: 'k', 2", {"k": 2, "v": "y"}),
    ("rows | find: 'k', 3", None),
    ("rows | find_index: 'v', 'y'", 1),
    ("rows | has: 'k', 3", False),
    ("rows | has: 'k', 2", True),
    ("same | uniq", [1, True, "1", {"a": 1, "b": 2}]),
    ("rows | uniq: 'k' | map: 'v'", ["x", "y"]),
    ("list | compact", [3, 1, 2]),
    ("rows | compact: 'v' | map: 'v'", ["x", "y"]),
    ("list | sum", 6),
    ("rows | sum: 'k'", 4),
    ("fractions | sum", 0.6),
    ("none | join", ""),
    ("'2024-03-01T12:30:00Z' | date: '%d.%m.%Y %H:%M'", "01.03.2024 12:30"),
    ("'March 1, 2024' | date: '%Y-%m-%d'", "2024-03-01"),
    ("'2024-03-01' | date: '%-d. %B %%'", "1. March %"),
    ("none | default: 'd'", "d"),
]
MORE = {
    "lines": "a\r\nb",
    "html": '<a b="&amp;">',
    "escaped": {"a": ["\\u00e9", 1]},
    "same": [1, 1.0, True, "1", {"a": 1, "b": 2}, {"b": 2, "a": 1}],
    "fractions": [0.1, 0.2, 0.3],
}


@pytest.mark.parametrize(("expression", "value"), CASES)
def test_filter(expression: str, value: object) -> None:
    """Each filter gives what Liquid, or LLMStack, says that it gives."""
    result = parse("{{ " + expression + " }}").render(VALUES | MORE)
    assert (result, type(result)) == (value, type(value))


def test_every_filter_is_shown_here() -> None:
    """No filter is without an example above."""
    shown = {part.split(":")[0].strip() for case, _ in CASES for part in case.split(" | ")[1:]}
    assert set(FILTERS) - shown == set()


def test_now_and_seconds() -> None:
    """`now` is the time of the machine, and a number is seconds since 1970."""
    today = datetime.now(UTC).astimezone().strftime("%Y")
    assert parse("{{ 'now' | date: '%Y' }}").render({}) == today
    noon = datetime(2024, 3, 1, 12, tzinfo=UTC)
    shown = noon.astimezone().strftime("%d %H")
    assert parse("{{ t | date: '%d %H' }}").render({"t": int(noon.timestamp())}) == shown
    assert parse("{{ t | date: '%d %H' }}").render({"t": str(int(noon.timestamp()))}) == shown


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("'x' | plus: 1", "A number is needed here, and this is the text 'x'."),
        ("true | plus: 1", "A number is needed here, and this is a boolean."),
        ("1 | modulo: 0", "Nothing can be divided by 0."),
        ("list | concat: 1", "`concat` needs a list, and this is a number."),
        ("list | map: 'k'", "An item here is a number, and has no field `k`."),
        ("rows | map: 1", "A field's name is a text, and this is a number."),
        ("mixed | sort", "`sort` orders numbers or texts, not both in one list."),
        ("rows | sort", "`sort` orders numbers or texts, and one here is an object."),
        ("'{' | todict", "This text is not JSON: "),
        ("'[NaN]' | todict", "This text is not JSON: NaN is no JSON value"),
        ("'?' | base64_decode", "This text is not the base64 of a text: "),
        ("'/w==' | base64_decode", "This text is not the base64 of a text: "),
        ("'now' | date: '%9999999d'", "'%9999999d' is not a form of a date"),
        ("'soon' | date: '%Y'", "'soon' is not a time that `date` can write: "),
        ("'' | date: '%Y'", "'' is not a time that `date` can write: "),
        ("'1e999' | plus: 1", "This number is larger than a template counts"),
    ],
)
def test_what_a_filter_cannot_take(expression: str, message: str) -> None:
    """A value of the wrong kind is an error that says what is needed; nothing counts as 0."""
    with pytest.raises(TemplateError) as caught:
        parse("{{ " + expression + " }}").render(VALUES | MORE | {"mixed": [1, "a"]})
    assert caught.value.message.startswith(message)
