"""Starting runs of apps on behalf of a caller, within what its key may.

A key whose `allowed_models` name `app/<slug>` may run that app, whatever models its steps ask: those
are the choice of who published it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from ingle.errors import NotAllowed
from ingle.runs.events import is_last
from ingle.runs.published import PublishedApp
from ingle.runs.runs import Run, Runs
from ingle.runs.sessions import MODEL
from ingle.runtime import Runtime
from ingle.server.answer import Answer
from ingle.server.app_files import names_files, with_files
from ingle.server.app_names import slug_of
from ingle.server.caller import Caller
from ingle.server.run_events import as_server_sent
from ingle.storage.apps import AppRecord

__all__ = ["AppCaller", "encoded_events"]


class AppCaller:
    """Who runs apps."""

    def __init__(self, runtime: Runtime, caller: Caller, answer: Answer | None = None) -> None:
        """`answer` is what is written to the caller; not each one has such."""
        self._runtime = runtime
        self._caller = caller
        self._answer = answer

    def admit(self) -> None:
        """Let one more run in.

        Raises:
            RateLimited: the key's requests or tokens of this minute are used up.
        """
        self._caller.admit(self._answer)

    @property
    def key_id(self) -> str | None:
        """Whose runs these are; None where no key is asked for, which is everyone's."""
        return self._caller.key_id

    def may_run(self, slug: str) -> bool:
        """Whether the caller may run the app."""
        key = self._caller.key
        return key is None or key.limits.allows(f"app/{slug}")

    def check_session(self, app: str) -> None:
        """Let the caller chat with what a session belongs to: an app, or a model.

        Raises:
            NotAllowed: the key may not ask that.
        """
        key = self._caller.key
        is_model = app.startswith(MODEL)
        name = app.removeprefix(MODEL).removeprefix("local/") if is_model else f"app/{app}"
        if key is not None and not key.limits.allows(name):
            raise NotAllowed(
                f"The API key {key.name!r} may not ask {name!r}. Have it added to its "
                "`allowed_models`."
            )

    async def listed(self) -> list[AppRecord]:
        """The apps that are published for everyone, of those that the caller may run.

        Raises:
            StorageError: the database failed.
        """
        return [
            record
            for record in await asyncio.to_thread(self._runtime.apps.list)
            if record.published is not None and record.is_listed and self.may_run(record.slug)
        ]

    async def find(self, name: str, version: int | None = None) -> PublishedApp:
        """The app that a slug or a UUID names, as it is published, or a version of it.

        Raises:
            AppNotFound: there is none, or nothing is published.
            NotAllowed: the key may not run it.
            InvalidApp: it cannot run here any more.
            StorageError: the database failed.
        """
        return await asyncio.to_thread(self._found, name, version)

    async def start(
        self,
        found: PublishedApp,
        values: Mapping[str, Any],
        *,
        history: list[dict[str, Any]] | None = None,
        session: str | None = None,
        instead_of: str | None = None,
        source: str = "api",
    ) -> Run:
        """A run of the app that has begun, or waits for room. It goes on without this caller.

        In a session it goes on from what was said there, or from before the message `instead_of`.

        Raises:
            InvalidRequest: the values are not what the app asks for.
            NotFound: there is no file of an id in them, or no such session or message.
            Conflict: the last message of the session is still being answered.
            StorageError: the run cannot be recorded.
        """
        runtime, key_id = self._runtime, self.key_id
        if names_files(found.app.fields, values):
            fields, files = found.app.fields, runtime.files
            values = await asyncio.to_thread(with_files, fields, values, files, key_id)
        if session is not None:
            return await runtime.chats.say(
                session,
                values,
                app=found.slug,
                version=found.version,
                instead_of=instead_of,
                key_id=key_id,
            )
        return await runtime.runs.start(
            found.app,
            values,
            text=found.text,
            slug=found.slug,
            version=found.version,
            key_id=key_id,
            history=history,
            source=source,
        )

    def _found(self, name: str, version: int | None) -> PublishedApp:
        apps, published = self._runtime.apps, self._runtime.published
        slug = slug_of(apps, name)
        if not self.may_run(slug):
            key = self._caller.key
            raise NotAllowed(
                f"The API key {'' if key is None else key.name!r} may not run the app {slug!r}. "
                f"Have `app/{slug}` added to its `allowed_models`."
            )
        return published.get(slug, version)


async def encoded_events(
    runs: Runs, run_id: str, after: int, key_id: str | None
) -> AsyncGenerator[bytes, None]:
    """The run's events with a number above `after`, as server-sent events.

    Of a run that goes on here, each is encoded once for all who listen.

    Raises:
        RunNotFound: there is no such run, or it is another key's.
        StorageError: the database failed.
    """
    log = runs.log(run_id, key_id)
    if log is not None:
        async for data in log.listen_encoded(as_server_sent, after):
            yield data
        if log.events and is_last(log.events[-1]):
            return
        after = max(after, log.next - 1)
    async for events in runs.follow(run_id, after, key_id):
        yield b"".join(map(as_server_sent, events))
