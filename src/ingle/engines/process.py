"""One engine's process: started, listened to, and ended.

It knows nothing about models or memory: it starts a command, hands it one line of JSON, and reads
back the port that it serves on. `ingle.engines.llama` describes what passes between them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec

from ingle.engines.log import LogTail
from ingle.errors import EngineError, EngineMissing, EngineStartFailed, ModelFileInvalid
from ingle.upstream.target import Target

__all__ = ["EngineProcess", "Launch"]

_STOP_S = 3.0
_LOG_END_S = 1.0
_SHOWN_LINES = 5
_READ_BYTES = 64 * 1024
_ANNOUNCED: Mapping[str, type[EngineError]] = {
    error.code: error for error in (EngineMissing, EngineStartFailed, ModelFileInvalid)
}


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start an engine: its command, and the order that it gets, to which `key` is added.

    `diagnose` reads the log of a start that failed, for a better error than "it failed". `start_s`
    is how long it may take to get ready, where that is not for the settings to say.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    order: Mapping[str, Any] = field(repr=False)  # Any: JSON values
    diagnose: Callable[[Sequence[str]], EngineError | None] = lambda lines: None
    start_s: float | None = None


class _Fault(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


_NONSENSE = _Fault(message="It did not say where it serves.")


class _Answer(msgspec.Struct, frozen=True):
    """What the child says once: where it serves, or why it cannot."""

    port: int | None = None
    error: _Fault | None = None


class _Protocol(asyncio.subprocess.SubprocessStreamProtocol):
    """Says when the process itself has ended.

    Up to Python 3.12, `Process.wait` goes on until nobody holds its pipes any more, not even what
    it has started (https://github.com/python/cpython/issues/119710).
    """

    def __init__(self) -> None:
        super().__init__(limit=_READ_BYTES, loop=asyncio.get_running_loop())
        self.exited = asyncio.Event()

    def process_exited(self) -> None:
        super().process_exited()
        self.exited.set()


_Spawned = tuple[asyncio.subprocess.Process, asyncio.Event]
"""A process, and the event of its end."""


class EngineProcess:
    """A child that serves at `target` until `ended` is set; its output is always being read."""

    def __init__(self, launch: Launch, spawned: _Spawned, key: str) -> None:
        self.log = LogTail(hidden=key)
        self.ended = asyncio.Event()
        self.target = Target("", key, f"engine {launch.name}")
        self._launch = launch
        self._process, self._exited = spawned
        self._answer = _Answer()
        self._has_answered = asyncio.Event()
        self._reading = asyncio.gather(self._read_log(), self._read_answer())
        self._waiting = asyncio.create_task(self._wait(), name=f"end of {launch.name}")

    @classmethod
    async def start(cls, launch: Launch, *, within_s: float) -> Self:
        """A process that serves. If the caller is cancelled, the process is killed.

        Raises:
            EngineStartFailed: it ended, or was not ready in time.
            EngineMissing: its library is not there.
            ModelFileInvalid, ModelTooLarge: that is what its log says.
        """
        key = secrets.token_urlsafe(32)
        process = cls(launch, await _spawn(launch), key)
        try:
            async with asyncio.timeout(within_s):
                answer = await process._ask({**launch.order, "key": key})
        except TimeoutError:
            await process.stop(grace_s=0)
            raise EngineStartFailed(
                f"The engine of {launch.name!r} was not ready after {within_s:g} s. {process._said()}"
                "Raise `engine_start_s` if the model is only slow to load."
            ) from None
        except BaseException:
            await process.stop(grace_s=0)
            raise
        if answer.port is None:
            # One that says why it cannot serve is about to end, and its log is whole only then.
            await process.stop(grace_s=_STOP_S if answer.error != _NONSENSE else 0)
            raise process._start_failure(answer)
        process.target = Target(f"http://127.0.0.1:{answer.port}/v1", key, process.target.name)
        return process

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1."""
        return int(self.target.base_url.removesuffix("/v1").rpartition(":")[2])

    async def stop(self, *, grace_s: float = _STOP_S) -> None:
        """End it and wait for that: its input is closed, which it obeys, or else it is killed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self.ended.wait()
        if not self.ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await asyncio.shield(self._waiting)

    def how_it_ended(self) -> str:
        """In words, with the last lines of its log: "was ended by signal 9 (SIGKILL). …"."""
        code = self._process.returncode
        if code is None:
            how = "is still there"
        elif code < 0:
            how = f"was ended by signal {-code} ({_signal_name(-code)})"
        else:
            how = f"ended with exit code {code}"
        hint = "The system kills processes so when memory runs out. " if code == -9 else ""
        return f"{how}. {hint}{self._said()}"

    async def _ask(self, order: Mapping[str, Any]) -> _Answer:
        """Hand over the order and wait for the answer; an empty one if the process ended."""
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # it has ended: the missing answer says so
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            await self._process.stdin.drain()
        await self._has_answered.wait()
        return self._answer

    def _start_failure(self, answer: _Answer) -> EngineError:
        name = self._launch.name
        if diagnosis := self._launch.diagnose(self.log.lines()):
            return diagnosis
        fault = answer.error or _Fault(message=f"Its process {self.how_it_ended()}")
        kind = _ANNOUNCED.get(fault.code, EngineStartFailed)
        if kind is EngineMissing:
            return kind(fault.message)
        said = self._said() if answer.error else ""
        return kind(
            f"The engine of {name!r} did not start. {fault.message} {said}"
            "`ingle doctor` tells whether this machine can run it."
        )

    def _said(self) -> str:
        lines = self.log.lines(_SHOWN_LINES)
        return f"The last lines of its log: {' | '.join(lines)}. " if lines else ""

    async def _wait(self) -> None:
        """Set `ended` when the process is gone and its log is whole."""
        await self._exited.wait()
        _kill_group(self._process.pid)
        # A daemon that it started may hold the pipes open; the log is not worth waiting for it.
        with contextlib.suppress(TimeoutError, OSError):
            await asyncio.wait_for(self._reading, _LOG_END_S)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self.ended.set()

    async def _read_log(self) -> None:
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(_READ_BYTES):
            self.log.feed(data)

    async def _read_answer(self) -> None:
        """Take the first line of its output, and read on so that the child is never held up."""
        assert self._process.stdout is not None
        try:
            if line := await self._process.stdout.readline():
                self._answer = msgspec.json.decode(line, type=_Answer)
        except (msgspec.DecodeError, ValueError):  # ValueError: a line without end
            self._answer = _Answer(error=_NONSENSE)
        finally:
            self._has_answered.set()
        while await self._process.stdout.read(_READ_BYTES):
            pass


async def _spawn(launch: Launch) -> _Spawned:
    """Start the command in a process group of its own, out of the reach of a Ctrl-C at Ingle."""
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
    try:
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.subprocess_exec(
            _Protocol,
            *launch.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(launch.environment),
            start_new_session=True,
            creationflags=flags,
        )
    except OSError as error:
        raise EngineStartFailed(
            f"The process of the engine {launch.name!r} cannot be started: "
            f"{error.strerror or error} ({launch.command[0]}). Check that it can be run."
        ) from error
    return asyncio.subprocess.Process(transport, protocol, loop), protocol.exited


def _kill_group(leader: int) -> None:
    """Kill what an engine that has ended leaves behind in its process group."""
    if sys.platform != "win32":
        # PermissionError: macOS says so where only dead processes are left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
