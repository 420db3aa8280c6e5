"""Everything that a running Ingle holds, opened in order and closed in reverse.

The server, the command line and the Python library each open one; nothing below them knows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ingle.engines.supervisor import Supervisor
from ingle.models.store import Models
from ingle.routing import Router
from ingle.settings import Settings
from ingle.storage.api_keys import ApiKeys
from ingle.storage.connections import Connections
from ingle.storage.database import Database
from ingle.upstream.client import Client

__all__ = ["Runtime", "open_runtime"]


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts of a running Ingle; valid inside `open_runtime`."""

    settings: Settings
    database: Database
    connections: Connections
    api_keys: ApiKeys
    models: Models
    supervisor: Supervisor
    client: Client
    router: Router


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncGenerator[Runtime, None]:
    """Open every part. On leaving, engines are stopped and all calls have ended.

    Raises:
        StorageError: the data folder or the database cannot be used.
    """
    database = await asyncio.to_thread(Database.open, settings)
    try:
        api_keys = ApiKeys(database)
        connections = Connections(database, settings)
        models = Models(settings)
        async with Client() as client, Supervisor(settings) as supervisor:
            yield Runtime(
                settings=settings,
                database=database,
                connections=connections,
                api_keys=api_keys,
                models=models,
                supervisor=supervisor,
                client=client,
                router=Router(
                    client,
                    models,
                    connections,
                    supervisor.lease,
                    default_model=settings.default_model,
                    default_image_model=settings.default_image_model,
                ),
            )
        api_keys.record_uses()
    finally:
        # Not in a thread: nothing else runs any more, and at the end of the interpreter there are
        # no threads to be had.
        database.close()
