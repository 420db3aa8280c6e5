"""`ingle up`: one address, a key where one is needed, and a clean end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import urllib.error
import urllib.request
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import CompletedProcess

Ingle = Callable[..., CompletedProcess[str]]


@asynccontextmanager
async def serving(*args: str) -> AsyncGenerator[tuple[Process, str], None]:
    """`ingle up` with these arguments, and the first line that it prints."""
    command = [sys.executable, "-W", "error", "-m", "ingle", "up", *args]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    try:
        yield process, (await process.stdout.readline()).decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def fetch(url: str, key: str | None = None) -> tuple[int, object]:
    """The status and JSON of a GET."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


async def test_one_address_is_printed_and_ctrl_c_ends_it() -> None:
    """`/v1` answers at the one address that is printed, and Ctrl-C ends it with code 0."""
    async with serving("--port", "0", "--no-browser") as (process, line):
        address = re.fullmatch(r"Ingle is running at (http://127\.0\.0\.1:\d+)\n", line)
        assert address
        status, listed = await asyncio.to_thread(fetch, f"{address[1]}/v1/models")
        assert isinstance(listed, dict)
        assert (status, listed["object"]) == (200, "list")
        demo = {"id": "demo", "object": "model", "created": 0, "owned_by": "local"}
        assert listed["data"][0] == demo
        process.send_signal(signal.SIGINT)
        assert await process.communicate() == (b"", b"")
        assert process.returncode == 0


async def test_other_addresses_ask_for_a_key_that_is_shown_once() -> None:
    """On all networks a key is made and shown at the first start only; SIGTERM ends it well."""
    async with serving("--host", "0.0.0.0", "--port", "0") as (process, line):
        url = line.split()[-1]
        assert process.stdout is not None
        key = (await process.stdout.readline()).decode().split()[-1]
        assert re.fullmatch(r"ik-[\w-]{43}", key)
        assert (await asyncio.to_thread(fetch, f"{url}/v1/models"))[0] == 401
        assert (await asyncio.to_thread(fetch, f"{url}/v1/models", key))[0] == 200
    async with serving("--host", "0.0.0.0", "--port", "0") as (process, line):
        assert line.startswith("Ingle is running at http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        assert await process.communicate() == (b"", b"")
        assert process.returncode == 0


async def test_taken_port_is_told_with_who_has_it(ingle: Ingle) -> None:
    """A second Ingle on the same port says that there is one, and ends with code 2."""
    async with serving("--port", "0") as (_, line):
        port = line.strip().rpartition(":")[2]
        done = await asyncio.to_thread(ingle, "up", "--port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: Another Ingle (")
    assert "--port 0 takes any free one" in done.stderr


async def test_browser_opens_the_page(tmp_path: Path) -> None:
    """On a terminal with a screen, the browser is sent to the address that is printed."""
    visited = tmp_path / "visited"
    os.mkfifo(visited)
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {visited}\n')
    browser.chmod(0o700)
    terminal, its_end = os.openpty()
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "ingle", "up", "--port", "0"],
        stdout=its_end,
        stderr=its_end,
        env=os.environ | {"DISPLAY": ":0", "BROWSER": f"{browser} %s"},
    )
    try:
        url = await asyncio.to_thread(visited.read_text)
        shown = await asyncio.to_thread(os.read, terminal, 4096)
        assert shown.decode().startswith(f"Ingle is running at {url.strip()}\r\n")
    finally:
        process.terminate()
        await process.wait()
        os.close(its_end)
        os.close(terminal)
