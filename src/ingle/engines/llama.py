"""The child process for text: `python -m ingle.engines.llama`, llama.cpp's own server on loopback.

Its parent writes one line of JSON, an `Order`, to its standard input and keeps that open; the key
comes this way because arguments can be read by every user of the machine. It loads the model,
listens on a free port of 127.0.0.1 and writes one line of JSON to its standard output:
`{"port": 40123}`, or, if it cannot serve, `{"error": {"code": "…", "message": "…"}}`. Its log goes
to standard error. It ends when its standard input does, which is also when its parent dies.
`--describe` says what this build of llama.cpp is and which devices it sees.

The only process that imports xllamacpp; it imports as little else as it can, as it is started
while somebody waits.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TextIO

from ingle.errors import EngineMissing, EngineStartFailed, IngleError

if TYPE_CHECKING:
    from xllamacpp import CommonParams

__all__ = ["Mode", "Order", "main"]

Mode = Literal["generate", "embed", "rerank"]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_WARNINGS = 2  # llama.cpp's verbosity: at 3 it logs seven lines a request
_CONNECTIONS = 256
"""Threads that read requests. A kept-alive connection holds one for 5 s after its last answer, and
with llama.cpp's default, slots + 4, half of 16 callers at once wait those 5 s for their turn. They
cost 1.3 MB together."""
_MEAN_POOLING_BATCH = 512  # llama.cpp's own n_ubatch


@dataclass(frozen=True, slots=True)
class Order:
    """What to run. `context_tokens` is for each of the `slots`; sizes are in bytes.

    `threads` is llama.cpp's choice where it is None, the template the model's own.
    """

    model: str
    name: str
    mode: Mode
    pooling: str | None
    context_tokens: int
    slots: int
    cache_bytes: int
    threads: int | None = None
    chat_template: str | None = None
    key: str = ""

    def as_json(self) -> dict[str, Any]:  # Any: JSON values
        """What the parent sends, to which it adds the key."""
        return asdict(self)


def main(arguments: list[str]) -> int:
    """Run the engine until its parent goes; the exit code. Arguments but `--describe` are labels."""
    if arguments == ["--describe"]:
        json.dump(_describe(), sys.stdout)
        return 0
    _die_with_parent()
    answers = _keep_standard_output()
    line = sys.stdin.buffer.readline()
    if not line:
        return 0
    try:
        server = _serve(Order(**json.loads(line)))
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
        return Server(_parameters(order))
    except RuntimeError as error:
        raise EngineStartFailed(f"llama.cpp could not start the model {order.name!r}.") from error


def _parameters(order: Order) -> CommonParams:
    """llama.cpp's parameters for an order; what it could do for strangers is off."""
    from xllamacpp import CommonParams

    parameters = CommonParams()
    parameters.model.path = order.model
    parameters.model_alias = {order.name}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [order.key]
    parameters.cors_origins = ""
    parameters.cors_credentials = False
    parameters.ui = False
    parameters.endpoint_metrics = True
    parameters.endpoint_slots = True
    parameters.verbosity = _WARNINGS
    parameters.n_threads_http = _CONNECTIONS
    parameters.n_parallel = order.slots
    parameters.n_ctx = order.context_tokens * order.slots
    # With one cache for all slots, each token also attends to what other slots keep: with 16 slots
    # a single caller got half the tokens a second (a prompt of 500 tokens in each).
    parameters.kv_unified = False
    parameters.cache_ram_mib = max(1, order.cache_bytes // 2**20)
    if order.threads is not None:
        parameters.cpuparams.n_threads = order.threads
        parameters.cpuparams_batch.n_threads = order.threads
    if order.chat_template is not None:
        parameters.chat_template = order.chat_template
    _set_mode(parameters, order)
    return parameters


def _set_mode(parameters: CommonParams, order: Order) -> None:
    """Make the server give embeddings or scores.

    A model that writes gives embeddings too, in the same process at no cost: the mean of its
    tokens' vectors, of at most 512 tokens, as such a text has to go through in one batch. (The
    last token's vector has no such limit, but in a model not trained for it says little of the
    whole text.)
    """
    from xllamacpp import llama_pooling_type as pooling

    parameters.embedding = True
    if order.mode == "rerank":
        parameters.pooling_type = pooling.LLAMA_POOLING_TYPE_RANK
    elif order.pooling in (None, "none"):
        parameters.pooling_type = pooling.LLAMA_POOLING_TYPE_MEAN
    batch = _MEAN_POOLING_BATCH if order.mode == "generate" else order.context_tokens
    parameters.n_batch = parameters.n_ubatch = batch


def _describe() -> dict[str, Any]:  # Any: JSON values
    import xllamacpp

    return {
        "version": f"xllamacpp {xllamacpp.__version__}",
        "system_info": xllamacpp.get_system_info(),
        "devices": [
            {
                "description": device["description"],
                "type": device["type"].name.rpartition("_")[2].lower(),
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
