"""Pulls that live on: joined, paused, resumed, cancelled, and found again after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.models.pull.conftest import PATIENCE, Gguf

from ingle.errors import Busy, Conflict, IngleError, InvalidRequest, NotFound
from ingle.models.pull.feed import Feed
from ingle.models.pull.install import Options
from ingle.models.pull.jobs import Pulls
from ingle.models.pull.lock import exclusive
from ingle.models.pull.progress import Progress
from ingle.models.pull.staging import Staging
from ingle.models.pull.status import PullState, PullStatus
from ingle.settings import Settings
from ingle.testing.file_server import FileServer, ServedFile

OPTIONS = Options(patience=PATIENCE, interval_s=0.01)
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
async def pulls(settings: Settings) -> AsyncGenerator[Pulls, None]:
    async with Pulls(settings) as pulls:
        yield pulls


@pytest.fixture
def file(server: FileServer, gguf: Gguf) -> ServedFile:
    """A file that can be continued and stands still in its middle until `go`."""
    served = server.serve("/m.gguf", gguf(300_000))
    served.etag = '"1"'
    served.holds_after = 150_000
    return served


async def until(pulls: Pulls, identifier: str, state: PullState) -> PullStatus:
    """The pull, once it is in this state."""
    async with asyncio.timeout(10), aclosing(pulls.feed.follow(0)) as events:
        async for _ in events:
            if (status := await pulls.get(identifier)).state == state:
                return status
    raise AssertionError(f"the pull was never {state}")


async def begun(
    pulls: Pulls, server: FileServer, file: ServedFile, options: Options = OPTIONS
) -> PullStatus:
    """A pull that has a third of its file and waits for the rest."""
    after = pulls.feed.number
    begun = await pulls.start(f"{server.url}/m.gguf", options)
    async with asyncio.timeout(10), aclosing(pulls.feed.follow(after, begun.id)) as events:
        async for event in events:
            if event.status.progress and event.status.progress.done_bytes >= 100_000:
                return event.status
    raise AssertionError("the pull ended before it had a third")


def kinds(pulls: Pulls) -> list[str]:
    """What happened, but for progress."""
    return [event.kind for event in pulls.feed.kept(0) if event.kind != "progress"]


async def test_a_pull_ends_without_anyone_who_waits(
    pulls: Pulls, server: FileServer, gguf: Gguf, settings: Settings
) -> None:
    """It was begun, and nobody holds on to it; two who want the same get one pull."""
    server.serve("/m.gguf", gguf())
    first = await pulls.start(f"{server.url}/m.gguf", OPTIONS)
    second = await pulls.start(f"{server.url}/m.gguf", OPTIONS)
    assert first.id == second.id
    done = await until(pulls, first.id, "installed")
    assert done.installed is not None
    assert (done.model, done.installed.size_bytes) == ("m", 300_000)
    assert (settings.home / "models/m/m.gguf").stat().st_size == 300_000
    assert len(server.asked("/m.gguf")) == 1
    assert kinds(pulls) == ["started", "installed"]


async def test_a_paused_pull_keeps_what_has_come_and_goes_on(
    pulls: Pulls, server: FileServer, file: ServedFile
) -> None:
    """Nothing runs when `pause` returns, and the rest alone is asked for afterwards."""
    status = await begun(pulls, server, file)
    paused = await pulls.pause(status.id)
    assert paused.state == "paused"
    assert paused.progress is not None
    assert paused.progress.done_bytes >= 100_000
    assert paused.progress.total_bytes == 300_000
    with pytest.raises(Conflict, match="it is paused"):
        await pulls.pause(status.id)
    file.holds_after = None
    assert (await pulls.resume(status.id, OPTIONS)).state == "running"
    await until(pulls, status.id, "installed")
    assert server.asked("/m.gguf")[1].range == f"bytes={paused.progress.done_bytes}-"
    assert kinds(pulls) == ["started", "paused", "started", "installed"]


async def test_after_a_restart_an_unfinished_pull_is_paused_and_goes_on(
    settings: Settings, server: FileServer, file: ServedFile
) -> None:
    """Leaving pauses it; the next Ingle finds it by the files it left, under the same id."""
    async with Pulls(settings) as before:
        status = await begun(before, server, file)
    assert kinds(before) == ["started", "paused"]
    with pytest.raises(Busy, match="about to stop"):
        await before.start(f"{server.url}/m.gguf", OPTIONS)
    file.holds_after = None
    async with Pulls(settings) as after:
        (found,) = await after.list()
        assert (found.id, found.state, found.model) == (status.id, "paused", "m")
        assert found.progress is not None
        assert found.progress.done_bytes >= 100_000
        await after.resume(found.id, OPTIONS)
        await until(after, found.id, "installed")
    assert server.asked("/m.gguf")[1].range is not None


async def test_a_fresh_pull_that_was_paused_goes_on_where_it_was(
    pulls: Pulls, server: FileServer, file: ServedFile, settings: Settings
) -> None:
    """It began anew once; what is installed already is replaced all the same."""
    file.holds_after = None
    first = await pulls.start(f"{server.url}/m.gguf", OPTIONS)
    await until(pulls, first.id, "installed")
    file.holds_after = 150_000
    fresh = replace(OPTIONS, is_fresh=True)
    status = await begun(pulls, server, file, fresh)
    await pulls.pause(status.id)
    file.holds_after = None
    await pulls.resume(status.id, OPTIONS)
    done = await until(pulls, status.id, "installed")
    assert done.installed is not None
    assert not done.installed.was_there
    assert [request.range is None for request in server.asked("/m.gguf")] == [True, True, False]
    assert not (settings.home / "models/.pulling/m").exists()


async def test_what_an_interrupted_pull_has_left_goes_when_the_model_is_there(
    pulls: Pulls, server: FileServer, file: ServedFile, settings: Settings
) -> None:
    """It would be listed as paused for ever."""
    status = await begun(pulls, server, file)
    await pulls.pause(status.id)
    installed = settings.home / "models" / "m"
    staged = settings.home / "models/.pulling/m"
    kept = settings.home / "kept"
    staged.rename(kept)
    file.holds_after = None
    await pulls.start(f"{server.url}/m.gguf", OPTIONS)
    await until(pulls, status.id, "installed")
    kept.rename(staged)
    await pulls.start(f"{server.url}/m.gguf", OPTIONS)
    await until(pulls, status.id, "installed")
    assert (installed.exists(), staged.exists()) == (True, False)


async def test_a_cancelled_pull_leaves_nothing(
    pulls: Pulls, server: FileServer, file: ServedFile, settings: Settings
) -> None:
    """Whether it runs or is paused."""
    for is_paused in (False, True):
        file.is_held.clear()
        status = await begun(pulls, server, file)
        if is_paused:
            await pulls.pause(status.id)
        await pulls.cancel(status.id)
        assert list((settings.home / "models/.pulling").iterdir()) == []
        assert await pulls.list() == []
    with pytest.raises(NotFound):
        await pulls.cancel(status.id)
    assert kinds(pulls) == ["started", "cancelled", "started", "paused", "cancelled"]


async def test_a_pull_of_another_process_is_shown_and_left_alone(
    settings: Settings, server: FileServer, file: ServedFile
) -> None:
    """Such as one of the command line: it holds the lock of its files."""
    async with Pulls(settings) as before:
        status = await begun(before, server, file)
    lock = Staging(settings.home / "models", "m").lock
    async with Pulls(settings) as pulls:
        async with exclusive(lock, lambda: None):
            assert (await pulls.get(status.id)).state == "elsewhere"
            for refused in (pulls.pause, pulls.cancel):
                with pytest.raises(Conflict, match="another process"):
                    await refused(status.id)
            with pytest.raises(Conflict, match="another process"):
                await pulls.resume(status.id, OPTIONS)
        assert (await pulls.get(status.id)).state == "paused"


async def test_what_failed_says_why_and_can_be_tried_again(
    pulls: Pulls, server: FileServer, gguf: Gguf
) -> None:
    """Its error stays until it is tried again or put away."""
    status = await pulls.start(f"{server.url}/m.gguf", OPTIONS)
    failed = await until(pulls, status.id, "failed")
    assert isinstance(failed.error, IngleError)
    assert "404" in failed.error.message
    server.serve("/m.gguf", gguf())
    await pulls.resume(status.id, OPTIONS)
    await until(pulls, status.id, "installed")
    with pytest.raises(Conflict, match="it is installed"):
        await pulls.resume(status.id, OPTIONS)
    await pulls.cancel(status.id)
    assert await pulls.list() == []
    assert kinds(pulls) == ["started", "error", "started", "installed"]


async def test_a_signature_is_neither_shown_nor_kept(
    settings: Settings, server: FileServer, file: ServedFile
) -> None:
    """It is used as long as this process lives."""
    server.files["/m.gguf?sig=secret"] = file
    async with Pulls(settings) as pulls:
        status = await pulls.start(f"{server.url}/m.gguf?sig=secret", OPTIONS)
        await file.is_held.wait()
        await pulls.pause(status.id)
        file.holds_after = None
        await pulls.resume(status.id, OPTIONS)
        await until(pulls, status.id, "installed")
        assert "secret" not in repr(await pulls.list())
    kept = settings.home / "models"
    assert b"secret" not in b"".join(p.read_bytes() for p in kept.rglob("*.json"))


async def test_a_source_that_names_nothing_begins_nothing(pulls: Pulls) -> None:
    """It is said at once."""
    with pytest.raises(InvalidRequest):
        await pulls.start("no such model", OPTIONS)
    assert await pulls.list() == []


def status_of(pull: str, note: str = "", done_bytes: int = 0) -> PullStatus:
    progress = Progress("downloading", done_bytes=done_bytes, note=note)
    return PullStatus(pull, "hf:a/b", "running", NOW, progress=progress)


async def test_a_feed_tells_each_listener_what_it_has_not_seen() -> None:
    """Outdated progress is left out, notes are not; a pull's events end with it."""
    feed = Feed()
    before = feed.number
    feed.tell("started", status_of("a"))
    feed.tell("progress", status_of("a", done_bytes=1))
    feed.tell("progress", status_of("b", done_bytes=1))
    feed.tell("progress", status_of("a", done_bytes=2))
    feed.tell("progress", status_of("a", note="cut", done_bytes=3))
    feed.tell("progress", status_of("a", done_bytes=4))
    told = [(e.number - before, e.status.id) for e in feed.kept(before)]
    assert told == [(1, "a"), (3, "b"), (5, "a"), (6, "a")]
    listening = asyncio.create_task(_numbers(feed, before + 5, "a"))
    await asyncio.sleep(0)
    feed.tell("progress", status_of("b", done_bytes=2))
    feed.tell("paused", status_of("a"))
    assert [number - before for number in await listening] == [6, 8]


async def test_a_feed_goes_on_over_a_pause_and_ends_when_it_is_closed() -> None:
    """A pause that is over is no end."""
    feed = Feed()
    before = feed.number
    for kind in ("started", "paused", "started"):
        feed.tell(kind, status_of("a"))
    listening = asyncio.create_task(_numbers(feed, before, "a"))
    everything = asyncio.create_task(_numbers(feed, before, None))
    await asyncio.sleep(0)
    feed.tell("installed", status_of("a"))
    assert [number - before for number in await listening] == [1, 2, 3, 4]
    feed.close()
    assert len(await everything) == 4


async def _numbers(feed: Feed, after: int, pull: str | None) -> list[int]:
    async with aclosing(feed.follow(after, pull)) as events:
        return [event.number async for event in events]
