"""The child process for text: `python -m ingle.engines.llama`, llama.cpp's own server on loopback.

Its parent writes one line of JSON, an `Order`, to its standard input and keeps that open; the key
comes this way because arguments can be read by every user of the machine. It loads the model,
listens on a free port of 127.0.0.1 and writes one line of JSON to its standard output:
`{"port": 40123}`, or, if it cannot serve, `{"error": {"code": "…", "message": "…"}}`. Its log goes
to standard error. It ends when its standard input does, which is also when its parent dies.
`--describe` says what this build of llama.cpp is and which devices it sees; with a folder, of the
build of xllamacpp that lies there.

The only process that imports xllamacpp; it imports as little else as it can, as it is started
while somebody waits.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any, TextIO

from ingle.engines.llama_order import Order, llama_parameters
from ingle.errors import EngineMissing, EngineStartFailed, IngleError

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> int:
    """Run the engine until its parent goes; the exit code. Arguments but `--describe` are labels."""
    if arguments[:1] == ["--describe"]:
        for folder in arguments[1:]:
            sys.path.insert(0, folder)
        json.dump(_describe(), sys.stdout)
        return 0
    _die_with_parent()
    answers = _keep_standard_output()
    line = sys.stdin.buffer.readline()
    if not line:
        return 0
    order = Order(**json.loads(line))
    try:
        if order.library is not None:
            _prefer(order.library)
        server = _serve(order)
    except IngleError as error:
        _say(answers, {"error": {"code": error.code, "message": error.message}})
        return error.exit_code
    # llama.cpp's own handlers end its loop and leave the process.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _say(answers, {"port": int(server.listening_address.rpartition(":")[2])})
    while os.read(sys.stdin.fileno(), 4096):
        pass
    # Taking the server down in order would wait for running answers, and nobody is left to read.
    os._exit(0)


def _prefer(folder: str) -> None:
    """Import the xllamacpp of this folder; if that cannot be loaded, the installed one is taken."""
    sys.path.insert(0, folder)
    try:
        import xllamacpp  # noqa: F401
    except ImportError as error:
        sys.path.remove(folder)
        for name in [name for name in sys.modules if name.partition(".")[0] == "xllamacpp"]:
            del sys.modules[name]
        print(  # noqa: T201
            f"The build of llama.cpp for this processor, {folder}, cannot be loaded: {error}. The "
            "installed one is used. `ingle doctor --build` builds it anew.",
            file=sys.stderr,
            flush=True,
        )


def _serve(order: Order) -> Any:  # Any: the library has no types
    """llama.cpp's server with the model loaded, listening.

    Raises:
        EngineMissing: xllamacpp is not installed, or not for this machine.
        EngineStartFailed: llama.cpp refused; its log says why.
    """
    try:
        from xllamacpp import Server
    except ImportError as error:
        raise EngineMissing(
            f"xllamacpp, which runs text models, cannot be loaded: {error}. "
            "Run `pip install --force-reinstall xllamacpp`, then `ingle doctor`."
        ) from error
    try:
        return Server(llama_parameters(order))
    except RuntimeError as error:
        raise EngineStartFailed(f"llama.cpp could not start the model {order.name!r}.") from error


def _describe() -> dict[str, Any]:  # Any: JSON values
    import xllamacpp

    return {
        "version": f"xllamacpp {xllamacpp.__version__}",
        "path": xllamacpp.__file__,
        "system_info": xllamacpp.get_system_info(),
        "devices": [
            {
                "description": device["description"],
                "type": device["type"].name.rpartition("_")[2].lower(),
                "memory_bytes": device["memory_total"],
            }
            for device in xllamacpp.get_device_info()
        ],
    }


def _keep_standard_output() -> TextIO:
    """The way to the parent, after turning whatever native code prints to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _say(answers: TextIO, line: dict[str, object]) -> None:
    answers.write(json.dumps(line) + "\n")
    answers.flush()


def _die_with_parent() -> None:
    """On Linux, also when the parent is killed while this process loads and cannot read."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
