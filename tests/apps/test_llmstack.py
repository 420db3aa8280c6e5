"""LLMStack's files: each thing in them becomes ours, or is told with its place."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from textwrap import dedent
from typing import Any

import pytest

from ingle.apps.app import App
from ingle.apps.check import check, load
from ingle.apps.document import Document, read_document
from ingle.apps.exchange import import_file
from ingle.apps.llmstack import from_llmstack, is_llmstack
from ingle.apps.problems import InvalidApp

CHAT_ABOUT_A_FILE = """
name: Ask a file
slug: ask-a-file
type_slug: text-chat
description: Answers from a file
version: "0.0.1"
config:
  layout: <pa-layout></pa-layout>
  input_template: <p>Welcome</p>
  welcome_message: Give me a file.
  suggested_messages:
    - What is it about?
    - {label: "**Who**", input: {question: Who wrote it}}
input_fields:
  - {name: file, title: File, type: file, description: A document}
  - {name: question, title: Question, type: string, required: true}
  - name: tone
    type: select
    options: "Kind:kind, Dry:dry"
    default: kind
processors:
  - provider_slug: promptly
    processor_slug: data_uri_text_extract
    input: {file: "", file_data: "{{_inputs0.file}} ", query: "{{_inputs0.question}}"}
    config: {document_limit: 2, text_chunk_size: 1500}
  - id: answer1
    name: Answer
    provider_slug: openai
    processor_slug: chatgpt
    input:
      system_message: Be {{_inputs[0].tone}}, on {{_inputs0.platform}}.
      chat_history: []
      messages:
        - name: ""
          role: user
          content: "Text: {{_inputs1.text | truncate: 100}} \\nAsked: {{ _inputs[0].question }} "
          function_call: {name: "", arguments: ""}
    config: {model: gpt-4, n: 1, top_p: 1, stream: true, max_tokens: 300, temperature: 0.7,
      retain_history: false, presence_penalty: 0, logit_bias: {}, stop: null}
output_template:
  markdown: |
    {{answer1.choices[0].content}}
"""

IN_OURS = """\
name: Ask a file
slug: ask-a-file
type: chat
description: Answers from a file
input:
  file:
    type: file
    title: File
    description: A document
    required: false
  question:
    type: string
    title: Question
  tone:
    type: select
    options:
    - label: Kind
      value: kind
    - label: Dry
      value: dry
    default: kind
  platform:
    type: string
    default: ''
steps:
  _inputs1:
    use: ingle/text_from_file
    when: input.file
    input:
      file: '{{ input.file }}'
  answer1:
    title: Answer
    system: Be {{ input.tone }}, on {{ input.platform }}.
    prompt: |-
      Text: {{_inputs1 | truncate: 100}}
      Asked: {{ input.question }}
    history: false
    config:
      max_tokens: 300
output: '{{ answer1 }}'
chat:
  welcome_message: Give me a file.
  suggested_messages:
  - What is it about?
  - Who wrote it
"""

AGENT = """
name: Helper
type_slug: agent
config:
  model: gpt-4o
  system_message: You help.
  user_message: "Do this: {{task.text}}"
  max_steps: 7
  temperature: 0.2
input_fields:
  - {name: task, title: Task, type: multi, required: true, allowFiles: true}
output_template: {markdown: "{{agent.content}}"}
processors:
  - id: draw
    name: Draw
    description: Draws a picture
    provider_slug: openai
    processor_slug: image_generations
    input: {prompt: ""}
    config: {model: dall-e-3, size: 1792x1024, quality: hd, "n": 2, response_format: url}
    output_template: {markdown: "![]({{data[0]}})"}
  - id: read
    description: Reads a page
    provider_slug: promptly
    processor_slug: static_web_browser
    input: {url: "{{url}}", instructions: [{type: Wait, selector: body, data: ""}]}
    config: {timeout: 10, connection_id: null}
    input_fields: [{name: url, type: string}]
"""


TEMPLATE = """
name: Template
slug: template
pages:
  - title: Page
    input_fields:
      - {name: a, title: Manner, path: "processors[0].input.system_message", default: Be kind}
      - {name: b, title: Language, path: "input_fields[0].default"}
      - {name: c, title: Colour, path: config.window_color}
      - {name: d, title: Nothing, path: "processors[7].input.x", default: lost}
app:
  name: In it
  type_slug: web
  input_fields: [{name: language, type: string, default: French}]
  output_template: {markdown: "{{_inputs1.choices[0].content}}"}
  processors:
    - provider_slug: openai
      processor_slug: chatgpt
      input: {system_message: "", messages: [{content: "Hello in {{_inputs0.language}}"}]}
      config: {model: gpt-4}
"""


def own_form(text: str) -> dict[str, Any]:
    return from_llmstack(read_document(dedent(text), "old.yml")).document.values


def one_step(processor: str, *, fields: str = "[]", output: str = "", kind: str = "web") -> str:
    """A file with one processor."""
    return (
        f"name: A\ntype_slug: {kind}\ninput_fields: {fields}\n"
        f"output_template: {{markdown: '{output}'}}\nprocessors: [{processor}]\n"
    )


def step_of(slug: str, rest: str, **more: str) -> dict[str, Any]:
    provider, _, name = slug.partition("/")
    text = one_step(f"{{id: p, provider_slug: {provider}, processor_slug: {name}, {rest}}}", **more)
    load(text, "old.yml")
    step: dict[str, Any] = own_form(text)["steps"]["p"]
    return step


def notes_of(text: str) -> list[str]:
    return [str(note) for note in import_file(dedent(text), "old.yml").notes]


def test_a_file_becomes_the_same_app_in_our_form() -> None:
    """Fields, steps by their ids and by their position, templates old and new, a chat's looks."""
    imported = import_file(CHAT_ABOUT_A_FILE, "old.yml")
    assert imported.problems == ()
    assert imported.text == IN_OURS


def test_it_runs_as_it_is_and_as_imported() -> None:
    """Loading LLMStack's own file gives the same app as loading what importing it wrote."""
    as_it_is = load(CHAT_ABOUT_A_FILE, "old.yml")
    assert isinstance(as_it_is, App)
    assert as_it_is == load(IN_OURS, "new.yml") == import_file(CHAT_ABOUT_A_FILE, "old.yml").app


def test_what_became_something_else_is_told_with_its_place() -> None:
    """Models of services, fields that are not asked for, what is not shown, what is not the same."""
    assert notes_of(CHAT_ABOUT_A_FILE) == [
        "old.yml:9:3: `input_template` is not shown.",
        (
            "old.yml:14:1: A template uses `platform`, and no input field gives it. It is one now, "
            "which may stay empty."
        ),
        (
            "old.yml:24:56: The whole text is given, not the passages that fit `query`. Where it may "
            "be too long for the model, set `max_characters` in the step's `config`."
        ),
        (
            "old.yml:38:14: `gpt-4` is not on this machine: its default model is asked. Another one is "
            "chosen by `model:` in the step."
        ),
    ]


def test_an_agent_is_a_step_with_tools() -> None:
    """Its processors are tools, its answer is `agent`; what they would do otherwise is told."""
    values = own_form(AGENT)
    assert values["type"] == "agent"
    assert values["output"] == "{{ agent }}"
    assert values["input"] == {"task": {"type": "text", "title": "Task"}}
    assert values["steps"] == {
        "agent": {
            "system": "You help.",
            "prompt": "Do this: {{ input.task }}",
            "tools": {
                "draw": {
                    "use": "localai/image_generations",
                    "description": "Draws a picture",
                    "config": {"size": "1024x1024"},
                },
                "read": {"use": "ingle/text_from_file", "description": "Reads a page"},
            },
            "max_steps": 7,
            "config": {"temperature": 0.2},
        }
    }
    assert [tool.name for tool in load(AGENT, "old.yml").steps[0].tools] == ["draw", "read"]
    assert [note.split(": ", 1)[1][:40] for note in notes_of(AGENT)] == [
        "`gpt-4o` is not on this machine: its def",
        "`task` takes text alone. For files, add ",
        "`dall-e-3` is not on this machine: its d",
        "Pictures are square: 1024x1024 instead o",
        "One picture is made. For more, use `for_",
    ]


def test_a_chat_as_a_tool_has_the_long_form() -> None:
    """Tools have no short-hands: what LLMStack set stands where the processor has it."""
    text = """
        name: A
        type_slug: agent
        input_fields: [{name: task, type: string}]
        processors:
          - id: ask
            provider_slug: promptly
            processor_slug: llm
            input: {input_message: "About {{_inputs0.task}}"}
            config: {system_message: Be brief}
        """
    assert own_form(text)["steps"]["agent"]["tools"]["ask"] == {
        "use": "localai/chatgpt",
        "input": {
            "system_message": "Be brief",
            "messages": [{"role": "user", "content": "About {{ input.task }}"}],
        },
    }
    assert load(dedent(text), "old.yml").type == "agent"


def test_an_agent_without_tools_is_a_chat() -> None:
    """And is told to be one."""
    text = """
        name: A
        type_slug: agent
        config: {system_message: Hi}
        input_fields: [{name: task, type: string}]
        output_template: {markdown: "{{agent.content}}"}
        """
    assert own_form(text)["type"] == "chat"
    assert own_form(text)["steps"] == {"agent": {"system": "Hi", "prompt": "{{ input.task }}"}}
    assert notes_of(text) == ["old.yml:3:1: An agent without tools is a chat."]
    assert load(dedent(text), "old.yml").type == "chat"


def test_a_template_file_is_the_app_in_it() -> None:
    """Where its pages ask for something, the place in the app is told; defaults are filled in."""
    app = load(TEMPLATE, "old.yml")
    assert (app.name, app.slug) == ("In it", "template")
    assert app.steps[0].input["system_message"] == "Be kind"
    assert [note[8:] for note in notes_of(TEMPLATE)] == [
        "14:49: The template lets you choose `Language`: it is written here.",
        "19:15: The template lets you choose `Manner`: it is written here.",
        (
            "20:16: `gpt-4` is not on this machine: its default model is asked. Another one is chosen "
            "by `model:` in the step."
        ),
    ]


@pytest.mark.parametrize(
    ("slug", "rest", "step"),
    [
        (
            "promptly/llm",
            (
                "input: {input_message: Hi}, config: {system_message: S, objref: true, seed: 4, "
                "provider_config: {provider: openai, model: gpt-4o}}"
            ),
            {"system": "S", "prompt": "Hi", "config": {"seed": 4}},
        ),
        (
            "promptly/text_chat",
            (
                "input: {question: Hi}, config: {system_message_prefix: P, instructions: I, k: 8, "
                "datasource: []}"
            ),
            {"system": "P\nI", "prompt": "Hi"},
        ),
        (
            "anthropic/messages",
            "input: {messages: [{role: user, message: Hi}]}, config: {system_prompt: S}",
            {"system": "S", "prompt": "Hi"},
        ),
        (
            "openai/chatgpt",
            "input: {messages: [{role: user, content: A}, {role: assistant, content: B}]}",
            {
                "use": "localai/chatgpt",
                "input": {
                    "messages": [
                        {"role": "user", "content": "A"},
                        {"role": "assistant", "content": "B"},
                    ]
                },
            },
        ),
        (
            "localai/chatgpt",
            (
                "input: {messages: [{role: user, content: A}]}, "
                "config: {base_url: 'http://box:8080', model: gpt-4, timeout: 5}"
            ),
            {
                "prompt": "A",
                "model": "gpt-4",
                "config": {"base_url": "http://box:8080", "timeout": 5},
            },
        ),
        (
            "openai/completions",
            "input: {prompt: Once}, config: {model: x, max_tokens: 9, logprobs: 2}",
            {"use": "localai/completions", "prompt": "Once", "config": {"max_tokens": 9}},
        ),
        (
            "promptly/image_generator",
            "input: {input_message: a cat}, config: {width: 300, height: 300, aspect_ratio: '1:1'}",
            {
                "use": "localai/image_generations",
                "prompt": "a cat",
                "config": {"size": "256x256"},
            },
        ),
        (
            "openai/audio_transcriptions",
            (
                "input: {file: '', file_data: 'data:audio/wav;base64,aa'}, "
                "config: {model: whisper-1, response_format: json, temperature: 0}"
            ),
            {
                "use": "localai/audio_transcriptions",
                "input": {"file": "data:audio/wav;base64,aa"},
            },
        ),
        (
            "elevenlabs/text_to_speech",
            "input: {input_text: Hi}, config: {voice_id: abc, model_id: eleven}",
            {"use": "localai/text_to_speech", "input": {"input_text": "Hi"}},
        ),
        (
            "openai/chatgpt_vision",
            "input: {messages: [{type: text, text: What}, {type: image_url, image_url: 'data:x'}]}",
            {
                "use": "localai/chatgpt_vision",
                "input": {
                    "messages": [
                        {"type": "text", "text": "What"},
                        {"type": "image_url", "image_url": "data:x"},
                    ]
                },
            },
        ),
        (
            "promptly/http_uri_text_extract",
            "input: {url: 'https://a.example', query: ''}",
            {"use": "ingle/text_from_file", "input": {"file": "https://a.example"}},
        ),
        (
            "promptly/simple_http",
            (
                "input: {url: 'https://a.example'}, config: {method: POST, output_type: JSON, "
                "headers: [{key: Accept, value: text/html}], read_timeout: 9}"
            ),
            {
                "use": "ingle/http_request",
                "input": {"url": "https://a.example", "headers": {"Accept": "text/html"}},
                "config": {"method": "POST", "timeout": 9},
            },
        ),
        (
            "promptly/echo",
            "input: {input_str: Hi, stream: true}",
            {"use": "ingle/template", "input": {"text": "Hi"}},
        ),
    ],
)
def test_processors_become_ours(slug: str, rest: str, step: dict[str, Any]) -> None:
    """Each with its fields where ours has them, and without what is so anyway."""
    assert step_of(slug, rest) == step


@pytest.mark.parametrize(
    ("slug", "written", "ours"),
    [
        ("openai/chatgpt", "{{p.choices[0].content}}", "{{ p }}"),
        ("openai/chatgpt", "{{ p.choices[1].role }}", "{{ p.choices[1].role }}"),
        ("promptly/llm", "{{p.text}} {{p.objref | upcase}}", "{{ p }} {{p | upcase}}"),
        ("promptly/llm", "{% raw %}{{p.text}}{% endraw %}", "{% raw %}{{p.text}}{% endraw %}"),
        ("promptly/llm", '{{ "p.text" }}{{ _inputs1.text }}', '{{ "p.text" }}{{ p }}'),
        ("promptly/llm", "{% if p.text %}y{% endif %}", "{% if p %}y{% endif %}"),
        (
            "promptly/llm",
            "{% assign p = _inputs0.q %}{{p}} {{_inputs0['q']}}",
            "{% assign p = input.q %}{{ p }} {{ input.q }}",
        ),
        ("promptly/text_chat", "{{_inputs[1].answer}}", "{{ p }}"),
        (
            "promptly/llm",
            '<pa-asset url="{{p.objref}}" type="text/markdown"></pa-asset>',
            "{{ p }}",
        ),
        (
            "openai/text_to_speech",
            '<pa-asset url="{{p.result}}" controls type="audio/mpeg"></pa-media>',
            '<audio controls src="{{ p }}"></audio>',
        ),
        (
            "openai/image_generations",
            (
                '{% for image in p.data %}<pa-asset url="{{image}}" type="image/png"></pa-asset>'
                "{% endfor %}"
            ),
            "{% for image in p.data %}![](data:image/png;base64,{{ image }}){% endfor %}",
        ),
        (
            "openai/image_generations",
            "![]({{p.data[0]}}) {{ p.data[0] | strip }}",
            (
                "![](data:image/png;base64,{{ p }}) "
                '{{ p | prepend: "data:image/png;base64," | strip }}'
            ),
        ),
        ("localai/image_generations", "![]({{p.data[0]}})", "![]({{ p }})"),
        ("promptly/simple_http", "{{p.response}} {{p.code}}", "{{ p }} {{ p.status }}"),
    ],
)
def test_templates_use_our_names(slug: str, written: str, ours: str) -> None:
    """Whatever a processor's output was called, it is read where ours has it."""
    provider, _, name = slug.partition("/")
    document = Document(
        "old.yml",
        {
            "name": "A",
            "input_fields": [{"name": "q", "type": "string"}],
            "processors": [{"id": "p", "provider_slug": provider, "processor_slug": name}],
            "output_template": {"markdown": written},
        },
        {},
    )
    assert from_llmstack(document).document.values["output"] == ours


@pytest.mark.parametrize(
    ("field", "ours"),
    [
        ("{name: a, type: string, required: true}", {"a": "string"}),
        ("{name: a, type: text}", {"a": {"type": "text", "default": ""}}),
        ("{name: a, type: richtext, required: true}", {"a": "text"}),
        ("{name: a, type: voice, required: true}", {"a": "audio"}),
        ("{name: a, type: boolean}", {"a": {"type": "boolean", "required": False}}),
        ("{name: a, type: number, default: 3}", {"a": {"type": "number", "default": 3}}),
        ("{name: a b, type: string, required: true}", {"a_b": "string"}),
        ("{name: a, type: datasource, default: []}", {"a": {"type": "string", "default": ""}}),
        (
            "{name: a, type: select, required: true, options: [{label: One, value: 1}, two]}",
            {"a": {"type": "select", "options": [{"label": "One", "value": "1"}, "two"]}},
        ),
    ],
)
def test_fields_become_ours(field: str, ours: dict[str, Any]) -> None:
    """Each type is one of ours, and what was optional stays so."""
    fields = f"[{field}, {{name: b, type: string, required: true}}]"
    text = one_step("{provider_slug: promptly, processor_slug: llm}", fields=fields)
    assert own_form(text)["input"] == {**ours, "b": "string"}


def test_a_field_that_is_alone_must_be_given() -> None:
    """LLMStack seldom says so, but there is nothing to do without it."""
    fields = "[{name: question, type: voice}]"
    text = one_step("{provider_slug: promptly, processor_slug: llm}", fields=fields)
    assert own_form(text)["input"] == {"question": "audio"}


def test_a_chat_remembers_where_llmstack_did() -> None:
    """`retain_history` says so; `promptly/text_chat` always does."""
    chat = {"kind": "text-chat"}
    says = "input: {messages: [{role: user, content: A}]}"
    assert "history" not in step_of(
        "openai/chatgpt", f"{says}, config: {{retain_history: true}}", **chat
    )
    assert step_of("openai/chatgpt", says, **chat)["history"] is False
    assert "history" not in step_of("promptly/text_chat", "input: {question: A}", **chat)
    several = "input: {messages: [{role: user, content: A}, {role: user, content: B}]}"
    step = step_of("openai/chatgpt", f"{several}, config: {{retain_history: true}}", **chat)
    assert step["input"]["chat_history"] == "{{ history }}"


@pytest.mark.parametrize(
    ("processor", "said"),
    [
        (
            "{provider_slug: promptly, processor_slug: web_search}",
            "5:40: There is no processor 'promptly/web_search'. Searching the web needs",
        ),
        (
            "{provider_slug: heygen, processor_slug: realtime_avatar}",
            "There is no processor 'heygen/realtime_avatar'. LLMStack has it, this machine does not",
        ),
        (
            (
                "{provider_slug: promptly, processor_slug: text_chat, input: {question: x}, "
                "config: {datasource: [abc]}}"
            ),
            "5:98: There are no datasources here. Ask for a `file`",
        ),
        (
            (
                "{provider_slug: promptly, processor_slug: simple_http, input: {url: 'https://a'}, "
                "config: {connection_id: abc}}"
            ),
            "Connections of LLMStack are not here.",
        ),
        (
            "{provider_slug: promptly, processor_slug: llm, input: {input_message: '{{nothing}}'}}",
            "`nothing` is not known here.",
        ),
        (
            "{provider_slug: promptly, processor_slug: llm, input: [1]}",
            "`input` must be an object.",
        ),
        ("5", "`processors` holds objects only."),
    ],
)
def test_what_cannot_be_is_a_problem_with_its_place(processor: str, said: str) -> None:
    """Nothing is dropped in silence, and nothing runs without what it needs."""
    with pytest.raises(InvalidApp) as caught:
        load(one_step(processor), "old.yml")
    assert said in str(caught.value)


def test_a_tool_that_makes_its_input_of_other_fields_is_told() -> None:
    """Ours are called with the processor's own fields; the way round it is said."""
    text = AGENT.replace('{url: "{{url}}"', '{url: "https://a.example?q={{url | url_encode}}"')
    with pytest.raises(InvalidApp, match="use `app/<slug>` as the tool"):
        load(text, "old.yml")


def test_ours_is_not_taken_for_theirs() -> None:
    """A file with `steps` is ours, whatever else it has."""
    assert not is_llmstack({"name": "A", "steps": {}})
    assert not is_llmstack({"name": "A"})
    assert is_llmstack({"processors": []})
    assert is_llmstack({"app": {"type_slug": "web"}})


def test_their_names_of_processors_are_explained_in_our_form() -> None:
    """Who writes `openai/chatgpt` out of habit reads what it is called here."""
    with pytest.raises(InvalidApp, match="LLMStack's name; here it is `localai/chatgpt`"):
        load("{name: A, steps: {a: {use: openai/chatgpt}}}", "app.yaml")


ODD: tuple[Any, ...] = (None, 0, "", "{{ x", [], [7], {"x": 1}, True)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from _places(inner, (*path, key))


def _changed(value: Any, path: tuple[Any, ...], to: Any) -> Any:
    changed = copy.deepcopy(value)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = to
    return changed


@pytest.mark.parametrize("text", [CHAT_ABOUT_A_FILE, AGENT, TEMPLATE])
def test_whatever_stands_in_a_file_it_is_an_app_or_problems(text: str) -> None:
    """Each value in turn replaced by something odd: nothing but `InvalidApp` is ever raised."""
    whole = read_document(dedent(text), "old.yml")
    for path in _places(whole.values):
        for odd in ODD:
            changed = Document("old.yml", _changed(whole.values, path, odd), whole.places)
            from_llmstack(changed)
            if odd == {"x": 1}:  # the checker takes ten times as long
                with suppress(InvalidApp):
                    check(changed)


@pytest.mark.parametrize(
    "hostile",
    ["{{" * 400_000, "{% raw %}" * 90_000, "<pa-asset " * 90_000, '<pa-asset "' * 90_000,
     "<" * 900_000, "{{ a" + " " * 900_000, "{% for a in" * 80_000, "{{ '" * 200_000],
)  # fmt: skip
def test_a_text_made_to_be_slow_is_not(hostile: str) -> None:
    """What reads a text does not read it again from each place in it: this ends within seconds."""
    document = Document(
        "old.yml",
        {
            "name": "A",
            "config": {"input_template": hostile},
            "processors": [
                {
                    "provider_slug": "promptly",
                    "processor_slug": "llm",
                    "input": {"input_message": hostile},
                }
            ],
        },
        {},
    )
    with suppress(InvalidApp):
        check(document)
