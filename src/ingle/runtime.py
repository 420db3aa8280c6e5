"""Everything that a running Ingle holds, opened in order and closed in reverse.

The server, the command line and the Python library each open one; nothing below them knows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ingle.engines.supervisor import Supervisor
from ingle.models.pull.jobs import Pulls
from ingle.models.store import Models
from ingle.routing import Router
from ingle.settings import Settings
from ingle.storage.api_keys import ApiKeys
from ingle.storage.connections import Connections
from ingle.storage.database import Database
from ingle.storage.key_usage import KeyUsage
from ingle.storage.routes import NamedRoutes
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


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncGenerator[Runtime, None]:
    """Open every part. On leaving, pulls are paused, engines stopped, and all calls have ended.

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
                router=Router(
                    client,
                    models,
                    connections,
                    routes,
                    supervisor.lease,
                    default_model=settings.default_model,
                    default_image_model=settings.default_image_model,
                    reach=Reach.allowing(settings.http_allow),
                ),
            )
        api_keys.record_uses()
        key_usage.write()
    finally:
        # Not in a thread: nothing else runs any more, and at the end of the interpreter there are
        # no threads to be had.
        database.close()
