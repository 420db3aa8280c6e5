"""The form in which people write apps: what each field is called, may hold and means.

A step says what runs (`use`, a processor's slug, or `app/<slug>` for another app), on which input
and with which configuration; texts in there may be templates. For chats there are short-hands:
`model`, `system` and `prompt`. Whatever is not written has the default that stands here. The JSON
Schema for editors is made from these types.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from ingle.processors.catalogue import PROCESSORS

__all__ = [
    "RESERVED_NAMES",
    "AppDefinition",
    "ChatDefinition",
    "ExpectDefinition",
    "FieldDefinition",
    "FieldType",
    "StepDefinition",
    "TestDefinition",
    "ToolDefinition",
    "schema",
]

RESERVED_NAMES = frozenset(
    {"input", "history", "item", "index", "output", "forloop", "tablerowloop"}
)
"""What templates call things that are not steps."""

FieldType = Literal[
    "string",
    "text",
    "number",
    "integer",
    "boolean",
    "select",
    "choices",
    "file",
    "image",
    "audio",
    "json",
]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FieldDefinition(_Part):
    """One thing that the app asks of who runs it."""

    type: FieldType = Field(
        "string",
        description="`string` is one line and `text` many; `select` is one of the options and "
        "`choices` several; a `file`, `image` or `audio` comes as a data URI; `json` is any value.",
    )
    title: str | None = Field(None, description="What people read above it; else its name.")
    description: str | None = Field(None, description="What people read below it.")
    required: bool | None = Field(
        None, description="Whether it must be given; by default if it has no `default`."
    )
    default: JsonValue = Field(None, description="Its value where none is given.")
    options: list[str | dict[Literal["label", "value"], str]] | None = Field(
        None, description="What may be chosen: values, or objects with `label` and `value`."
    )
    accept: str | None = Field(None, description="For files: the kinds, such as `.pdf,image/*`.")


class ToolDefinition(_Part):
    """Something that the model may call: a processor, another app, or the tools of an MCP server."""

    use: str | None = Field(None, description="A processor's slug, or `app/<slug>`.")
    mcp: str | list[str] | None = Field(
        None, description="An MCP server: its URL, or the command that starts it."
    )
    description: str | None = Field(None, description="What the model reads of it.")
    input: dict[str, JsonValue] = Field(
        {}, description="Values that are set already, so that the model does not choose them."
    )
    config: dict[str, JsonValue] = Field({}, description="The processor's configuration.")
    only: list[str] | None = Field(None, description="Of an MCP server: just these tools.")
    timeout: float = Field(
        120, gt=0, description="The longest that one call may take, in seconds; then it is stopped."
    )


class StepDefinition(_Part):
    """One step of an app."""

    use: str | None = Field(
        None,
        description="What runs: a processor's slug such as `localai/chatgpt`, or `app/<slug>`. "
        "A step with a `prompt` is a chat if it does not say.",
    )
    title: str | None = Field(None, description="What people read; else the step's name.")
    description: str | None = None
    model: str | None = Field(
        None, description="Short for `config.model`: such as `demo` or `connection/model`."
    )
    system: str | None = Field(None, description="Short for the chat's `system_message`.")
    prompt: str | None = Field(
        None, description="Short for what the user says in a chat, or for `input.prompt`."
    )
    history: bool | None = Field(
        None,
        description="Whether earlier messages of the session come before the prompt; by default in "
        "apps of type chat and agent.",
    )
    tools: dict[Name, ToolDefinition] | None = Field(
        None, description="What the model may call, by name; a chat with tools is an agent."
    )
    max_steps: int = Field(
        10, ge=1, le=100, description="With tools: how often the model may be asked."
    )
    input: dict[str, JsonValue] = Field({}, description="The input of what runs.")
    config: dict[str, JsonValue] = Field({}, description="The configuration of what runs.")
    when: str | bool | None = Field(
        None,
        description='A condition, such as `answer contains "yes"`, or a template; the step is '
        "skipped where it is false, or says false or nothing.",
    )
    for_each: str | list[JsonValue] | None = Field(
        None, description="A list, or a template that gives one: the step runs for each `item`."
    )
    at_once: int = Field(4, ge=1, le=256, description="With `for_each`: how many at the same time.")
    timeout: float | None = Field(
        None, gt=0, description="The longest that the step may take, in seconds."
    )
    retries: int = Field(
        0, ge=0, le=20, description="How often it is tried again where that can help."
    )
    on_error: Literal["fail", "skip"] = Field(
        "fail", description="`skip`: the app goes on, and the step's value is nothing."
    )
    fallback: list[str] = Field(
        [], description="Models to ask in order where the one before failed."
    )


class ChatDefinition(_Part):
    """How a chat looks before anyone has spoken, and what it remembers."""

    welcome_message: str | None = None
    suggested_messages: list[str] = []
    assistant_image: str | None = None


class ExpectDefinition(_Part):
    """What an answer must be like; all that is said must hold."""

    contains: str | list[str] | None = Field(None, description="Texts that it has, in any case.")
    lacks: str | list[str] | None = Field(None, description="Texts that it has not.")
    matches: str | None = Field(None, description="A regular expression found in it.")
    equals: JsonValue = Field(None, description="Just this.")
    schema_: dict[str, JsonValue] | None = Field(
        None, alias="schema", description="A JSON Schema that it, or the JSON in it, fits."
    )
    judge: str | None = Field(
        None, description="A statement that a model must find true of the answer."
    )


class TestDefinition(_Part):
    """An input, and what the app must make of it."""

    name: str | None = None
    input: dict[str, JsonValue] = {}
    expect: ExpectDefinition
    step: str | None = Field(None, description="Look at this step's result, not at the output.")


class AppDefinition(_Part):
    """An app: what it asks, its steps, and what it answers."""

    name: str = Field(min_length=1, max_length=100)
    slug: Slug | None = Field(None, description="Its name in URLs; else made of `name`.")
    type: Literal["form", "chat", "agent"] = Field(
        "form", description="`chat` and `agent` remember what was said in a session."
    )
    description: str = ""
    input: dict[Name, FieldDefinition | FieldType] = Field(
        {}, description="What the app asks, by name: a type, or an object that says more."
    )
    steps: dict[Name, StepDefinition] = Field(
        min_length=1, description="Steps by name; each runs as soon as what it uses is there."
    )
    output: str | dict[str, JsonValue] | None = Field(
        None, description="A template, or an object of them; else the last step's result."
    )
    chat: ChatDefinition = ChatDefinition()
    tests: list[TestDefinition] = []

    def fields(self) -> dict[str, FieldDefinition]:
        """The input's fields, each in its long form."""
        return {
            name: field if isinstance(field, FieldDefinition) else FieldDefinition(type=field)
            for name, field in self.input.items()
        }


def schema() -> dict[str, Any]:
    """The JSON Schema of the form, for editors; it offers the processors that there are."""
    described = AppDefinition.model_json_schema()
    for part in ("StepDefinition", "ToolDefinition"):
        use = described["$defs"][part]["properties"]["use"]
        use["anyOf"] = [
            {"enum": list(PROCESSORS)},
            {"type": "string", "pattern": "^app/"},
            {"type": "null"},
        ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **described,
        "title": "Ingle app",
    }
