"""Pulling a model: from what a person wrote to a model that can be used.

The one place that knows all steps; each of them is a module of its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace

from ingle.errors import Conflict
from ingle.models.curated import curated
from ingle.models.pull import hub, local, oci, ollama, url
from ingle.models.pull.at_hand import link_at_hand
from ingle.models.pull.lock import exclusive
from ingle.models.pull.names import check_model_name
from ingle.models.pull.patience import Patience
from ingle.models.pull.plan import Plan, PlannedFile
from ingle.models.pull.progress import Installed, Meter, Phase, Progress
from ingle.models.pull.record import read_record
from ingle.models.pull.source import (
    HubSource,
    LocalSource,
    OciSource,
    OllamaSource,
    Source,
    UrlSource,
    parse_source,
)
from ingle.models.pull.space import require_space
from ingle.models.pull.staging import Staging, require_name
from ingle.models.pull.threads import in_thread
from ingle.models.pull.throttle import Throttle
from ingle.models.pull.transfer import Transfer
from ingle.models.pull.unfinished import note_unfinished
from ingle.models.pull.web import Web
from ingle.settings import Settings

__all__ = ["Options", "pull", "read_source"]

_NOTES = 100


@dataclass(frozen=True, slots=True)
class Options:
    """How to pull.

    `name` is what to call the model; else it is called after its file. `memory_bytes` is what
    engines may use here, which the quantisation is chosen for; None takes the usual one. `is_fresh`
    throws away what has come before, unless it `is_resumed`, and installs again what is installed.
    `rate_bytes_s` bounds all files together. `interval_s` is how often progress is told.
    """

    name: str | None = None
    memory_bytes: int | None = None
    rate_bytes_s: int | None = None
    is_fresh: bool = False
    is_resumed: bool = False
    files_at_once: int = 4
    interval_s: float = 0.25
    patience: Patience = field(default_factory=Patience)


async def pull(
    source: str, settings: Settings, options: Options | None = None
) -> AsyncGenerator[Progress | Installed, None]:
    """Fetch, check and install a model; tells how far it is, and ends with one `Installed`.

    `source` is any that `parse_source` knows, or the name of a model of the curated list.

    To pause it, cancel the task or close the generator: all work has then stopped, what has come
    stays, and the same call goes on from there. So it does after a crash. A caller who is slow to
    take progress slows nothing down and misses only what is outdated. Of two pulls of one model,
    in this process or another, the second waits for the first and finds its model.

    Raises:
        InvalidRequest: the source names no model, or not one model.
        Conflict: another model has its name.
        ModelTooLarge: no quantisation of it fits this machine.
        ModelFileInvalid: a file is not what it should be, or is one that is not taken.
        UpstreamError: a server did not give what it should, after all tries.
        StorageError: the disk has too little room, or failed.
    """
    job = _Pull(read_source(source), settings, options or Options())
    work = asyncio.create_task(job.run())
    try:
        while not work.done():
            await asyncio.wait({work}, timeout=job.options.interval_s)
            for progress in job.news():
                yield progress
        yield work.result()
    finally:
        work.cancel()
        await asyncio.wait({work})


def read_source(text: str) -> Source:
    """The source that the text names: of the curated list by a model's name, or as `parse_source`.

    Raises:
        InvalidRequest: it names none.
    """
    listed = (model.source for model in curated() if model.name == text.strip())
    return parse_source(next(listed, text))


class _Pull:
    """One pull under way. `run` does it, `news` may be asked at any time."""

    def __init__(self, source: Source, settings: Settings, options: Options) -> None:
        self.options = options
        self._source = source
        self._settings = settings
        self._meter = Meter(asyncio.get_running_loop().time)
        self._notes: deque[str] = deque(maxlen=_NOTES)
        self._phase: Phase = "asking"
        self._model = ""

    def news(self) -> list[Progress]:
        """How far it is now; one more for each note that was made since."""
        notes = list(self._notes) or [""]
        self._notes.clear()
        return [self._meter.read(self._phase, self._model, note) for note in notes]

    async def run(self) -> Installed:
        async with Web(self.options.patience, self.options.rate_bytes_s) as web:
            plan = await self._plan(web)
            self._model = plan.name
            staging = Staging(self._settings.home / "models", plan.name)
            self._phase = "waiting"
            async with exclusive(staging.lock, self._tell_waiting):
                await in_thread(staging.mend)
                if found := await in_thread(self._installed, staging, plan):
                    await in_thread(staging.clear)  # what is there of an earlier try has no use
                    return found
                await in_thread(self._prepare, staging, plan)
                if plan.why:
                    self._notes.append(plan.why)
                hashes = await self._fetch_all(web, staging, plan)
                self._phase = "checking"
                await in_thread(staging.check, plan)
                self._phase = "installing"
                size = await in_thread(staging.install, plan, hashes)
        return Installed(plan.name, staging.target, size, plan.source)

    async def _plan(self, web: Web) -> Plan:
        """What to fetch, as its source tells."""
        match self._source:
            case HubSource():
                memory_bytes = self.options.memory_bytes
                plan = await hub.resolve(self._source, web, self._settings, memory_bytes)
            case OllamaSource():
                plan = await ollama.resolve(self._source, web, self._settings)
            case OciSource():
                plan = await oci.resolve(self._source, web)
            case UrlSource():
                plan = url.resolve(self._source)
            case LocalSource():
                plan = await in_thread(local.resolve, self._source)
        if len({file.name.lower() for file in plan.files}) < len(plan.files):
            raise Conflict(f"{plan.source} holds two files of one name. Pull one of them by name.")
        return replace(plan, name=check_model_name(self.options.name or plan.name))

    def _installed(self, staging: Staging, plan: Plan) -> Installed | None:
        """The end of the pull, if the same is here already."""
        record = read_record(staging.target)
        if self.options.is_fresh or record is None or not record.is_what(plan):
            return None
        is_whole = all((staging.target / file.name).is_file() for file in record.files)
        if not is_whole:
            return None
        return Installed(plan.name, staging.target, record.size_bytes, plan.source, was_there=True)

    def _prepare(self, staging: Staging, plan: Plan) -> None:
        require_name(staging, plan, self._settings)
        if self.options.is_fresh and not self.options.is_resumed:
            staging.clear()
        staging.prepare()
        note_unfinished(staging, str(self._source), self.options.name, plan.size_bytes)

    async def _fetch_all(self, web: Web, staging: Staging, plan: Plan) -> dict[str, str]:
        """Fetch the files, some at once; their sha256 by name."""
        self._phase = "downloading"
        for file in plan.files:
            self._meter.set(file.name, 0, file.size_bytes)
        transfer = Transfer(
            web, Throttle(self.options.rate_bytes_s), self._meter, self._notes.append
        )
        places = asyncio.Semaphore(self.options.files_at_once)
        hashes: dict[str, str] = {}

        async def fetch(file: PlannedFile) -> None:
            async with places:
                hashes[file.name] = await self._fetch(transfer, staging, file)

        await in_thread(_require_room, staging, plan)
        try:
            async with asyncio.TaskGroup() as group:
                for file in plan.files:
                    group.create_task(fetch(file))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the first stopped the others
        return hashes

    async def _fetch(self, transfer: Transfer, staging: Staging, file: PlannedFile) -> str:
        path, journal = staging.folder / file.name, staging.journal(file.name)
        is_new = not await in_thread(journal.exists)
        if is_new and (sha256 := await link_at_hand(file, path, journal)):
            self._notes.append(f"{file.name}: shared with {file.at_hand[0]}, nothing is fetched.")
            self._meter.set(file.name, file.size_bytes or 0, file.size_bytes)
            return sha256
        return await transfer.fetch(file, path, journal)

    def _tell_waiting(self) -> None:
        self._notes.append(f"Another pull of {self._model} is under way; waiting for its end.")


def _require_room(staging: Staging, plan: Plan) -> None:
    """Return if all that is missing of the files fits on the disk."""
    missing = 0
    for file in plan.files:
        path = staging.folder / file.name
        if file.size_bytes is not None and not file.at_hand and not path.exists():
            partial = path.with_name(f"{path.name}.part")
            missing += file.size_bytes - (partial.stat().st_size if partial.exists() else 0)
    require_space(staging.folder, missing)
