"""Pulls that live on when whoever asked for them leaves: listed, paused, resumed, cancelled.

One that was begun by an earlier process or by the command line is found by the files it has left.
It knows nothing about HTTP.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from ingle.errors import Busy, Conflict, IngleError, NotFound
from ingle.models.pull.feed import Feed
from ingle.models.pull.lock import exclusive
from ingle.models.pull.progress import Installed, Progress
from ingle.models.pull.status import PullStatus
from ingle.models.pull.threads import in_thread
from ingle.models.pull.unfinished import Unfinished, find_unfinished, pull_id
from ingle.settings import Settings

if TYPE_CHECKING:
    from ingle.models.pull.install import Options

__all__ = ["Pulls"]

_MOST_AT_ONCE = 16
_MOST_KEPT = 100

_log = logging.getLogger(__name__)


class _HeldElsewhere(Exception):
    """Another process has the lock of these files."""


@dataclass(slots=True)
class _Job:
    """A pull of this process. `text` may hold a signature that `status.source` does not show."""

    text: str
    options: Options
    status: PullStatus
    task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self.status.state == "running"

    async def stop(self) -> None:
        """Return when nothing of it runs any more; what has come stays."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})


class Pulls:
    """The pulls of one event loop; leaving the context pauses them. `feed` tells what happens."""

    def __init__(self, settings: Settings) -> None:
        self.feed = Feed()
        self._settings = settings
        self._models = settings.home / "models"
        self._jobs: dict[str, _Job] = {}
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Pause what runs, and let listeners end. Nothing can be started after that."""
        self._is_closed = True
        await asyncio.gather(*(self._pause(job) for job in self._jobs.values() if job.is_running))
        self.feed.close()

    async def start(self, source: str, options: Options) -> PullStatus:
        """Begin a pull, or go on with the one of this source and name; one that runs is joined.

        Raises:
            InvalidRequest: the source names no model.
            Busy: too many run already, or Ingle is about to stop.
        """
        # Not at the top: they bring aiohttp along, which a start without pulls need not wait for.
        from ingle.models.pull.install import read_source

        place = await in_thread(read_source, source)
        identifier = pull_id(place, options.name)
        job = self._jobs.get(identifier)
        if job and job.is_running:
            return job.status
        if self._is_closed:
            raise Busy("Ingle is about to stop, so nothing is pulled. Try again later.")
        if sum(job.is_running for job in self._jobs.values()) >= _MOST_AT_ONCE:
            raise Busy(f"{_MOST_AT_ONCE} pulls are under way already. Wait for one, or pause one.")
        began_at = job.status.began_at if job else datetime.now(UTC)
        status = PullStatus(identifier, str(place), "running", began_at)
        job = self._jobs[identifier] = _Job(source, options, status)
        self.feed.tell("started", status)
        job.task = asyncio.create_task(self._run(job), name=f"pull {identifier}")
        self._forget_the_oldest()
        return status

    async def list(self) -> list[PullStatus]:
        """The pulls that run, are paused, have failed, or have just ended; the oldest first."""
        on_disk = {one.id: one for one in await in_thread(find_unfinished, self._models)}
        for identifier, job in list(self._jobs.items()):
            status = job.status
            if status.state == "paused" and status.model and identifier not in on_disk:
                self._jobs.pop(identifier)  # another process has ended or cancelled it
        statuses = [
            _from_disk(on_disk[job.status.id])
            if job.status.state == "paused" and job.status.id in on_disk
            else job.status
            for job in self._jobs.values()
        ]
        others = [_from_disk(one) for one in on_disk.values() if one.id not in self._jobs]
        return sorted([*statuses, *others], key=lambda status: status.began_at)

    async def get(self, identifier: str) -> PullStatus:
        """One pull.

        Raises:
            NotFound: there is none of this id.
        """
        for status in await self.list():
            if status.id == identifier:
                return status
        raise NotFound(f"There is no pull {identifier!r}. GET /api/pulls lists those that are.")

    async def pause(self, identifier: str) -> PullStatus:
        """Stop a pull and keep what has come; it has stopped when this returns.

        Raises:
            NotFound: there is none of this id.
            Conflict: it does not run, or not in this process.
        """
        status = await self.get(identifier)
        if status.state != "running":
            raise _not_now(status, "paused")
        await self._pause(self._jobs[identifier])
        return await self.get(identifier)

    async def resume(self, identifier: str, options: Options) -> PullStatus:
        """Go on with a pull that is paused or has failed; of the options, its own name is kept.

        Raises:
            NotFound: there is none of this id.
            Conflict: another process is at it, or it has ended.
            Busy: too many run already.
        """
        status = await self.get(identifier)
        if status.state == "running":
            return status
        if status.state in ("elsewhere", "installed"):
            raise _not_now(status, "resumed")
        job = self._jobs.get(identifier)
        if job is not None:
            return await self.start(job.text, replace(job.options, is_resumed=True))
        left = await self._left(identifier)
        name = left.name if left else None
        return await self.start(status.source, replace(options, name=name))

    async def cancel(self, identifier: str) -> None:
        """Stop a pull and remove what has come; one that has ended is no longer listed.

        Raises:
            NotFound: there is none of this id.
            Conflict: another process is at it.
            StorageError: the disk does not let us.
        """
        status = await self.get(identifier)
        if status.state == "elsewhere":
            raise _not_now(status, "cancelled")
        job = self._jobs.pop(identifier, None)
        if job is not None:
            await job.stop()
        if left := await self._left(identifier):
            await _remove(left)
        if status.state == "paused" or (job is not None and job.is_running):
            self.feed.tell("cancelled", replace(status, state="cancelled"))

    async def _left(self, identifier: str) -> Unfinished | None:
        """The files that a pull has left, if it has."""
        found = await in_thread(find_unfinished, self._models)
        return next((one for one in found if one.id == identifier), None)

    async def _pause(self, job: _Job) -> None:
        await job.stop()
        if job.is_running:  # it may have ended in this very moment
            job.status = replace(job.status, state="paused")
            self.feed.tell("paused", job.status)

    async def _run(self, job: _Job) -> None:
        """Pull, and note how far it is; whoever cancels this says what has become of it."""
        try:
            await self._pull(job)
        except IngleError as error:
            self._failed(job, error)
        except Exception:  # noqa: BLE001 -- the outermost edge of work that nobody waits for
            _log.exception("Pull %s of %s", job.status.id, job.status.source)
            told = "Something went wrong inside Ingle; its log has it. Please report it."
            self._failed(job, IngleError(f"The pull of {job.status.source} failed. {told}"))

    async def _pull(self, job: _Job) -> None:
        from ingle.models.pull.install import pull

        async with aclosing(pull(job.text, self._settings, job.options)) as events:
            async for event in events:
                if isinstance(event, Installed):
                    job.status = replace(
                        job.status, state="installed", model=event.name, installed=event
                    )
                    self.feed.tell("installed", job.status)
                else:
                    model = event.model or None
                    job.status = replace(job.status, model=model, progress=event)
                    self.feed.tell("progress", job.status)

    def _failed(self, job: _Job, error: IngleError) -> None:
        job.status = replace(job.status, state="failed", error=error)
        self.feed.tell("error", job.status)

    def _forget_the_oldest(self) -> None:
        """Keep the list short: of those that have ended, the oldest go."""
        ended = [one for one in self._jobs.values() if not one.is_running]
        for job in ended[: max(0, len(self._jobs) - _MOST_KEPT)]:
            self._jobs.pop(job.status.id)


def _from_disk(left: Unfinished) -> PullStatus:
    return PullStatus(
        id=left.id,
        source=left.source,
        state="elsewhere" if left.is_held else "paused",
        began_at=left.began_at,
        model=left.staging.name,
        progress=Progress(
            "downloading",
            left.staging.name,
            done_bytes=left.done_bytes,
            total_bytes=left.total_bytes,
        ),
    )


async def _remove(left: Unfinished) -> None:
    """Remove what has come, unless another process has just begun to go on with it."""

    def held() -> None:
        raise _HeldElsewhere

    with suppress(_HeldElsewhere):
        async with exclusive(left.staging.lock, held):
            await in_thread(left.staging.mend)
            await in_thread(left.staging.clear)


def _not_now(status: PullStatus, verb: str) -> Conflict:
    if status.state == "elsewhere":
        why = "another process of this machine is at it, such as `ingle models pull`. Stop it there"
    else:
        why = f"it is {status.state}. GET /api/pulls lists what is under way"
    return Conflict(f"The pull of {status.source} cannot be {verb}: {why}.")
