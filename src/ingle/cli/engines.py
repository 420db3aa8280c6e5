"""`ingle models ps`, `run` and `stop`: the engines of the Ingle that runs on this machine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ingle.cli.completion import complete_model
from ingle.cli.running import RunningKey, ask, path_of, read_key
from ingle.cli.terminal import AsJson, note, print_json, print_table, size, spinner

__all__ = ["ps", "run", "stop"]

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_model)]
Engine = dict[str, Any]  # as /api/engines describes it


def ps(as_json: AsJson = False, key_stdin: RunningKey = False) -> None:
    """List the engines of the running Ingle.

    What each does and holds; how much of its context and how many of its slots are in use; the
    tokens a second of an answer; for how long it has been idle; and what went wrong last.
    """
    engines: list[Engine] = ask("GET", "engines", key=read_key(key_stdin))
    if as_json:
        print_json(engines)
        return
    if not engines:
        note("No engine runs. The first call to a model starts one, or `ingle models run NAME`.")
        return
    columns = dict.fromkeys(("MODEL", "STATE", "MEMORY", "CONTEXT", "SLOTS", "TOK/S", "IDLE"), "")
    print_table(columns, [_row(engine) for engine in engines])
    for engine in engines:
        if engine["last_error"]:
            note(f"{engine['name']}: {engine['last_error']}")


def run(name: Name, as_json: AsJson = False, key_stdin: RunningKey = False) -> None:
    """Load a model in the running Ingle.

    Its first call then does not wait. It is stopped when idle, like any other.
    """
    key = read_key(key_stdin)
    details = ask("GET", path_of("models", name), key=key)
    if not as_json and details["estimate"]["fits"]:
        note(_needs(name, details["estimate"]))
    with spinner(f"Loading {name}"):
        engine: Engine = ask("POST", path_of("models", name, "load"), key=key)
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
        ask("DELETE", path_of("engines", name), key=read_key(key_stdin))
    if as_json:
        print_json({"name": name, "state": "stopped"})
        return
    note(f"Stopped {name}. The next call to it starts it again.")


def _needs(name: str, estimate: dict[str, Any]) -> str:
    """What it should take, of what, and of how much: said before it is loaded."""
    parts = ", ".join(f"{part} {size(taken)}" for part, taken in estimate["parts"].items())
    on_gpu = f", {size(estimate['gpu_bytes'])} of it on the GPU" if estimate["gpu_bytes"] else ""
    needed = estimate["total_bytes"] + estimate["gpu_bytes"]
    limit = estimate["limit_bytes"] + estimate["gpu_limit_bytes"]
    return f"{name} takes up to {size(needed)} of {size(limit)}{on_gpu}: {parts}."


def _row(engine: Engine) -> tuple[str, ...]:
    held, rate = engine["memory_bytes"], engine["tokens_s"]
    return (
        str(engine["name"]),
        "pinned" if engine["is_pinned"] and engine["state"] == "ready" else str(engine["state"]),
        size(held) if held is not None else "-",
        _context(engine),
        _slots(engine),
        f"{rate:,.0f}" if rate is not None else "-",
        _idle(engine),
    )


def _context(engine: Engine) -> str:
    """Tokens that it keeps, of those that it could in all slots: `312 of 32,768`."""
    tokens, used = engine["context_tokens"], engine["context_used_tokens"]
    if not tokens:
        return "-"
    whole = f"{tokens * (engine['slots'] or 1):,}"
    return f"{used:,} of {whole}" if used is not None else whole


def _slots(engine: Engine) -> str:
    """Slots at work, and calls that wait for one: `4 of 4 (+12)`."""
    slots, leases = engine["slots"], engine["leases"]
    if engine["pid"] is None:
        return "-"
    if not slots:
        return str(leases)
    used = engine["slots_used"] if engine["slots_used"] is not None else min(leases, slots)
    waiting = f" (+{leases - slots})" if leases > slots else ""
    return f"{used} of {slots}{waiting}"


def _idle(engine: Engine) -> str:
    """How long nobody has asked for anything: `1:07`, in minutes or hours; `-` while one does."""
    if engine["leases"] or not engine["last_used_at"]:
        return "-"
    used_at = datetime.fromisoformat(engine["last_used_at"])
    minutes, seconds = divmod(max(0, round((datetime.now(UTC) - used_at).total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
