"""Pulling over plain HTTP: each way in which a server can fail."""

from __future__ import annotations

import asyncio
import contextlib
import re
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from ingle.errors import (
    Conflict,
    InvalidRequest,
    ModelFileInvalid,
    StorageError,
    UpstreamCut,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from ingle.models.pull.install import pull
from ingle.models.pull.patience import Patience
from ingle.models.pull.progress import Progress
from ingle.models.store import Models
from ingle.settings import Settings
from ingle.testing.file_server import FileServer

PATH = "/models/Tiny-Q4_K_M.gguf"
NAME = "tiny-q4_k_m"

Pulling = Any  # of conftest, which no test can import
Gguf = Any


def installed(settings: Settings) -> list[str]:
    return [model.name for model in Models(settings).list() if not model.is_builtin]


def parts(settings: Settings) -> list[int]:
    return [path.stat().st_size for path in (settings.home / "models").rglob("*.part")]


async def test_installs(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """A file becomes a model by its name, and the folder of what was under way is gone."""
    file = server.serve(PATH, gguf())
    done = await pulling(server.url + PATH)
    assert (done.name, done.size_bytes, done.was_there) == (NAME, 300_000, False)
    assert (done.path / "Tiny-Q4_K_M.gguf").read_bytes() == file.content
    assert installed(settings) == [NAME]
    assert sorted(path.name for path in (settings.home / "models").rglob("*")) == [
        ".pulled.json",
        ".pulling",
        "Tiny-Q4_K_M.gguf",
        NAME,
        f"{NAME}.yaml",
    ]
    assert pulling.told[-1].total_bytes == pulling.told[-1].done_bytes == 300_000


async def test_goes_on_after_cuts(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """A connection that is cut again and again costs nothing that had come."""
    file = server.serve(PATH, gguf(1_000_000))
    file.etag = '"v1"'
    file.cuts = [200_000, 200_000, 200_000, 200_000]
    done = await pulling(server.url + PATH)
    assert (done.path / "Tiny-Q4_K_M.gguf").read_bytes() == file.content
    starts = [request.range for request in server.asked(PATH)]
    assert starts[0] is None
    assert len(starts) == 5
    assert all(start is not None for start in starts[1:])
    assert server.sent_bytes < 1_100_000
    assert any("the connection was cut; trying again" in note for note in pulling.notes)


async def test_gives_up(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """Tries that bring nothing come to an end; what had come stays for the next pull."""
    file = server.serve(PATH, gguf())
    file.etag = '"v1"'
    file.cuts = [100_000, 0, 0, 0]
    with pytest.raises(UpstreamCut, match="goes on from there"):
        await pulling(server.url + PATH)
    assert installed(settings) == []
    assert parts(settings)[0] > 0
    await pulling(server.url + PATH)
    assert installed(settings) == [NAME]
    assert any("are here already" in note for note in pulling.notes)


async def test_server_ignores_ranges(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """An answer from the beginning replaces the part; nothing is joined wrongly."""
    file = server.serve(PATH, gguf())
    file.etag = '"v1"'
    file.ignores_ranges = True
    file.cuts = [100_000]
    done = await pulling(server.url + PATH)
    assert (done.path / "Tiny-Q4_K_M.gguf").read_bytes() == file.content
    assert any("from its beginning again" in note for note in pulling.notes)


@pytest.mark.parametrize("ignores_validators", [False, True])
async def test_file_changed(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf, ignores_validators: bool
) -> None:
    """A part of an older file is not continued with the new one, even if the server would."""
    file = server.serve(PATH, gguf(mark=b"a"))
    file.etag = '"v1"'
    file.cuts = [100_000, 0, 0, 0]
    with pytest.raises(UpstreamCut):
        await pulling(server.url + PATH)
    assert parts(settings)
    changed = server.serve(PATH, gguf(mark=b"b"))
    changed.etag = '"v2"'
    changed.ignores_validators = ignores_validators
    asked_before = len(server.asked(PATH))
    done = await pulling(server.url + PATH)
    assert (done.path / "Tiny-Q4_K_M.gguf").read_bytes() == changed.content
    assert server.asked(PATH)[asked_before].headers["if-range"] == '"v1"'


async def test_no_validator_no_range(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """Without a digest or a tag to tell whether it is the same file, it is fetched from the start."""
    file = server.serve(PATH, gguf())
    file.cuts = [100_000]
    done = await pulling(server.url + PATH)
    assert (done.path / "Tiny-Q4_K_M.gguf").read_bytes() == file.content
    assert [request.range for request in server.asked(PATH)] == [None, None]


async def test_demanded_hash(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """A hash that differs is an error that names both, and nothing stays."""
    file = server.serve(PATH, gguf())
    await pulling(f"{server.url}{PATH}#sha256={file.sha256}", name="right")
    wrong = "0" * 64
    with pytest.raises(ModelFileInvalid, match=f"sha256 {wrong} but has sha256 {file.sha256}"):
        await pulling(f"{server.url}{PATH}#sha256={wrong}", name="wrong")
    assert installed(settings) == ["right"]
    assert parts(settings) == []


async def test_damaged_part_is_mended(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """If the part on disk was damaged, the hash shows it and the file is fetched once more."""
    file = server.serve(PATH, gguf())
    source = f"{server.url}{PATH}#sha256={file.sha256}"
    file.cuts = [100_000, 0, 0, 0]
    with pytest.raises(UpstreamCut):
        await pulling(source)
    (part,) = (pulling.settings.home / "models").rglob("*.part")
    part.write_bytes(b"GGUF" + bytes(part.stat().st_size - 4))
    done = await pulling(source)
    assert (done.path / "Tiny-Q4_K_M.gguf").read_bytes() == file.content
    assert any("put together it is not right" in note for note in pulling.notes)


async def test_stall(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """A server that falls silent is left after the idle limit, and asked for the rest."""
    file = server.serve(PATH, gguf())
    file.etag = '"v1"'
    file.holds_after = 100_000
    running = asyncio.create_task(pulling(server.url + PATH))
    await file.is_held.wait()
    file.holds_after = None
    done = await running
    assert (done.path / "Tiny-Q4_K_M.gguf").read_bytes() == file.content
    assert len(server.asked(PATH)) == 2
    file.go.set()


async def test_stall_for_ever(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """One that stays silent ends in a timeout."""
    file = server.serve(PATH, gguf())
    file.holds_after = 0
    with pytest.raises(UpstreamTimeout, match="fell silent"):
        await pulling(server.url + PATH)


async def test_too_slow(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """A transfer that has become too slow is broken off and goes on over a new connection."""
    file = server.serve(PATH, gguf())
    file.etag = '"v1"'
    file.drip_s = 0.02
    patience = Patience(idle_s=0.1, pause_s=0.01, slowest_bytes_s=1e9)
    done = await pulling(server.url + PATH, patience=patience)
    assert (done.path / "Tiny-Q4_K_M.gguf").read_bytes() == file.content
    assert len(server.asked(PATH)) > 1
    assert any("nothing or too little comes" in note for note in pulling.notes)


async def test_leaving_early(server: FileServer, settings: Settings, gguf: Gguf) -> None:
    """Closing the generator stops all work before it returns."""
    file = server.serve(PATH, gguf())
    file.holds_after = 0
    before = asyncio.all_tasks()
    async with aclosing(pull(server.url + PATH, settings)) as events:
        while not file.is_held.is_set():
            assert isinstance(await anext(events), Progress)
    left = asyncio.all_tasks() - before
    assert [task for task in left if "FileServer" not in repr(task.get_coro())] == []
    file.go.set()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_passing_status(
    server: FileServer, pulling: Pulling, gguf: Gguf, status: int
) -> None:
    """A status that may pass is tried again."""
    file = server.serve(PATH, gguf())
    file.statuses = [status, status]
    await pulling(server.url + PATH)
    assert len(server.asked(PATH)) == 3


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (403, 1), (410, 1), (503, 3)])
async def test_refusal(server: FileServer, pulling: Pulling, status: int, asked: int) -> None:
    """A status that does not pass is told with the server's words, at once or after the tries."""
    server.serve(PATH, b"").statuses = [status] * 9
    with pytest.raises(UpstreamRefused, match=f"status {status}: busy") as raised:
        await pulling(server.url + PATH)
    assert raised.value.status == status
    assert len(server.asked(PATH)) == asked


async def test_retry_after_is_kept(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """A server that asks for a longer pause than we have is not pressed."""
    file = server.serve(PATH, gguf())
    file.statuses = [429]
    file.headers["Retry-After"] = "3600"
    with pytest.raises(UpstreamRefused) as raised:
        await pulling(server.url + PATH)
    assert raised.value.retry_after_s == 3600


async def test_unreachable(pulling: Pulling) -> None:
    """A server that is not there is named."""
    with pytest.raises(UpstreamUnreachable, match=re.escape("GET http://127.0.0.1:9/x.gguf")):
        await pulling("http://127.0.0.1:9/x.gguf")


async def test_a_page_instead(server: FileServer, settings: Settings, pulling: Pulling) -> None:
    """A web page where a model should be is refused by its first bytes; nothing stays."""
    server.serve(PATH, "<html><title>Please log in</title>" + " " * 100_000)
    with pytest.raises(ModelFileInvalid, match="is no GGUF file: an HTML page"):
        await pulling(server.url + PATH)
    assert parts(settings) == []


async def test_a_pickle_by_another_name(server: FileServer, pulling: Pulling) -> None:
    """A pickle is refused by its content too."""
    server.serve(PATH, b"PK\x03\x04" + bytes(1000))
    with pytest.raises(ModelFileInvalid, match="is a Python pickle, whatever its name says"):
        await pulling(server.url + PATH)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("model.pt", "Python pickles"),
        ("pytorch_model.bin", "Python pickles"),
        ("model.tar.gz", "archives are not unpacked"),
        ("..%2F..%2Fx.gguf", r"it holds '\\\\'"),
        ("%00x.gguf", "control character"),
        ("NUL.gguf", "device on Windows"),
    ],
)
async def test_names_not_taken(
    server: FileServer, pulling: Pulling, name: str, reason: str
) -> None:
    """Pickles, archives and dangerous names are refused before anything is asked."""
    with pytest.raises(ModelFileInvalid, match=reason):
        await pulling(f"{server.url}/{name}")
    assert server.requests == []


async def test_damaged_gguf(server: FileServer, settings: Settings, pulling: Pulling) -> None:
    """A file that came whole but is no whole GGUF is not installed."""
    server.serve(PATH, b"GGUF\x03\x00\x00\x00" + bytes([255] * 100))
    with pytest.raises(ModelFileInvalid, match="came whole, but cannot be used"):
        await pulling(server.url + PATH)
    assert installed(settings) == []


async def test_redirect(
    server: FileServer, elsewhere: FileServer, pulling: Pulling, gguf: Gguf
) -> None:
    """A redirect to another host is followed, its query untouched."""
    signed = "/blob/1?sig=a%2Fb%3D&x=%20"
    elsewhere.serve(signed, gguf())
    server.serve(PATH, b"").location = elsewhere.url + signed
    await pulling(server.url + PATH)
    assert [request.target for request in elsewhere.requests] == [signed]


async def test_redirects_end(server: FileServer, pulling: Pulling) -> None:
    """Redirects in a circle, and to what is no web address, are errors."""
    server.serve(PATH, b"").location = PATH
    with pytest.raises(UpstreamInvalid, match="more than 5 redirects"):
        await pulling(server.url + PATH)
    server.serve(PATH, b"").location = "file:///etc/passwd"
    with pytest.raises(UpstreamInvalid, match="is not followed"):
        await pulling(server.url + PATH)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Content-Encoding": "gzip"}, "came compressed"),
        ({"Content-Range": "bytes 0-9/300000"}, "were asked for"),
        ({"Content-Range": "nonsense"}, "were asked for"),
    ],
)
async def test_lies_about_ranges(
    server: FileServer, pulling: Pulling, gguf: Gguf, headers: dict[str, str], reason: str
) -> None:
    """An answer about other bytes than those asked for is never joined to the part."""
    file = server.serve(PATH, gguf())
    file.etag = '"v1"'
    file.cuts = [100_000, 0, 0, 0]
    with pytest.raises(UpstreamCut):
        await pulling(server.url + PATH)
    file.headers = headers
    with pytest.raises(UpstreamInvalid, match=reason):
        await pulling(server.url + PATH)


async def test_chunked(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """A server that does not say how long a file is can be pulled from; cuts are noticed."""
    file = server.serve(PATH, gguf())
    file.is_chunked = True
    file.cuts = [100_000]
    done = await pulling(server.url + PATH)
    assert (done.path / "Tiny-Q4_K_M.gguf").read_bytes() == file.content


async def test_split_model(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """The address of one part of a split model brings all of them."""
    for number in (1, 2, 3):
        server.serve(f"/Big-0000{number}-of-00003.gguf", gguf(mark=bytes([number])))
    done = await pulling(f"{server.url}/Big-00002-of-00003.gguf")
    assert done.name == "big"
    assert done.size_bytes == 900_000
    assert len(list(done.path.glob("*.gguf"))) == 3
    assert installed(settings) == ["big"]


async def test_cancelling_keeps_what_came(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """A pull that is cancelled has stopped, and the next goes on from there."""
    file = server.serve(PATH, gguf(1_000_000))
    file.etag = '"v1"'
    file.holds_after = 500_000
    running = asyncio.create_task(pulling(server.url + PATH))
    await file.is_held.wait()
    await pulling.until(lambda: any(told.done_bytes > 400_000 for told in pulling.told))
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert len(asyncio.all_tasks()) <= 2  # this test, and the held answer
    assert parts(settings)[0] > 400_000
    file.holds_after = None
    file.go.set()
    await pulling(server.url + PATH)
    assert (server.asked(PATH)[-1].range or "") > "bytes=4"
    assert installed(settings) == [NAME]


async def test_fresh(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """`is_fresh` throws away what had come."""
    file = server.serve(PATH, gguf())
    file.etag = '"v1"'
    file.cuts = [100_000, 0, 0, 0]
    with pytest.raises(UpstreamCut):
        await pulling(server.url + PATH)
    await pulling(server.url + PATH, is_fresh=True)
    assert server.asked(PATH)[-1].range is None


async def test_again(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """What is installed is not fetched again, unless it is to be."""
    server.serve(PATH, gguf())
    await pulling(server.url + PATH)
    again = await pulling(server.url + PATH)
    assert again.was_there
    assert len(server.asked(PATH)) == 1
    changed = server.serve(PATH, gguf(mark=b"b"))
    fresh = await pulling(server.url + PATH, is_fresh=True)
    assert not fresh.was_there
    assert (fresh.path / "Tiny-Q4_K_M.gguf").read_bytes() == changed.content


async def test_name_taken(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """Another model of the same name is never replaced; `name` avoids it."""
    server.serve(PATH, gguf())
    server.serve(f"/other{PATH}", gguf())
    await pulling(server.url + PATH)
    with pytest.raises(Conflict, match="There is a model called 'tiny-q4_k_m' already"):
        await pulling(f"{server.url}/other{PATH}")
    with pytest.raises(Conflict, match="There is a model called 'demo' already"):
        await pulling(f"{server.url}/other{PATH}", name="demo")
    assert (await pulling(f"{server.url}/other{PATH}", name="second")).name == "second"


@pytest.mark.parametrize("name", ["", "../x", "a/b", "con", ".x", "x" * 200])
async def test_bad_model_name(server: FileServer, pulling: Pulling, gguf: Gguf, name: str) -> None:
    """A model's name is plain."""
    server.serve(PATH, gguf())
    if not name:
        return
    with pytest.raises(InvalidRequest, match="is not a model's name"):
        await pulling(server.url + PATH, name=name)


async def test_two_at_once(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """Of two pulls of one model the second waits, and then finds it."""
    file = server.serve(PATH, gguf())
    file.holds_after = 100_000
    first = asyncio.create_task(pulling(server.url + PATH))
    await file.is_held.wait()
    second = asyncio.create_task(pulling(server.url + PATH))
    await pulling.until(lambda: any("Another pull" in note for note in pulling.notes))
    file.go.set()
    assert [(await first).was_there, (await second).was_there] == [False, True]
    assert len(server.asked(PATH)) == 1


async def test_disk_too_small(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """A file that the disk has no room for is refused before its bytes come."""
    file = server.serve(PATH, gguf())
    file.headers["Content-Length"] = str(10**16)
    with pytest.raises(StorageError, match=r"10000000.0 GB more are needed"):
        await pulling(server.url + PATH)
    assert parts(settings) == [0]


async def test_rate_limit(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """A limit of a million bytes a second makes 600,000 bytes take at least their time."""
    server.serve(PATH, gguf(600_000))
    loop = asyncio.get_running_loop()
    before = loop.time()
    await pulling(server.url + PATH, rate_bytes_s=1_000_000)
    assert loop.time() - before > 0.3


async def test_the_query_is_not_kept(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf, home: Path
) -> None:
    """A signature in an address is sent, but neither told nor written down."""
    server.serve(f"{PATH}?sig=secret", gguf()).statuses = [503]
    await pulling(f"{server.url}{PATH}?sig=secret")
    assert not any("secret" in note for note in pulling.notes)
    kept = [path for path in (home / "models").rglob("*") if path.is_file()]
    assert not any(b"secret" in path.read_bytes() for path in kept)
