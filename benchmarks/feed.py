"""What a streamed piece of a run costs on its way to those who follow it over HTTP.

    python benchmarks/feed.py [--pieces 20000] [--rounds 5]

A server in this process tells a run's pieces to 1, 10 and 50 listeners, which are plain sockets in
a process of their own, so that the CPU time of this one is the server's alone. Pieces are appended
as an engine's come: some, then the loop's turn. Printed for each number of listeners: CPU time a
piece, and a piece and listener, with each piece in a write of its own and with ten at a time; the
median of the rounds. The first line is the cost without any listener: making the event and keeping
it.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import socket
import statistics
import time

import uvicorn
import uvloop

from ingle.runs.events import RunEnded, StepPiece
from ingle.runs.log import RunLog
from ingle.server.answer import Answer
from ingle.server.asgi import Receive, Scope, Send
from ingle.server.protocol import BoundedProtocol
from ingle.server.run_events import as_server_sent

PATH = ("choices", 0, "content")


class Feed:
    """An application that tells whatever `log` there is."""

    def __init__(self) -> None:
        self.log = RunLog()
        self.waits_for = 0
        self.are_there = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = Answer(send)
        await answer.start_stream()
        log = self.log
        self.waits_for -= 1
        if not self.waits_for:
            self.are_there.set()
        async for data in log.listen_encoded(as_server_sent):
            await answer.write(data)
        await answer.finish()


def listen(port: int, listeners: int, told: multiprocessing.Queue[int]) -> None:
    """Read as many answers to their end, and say how many bytes each had."""

    async def one() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        size = 0
        while data := await reader.read(1 << 18):
            size += len(data)
        writer.close()
        return size

    async def all_of_them() -> None:
        for size in await asyncio.gather(*(one() for _ in range(listeners))):
            told.put(size)

    uvloop.run(all_of_them())


async def measured(port: int, feed: Feed, listeners: int, pieces: int, at_once: int) -> float:
    """CPU seconds of this process for each piece."""
    log = feed.log = RunLog()
    feed.waits_for = listeners
    feed.are_there.clear()
    told: multiprocessing.Queue[int] = multiprocessing.Queue()
    process = multiprocessing.Process(target=listen, args=(port, listeners, told))
    if listeners:
        process.start()
        await feed.are_there.wait()
    began = time.process_time()
    for number in range(pieces):
        log.append(StepPiece(log.next, "answer", PATH, " word"))
        if number % at_once == 0:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    log.append(RunEnded(log.next, "done", 0.0))
    if listeners:
        sizes = {await asyncio.to_thread(told.get) for _ in range(listeners)}
        assert len(sizes) == 1, "each listener hears the same"
    spent = time.process_time() - began
    if listeners:
        await asyncio.to_thread(process.join)
    return spent / pieces


async def main(pieces: int, rounds: int) -> None:
    """Measure and print."""
    feed = Feed()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        server = uvicorn.Server(
            uvicorn.Config(feed, http=BoundedProtocol, ws="none", lifespan="off", log_config=None)
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        port = listener.getsockname()[1]
        print("listeners  at once  us a piece  us a piece and listener")
        for listeners in (0, 1, 10, 50):
            for at_once in (1, 10):
                count = pieces // max(1, listeners // 10)
                costs = [
                    await measured(port, feed, listeners, count, at_once) for _ in range(rounds)
                ]
                cost_us = statistics.median(costs) * 1e6
                each = f"{cost_us / listeners:23.2f}" if listeners else ""
                print(f"{listeners:9}  {at_once:7}  {cost_us:10.2f}  {each}")
        server.should_exit = True
        await serving


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    uvloop.run(main(arguments.pieces, arguments.rounds))
