"""What a batch costs: rows a second against a stub server, and memory as the rows get more.

    .venv/bin/python benchmarks/batch.py [--rows 10000] [--times 10] [--concurrency 32]

A stub of the OpenAI API in a process of its own answers each chat at once. `ingle batch` runs an app
of one chat step over a CSV file, in a fresh process each time: first over `--rows` rows, then over
`--times` as many. Peak memory is the process's VmHWM, as its last word; the ratio of the two peaks
says whether memory is flat in the number of rows. A third figure is the same work without Ingle's
apps and files: the stub asked by the bare client of the same process, so many at once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ingle.upstream.client import Client
from ingle.upstream.target import Target
from ingle.upstream.wire import ChatCompletion

_ANSWER = (
    b'{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"Positive."},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":20,"completion_tokens":3,"total_tokens":23}}'
)
_MODELS = b'{"object":"list","data":[{"id":"m","object":"model"}]}'
_APP = """
name: Classify
input: {{review: text}}
steps:
  kind:
    prompt: "Is this positive or negative? {{{{ input.review }}}}"
    config: {{base_url: "{url}", model: m, stream: false, max_tokens: 5}}
"""


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request on a connection at once."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line.partition(b":")[2])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            await reader.readexactly(length)
            body = _ANSWER if head.startswith(b"POST") else _MODELS
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % len(body)
                + body
            )
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _stub() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


# -- the batch, in a process of its own, which says its peak at the end --------------------------------

_CHILD = """
import sys, re
from pathlib import Path
from ingle.cli import main
code = main(sys.argv[1:])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print("PEAK", peak, file=sys.stderr)
sys.exit(code)
"""


def _batch(folder: Path, rows: int, concurrency: int) -> tuple[float, float]:
    """Seconds and the peak in MB of a batch over so many rows."""
    source, out = folder / f"{rows}.csv", folder / f"{rows}.jsonl"
    with source.open("w") as file:
        file.write("number,review\n")
        for number in range(rows):
            file.write(f'{number},"Row {number}: the food was good, and the waiters were kind."\n')
    command = ["batch", str(folder / "app.yaml"), str(source), "-o", str(out)]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *command, "--concurrency", str(concurrency)],
        env={**os.environ, "INGLE_HOME": str(folder / "home")},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - began
    if done.returncode:
        sys.exit(done.stderr)
    with out.open() as file:
        written = sum(1 for _ in file)
    assert written == rows, f"{written} of {rows} rows"
    return seconds, int(done.stderr.split("PEAK")[1]) / 1000


async def _bare(url: str, rows: int, concurrency: int) -> float:
    """Seconds for as many requests by the client alone."""
    left = iter(range(rows))
    target = Target(url, None, "stub")

    async def ask() -> None:
        for number in left:
            body = {
                "model": "m",
                "messages": [{"role": "user", "content": f"Row {number}: the food was good."}],
            }
            await client.post(target, "chat/completions", body, into=ChatCompletion)

    async with Client() as client:
        began = time.monotonic()
        await asyncio.gather(*(ask() for _ in range(concurrency)))
        return time.monotonic() - began


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--stub", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stub:
        asyncio.run(_stub())
        return
    with (
        tempfile.TemporaryDirectory() as name,
        subprocess.Popen([sys.executable, __file__, "--stub"], stdout=subprocess.PIPE) as stub,
    ):
        try:
            assert stub.stdout is not None
            url = f"http://127.0.0.1:{int(stub.stdout.readline())}/v1"
            folder = Path(name)
            (folder / "app.yaml").write_text(_APP.format(url=url))
            _batch(folder, 100, options.concurrency)  # makes the database, warms the disk
            bare_s = asyncio.run(_bare(url, options.rows, options.concurrency))
            print(
                f"{'bare client':>12} {options.rows:>9,} rows {options.rows / bare_s:>8,.0f} rows/s"
            )
            peaks = []
            for rows in (options.rows, options.rows * options.times):
                seconds, peak = _batch(folder, rows, options.concurrency)
                peaks.append(peak)
                print(
                    f"{'ingle batch':>12} {rows:>9,} rows {rows / seconds:>8,.0f} rows/s {peak:>7.1f} MB"
                )
            print(f"memory ratio {peaks[1] / peaks[0]:.3f}")
        finally:
            stub.terminate()


if __name__ == "__main__":
    main()
