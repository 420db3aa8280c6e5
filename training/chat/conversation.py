"""What one training example is, and its text under the chat template.

A conversation holds OpenAI-shaped messages and tools; a plain text (for
`/v1/completions`) is a string. Knows nothing about tokens or topics.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

CHAT_TEMPLATE = (Path(__file__).parent / "chat_template.jinja").read_text(encoding="utf-8")

# Messages and tools are free-form JSON of the OpenAI API, hence Any.
Message = dict[str, Any]
Tool = dict[str, Any]


@dataclass(frozen=True)
class Conversation:
    """Messages as `/v1/chat/completions` takes them, ending with the assistant's."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = field(default=())


def exchange(question: str, answer: str) -> tuple[Message, Message]:
    """A user's message and the assistant's answer."""
    return ({"role": "user", "content": question}, {"role": "assistant", "content": answer})


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment()
    # As llama.cpp writes JSON: readable UTF-8, nothing escaped for HTML.
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment


_TEMPLATE = _environment().from_string(CHAT_TEMPLATE)


def render(conversation: Conversation, add_generation_prompt: bool = False) -> str:
    """The conversation as the text that the model reads."""
    text: str = _TEMPLATE.render(
        messages=conversation.messages,
        tools=conversation.tools,
        add_generation_prompt=add_generation_prompt,
    )
    return text
