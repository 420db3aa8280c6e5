"""`ingle models ps`, `run` and `stop`: the engines of the Ingle that runs on this machine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ingle.cli.completion import complete_model
from ingle.cli.running import RunningKey, ask, path_of
from ingle.cli.terminal import AsJson, note, print_json, print_table, size, spinner

__all__ = ["ps", "run", "stop"]

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_model)]
Engine = dict[str, Any]  # as /api/engines describes it


def ps(as_json: AsJson = False, key_stdin: RunningKey = False) -> None:
    """List the engines of the running Ingle.

    What each does and holds, how many of its slots are in use, and for how long it has been idle.
    """
    engines: list[Engine] = ask("GET", "engines", key_stdin=key_stdin)
    if as_json:
        print_json(engines)
        return
    if not engines:
        note("No engine runs. The first call to a model starts one, or `ingle models run NAME`.")
        return
    columns = {"MODEL": "", "STATE": "", "PID": "dim", "MEMORY": "", "CONTEXT": "", "SLOTS": ""}
    print_table({**columns, "IDLE": ""}, [_row(engine) for engine in engines])
    for engine in engines:
        if engine["last_error"] and engine["state"] != "ready":
            note(f"{engine['name']}: {engine['last_error']}")


def run(name: Name, as_json: AsJson = False, key_stdin: RunningKey = False) -> None:
    """Load a model in the running Ingle.

    Its first call then does not wait. It is stopped when idle, like any other.
    """
    with spinner(f"Loading {name}"):
        engine: Engine = ask("POST", path_of("models", name, "load"), key_stdin=key_stdin)
    if as_json:
        print_json(engine)
        return
    held = engine["memory_bytes"] or engine["expected_bytes"]
    note(f"{engine['name']} is ready{f', in {size(held)} of memory' if held else ''}.")


def stop(name: Name, key_stdin: RunningKey = False, as_json: AsJson = False) -> None:
    """Stop a model's engine.

    The running Ingle does so once its calls have ended, or `drain_s` later.
    """
    with spinner(f"Stopping {name}"):
        ask("DELETE", path_of("engines", name), key_stdin=key_stdin)
    if as_json:
        print_json({"name": name, "state": "stopped"})
        return
    note(f"Stopped {name}. The next call to it starts it again.")


def _row(engine: Engine) -> tuple[str, ...]:
    tokens, slots, held = engine["context_tokens"], engine["slots"], engine["memory_bytes"]
    return (
        str(engine["name"]),
        str(engine["state"]),
        str(engine["pid"] or "-"),
        size(held) if held is not None else "-",
        f"{tokens:,} tokens" if tokens else "-",
        f"{engine['leases']} of {slots}" if slots else "-",
        _idle(engine),
    )


def _idle(engine: Engine) -> str:
    """How long nobody has asked for anything: `1:07`, in minutes or hours; `-` while one does."""
    if engine["leases"] or not engine["last_used_at"]:
        return "-"
    used_at = datetime.fromisoformat(engine["last_used_at"])
    minutes, seconds = divmod(max(0, round((datetime.now(UTC) - used_at).total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
