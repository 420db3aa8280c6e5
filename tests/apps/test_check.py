"""Checking a definition: what becomes an app, and what is said of one that cannot."""

from __future__ import annotations

from textwrap import dedent

import pytest

from ingle.apps.app import App, Step
from ingle.apps.check import load
from ingle.apps.definition import schema
from ingle.apps.problems import InvalidApp
from ingle.apps.template import Template

ASK_TWICE = """
name: Ask twice
input:
  question: text
steps:
  summary:
    prompt: "Say it in five words: {{ answer }}"
  answer:
    prompt: "{{ input.question }}"
output: "{{ summary }}"
"""


def app_of(text: str) -> App:
    return load(dedent(text), "app.yaml")


def problems_of(text: str) -> list[str]:
    with pytest.raises(InvalidApp) as caught:
        load(dedent(text).lstrip("\n"), "app.yaml")
    return str(caught.value).splitlines()


def step_of(text: str, name: str) -> Step:
    return next(step for step in app_of(text).steps if step.name == name)


def test_ten_lines_make_an_app() -> None:
    """Steps come in the order in which they can run, whatever the order of the file."""
    app = app_of(ASK_TWICE)
    assert (app.name, app.slug, app.type) == ("Ask twice", "ask-twice", "form")
    assert [(step.name, step.use, step.needs) for step in app.steps] == [
        ("answer", "localai/chatgpt", frozenset()),
        ("summary", "localai/chatgpt", frozenset({"answer"})),
    ]


def test_short_hands_are_the_long_form() -> None:
    """`model`, `system` and `prompt` say what the input and the configuration of a chat say."""
    step = step_of(
        """
        name: A
        steps:
          answer: {model: demo, system: Be brief., prompt: Hello, config: {temperature: 0.2}}
        """,
        "answer",
    )
    assert step.input == {
        "system_message": "Be brief.",
        "messages": [{"role": "user", "content": "Hello"}],
    }
    assert step.config == {"model": "demo", "temperature": 0.2, "stream": True}


def test_a_prompt_is_the_prompt_of_other_processors_too() -> None:
    """An image step may say `prompt:` as well."""
    step = step_of(
        "{name: A, steps: {p: {use: localai/image_generations, prompt: a cat, model: m}}}", "p"
    )
    assert (step.input, step.config) == ({"prompt": "a cat"}, {"model": "m"})


def test_a_chat_remembers_unless_told_not_to() -> None:
    """In an app of type chat the history comes before the prompt; the input is a message."""
    text = "{name: A, type: chat, steps: {a: {prompt: '{{ input.message }}'}}}"
    app = app_of(text)
    assert list(app.fields) == ["message"]
    assert app.steps[0].input["chat_history"].source == "{{ history }}"
    assert "chat_history" not in app_of(text.replace("a: {", "a: {history: false, ")).steps[0].input


@pytest.mark.parametrize(
    ("when", "asked", "is_wanted"),
    [
        ("answer contains 'yes'", {"choices": [{"content": "oh yes"}]}, True),
        ("answer contains 'yes'", {"choices": [{"content": "no"}]}, False),
        ("input.sure and answer", {"choices": [{"content": "no"}]}, False),
        ("{{ answer }}", {"choices": [{"content": "false"}]}, False),
        ("{{ answer }}", {"choices": [{"content": "maybe"}]}, True),
    ],
)
def test_a_condition_may_be_written_without_braces(
    when: str, asked: dict[str, object], is_wanted: bool
) -> None:
    """`when` takes what `{% if … %}` takes, or a template."""
    step = step_of(
        "{name: A, input: {sure: boolean}, steps: {answer: {prompt: x}, "
        f'next: {{prompt: y, when: "{when}"}}}}}}',
        "next",
    )
    assert isinstance(step.when, Template)
    assert step.when.truth({"input": {"sure": False}, "answer": asked}) is is_wanted
    assert step.needs == {"answer"}


def test_what_templates_know_of_values_checking_knows_too() -> None:
    """`size` of texts, lists and objects, `first` and `last` of lists; and that a lone filtered
    expression may give any kind of value."""
    app_of(
        """
        name: A
        input: {tags: json}
        steps:
          answer: {prompt: "{{ input.size }}"}
          again: {prompt: "{{ answer.choices.size }} {{ answer.choices.first.content.size }}"}
          search:
            use: localai/rerank
            input: {query: x, documents: "{{ answer | split: ', ' }}"}
        """
    )


def test_all_problems_are_said_at_once_with_their_places() -> None:
    """File, line, column, and the nearest right name, for each."""
    found = problems_of(
        """
        name: A
        input:
          question: text
          tone: {type: select}
        stepss: {}
        steps:
          answer:
            prompt: "{{ input.qestion }}"
            temperatur: 1
          picture:
            use: localai/image_generation
          loop:
            use: localai/completions
            input: {prompt: "{{ anser }} {{ loop2.choices[0] }}"}
            config: {size: 3, max_tokens: lots}
          loop2:
            prompt: "{{ loop }} {% if %}"
          wrong:
            use: localai/completions
            input: {prompt: "{{ answer.choices }}"}
          item:
            prompt: "{{ item }} {{ history }}"
          none: {}
        output: "{{ answer.choises[0] }}"
        """
    )
    expected = [
        "4:3: `tone` is a select and needs `options`.",
        "5:1: `stepss` is not a field. Did you mean `steps`?",
        "8:5: `input` has no `qestion`. Did you mean `question`? It has: question, tone.",
        "9:5: `steps.answer.temperatur` is not a field. The fields here: at_once, config,",
        "11:5: There is no processor 'localai/image_generation'. Did you mean `localai/image_gen",
        "14:13: `anser` is not known here. Did you mean `answer`? There are: input, answer, loop",
        "15:14: `config.size` is not a field. The fields here: ",
        "15:23: `config.max_tokens` is 'lots', but must be a valid integer",
        "17:5: This template cannot be read: `if` is not closed: `endif` is missing.",
        "20:13: `{{ answer.choices }}` is a list, and that does not fit: must be a valid string.",
        "21:3: `item` means something else in templates; rename the step.",
        "22:5: `history` is there in apps of type chat and agent only.",
        "23:3: A step needs `use`, what runs, or `prompt`, for a chat.",
        "24:1: `answer` has no `choises`. Did you mean `choices`? It has: choices, ",
    ]
    assert [line[: len(e) + 9] for line, e in zip(found, expected, strict=True)] == [
        f"app.yaml:{e}" for e in expected
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{name: A, steps: {}}", "`steps` is {}. Dictionary should have at least 1 item"),
        ("{name: A, steps: {a-b: {prompt: x}}}", "String should match pattern"),
        ("{name: A, steps: {a: {prompt: '{{ a }}'}}}", "These steps wait for each other: a -> a."),
        (
            "{name: A, steps: {a: {prompt: '{{ b }}'}, b: {prompt: '{{ a }}'}}}",
            "These steps wait for each other: ",
        ),
        ("{name: A, steps: {a: {use: app/none}}}", "There is no app 'app/none'."),
        ("{name: A, type: agent, steps: {a: {prompt: x}}}", "An agent has a step with `tools`"),
        ("{name: A, steps: {a: {prompt: x, when: sometimes}}}", "`sometimes` is not known here."),
        ("{name: A, steps: {a: {prompt: x, when: 'input contains'}}}", "cannot be read"),
        (
            "{name: A, steps: {a: {prompt: x, for_each: many}}}",
            "`for_each` is a list or a template",
        ),
        ("{name: A, steps: {a: {prompt: x, retries: -1}}}", "greater than or equal to 0"),
        ("{name: A, steps: {a: {prompt: x, tools: {t: {}}}}}", "A tool has either `use` or `mcp`."),
        (
            (
                "{name: A, steps: {a: {prompt: x, tools:"
                " {t: {use: ingle/http_request, input: {ulr: x}}}}}}"
            ),
            "ingle/http_request has no input `ulr`. Did you mean `url`?",
        ),
        (
            "{name: A, steps: {a: {prompt: x, tools: {t: {mcp: u, config: {model: x}}}}}}",
            "Only a processor has a configuration.",
        ),
        (
            "{name: A, steps: {a: {prompt: x, tools: {t: {use: ingle/template, only: [x]}}}}}",
            "`only` is for the tools of an MCP server.",
        ),
        (
            "{name: A, steps: {a: {use: localai/completions, prompt: x, tools: {t: {mcp: u}}}}}",
            "Only a chat has tools",
        ),
        (
            "{name: A, input: {n: {type: number, default: x}}, steps: {a: {prompt: x}}}",
            "`n` is 'x', but must be a number.",
        ),
        (
            "{name: A, steps: {a: {prompt: x}}, tests: [{input: {q: 1}, expect: {contains: x}}]}",
            "The app does not ask for `q`.",
        ),
        (
            "{name: A, steps: {a: {prompt: x}}, tests: [{step: b, expect: {contains: x}}]}",
            "There is no step `b`.",
        ),
        (
            "{name: A, steps: {a: {prompt: '{% assign x = b.c %}{{ x }}'}}}",
            "`b` is not known here.",
        ),
    ],
)
def test_each_fault_is_told(text: str, said: str) -> None:
    """What is wrong is never passed through."""
    assert said in "\n".join(problems_of(text))


def test_apps_are_steps_of_apps() -> None:
    """The fields of the other app are checked like a processor's input."""
    other = app_of(ASK_TWICE)
    text = "{name: B, steps: {a: {use: app/ask-twice, input: {question: x}}}, output: '{{ a }}'}"
    app = load(text, "b.yaml", {"ask-twice": other}.get)
    assert app.output.only_variable == ("a", "output")
    with pytest.raises(InvalidApp, match="Did you mean `question`"):
        load(text.replace("question", "qestion"), "b.yaml", {"ask-twice": other}.get)


def test_schema_of_the_form_is_itself_valid() -> None:
    """Editors get a JSON Schema that knows every field."""
    described = schema()
    assert described["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(described["$defs"]["StepDefinition"]["properties"]) >= {"use", "prompt", "when"}
