"""Writes the pages that follow from the code: `python docs/generate.py`, or `--check` in CI.

`docs/settings.md` comes from the fields of `Settings`, `docs/cli.md` from the commands' help,
`docs/http.md` from the endpoints and the OpenAPI description, `docs/processors.md` from the
processors' schemas, `docs/app.schema.json` from the form in which apps are written.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer
import typer.main

from ingle.apps.definition import schema
from ingle.cli.app import app
from ingle.processors.catalogue import PROCESSORS, AnyProcessor
from ingle.runtime import open_runtime
from ingle.server.api.description import described_api
from ingle.server.endpoints import ENDPOINTS
from ingle.settings import Settings, load_settings

DOCS = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py: change the code, then run `make docs`. -->\n"


def settings_page() -> str:
    """Each setting with its default, its variable and what it means."""
    rows = "".join(
        f"| `{setting.name}` | {_code(setting.value)} | `{setting.variable}` | {_cell(setting.description)} |\n"
        for setting in load_settings(environ={"INGLE_HOME": "/nowhere"}).describe()
        if setting.name != "home"
    )
    return f"""# Settings

{NOTE}
A value comes from the command line, else from the environment, else from `config.yaml` in Ingle's
home folder, else it is the default. `ingle config` shows each value and where it came from. A wrong
value or an unknown name is an error, never replaced by a default. Sizes may be written as `6GiB`.

The home folder is `INGLE_HOME`, else the platform's user data folder.

| setting | default | variable | what it means |
|---|---|---|---|
{rows}
## Connections
A connection is another server that speaks the same API. The one named `localai` is LLMStack's
LocalAI base URL and key: `LOCALAI_BASE_URL` and `LOCALAI_API_KEY`, or `INGLE_LOCALAI_BASE_URL` and
`INGLE_LOCALAI_API_KEY`. Any other: `ingle connections add NAME URL`, the variables
`INGLE_CONNECTION_<NAME>_BASE_URL` and `INGLE_CONNECTION_<NAME>_API_KEY`, or in `config.yaml`:

```yaml
connections:
  box:
    base_url: http://192.168.1.20:8080
    api_key: sk-…
```

Keys that are added by the command or the API are kept encrypted in the database.

## Routes
A route is a name that stands for models; see [routing.md](routing.md). `ingle routes add NAME MODEL…`,
or in `config.yaml`:

```yaml
routes:
  fast:
    models: [local/demo, box/llama-3.1-8b]
    pick: first
```
"""


def cli_page() -> str:
    """Each command's help, as the terminal shows it."""
    parts = [f"# Command line\n\n{NOTE}"]
    for path, command, context in _commands():
        parts.append(f"## `{path}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(parts)


def processors_page() -> str:
    """Each processor's fields, as its schemas say."""
    listed = "".join(
        f"| [`{processor.slug}`](#{_anchor(processor)}) | {_cell(processor.description)} |\n"
        for processor in PROCESSORS.values()
    )
    parts = [
        f"# Processors\n\n{NOTE}",
        (
            "A file is given as a data URI (`data:image/png;base64,…`) or as its http(s) URL; "
            "`ingle run` reads one by `--input NAME=@FILE`. The result is what a step's name alone "
            "stands for in an app.\n"
        ),
        f"| processor | what it does |\n|---|---|\n{listed}",
    ]
    for processor in PROCESSORS.values():
        parts.append(f"## `{processor.slug}`: {processor.name}\n\n{processor.description}\n")
        schemas = processor.schema()
        parts += [_given(part, schemas[part]) for part in ("input", "configuration")]
        parts.append(_made(schemas["output"], processor.result))
    return "\n".join(parts)


def _given(part: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", []))
    rows = "".join(
        f"| `{name}` | {_cell(_type(field))} | {_default(name, field, required)} "
        f"| {_cell(field.get('description', ''))} |\n"
        for name, field in schema["properties"].items()
    )
    head = "| field | type | default | what it means |\n|---|---|---|---|\n"
    return f"**{part.capitalize()}** (`{schema['title']}`)\n\n{head}{rows}"


def _made(schema: dict[str, Any], result: Sequence[str | int]) -> str:
    rows = "".join(
        f"| `{name}` | {_cell(_type(field))} | {_cell(field.get('description', ''))} |\n"
        for name, field in schema["properties"].items()
    )
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in result)
    return (
        f"**Output** (`{schema['title']}`), of which the result is `{''.join(steps)[1:]}`\n\n"
        f"| field | type | what it means |\n|---|---|---|\n{rows}"
    )


def _anchor(processor: AnyProcessor) -> str:
    """The heading's anchor, by GitHub's rule: letters, digits, `-` and `_` stay."""
    heading = f"{processor.slug}: {processor.name}".lower().replace(" ", "-")
    return "".join(char for char in heading if char.isalnum() or char in "-_")


def api_description() -> str:
    """The OpenAPI description of `/api`, of which the web page's types are made."""
    return json.dumps(_description(), indent=2, ensure_ascii=False) + "\n"


def http_page() -> str:
    """Each endpoint: OpenAI's under `/v1`, Ingle's own under `/api`."""
    described = _description()
    own = "".join(
        f"| `{method.upper()} {path}` | {_cell(operation.get('description', '').split('.')[0])} |\n"
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    )
    models = "".join(
        f"| `POST /v1/{path}` | {'engines of this machine, connections' if end.capability else 'connections'} |\n"
        for path, end in ENDPOINTS.items()
    )
    return f"""# HTTP

{NOTE}
On loopback no key is asked for; anywhere else send `Authorization: Bearer ik-…` (or `x-api-key`).
A key may have limits: see [keys.md](keys.md).
Errors under `/v1` have OpenAI's shape (Anthropic's under `/v1/messages`): a message that says what
failed, why and what to do, a `type`, the `param` that is wrong and a `code` from
[the tree of errors](../src/ingle/errors.py). Every path under `/v1` also answers without `/v1`.

## `/v1`: OpenAI's API
| endpoint | answered by |
|---|---|
| `GET /v1/models`, `GET /v1/models/<name>` | this machine, all connections, apps |
| `DELETE /v1/models/<name>` | this machine |
{models}
A model of another connection is called `<connection>/<model>`, one of this machine also
`local/<model>`; a [route](routing.md) stands for several, and an app is called `app/<slug>`. What is kept (chats, responses, files, batches) has more
endpoints: see [openai-api.md](openai-api.md). The answer's bytes pass through as they come. Where llama.cpp differs from OpenAI's
API, and only there, the answer is put right.

`GET /health` says that Ingle runs, `GET /metrics` gives figures for Prometheus, and
`GET /generated-images/<name>` gives a picture that an answer named by its address, for an hour.

`POST /mcp` is an MCP server, with the published apps as its tools: [apps-over-http.md](apps-over-http.md).

## `/api`: Ingle's own
Its OpenAPI description is at `/api/openapi.json`.

| endpoint | what it does |
|---|---|
{own}
The events of pulls have as data the pull as it is then, and their number as `id`: who was cut off sends
it as `Last-Event-ID` and goes on there.

A processor that is run with `"stream": true` answers with server-sent events: `piece` events, each
`{{"path": […], "text": "…"}}` or `{{"path": […], "value": …}}`, and then exactly one `output` or `error`.
"""


def app_schema() -> str:
    """The JSON Schema of an app's YAML, for editors."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


@cache
def _description() -> dict[str, Any]:  # Any: JSON
    with TemporaryDirectory() as home:
        return asyncio.run(_described(load_settings(environ={"INGLE_HOME": home})))


async def _described(settings: Settings) -> dict[str, Any]:
    async with open_runtime(settings) as runtime:
        # Any, twice: FastAPI hides behind the ASGI interface here, and its description is JSON.
        app: Any = described_api(runtime)
        description: dict[str, Any] = app.openapi()
        return description


def _commands() -> Iterator[tuple[str, Any, Any]]:  # Any: Typer keeps its own types of these
    root = typer.main.get_command(app)
    context = typer.Context(root, info_name="ingle", terminal_width=80, max_content_width=80)
    yield "ingle", root, context
    yield from _below(root, context, "ingle")


def _below(group: Any, above: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        context = typer.Context(
            command, info_name=name, parent=above, terminal_width=80, max_content_width=80
        )
        yield f"{path} {name}", command, context
        if hasattr(command, "list_commands"):
            yield from _below(command, context, f"{path} {name}")


def _type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[-1]
    if kinds := field.get("anyOf") or field.get("oneOf"):
        return " or ".join(_type(kind) for kind in kinds if kind.get("type") != "null")
    if field.get("format") == "data-url":
        return "file"
    kind = str(field.get("type", "any JSON"))
    if kind == "array":
        return f"list of {_type(field['items'])}"
    low, high = field.get("minimum"), field.get("maximum")
    if "exclusiveMinimum" in field:
        low = f">{field['exclusiveMinimum']}"
    if low is not None or high is not None:
        return f"{kind}, {'' if low is None else low}…{'' if high is None else high}"
    if "maxLength" in field:
        return f"{kind}, at most {field['maxLength']} characters"
    return kind


def _default(name: str, field: dict[str, Any], required: set[str]) -> str:
    if name in required:
        return "required"
    default = field.get("default")
    return (
        "" if default is None else f"`{default!r}`" if isinstance(default, str) else f"`{default}`"
    )


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


PAGES = {
    "settings.md": settings_page,
    "cli.md": cli_page,
    "processors.md": processors_page,
    "http.md": http_page,
    "app.schema.json": app_schema,
    "../web/openapi.json": api_description,
}


def main() -> int:
    """Write the pages, or with `--check` say which are out of date; the exit code."""
    stale = [
        name
        for name, page in PAGES.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text() != page()
    ]
    if "--check" in sys.argv[1:]:
        if stale:
            print(f"Out of date: {', '.join(stale)}. Run `make docs` and commit.")
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).write_text(PAGES[name]())
        print(f"docs/{name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
