"""Apps that the tests of this room publish, and how."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.server.conftest import Caller

YAML = {"Content-Type": "application/yaml"}

ECHO = """\
name: Echo
description: Says it again.
input:
  words: text
steps:
  said:
    use: ingle/template
    input: {text: "{{ input.words }}"}
output: "You said: {{ said }}"
"""


def asking(url: str, *, more: str = "") -> str:
    """A form app that asks a model of the server at `url`."""
    return f"""\
name: Asking
input:
  question: text
  tone: {{type: string, default: kind}}
steps:
  answer:
    prompt: "{{{{ input.question }}}}"
    config: {{base_url: "{url}", model: scripted}}
    {more}
output: "{{{{ answer }}}}"
"""


def chatting(url: str) -> str:
    """A chat app that asks a model of the server at `url`."""
    return f"""\
name: Chatting
type: chat
steps:
  answer:
    prompt: "{{{{ input.message }}}}"
    config: {{base_url: "{url}", model: scripted}}
output: "{{{{ answer }}}}"
"""


def of_llmstack(url: str) -> str:
    """An app as LLMStack writes it, that asks a model of the server at `url`."""
    return f"""\
name: Language translator
slug: translator
type_slug: web
description: Translates.
config: {{}}
input_fields:
- {{name: words, title: Words, description: "", type: text, required: true}}
- {{name: language, title: Language, type: string, default: French}}
processors:
- id: _inputs1
  name: ChatGPT
  provider_slug: localai
  processor_slug: chatgpt
  config: {{base_url: "{url}", model: scripted, stream: true}}
  input:
    system_message: "Translate into {{{{_inputs0.language}}}}."
    messages: [{{role: user, content: "{{{{_inputs0.words}}}}"}}]
  output_template: {{markdown: ""}}
output_template:
  markdown: "{{{{_inputs1.choices[0].content}}}}"
"""


@contextmanager
def published(call: Caller, slug: str, text: str) -> Iterator[str]:
    """The path under `/api` of an app that is published inside the block."""
    made = call("POST", f"/api/apps?slug={slug}&publish=true", text.encode(), headers=YAML)
    assert made.status == 201, made.body
    try:
        yield f"/api/apps/{slug}"
    finally:
        assert call("DELETE", f"/api/apps/{slug}").status == 204
