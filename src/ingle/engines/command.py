"""The child process that runs any other server: `python -m ingle.engines.command`.

Its parent writes one line of JSON, a `CommandOrder`, to its standard input and keeps that open. It
chooses a free port, starts the server, and waits until that answers on its health path; then it
writes `{"port": 40123}` to its standard output, or `{"error": {"code": "…", "message": "…"}}` if
that does not come about. What the server prints goes to standard error. So a server that knows
nothing of Ingle is started, watched and ended as every engine is.

It ends when its standard input does, which is also when its parent dies, and at SIGTERM; then it
asks the server to end, and after two seconds kills it with all that it has started. If the server
ends by itself, this process ends in the same way, by the same exit code or signal.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import threading
from dataclasses import asdict, dataclass, field
from typing import Any, TextIO

from ingle.engines.descendants import adopt_orphans, die_with_parent, kill_descendants
from ingle.engines.health import wait_for_health
from ingle.errors import EngineMissing, EngineStartFailed, IngleError

__all__ = ["CommandOrder", "main"]

_NOT_ON_WINDOWS = EngineMissing(
    "Servers cannot be started by command line on Windows, as nothing there ends all that they "
    "start. Start it yourself and connect it: `ingle connections add NAME URL`."
)
_GRACE_S = 2.0  # shorter than the parent's patience, which would kill this process first


@dataclass(frozen=True, slots=True)
class CommandOrder:
    """What to run, from the folder `folder`; see `ingle.models.command_fields.CommandOptions`."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)
    health: tuple[str, ...]
    file: str
    folder: str
    start_s: float
    key: str = field(default="", repr=False)

    def as_json(self) -> dict[str, Any]:  # Any: JSON values
        """What the parent sends, to which it adds the key."""
        return asdict(self)


def main() -> int:
    """Run the server until it ends or the parent goes; the exit code."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    line = sys.stdin.buffer.readline()
    if not line:
        return 0
    if sys.platform == "win32":
        return _refuse(answers, _NOT_ON_WINDOWS)
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)  # the server's group is ended as a whole, and this process with it
    adopt_orphans()
    return asyncio.run(_run(CommandOrder(**json.loads(line)), answers))


async def _run(order: CommandOrder, answers: TextIO) -> int:
    port = _free_port()
    try:
        server = await _start(order, port)
    except IngleError as error:
        return _refuse(answers, error)
    is_over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, is_over.set)
    threading.Thread(target=_wait_for_parent, args=(loop, is_over), daemon=True).start()
    told_to_end = asyncio.create_task(is_over.wait())
    ended = asyncio.create_task(server.wait())
    healthy = asyncio.create_task(_healthy(order, port))
    await asyncio.wait({told_to_end, ended, healthy}, return_when=asyncio.FIRST_COMPLETED)
    # A server that could not have the port has ended, even if something else answers there.
    if not is_over.is_set() and not ended.done() and healthy.done():
        if failure := healthy.result():
            await _end(server, ended)
            return _refuse(answers, failure)
        _say(answers, {"port": port})
        await asyncio.wait({told_to_end, ended}, return_when=asyncio.FIRST_COMPLETED)
    healthy.cancel()
    if ended.done():
        kill_descendants()
        return _as_the_server(ended.result())
    await _end(server, ended)
    return 0


async def _start(order: CommandOrder, port: int) -> asyncio.subprocess.Process:
    """The server's process, in the group of this one.

    Raises:
        EngineMissing: its program is not installed.
        EngineStartFailed: it cannot be run.
    """
    filled = {"{port}": str(port), "{key}": order.key, "{file}": order.file}
    command = [_fill(word, filled) for word in order.command]
    added = {name: _fill(value, filled) for name, value in order.environment.items()}
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            env=os.environ | added,
            cwd=order.folder,
            preexec_fn=die_with_parent,
        )
    except FileNotFoundError as error:
        raise EngineMissing(
            f"The program {command[0]!r}, which the manifest of the model {order.name!r} names, is "
            "not installed, or not on the PATH that Ingle was started with. Install it, or write "
            "its whole path into `command`."
        ) from error
    except OSError as error:
        raise EngineStartFailed(
            f"The program {command[0]!r} of the model {order.name!r} cannot be run: "
            f"{error.strerror or error}. Check it by hand, then `command` in the manifest."
        ) from error


async def _healthy(order: CommandOrder, port: int) -> EngineStartFailed | None:
    """None once the server is ready, else why it will not be."""
    try:
        await wait_for_health(
            port, order.health, key=order.key, within_s=order.start_s, name=order.name
        )
    except EngineStartFailed as error:
        return error
    return None


async def _end(server: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    """Ask the whole group to end, then kill what is left of it."""
    os.killpg(0, signal.SIGTERM)  # this process has a handler by now
    await asyncio.wait({ended}, timeout=_GRACE_S)
    with contextlib.suppress(ProcessLookupError):
        server.kill()
    kill_descendants()


def _as_the_server(code: int) -> int:
    """The server's exit code; what ended it by a signal ends this process by the same one."""
    if code < 0:
        with contextlib.suppress(OSError, ValueError):  # ValueError: SIGKILL has no handler
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _fill(text: str, filled: dict[str, str]) -> str:
    """The text with each placeholder replaced; other braces, such as of JSON, stay."""
    for placeholder, value in filled.items():
        text = text.replace(placeholder, value)
    return text


def _free_port() -> int:
    """A port of 127.0.0.1 that was free just now; a server that loses it to another one ends."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _wait_for_parent(loop: asyncio.AbstractEventLoop, is_over: asyncio.Event) -> None:
    while os.read(0, 4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop has ended for another reason
        loop.call_soon_threadsafe(is_over.set)


def _refuse(answers: TextIO, error: IngleError) -> int:
    _say(answers, {"error": {"code": error.code, "message": error.message}})
    return error.exit_code


def _say(answers: TextIO, line: dict[str, object]) -> None:
    answers.write(json.dumps(line) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
