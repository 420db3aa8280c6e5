"""Loads the models that are to be ready before anybody asks for them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ingle.engines.supervisor import Supervisor
from ingle.models.store import Models

__all__ = ["preload"]

_log = logging.getLogger(__name__)


async def preload(supervisor: Supervisor, models: Models, names: Sequence[str]) -> None:
    """Start their engines, one after another. One that fails is logged, and the next one's turn."""
    for name in names:
        error = await supervisor.preload(name, models.get)
        if error is None:
            _log.info("Model %r is loaded.", name)
        else:
            _log.error("Model %r of the setting `preload` is not loaded: %s", name, error.message)
