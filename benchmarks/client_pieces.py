"""CPU time that a streamed piece costs on the client's side, beside its peers, in one run.

    .venv/bin/python benchmarks/client_pieces.py [--rounds 30] [--pieces 500]

A server in a process of its own sends the same recorded chat stream, each piece as an HTTP chunk,
once in one burst and once piece by piece. In each round every contender reads it in turn, so that
what slows the machine slows all alike; figures are medians over rounds of this process's CPU time,
and ratios are taken within a round. Contenders:

    bare        asyncio's socket reader: split into lines, decode each with msgspec; no checks at all
    client      ingle.upstream.client.Client.stream, typed and checked
    processor   the ChatCompletions processor on top of it, to its whole output
    openai      the openai package's AsyncOpenAI
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable

import msgspec
import openai

from ingle.processors.catalogue import run_processor
from ingle.processors.pieces import Piece
from ingle.routing import Router
from ingle.runtime import Runtime, open_runtime
from ingle.settings import load_settings
from ingle.upstream.client import Client
from ingle.upstream.target import Target
from ingle.upstream.wire import ChatChunk

Contender = Callable[[], Awaitable[int]]
_MODELS = b'HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{"data":[{"id":"m"}]}\n'
_BODY = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


class _Delta(msgspec.Struct, gc=False):
    content: str | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta
    finish_reason: str | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice]


# -- the server, in its own process ----------------------------------------------------------------


def _events(pieces: int) -> list[bytes]:
    head = (
        b'"created":1763901234,"id":"chatcmpl-Vx2xqSAbCdEfGhIjKlMnOpQrStUvWx","model":"demo",'
        b'"system_fingerprint":"b7000-abcdef012","object":"chat.completion.chunk"}'
    )
    choice = b'data: {"choices":[{"finish_reason":%b,"index":0,"delta":%b}],%b\n\n'
    events = [choice % (b"null", b'{"content":" word%d"}' % (i % 10), head) for i in range(pieces)]
    return [*events, choice % (b'"stop"', b"{}", head), b"data: [DONE]\n\n"]


def serve(pieces: int) -> None:
    """Print a port, and answer on it: `/burst…` at once, anything else piece by piece."""
    chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in _events(pieces)] + [b"0\r\n\r\n"]
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    whole = head + b"".join(chunks)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                if request.startswith(b"GET"):  # the processor's first call asks for the models
                    writer.write(_MODELS)
                    continue
                length = [
                    int(line.split(b":")[1])
                    for line in request.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ]
                await reader.readexactly(length[0])
                if b"/burst/" in request:
                    writer.write(whole)
                    await writer.drain()
                    continue
                writer.write(head)
                for chunk in chunks:
                    writer.write(chunk)
                    await asyncio.sleep(0.0005)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(main())


# -- contenders: each reads one stream and returns the number of characters ------------------------


def _bare(port: int, path: str) -> Contender:
    decode = msgspec.json.Decoder(_Chunk).decode
    body = msgspec.json.encode(_BODY)
    request = (
        f"POST {path}/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    connection: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def read() -> int:
        if not connection:
            connection.append(await asyncio.open_connection("127.0.0.1", port, limit=2**18))
        reader, writer = connection[0]
        writer.write(request)
        length = 0
        rest = end = b""
        while end != b"0\r\n\r\n":
            data = await reader.read(2**18)
            end = (end + data)[-5:]
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.startswith(b"data: {"):
                    length += len(decode(line[6:]).choices[0].delta.content or "")
        return length

    return read


def _client(client: Client, target: Target) -> Contender:
    async def read() -> int:
        length = 0
        async for chunks in client.stream(target, "chat/completions", _BODY, into=ChatChunk):
            for chunk in chunks:
                length += len(chunk.choices[0].delta.content or "")
        return length

    return read


def _processor(router: Router, base_url: str) -> Contender:
    values = {"messages": [{"role": "user", "content": "Hi"}]}
    config = {"base_url": base_url, "model": "m", "stream": True}

    async def read() -> int:
        length = 0
        async for item in run_processor("localai/chatgpt", values, config, router):
            if isinstance(item, Piece):
                length += len(item.text)
        return length

    return read


def _openai(base_url: str) -> Contender:
    client = openai.AsyncOpenAI(base_url=base_url, api_key="x")

    async def read() -> int:
        length = 0
        stream = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        async for chunk in stream:
            length += len(chunk.choices[0].delta.content or "")
        return length

    return read


# -- measuring -------------------------------------------------------------------------------------


async def _cpu_us(contender: Contender, pieces: int, streams: int, expected: int) -> float:
    """CPU microseconds of this process for each piece, over so many streams in turn."""
    gc.collect()
    began = time.process_time()
    for _ in range(streams):
        if await contender() != expected:
            raise AssertionError("A stream was not read whole.")
    return (time.process_time() - began) / streams / pieces * 1e6


async def measure(port: int, pieces: int, rounds: int) -> None:
    """Print a table for each way of arriving."""
    expected = sum(len(f" word{i % 10}") for i in range(pieces))
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings(environ={"INGLE_HOME": home})
        async with open_runtime(settings) as runtime:
            await _measure(runtime, port, pieces, rounds, expected)


async def _measure(runtime: Runtime, port: int, pieces: int, rounds: int, expected: int) -> None:
    for way, streams, heavy_streams in (("burst", 20, 2), ("trickle", 1, 1)):
        base_url = f"http://127.0.0.1:{port}/{way}/v1"
        contenders = {
            "bare": _bare(port, f"/{way}/v1"),
            "client": _client(runtime.client, Target(base_url)),
            "processor": _processor(runtime.router, base_url),
            "openai": _openai(base_url),
        }
        figures: dict[str, list[float]] = {name: [] for name in contenders}
        for contender in contenders.values():
            await contender()  # connections, imports, caches
        for _ in range(rounds if way == "burst" else max(3, rounds // 5)):
            for name, contender in contenders.items():
                count = heavy_streams if name == "openai" else streams
                figures[name].append(await _cpu_us(contender, pieces, count, expected))
        print(f"\n{way}: {pieces} pieces a stream, medians of {len(figures['bare'])} rounds")
        for name, values in figures.items():
            ratio = statistics.median(
                value / bare for value, bare in zip(values, figures["bare"], strict=True)
            )
            print(f"  {name:10} {statistics.median(values):8.2f} us a piece  {ratio:7.2f} x bare")


def main() -> None:
    """Start the server, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--pieces", type=int, default=500)
    parser.add_argument("--serve", action="store_true", help="be the server (used inside)")
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.pieces)
        return
    command = [sys.executable, __file__, "--serve", "--pieces", str(arguments.pieces)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            port = int(server.stdout.readline())
            asyncio.run(measure(port, arguments.pieces, arguments.rounds))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
