"""Pulls in processes of their own: killed in the middle, and on a disk that fills up."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

import pytest

from ingle.models.store import Models
from ingle.settings import Settings
from ingle.testing.file_server import FileServer

Pulling = Any  # of conftest, which no test can import
Gguf = Any

PATH = "/Tiny-Q4_K_M.gguf"
SCRIPT = """
import asyncio, sys
from ingle.models.pull.install import pull
from ingle.settings import load_settings
async def main():
    async for progress in pull(sys.argv[1], load_settings()):
        print(getattr(progress, "done_bytes", ""), flush=True)
asyncio.run(main())
"""


FULL = """
import asyncio, resource, sys
from ingle.errors import StorageError
from ingle.models.pull.install import pull
from ingle.settings import load_settings
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
async def main():
    async for progress in pull(sys.argv[1], load_settings()):
        pass
try:
    asyncio.run(main())
except StorageError as error:
    print(error.message)
"""


def _installed(settings: Settings) -> list[str]:
    return [model.name for model in Models(settings).list() if not model.is_builtin]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
async def test_disk_fills(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """A disk that gets full in the middle is an error that says so; what fitted is used later."""
    file = server.serve(PATH, gguf(1_000_000))
    file.etag = '"v1"'
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FULL, server.url + PATH, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await child.communicate()
    assert b"The disk or a quota is full. Free some space and try again." in told
    done = await pulling(server.url + PATH)
    assert (done.path / "Tiny-Q4_K_M.gguf").read_bytes() == file.content


@pytest.mark.slow
async def test_kill_and_go_on(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """SIGKILL after SIGKILL: there is no model until it is whole, and each byte is sent once."""
    size = 40_000_000
    file = server.serve(PATH, gguf(size))
    file.etag = '"v1"'
    for stop in (10_000_000, 20_000_000, 30_000_000):
        file.holds_after = stop - server.sent_bytes
        file.is_held.clear()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT, server.url + PATH, stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        while int(await child.stdout.readline() or 0) < stop - 2_000_000:
            pass
        await file.is_held.wait()
        child.send_signal(signal.SIGKILL)
        await child.wait()
        assert _installed(settings) == []
    file.holds_after = None
    file.go.set()
    done = await pulling(server.url + PATH)
    assert (done.path / "Tiny-Q4_K_M.gguf").read_bytes() == file.content
    assert _installed(settings) == ["tiny-q4_k_m"]
    assert len(server.asked(PATH)) == 4
    starts = [request.range for request in server.asked(PATH)]
    assert starts[0] is None
    assert all(start is not None for start in starts[1:])
    assert server.sent_bytes < size + 6_000_000  # what lay between the two when one was killed
