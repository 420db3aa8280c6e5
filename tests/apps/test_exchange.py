"""Apps from files and to files: what comes in is told, and no key goes out."""

from __future__ import annotations

import pytest

from ingle.apps.check import load
from ingle.apps.exchange import export, import_file
from ingle.apps.problems import InvalidApp

OURS = """\
# Mine, with my comments.
name: A
steps:
  answer: {prompt: Hello}
"""


def test_our_own_form_stays_as_it_was_written() -> None:
    """Comments and all, both ways."""
    imported = import_file(OURS, "a.yaml")
    assert (imported.text, imported.notes, imported.problems) == (OURS, (), ())
    assert imported.app == load(OURS, "a.yaml")
    assert export(OURS, "a.yaml") == OURS


def test_a_file_with_problems_comes_in_with_them() -> None:
    """So that it can be put right here."""
    text = "{name: A, processors: [{provider_slug: x, processor_slug: y}]}"
    imported = import_file(text, "a.yaml")
    assert imported.app is None
    assert imported.text == "name: A\nsteps:\n  _inputs1:\n    use: x/y\n"
    assert [problem.line for problem in imported.problems] == [1]


def test_what_is_no_yaml_is_told() -> None:
    """A picture by mistake, an empty file."""
    assert import_file("{", "a.yaml").problems[0].message.startswith("This is no valid YAML")
    assert import_file("", "a.yaml").text == ""


def test_texts_of_several_lines_are_blocks() -> None:
    """What people will read and change is easy to read, and reads back as it was."""
    text = (
        '{name: Ä, description: "a\\nb ☃", processors: [{provider_slug: promptly, '
        'processor_slug: llm, input: {input_message: "one\\n\\n two: {{_inputs0.q}}"}}]}'
    )
    imported = import_file(text, "a.yaml")
    assert imported.text == (
        "name: Ä\ndescription: |-\n  a\n  b ☃\ninput:\n  q:\n    type: string\n    default: ''\n"
        "steps:\n  _inputs1:\n    prompt: |-\n      one\n\n       two: {{ input.q }}\n"
    )
    assert load(imported.text, "b.yaml") == imported.app


@pytest.mark.parametrize(
    ("step", "place"),
    [
        (
            "{use: ingle/http_request, input: {url: u, headers: {Authorization: Bearer x}}}",
            "2:64: `steps.a.input.headers.Authorization` looks like a key",
        ),
        ("{use: ingle/http_request, input: {url: u, headers: {X-API-Key: x}}}", "2:64"),
        ("{use: ingle/http_request, input: {url: 'https://me:word@a.example'}}", "2:46"),
        ("{prompt: 'Use sk-abcdefghijklmnop1234'}", "2:13"),
        ("{prompt: x, tools: {t: {mcp: [run, --key, ghp_abcdefghij0123456789]}}}", "2:54"),
    ],
)
def test_a_key_in_an_app_is_a_problem(step: str, place: str) -> None:
    """Apps are shared: where it belongs is said, and it is never exported."""
    text = f"name: A\nsteps: {{a: {step}}}\n"
    with pytest.raises(InvalidApp) as caught:
        load(text, "a.yaml")
    assert f"a.yaml:{place}" in str(caught.value)
    assert "ingle connections add" in str(caught.value)
    with pytest.raises(InvalidApp, match="looks like a key"):
        export(text, "a.yaml")


def test_a_secret_that_is_a_default_is_a_problem() -> None:
    """A field may be called `token`; its value may not stand in the app."""
    asks = "name: A\ninput: {token: string}\nsteps: {a: {prompt: x}}\n"
    assert load(asks, "a.yaml").fields["token"].type == "string"
    with pytest.raises(InvalidApp, match=r"`input.token.default` looks like a key"):
        load(asks.replace("string", "{type: string, default: mine}"), "a.yaml")


def test_a_template_that_puts_in_a_key_is_none() -> None:
    """The key is asked for; the app says only where it goes. Words like `max_tokens` are no keys."""
    text = """\
name: A
input: {key: string}
steps:
  a:
    use: ingle/http_request
    input: {url: "https://a.example", headers: {Authorization: "Bearer {{ input.key }}"}}
  b: {prompt: Is a key a token, config: {max_tokens: 5}}
"""
    assert export(text, "a.yaml") == text
    assert [step.name for step in load(text, "a.yaml").steps] == ["a", "b"]
