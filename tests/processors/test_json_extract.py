"""`ingle/json_extract`: JSON out of what models write, and nothing that hangs or reads elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.errors import InvalidRequest
from ingle.processors.catalogue import run_processor
from ingle.processors.json_extract import JsonExtractOutput
from ingle.routing import Router

FRUIT = {"items": [{"name": "pear", "n": 1}, {"name": "fig", "n": 2}], "$ref": 3, "a/b": 4}


async def extract(
    text: object,
    router: Router,
    **config: Any,  # Any: JSON values, twice
) -> Any:
    """The value of one run."""
    *_, output = [
        item async for item in run_processor("ingle/json_extract", {"text": text}, config, router)
    ]
    assert isinstance(output, JsonExtractOutput)
    return output.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ("\ufeff [1, 2]\n", [1, 2]),
        ('"text"', "text"),
        ("null", None),
        ('Sure [1]! Here it is:\n```json\n{"a": [1]}\n```\nAnything else?', {"a": [1]}),
        ('```\n{"a": 1}', {"a": 1}),
        ("```python\nprint({})\n```\n```json\n[3]\n```", [3]),
        ('As in [1], the answer is {"a": {"b": "}"}}. Bye {you}.', {"a": {"b": "}"}}),
        ({"a": 1}, {"a": 1}),
        (None, None),
    ],
)
async def test_json_is_found(text: object, value: object, router: Router) -> None:
    """As the whole text, in a fenced block, or between words: then the longest."""
    assert await extract(text, router) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no JSON in it. It is empty"),
        ("I cannot do that.", "It begins with 'I cannot do that.'"),
        ('{"a": 1, "b": [1, 2', "is broken at line 1, column 20, near .*: expecting ',' delimiter"),
        ("[NaN]", "there is no JSON in it"),
        ("[" * 100_000, "there is no JSON in it"),
        ('{"a": ' * 500 + "1" + "}" * 500, "nested too deeply"),
        ('{"a": "\\ud800"}', "half of a character"),
        ("1" * 5000, "there is no JSON in it"),
        ("x" * 4_000_001, "at most 4,000,000 are searched"),
        ("```" + " " * 3_000_000, "there is no JSON in it"),
        ("```\n \n" * 500_000, "there is no JSON in it"),
        ("[1," * 1000 + "1," * 500_000, "is broken at line 1"),
    ],
)
async def test_what_is_no_json_is_an_error(text: str, message: str, router: Router) -> None:
    """It is said where it broke off, after a bounded search."""
    with pytest.raises(InvalidRequest, match=message) as caught:
        await extract(text, router)
    assert caught.value.param == "input.text"
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.items[0].name", "pear"),
        ("items[-1].name", "fig"),
        ("$.items[*].name", ["pear", "fig"]),
        ("$..n", [1, 2]),
        ("$.items[?@.n > 1].name", ["fig"]),
        ("$.items[?@.n > 9].name", []),
        ("['$ref']", 3),
        ("/items/1/n", 2),
        ("/a~1b", 4),
        ("", FRUIT),
    ],
)
async def test_part_by_path(path: str, value: object, router: Router) -> None:
    """A JSONPath or a pointer gives a value; a path that may find many gives a list."""
    assert await extract(FRUIT, router, path=path) == value


@pytest.mark.parametrize("path", ["$.nope", "/items/9", "/items/01", "items[5].name"])
async def test_nothing_there_is_an_error_or_null(path: str, router: Router) -> None:
    """What is there instead is said."""
    with pytest.raises(InvalidRequest, match=r"an object with items, \$ref, a/b") as caught:
        await extract(FRUIT, router, path=path)
    assert caught.value.param == "config.path"
    assert await extract(FRUIT, router, path=path, required=False) is None


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("$.items[", "is no JSONPath"),
        ("$..a..b", "at most one `..`"),
        ("$[?count($..*) > 1]", "at most one `..`, and `\\$` only at its beginning"),
        ("$[?match(@.a, '(a+)+$')]", "'match' is not defined"),
        ("$[?search(@.a, 'a')]", "'search' is not defined"),
        ("$" + "[0]" * 200, "500 characters"),
    ],
)
def test_path_that_may_hang_is_refused(path: str, message: str, router: Router) -> None:
    """It is an error of the configuration, before anything runs."""
    with pytest.raises(InvalidRequest, match=message) as caught:
        run_processor("ingle/json_extract", {"text": ""}, {"path": path}, router)
    assert caught.value.param == "config.path"


async def test_value_is_checked_by_a_schema(router: Router) -> None:
    """All that is wrong is listed, each with its place; a form may give the schema as text."""
    schema = (
        '{"properties": {"items": {"items": {"required": ["price"], '
        '"properties": {"n": {"type": "string"}}}}}}'
    )
    with pytest.raises(InvalidRequest) as caught:
        await extract(FRUIT, router, json_schema=schema)
    for line in (
        '$.items[0]: "price" is a required property',
        '$.items[0].n: 1 is not of type "string"',
        '$.items[1]: "price" is a required property',
    ):
        assert line in str(caught.value)
    assert await extract(FRUIT, router, json_schema={"type": "object"}) == FRUIT
    assert await extract(FRUIT, router, json_schema="") == FRUIT


async def test_many_faults_are_not_all_listed(router: Router) -> None:
    """A message stays one that can be read."""
    with pytest.raises(InvalidRequest, match="and more") as caught:
        await extract(["x" * 1000] * 1000, router, json_schema={"items": {"type": "integer"}})
    assert len(str(caught.value)) < 2500


async def test_pattern_that_backtracks_does_no_harm(router: Router) -> None:
    """A pattern over which Python's own `re` would brood for years is answered at once."""
    with pytest.raises(InvalidRequest, match="does not match"):
        await extract(["a" * 5000 + "!"], router, json_schema={"items": {"pattern": "^(a+)+$"}})


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"$ref": "http://127.0.0.1:1/x.json"}, "is another file, and none is fetched"),
        ({"$ref": "file:///etc/passwd"}, "is another file, and none is fetched"),
        ({"type": "objekt"}, 'is no JSON Schema that can be used: "objekt"'),
        ({"pattern": "((a{1000}){1000}){1000}"}, "is no JSON Schema that can be used"),
        ({"pattern": "(a)\\1"}, 'is not a "regex"'),
        ("{", "it must be a JSON Schema, written as JSON"),
        ("[1]", r"is \[1\], but must be an object"),
    ],
)
def test_schema_that_cannot_be_used_is_refused(
    schema: object, message: str, router: Router
) -> None:
    """It is an error of the configuration, and nothing is fetched."""
    with pytest.raises(InvalidRequest, match=message) as caught:
        run_processor("ingle/json_extract", {"text": ""}, {"json_schema": schema}, router)
    assert caught.value.param == "config.json_schema"
