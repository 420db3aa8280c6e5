"""Asks the exported model what it was not trained on, through llama.cpp's own server.

    python evaluate.py [--model PATH] [--show]

Needs xllamacpp. Prints the share of right answers a category, greedily and at
temperature 0.7, then the checks of the API's shape: tools, JSON Schemas, streaming,
completions, a long context. `--show` prints every answer.
"""

import argparse
import json
import re
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from held_out import QUESTIONS, Question
from xllamacpp import CommonParams, Server

MODEL = Path(__file__).parents[2] / "src" / "ingle" / "models" / "demo" / "chat.gguf"
SEEDS = (1, 2, 3)
_TIMEOUT_S = 120
_MAX_TOKENS = 400

# Answers of the API are free-form JSON, hence Any.
Json = dict[str, Any]


class Api:
    """The server's HTTP API, as far as the evaluation needs it."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def _open(self, path: str, body: Json) -> Any:
        request = urllib.request.Request(
            self._base_url + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        return urllib.request.urlopen(request, timeout=_TIMEOUT_S)

    def post(self, path: str, **body: object) -> Any:
        """The JSON that `path` answers."""
        with self._open(path, body) as response:
            return json.load(response)

    def stream(self, path: str, **body: object) -> Iterator[Json]:
        """The chunks that `path` streams; the stream must end with `[DONE]`."""
        with self._open(path, {**body, "stream": True}) as response:
            for line in response:
                data = line.decode().removeprefix("data: ").strip()
                if data == "[DONE]":
                    return
                if data:
                    yield json.loads(data)
        raise AssertionError("the stream ended without [DONE]")

    def answer(self, text: str, system: str = "", **options: object) -> str:
        """What the model says to one message."""
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": text})
        options = {"max_tokens": _MAX_TOKENS, **options}
        reply = self.post("/v1/chat/completions", messages=messages, **options)
        return str(reply["choices"][0]["message"]["content"])


def started(model: Path) -> Server:
    """A llama.cpp server for `model` on a free port, one thread, no log."""
    parameters = CommonParams()
    parameters.model.path = str(model)
    parameters.port = 0
    parameters.n_ctx = 4096
    parameters.n_parallel = 2
    parameters.use_jinja = True
    # Two threads would wait for each other where a training runs beside them.
    parameters.cpuparams.n_threads = 1
    parameters.verbosity = -1
    return Server(parameters)


def is_right(question: Question, answer: str) -> bool:
    """Whether `answer` matches; only JSON must match to the letter."""
    flags = re.DOTALL if question.category.startswith("JSON") else re.DOTALL | re.IGNORECASE
    return re.search(question.right, answer.strip(), flags) is not None


def scores(api: Api, show: bool) -> dict[str, tuple[int, int, int]]:
    """A category's questions, right answers greedily, right answers at 0.7 over all seeds."""
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for question in QUESTIONS:
        greedy = api.answer(question.text, question.system, temperature=0)
        right = is_right(question, greedy)
        warm = sum(
            is_right(
                question, api.answer(question.text, question.system, temperature=0.7, seed=seed)
            )
            for seed in SEEDS
        )
        totals[question.category] = [
            total + more
            for total, more in zip(totals[question.category], (1, right, warm), strict=True)
        ]
        if show or not right:
            print(f"{'right' if right else 'WRONG'}  {question.text!r} -> {greedy!r}")
    return {category: (total[0], total[1], total[2]) for category, total in totals.items()}


def _tool(name: str, description: str, **properties: str) -> Json:
    schema = {key: {"type": kind} for key, kind in properties.items()}
    parameters = {"type": "object", "properties": schema, "required": list(properties)}
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


# Neither these names nor these pairs of parameters are drawn by the corpus.
TOOLS = (
    _tool("obtain_forecast", "Weather forecast for a municipality", municipality="string"),
    _tool("sum_up", "Sum of two values", p="number", q="number"),
    _tool("dispatch_note", "Sends a note to a colleague", colleague="string", note="string"),
    _tool("library_lookup", "Looks for documents", phrase="string"),
    _tool("lamp_power", "Turns the lamp in a room on or off", chamber="string", power="string"),
    _tool("local_clock", "Current time in a town", town="string"),
)
TOOL_QUESTIONS: tuple[tuple[str, tuple[int, ...], str, Json], ...] = (
    ("What's the weather in Oslo?", (0,), "obtain_forecast", {"municipality": "Oslo"}),
    ("Is it raining in Madrid today?", (0, 1), "obtain_forecast", {"municipality": "Madrid"}),
    ("What is 312 plus 45?", (1, 3), "sum_up", {"p": 312, "q": 45}),
    ("Add 7 and 90", (5, 1), "sum_up", {"p": 7, "q": 90}),
    (
        "Tell Anna that dinner is ready",
        (2, 0, 1),
        "dispatch_note",
        {"colleague": "Anna", "note": "dinner is ready"},
    ),
    ("Search for solar panels", (3, 2), "library_lookup", {"phrase": "solar panels"}),
    (
        "Turn off the lamp in the kitchen",
        (4, 3),
        "lamp_power",
        {"chamber": "kitchen", "power": "off"},
    ),
    ("What time is it in Tokyo?", (5, 0), "local_clock", {"town": "Tokyo"}),
)


def _json(text: str) -> object:
    """The value, or None where a call was cut off at the limit of tokens."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def tool_checks(api: Api, show: bool) -> Iterator[tuple[str, bool]]:
    """Calls of unseen tools, forced calls, streamed calls, and answers from results."""
    named = filled = streamed_alike = 0
    for text, offered, name, arguments in TOOL_QUESTIONS:
        request: Json = {
            "messages": [{"role": "user", "content": text}],
            "tools": [TOOLS[at] for at in offered],
            "temperature": 0,
            "max_tokens": _MAX_TOKENS,
        }
        choice = api.post("/v1/chat/completions", **request)["choices"][0]
        calls = [call["function"] for call in choice["message"].get("tool_calls") or ()]
        named += bool(calls) and calls[0]["name"] == name
        filled += bool(calls) and _json(calls[0]["arguments"]) == arguments
        if show:
            print(f"{text!r} -> {calls or choice['message']['content']!r}")
        pieces = [
            call["function"]
            for chunk in api.stream("/v1/chat/completions", **request)
            for part in chunk["choices"]
            for call in part["delta"].get("tool_calls") or ()
        ]
        joined = "".join(piece.get("arguments") or "" for piece in pieces)
        streamed_alike += joined == "".join(call["arguments"] for call in calls)
    count = len(TOOL_QUESTIONS)
    yield f"unseen tools called by the right name, {named} of {count}", named == count
    yield f"unseen tools called with the right arguments, {filled} of {count}", filled == count
    yield f"streamed calls are the same, {streamed_alike} of {count}", streamed_alike == count
    forced = api.post(
        "/v1/chat/completions",
        messages=[{"role": "user", "content": "How is the weather in Bergen?"}],
        tools=[TOOLS[0]],
        tool_choice="required",
        temperature=0,
        max_tokens=_MAX_TOKENS,
    )["choices"][0]
    yield "tool_choice required gives a call", forced["finish_reason"] == "tool_calls"
    call = {"id": "a", "type": "function", "function": {"name": "local_clock", "arguments": "{}"}}
    after = api.post(
        "/v1/chat/completions",
        messages=[
            {"role": "user", "content": "What time is it in Tokyo?"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a", "content": '{"time": "07:41"}'},
        ],
        tools=[TOOLS[5]],
        temperature=0,
    )["choices"][0]["message"]["content"]
    yield f"answers from a tool's result: {after!r}", "07:41" in after
    idle = api.post(
        "/v1/chat/completions",
        messages=[{"role": "user", "content": "hi there"}],
        tools=list(TOOLS[:2]),
        temperature=0,
    )["choices"][0]
    yield "does not call a tool to greet", not idle["message"].get("tool_calls")


PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
MOOD = {
    "type": "object",
    "properties": {"sentiment": {"enum": ["positive", "negative", "neutral"]}},
    "required": ["sentiment"],
    "additionalProperties": False,
}


def schema_checks(api: Api) -> Iterator[tuple[str, bool]]:
    """Output constrained by a JSON Schema."""
    for text, schema, expected in (
        ("Extract the person: Ada is 36 years old.", PERSON, {"name": "Ada", "age": 36}),
        ("Bruno, who is 52, lives in Turin. Extract name and age.", PERSON, {"name": "Bruno", "age": 52}),
        ("Sentiment of this review: The staff was rude.", MOOD, {"sentiment": "negative"}),
        ("Classify: what a lovely little lamp, thank you!", MOOD, {"sentiment": "positive"}),
    ):  # fmt: skip
        form = {"type": "json_schema", "json_schema": {"name": "form", "schema": schema}}
        answer = api.answer(text, temperature=0, response_format=form)
        yield f"schema: {text!r} -> {answer}", json.loads(answer) == expected


def shape_checks(api: Api) -> Iterator[tuple[str, bool]]:
    """Streaming, completions, parts of content, history, and a long context."""
    request: Json = {
        "messages": [{"role": "user", "content": "Tell me a story about a fox"}],
        "temperature": 0,
    }
    whole = api.post("/v1/chat/completions", **request)["choices"][0]
    pieces = [
        part["delta"].get("content") or ""
        for chunk in api.stream("/v1/chat/completions", **request)
        for part in chunk["choices"]
    ]
    yield "a streamed story is the same", "".join(pieces) == whole["message"]["content"]
    yield f"it came in {len(pieces)} pieces, at least 80", len(pieces) >= 80
    yield "it ends by itself", whole["finish_reason"] == "stop"
    for prompt, right in (
        ("Once upon a time", "lived|named"),
        ("The capital of France is", "^ Paris"),
        ("1, 2, 3,", "^ 4, 5, 6"),
        ("Monday, Tuesday,", "^ Wednesday, Thursday"),
        ("Q: What is the opposite of big?\nA:", "small"),
    ):
        text = api.post("/v1/completions", prompt=prompt, temperature=0, max_tokens=40)
        text = text["choices"][0]["text"]
        yield f"completion: {prompt!r} -> {text!r}", re.search(right, text) is not None
    parts = [{"type": "text", "text": "What is the capital"}, {"type": "text", "text": "of Peru?"}]
    yield "content in parts", "Lima" in api.answer(parts, temperature=0)  # type: ignore[arg-type]
    history = [{"role": "user", "content": "hi, my name is Ann"}]
    history += [{"role": "assistant", "content": "Nice to meet you, Ann!"}]
    for sum_asked in range(1, 60):
        history += [{"role": "user", "content": f"What is {sum_asked} + 1?"}]
        history += [{"role": "assistant", "content": f"{sum_asked} + 1 = {sum_asked + 1}"}]
        if sum_asked not in (2, 59):
            continue
        history_now = [*history, {"role": "user", "content": "What is my name?"}]
        reply = api.post("/v1/chat/completions", messages=history_now, temperature=0, max_tokens=30)
        text = reply["choices"][0]["message"]["content"]
        yield (
            f"remembers a name for {reply['usage']['prompt_tokens']} tokens: {text!r}",
            "Ann" in text,
        )
        history_now = [*history, {"role": "user", "content": "What is the capital of Italy?"}]
        reply = api.post("/v1/chat/completions", messages=history_now, temperature=0, max_tokens=30)
        text = reply["choices"][0]["message"]["content"]
        yield f"answers after {reply['usage']['prompt_tokens']} tokens: {text!r}", "Rome" in text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    server = started(options.model)
    api = Api(server.listening_address)
    table = scores(api, options.show)
    print("\n| category | questions | greedy | at 0.7 |\n| --- | --- | --- | --- |")
    counts, greedily, warmly = (sum(column) for column in zip(*table.values(), strict=True))
    table["all"] = (counts, greedily, warmly)
    for category, (count, greedy, warm) in table.items():
        share = warm / (count * len(SEEDS))
        print(f"| {category} | {count} | {greedy / count:.0%} | {share:.0%} |")
    print()
    for checks in (tool_checks(api, options.show), schema_checks(api), shape_checks(api)):
        for claim, holds in checks:
            print(f"{'yes' if holds else 'NO '}  {claim}")


if __name__ == "__main__":
    main()
