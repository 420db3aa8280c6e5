"""Everything that a running Ingle holds, opened in order and closed in reverse.

The server, the command line and the Python library each open one; nothing below them knows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from ingle.engines.supervisor import Supervisor
from ingle.models.pull.jobs import Pulls
from ingle.models.store import Models
from ingle.routing import Router
from ingle.runs.executor import Work
from ingle.runs.published import PublishedApps
from ingle.runs.runs import Runs
from ingle.runs.schedules import Schedules
from ingle.runs.sessions import ChatSessions
from ingle.runs.work import work_of
from ingle.settings import Settings
from ingle.storage.api_keys import ApiKeys
from ingle.storage.apps import Apps
from ingle.storage.connections import Connections
from ingle.storage.database import Database
from ingle.storage.files import Files
from ingle.storage.key_usage import KeyUsage
from ingle.storage.openai_batches import OpenAIBatches
from ingle.storage.routes import NamedRoutes
from ingle.storage.sessions import Sessions
from ingle.storage.stored_chats import StoredChats
from ingle.storage.stored_responses import StoredResponses
from ingle.upstream.client import Client
from ingle.upstream.reach import Reach

__all__ = ["Runtime", "open_runtime"]


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts of a running Ingle; valid inside `open_runtime`."""

    settings: Settings
    database: Database
    connections: Connections
    routes: NamedRoutes
    api_keys: ApiKeys
    key_usage: KeyUsage
    models: Models
    pulls: Pulls
    supervisor: Supervisor
    client: Client
    router: Router
    apps: Apps
    published: PublishedApps
    work: Work
    runs: Runs
    schedules: Schedules
    sessions: Sessions
    chats: ChatSessions
    files: Files
    stored_chats: StoredChats
    stored_responses: StoredResponses
    openai_batches: OpenAIBatches


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncGenerator[Runtime, None]:
    """Open every part. On leaving, runs and pulls are paused, engines stopped, and all calls have
    ended.

    Raises:
        StorageError: the data folder or the database cannot be used.
    """
    database = await asyncio.to_thread(Database.open, settings)
    try:
        api_keys = ApiKeys(database)
        key_usage = KeyUsage(database)
        connections = Connections(database, settings)
        routes = NamedRoutes(database, settings)
        models = Models(settings)
        async with (
            Client() as client,
            Supervisor(settings) as supervisor,
            Pulls(settings) as pulls,
        ):
            router = Router(
                client,
                models,
                connections,
                routes,
                supervisor.lease,
                default_model=settings.default_model,
                default_image_model=settings.default_image_model,
                reach=Reach.allowing(settings.http_allow),
            )
            apps = Apps(database)
            published = PublishedApps(apps)
            sessions = Sessions(database)
            work = work_of(router, published.find_if_there, mcp_commands=settings.mcp_commands)

            def work_of_key(key_id: str) -> Work:
                # Which models an app asks is the choice of who published it, not of its callers.
                counted = router.for_caller(lambda _: True, partial(key_usage.used, key_id))
                return work_of(counted, published.find_if_there, mcp_commands=settings.mcp_commands)

            async with (
                Runs(
                    database,
                    published,
                    work,
                    work_of_key=work_of_key,
                    at_once=settings.runs_at_once,
                    keep_days=settings.keep_runs_days,
                ) as runs,
                ChatSessions(sessions, runs, apps, published) as chats,
            ):
                yield Runtime(
                    settings=settings,
                    database=database,
                    connections=connections,
                    routes=routes,
                    api_keys=api_keys,
                    key_usage=key_usage,
                    models=models,
                    pulls=pulls,
                    supervisor=supervisor,
                    client=client,
                    router=router,
                    apps=apps,
                    published=published,
                    work=work,
                    runs=runs,
                    schedules=Schedules(database, published, runs),
                    sessions=sessions,
                    chats=chats,
                    files=Files(database, settings.home / "files"),
                    stored_chats=StoredChats(database),
                    stored_responses=StoredResponses(database, settings.keep_responses_days),
                    openai_batches=OpenAIBatches(database),
                )
        api_keys.record_uses()
        key_usage.write()
    finally:
        # Not in a thread: nothing else runs any more, and at the end of the interpreter there are
        # no threads to be had.
        database.close()
