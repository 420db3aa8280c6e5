"""What `/v1` costs: chat through Ingle beside chat at the engine's own port, in one run.

    python benchmarks/relay.py [--model PATH.gguf] [--rounds 9] [--tokens 64] [--threads 1]

Ingle and its engine run in processes of their own; the callers are plain sockets in this one. In
each round the same requests go to the one and then to the other, in changing order, so that what
slows the machine slows both alike; figures are medians over rounds, ratios are taken within a
round. Printed for 1, 8 and 16 callers, streamed and whole: tokens a second at both, their ratio,
and the CPU time of Ingle's process for each token; then the time to the first token of a short
request at both, one caller, and the median of the differences.

Without `--model` the demo model answers. It is faster than any model that people use, so the
figures with it are the worst case; `make_model.py` writes larger ones.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
import uvloop

from ingle.runtime import open_runtime
from ingle.server.app import create_app
from ingle.server.listener import listen, url_of
from ingle.server.protocol import BoundedProtocol
from ingle.settings import load_settings

CALLERS = (1, 8, 16)
FIRST_TOKENS = 100
QUESTION = [{"role": "user", "content": "Tell me a story about a small boat."}]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chat can be asked for."""

    host: str
    port: int
    key: str
    model: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a request brought."""

    tokens: int
    first_s: float


async def chat(place: Place, tokens: int, *, is_stream: bool) -> Told:
    """Ask for so many tokens, on a connection of its own."""
    body = json.dumps(
        {
            "model": place.model,
            "messages": QUESTION,
            "max_tokens": tokens,
            "ignore_eos": True,
            "stream": is_stream,
            "temperature": 1,
        }
    ).encode()
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection(place.host, place.port)
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nAuthorization: Bearer %b\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (place.key.encode(), len(body), body)
    )
    first_s, data = 0.0, bytearray()
    while part := await reader.read(65536):
        data += part
        if not first_s and b'"content":"' in data:
            first_s = time.perf_counter() - began
    writer.close()
    if b"[DONE]" not in data and b'"usage"' not in data:
        raise RuntimeError(f"{place.host}:{place.port} said: {bytes(data[-500:])!r}")
    return Told(tokens, first_s)


async def throughput(place: Place, callers: int, tokens: int, *, is_stream: bool) -> float:
    """Tokens a second of all callers together, each with a request at a time."""
    requests = max(2, 16 // callers)

    async def call() -> int:
        return sum(
            [(await chat(place, tokens, is_stream=is_stream)).tokens for _ in range(requests)]
        )

    began = time.perf_counter()
    made = await asyncio.gather(*(call() for _ in range(callers)))
    return sum(made) / (time.perf_counter() - began)


async def compare(ingle: Place, engine: Place, pid: int, options: argparse.Namespace) -> None:
    """Print all figures."""
    print("answer  callers  engine tok/s  ingle tok/s  ratio  ingle CPU us/token")
    for is_stream in (True, False):
        for callers in CALLERS:
            rounds = []
            for number in range(options.rounds + 1):
                rates, spent_s = {}, 0.0
                for place in (engine, ingle) if number % 2 else (ingle, engine):
                    before_s = cpu_s(pid)
                    rates[place] = await throughput(
                        place, callers, options.tokens, is_stream=is_stream
                    )
                    if place is ingle:
                        spent_s = cpu_s(pid) - before_s
                tokens = callers * max(2, 16 // callers) * options.tokens
                rounds.append((rates[engine], rates[ingle], spent_s / tokens * 1e6))
            del rounds[0]  # the first one warms both up
            at_engine, at_ingle, cpu_us = (
                statistics.median(column) for column in zip(*rounds, strict=True)
            )
            ratio = statistics.median(through / direct for direct, through, _ in rounds)
            kind = "stream" if is_stream else "whole"
            print(
                f"{kind:6}  {callers:7}  {at_engine:12.0f}  {at_ingle:11.0f}  {ratio:5.3f}"
                f"  {cpu_us:18.1f}",
                flush=True,
            )
    pairs = [
        [(await chat(place, 2, is_stream=True)).first_s * 1e3 for place in (engine, ingle)]
        for _ in range(FIRST_TOKENS)
    ]
    at_engine, at_ingle = (statistics.median(column) for column in zip(*pairs, strict=True))
    added = statistics.median(through - direct for direct, through in pairs)
    print(f"first token, ms: engine {at_engine:.2f}, ingle {at_ingle:.2f}, added {added:.2f}")


def cpu_s(pid: int) -> float:
    """CPU time that a process has used, its children's not counted (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def serve(home: Path, name: str, threads: int) -> None:
    """Be Ingle, with the model's engine kept up, and tell where both are."""
    settings = load_settings(
        environ={},
        overrides={
            "home": home,
            "slots": max(CALLERS),
            "threads": threads,
            "context_tokens": 512,
            "log_level": "warning",
        },
    )
    listener = listen("127.0.0.1", 0)
    async with (
        open_runtime(settings) as runtime,
        runtime.supervisor.lease(runtime.models.get(name)) as target,
    ):
        config = uvicorn.Config(
            create_app(runtime), http=BoundedProtocol, ws="none", lifespan="off", log_config=None
        )
        server = uvicorn.Server(config)
        told = {"ingle": url_of(listener), "engine": target.base_url, "key": target.api_key}
        print(json.dumps(told), flush=True)
        await server.serve(sockets=[listener])


def main() -> None:
    """Start Ingle in a child process and measure it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    name = options.model.stem if options.model else "demo"
    if options.serve:
        uvloop.run(serve(options.serve, name, options.threads))
        return
    with tempfile.TemporaryDirectory() as home:
        if options.model:
            (Path(home) / "models").mkdir()
            shutil.copy(options.model, Path(home) / "models")
        again = [sys.executable, __file__, *sys.argv[1:], "--serve", home]
        with subprocess.Popen(again, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                told = json.loads(process.stdout.readline())
                ingle, engine = (
                    Place(str(urlsplit(url).hostname), urlsplit(url).port or 80, told["key"], name)
                    for url in (told["ingle"], told["engine"])
                )
                uvloop.run(compare(ingle, engine, process.pid, options))
            finally:
                process.terminate()


if __name__ == "__main__":
    main()
