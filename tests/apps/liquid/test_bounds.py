"""Templates that would run for ever or fill the memory end soon, with an error that says why.

The time is that of the processor, so that a busy machine changes nothing; the bounds in
`bounds.py` are counts, and each template here takes a fraction of a second.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from ingle.apps.template import TemplateError, TemplateSyntaxError, parse

MOST_S = 10.0  # a busy machine takes up to four times the half second that is usual
MOST_BYTES = 100_000_000

LONG = "a" * 2_000_000


def _deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


VALUES: dict[str, Any] = {
    "long": LONG,
    "emoji": "😀" * 500_000,
    "words": "a " * 1_000_000,
    "entities": "&amp;" * 400_000,
    "marks": "<" * 2_000_000,
    "scripts": "<script " * 250_000,
    "comments": "<!--" * 500_000,
    "percents": "%41" * 90_000,
    "list": list(range(100_000)),
    "texts": [f"w{i}" for i in range(100_000)],
    "equal": [[0] * 100_000],
    "same": [[0] * 100_000],
    "json": "[" + "[]," * 600_000 + "[]]",
    "deep": _deep(),
    "deep_json": "[" * 100_000,
    "huge": 10**5000,
    "infinite": float("inf"),
    "a": "x",
}

MUCH = "does too much"
LONG_TEXT = "is too long for a filter"
LONG_LIST = "is too long for a template"


LOOPS = [
    ("{% for i in (1..1000000000) %}{% endfor %}", MUCH),
    ("{% tablerow i in (1..1000000000) %}{% endtablerow %}", MUCH),
    ("{% for i in (1..100000) %}{% if long contains 'b' %}{% endif %}{% endfor %}", MUCH),
    ("{% for i in (1..100000) %}{% if equal == same %}{% endif %}{% endfor %}", MUCH),
    ("{% for i in (1..100000) %}{% cycle " + ",".join("'a'" for _ in range(3000)) + " %}{% endfor %}", MUCH),
    ("{% assign n = 9 %}{% for i in (1..1000) %}{% assign n = n | times: n %}{% endfor %}", "larger than a template counts"),
]  # fmt: skip
LONG_LOOPS = [
    ("{% for i in (1..1000000000) reversed %}x{% endfor %}", MUCH),
    ("{% for i in (1..1000) %}{% for j in (1..1000) %}{% for k in (1..1000) %}{% endfor %}{% endfor %}{% endfor %}", MUCH),
    ("{% for i in (1..10) %}" * 30 + "{% endfor %}" * 30, MUCH),
    ("{% for i in (1..100000) %}{% assign b = long | upcase %}{% endfor %}", MUCH),
    ("{% for i in (1..100000) %}{{ list | reverse | first }}{% endfor %}", MUCH),
    ("{% for i in (1..100000) %}{{ 'March 1, 2024 12:30' | date: '%Y' }}{% endfor %}", MUCH),
    ("{% for i in (1..100000) %}{{ 0.1 | times: 0.1 }}{% endfor %}", MUCH),
]  # fmt: skip
VALUES_TOO_LARGE = [
    ("{% for i in (1..100000000000000000000000) %}{% endfor %}", "longer than any loop"),
    ("{{ (1..1000000000) | join }}", LONG_LIST),
    ("{{ (1..99999999999) | size }}", LONG_LIST),
    ("{% assign b = 'aaaaaaaa' %}{% for i in (1..100) %}{% assign b = b | append: b %}{% endfor %}", LONG_TEXT),
    ("{% capture b %}aaaaaaaa{% endcapture %}{% for i in (1..100) %}{% capture b %}{{ b }}{{ b }}{% endcapture %}{% endfor %}", "writes more than 1,048,576 characters"),
    ("".join(f"{{% assign b{i} = long | append: 'x' %}}" for i in range(100)), "hold more than 8,388,608 characters"),
    ("{{ long | replace: 'a', long }}", LONG_TEXT),
    ("{{ long | replace: '', long }}", LONG_TEXT),
    ("{{ long | split: '' }}", LONG_LIST),
    ("{{ long | split: 'a' }}", LONG_LIST),
    ("{{ words | split: ' ' }}", LONG_LIST),
    ("{{ texts | join: long }}", LONG_TEXT),
    ("{{ list | concat: list }}", LONG_LIST),
    ("{{ long | append: long }}", LONG_TEXT),
    ("{{ 'now' | date: '%9999999d' }}", "is not a form of a date"),
    ("{{ 99999999999999999999 | date: '%Y' }}", "is not a time"),
    ("{{ long | date: '%Y' }}", "is not a time"),
    ("{{ deep_json | todict }}", "is not JSON"),
    ("x{{ deep }}", "cannot be written as JSON"),
    ("{{ deep | json }}", "cannot be written as JSON"),
    ("{{ deep | uniq }}", "cannot be written as JSON"),
    ("{% if deep == deep %}{% endif %}", "nested too deep"),
    ("x{{ huge }}", "cannot be written as JSON"),
    ("{{ huge | plus: 1 }}", "larger than a template counts"),
    ("x{{ infinite }}", "cannot be written as JSON"),
    ("x{{ list }}{{ list }}", "writes more than 1,048,576 characters"),
    ("{{ long }}{{ long }}", "writes more than 1,048,576 characters"),
]  # fmt: skip
LARGE_VALUES = [
    "{% for i in (1..1000000000) offset: 999999990 %}{{ i }}{% endfor %}",
    "{{ entities | escape_once | size }}",
    "{{ marks | escape | size }}",
    "{{ marks | escapejs | size }}",
    "{{ marks | strip_html | size }}",
    "{{ scripts | strip_html | size }}",
    "{{ comments | strip_html | size }}",
    "{{ words | squish | size }}",
    "{{ percents | url_decode | size }}",
    "{{ emoji | url_encode | size }}",
    "{{ emoji | base64_encode | size }}",
    "{{ json | todict | size }}",
    "{{ list | sort | size }}",
    "{{ texts | uniq | size }}",
    "{{ a" + " | upcase" * 1500 + " }}",
]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        *LOOPS,
        *[pytest.param(*loop, marks=pytest.mark.slow) for loop in LONG_LOOPS],
        *VALUES_TOO_LARGE,
    ],
)
def test_what_would_do_too_much(source: str, reason: str) -> None:
    """Endless loops and texts, lists and numbers that grow for ever end in an error."""
    template = parse(source)
    with pytest.raises(TemplateError, match=reason) as caught:
        _in_time(lambda: template.render(VALUES))
    assert caught.value.offset is not None


@pytest.mark.parametrize("source", LARGE_VALUES)
def test_large_values_take_little_time(source: str) -> None:
    """The costliest filters on the largest values they take end soon."""
    template = parse(source)
    assert _in_time(lambda: template.render(VALUES))


@pytest.mark.slow
@pytest.mark.parametrize("source", LARGE_VALUES)
def test_large_values_take_little_memory(source: str) -> None:
    """The costliest filters on the largest values they take need less than 100 MB."""
    template = parse(source)
    assert _in_memory(lambda: template.render(VALUES))


@pytest.mark.slow
@pytest.mark.parametrize(("source", "reason"), VALUES_TOO_LARGE)
def test_what_is_refused_takes_no_memory(source: str, reason: str) -> None:
    """What would be too large is refused before it is made."""
    template = parse(source)
    with pytest.raises(TemplateError, match=reason):
        _in_memory(lambda: template.render(VALUES))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{" + " " * 200_000, "is not closed"),
        ("{%" + " " * 200_000, "is not closed"),
        ("{% a" + " " * 200_000, "is not closed"),
        ("{{ a " * 1999, "is not closed"),
        ("{% raw %}" * 1999, "is not closed"),
        ("{% comment %}" * 1999, "is not closed"),
        ("{% if a %}" * 1999, "nested more than 30 levels deep"),
        ("{% if a %}" * 10_000, "has 10,000 tags and outputs"),
        ("x" * 300_000, "has 300,000 characters"),
        ("{{ a" + "[a" * 90 + "]" * 90 + " }}", "nested more than 30 levels deep"),
        ("{{ " + "(1.." * 90 + "1" + ")" * 90 + " }}", "nested more than 30 levels deep"),
        ("{% if a" + " and a" * 90 + " %}{% endif %}", "nested more than 30 levels deep"),
        ("{{ a" + "[a" * 5000 + "]" * 5000 + " }}", "more than 100 brackets"),
        ("{% if " + "(" * 5000 + " %}{% endif %}", "more than 100 brackets"),
        ("{{ " + '["' * 100 + "x" * 15_000 + " }}", "path segment"),
        ("{{ '" + "x" * 20_000 + "' }}", "has 20,004 characters"),
        ("{{ " + "9" * 5000 + " }}", "limit"),
        ("{{ " + "9" * 400 + ".0 }}", "too large"),
        ("{% liquid a" + " " * 16_000 + "b %}", "is not a tag"),
        ("{{ -" + "-" * 16_000 + " }}", "Unexpected"),
    ],
)
def test_sources_that_are_hard_to_read(source: str, reason: str) -> None:
    """No source takes long to refuse, however large or deep or unclosed."""
    with pytest.raises(TemplateSyntaxError, match=reason):
        _in_time(lambda: parse(source))


def _in_time(work: Callable[[], Any]) -> Any:
    before = time.process_time()
    try:
        return work()
    finally:
        assert time.process_time() - before < MOST_S


def _in_memory(work: Callable[[], Any]) -> Any:
    tracemalloc.start()
    try:
        return work()
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MOST_BYTES
