"""What is done from time to time: what has expired is deleted."""

from __future__ import annotations

import asyncio
import logging

from ingle.errors import StorageError
from ingle.storage.files import Files
from ingle.storage.stored_responses import StoredResponses

__all__ = ["do_chores"]

_EVERY_S = 3600.0

_log = logging.getLogger(__name__)


async def do_chores(files: Files, responses: StoredResponses) -> None:
    """Delete now, and every hour until it is cancelled. What fails is logged and tried again."""
    while True:
        try:
            await asyncio.to_thread(files.sweep)
            await asyncio.to_thread(responses.sweep)
        except StorageError as error:
            _log.warning("What has expired was not deleted. %s", error)
        await asyncio.sleep(_EVERY_S)
