"""What a caller of OpenAI's API says, as the input of an app.

Of the messages the last is what is said now. A chat gets those before it as its history; any other
app answers just the last one. What more the app asks comes in `input` of the request's body, which
is not OpenAI's: `extra_body={"input": {...}}` in its client.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingle.apps.app import App
from ingle.apps.definition import FieldDefinition
from ingle.apps.fields import is_required
from ingle.errors import InvalidRequest, UnsupportedInput

__all__ = ["Said", "read_messages", "read_prompt"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

_TEXTS = ("text", "string")
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


@dataclass(frozen=True, slots=True)
class Said:
    """The values of an app's input, and the messages before the last."""

    values: Json
    history: list[Json]


def read_messages(app: App, messages: object, given: object) -> Said:
    """The input of an app that `messages` and `input` of a chat request make.

    Raises:
        InvalidRequest: they are no messages, the last is not the user's, or the app has no place
            for it; says what the app asks.
        UnsupportedInput: a message has a part, such as an image, that the app has no place for.
    """
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest("`messages` must be a list of one or more messages.", param="messages")
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            roles = ", ".join(sorted(_ROLES))
            raise InvalidRequest(
                f"messages[{index}] is no message with one of the roles {roles}.",
                param=f"messages.{index}.role",
            )
    last = messages[-1]
    values = _given(given)
    if last["role"] == "user":
        text, files = _parts(last.get("content"))
        values = _filled(app, values, text, files)
    elif not values:
        raise InvalidRequest(
            f"The last message is of the {last['role']}, but an app answers what the user says. "
            "End `messages` with one whose role is user.",
            param="messages",
        )
    is_chat = app.type != "form"
    return Said(values, [_plain(message) for message in messages[:-1]] if is_chat else [])


def read_prompt(app: App, prompt: object, given: object) -> Said:
    """The input of an app that `prompt` and `input` of a completion request make.

    Raises:
        InvalidRequest: it is not one text, or the app has no place for it.
    """
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str):
        raise InvalidRequest("For an app `prompt` must be one text.", param="prompt")
    return Said(_filled(app, _given(given), prompt, []), [])


def _given(given: object) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InvalidRequest(
            "`input` must be an object with values for the app's fields.", param="input"
        )
    return dict(given)


def _filled(
    app: App, values: dict[str, Any], text: str, files: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """The values with what was said in the fields that are for it."""
    for kind, uri in files:
        name = _only(app.fields, [kind] if kind == "file" else [kind, "file"], values)
        if name is None:
            raise UnsupportedInput(
                f"The app `{app.slug}` has no place for this {kind}. {_asked(app)}",
                param="messages",
            )
        values[name] = uri
    name = _only(app.fields, _TEXTS, values)
    if name is not None:
        values[name] = text
    elif not values:
        raise InvalidRequest(
            f"The app `{app.slug}` does not ask for just one text, so what the user says has no "
            f"place. {_asked(app)} Give their values as `input` of the body: "
            'extra_body={"input": {…}} in OpenAI\'s client.',
            param="input",
        )
    return values


def _only(
    fields: Mapping[str, FieldDefinition], types: Iterable[str], values: Mapping[str, Any]
) -> str | None:
    """The field of these types that has no value: the one that must have one, else the only one."""
    free = {name: f for name, f in fields.items() if f.type in types and name not in values}
    required = [name for name, field in free.items() if is_required(field)]
    for names in (required, list(free)):
        if len(names) == 1:
            return names[0]
        if names:
            return None
    return None


def _asked(app: App) -> str:
    asked = [
        f"`{name}` ({field.type}{'' if is_required(field) else ', optional'})"
        for name, field in app.fields.items()
    ]
    return f"It asks for: {', '.join(asked) or 'nothing'}."


def _parts(content: object) -> tuple[str, list[tuple[str, str]]]:
    """The text of a message, and its files: each a field's type and a data URI or an id."""
    if content is None or isinstance(content, str):
        return content or "", []
    texts: list[str] = []
    files: list[tuple[str, str]] = []
    for part in content if isinstance(content, list) else [content]:
        match part:
            case {"type": "text" | "input_text", "text": str(text)}:
                texts.append(text)
            case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
                files.append(("image", url))
            case {"type": "input_audio", "input_audio": {"data": str(data), "format": str(kind)}}:
                files.append(("audio", f"data:audio/{kind};base64,{data}"))
            case {"type": "file", "file": {"file_data": str(uri)}}:
                files.append(("file", uri))
            case {"type": "file", "file": {"file_id": str(file)}}:
                files.append(("file", f"file:{file.removeprefix('file:')}"))
            case _:
                raise UnsupportedInput(
                    "A part of the last message is none of: text, image_url, input_audio, file.",
                    param="messages",
                )
    return "".join(texts), files


def _plain(message: Json) -> Json:
    """An earlier message as a chat's history has it."""
    role = "system" if message["role"] == "developer" else message["role"]
    content = message.get("content")
    return {"role": role, "content": content if isinstance(content, str) else _parts(content)[0]}
