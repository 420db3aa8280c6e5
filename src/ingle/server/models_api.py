"""`/v1/models`: which models there are, one of them, and the removal of an installed one."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from ingle.errors import ConfigurationError, ModelFileInvalid, ModelNotFound
from ingle.routing import ModelEntry
from ingle.runtime import Runtime
from ingle.server.app_models import PREFIX
from ingle.server.app_runs import AppCaller
from ingle.server.exchange import Exchange

__all__ = ["list_models", "remove_installed", "remove_model", "show_model"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type


async def list_models(exchange: Exchange) -> None:
    """Answer with the models of this machine, of all connections, and the apps."""
    available = await exchange.router.models()
    data = [_described(entry) for entry in (*available.models, *await _apps(exchange))]
    await exchange.answer.json({"object": "list", "data": data})


async def show_model(name: str, exchange: Exchange) -> None:
    """Answer with one model. A name may hold slashes, such as `localai/gpt-4`.

    Raises:
        ModelNotFound: none has this name.
    """
    available = await exchange.router.models()
    entries = (*available.models, *await _apps(exchange))
    for entry in entries:
        if name.removeprefix("local/") in entry.aliases or name in (entry.id, f"local/{entry.id}"):
            await exchange.answer.json({**_described(entry), "id": name})
            return
    names = ", ".join(entry.id for entry in entries) or "none"
    raise ModelNotFound(f"There is no model {name!r}. There are: {names}.", param="model")


async def remove_model(name: str, exchange: Exchange) -> None:
    """Answer with the removal of a model, be it whole or damaged.

    Raises:
        ModelNotFound: none that is installed on this machine has this name.
        NotAllowed: the model is a part of Ingle.
    """
    await remove_installed(exchange.runtime, name)
    await exchange.answer.json({"id": name, "object": "model", "deleted": True})


async def remove_installed(runtime: Runtime, name: str) -> None:
    """Stop a model's engine and delete its files. Raises what `remove_model` does."""
    installed = name.removeprefix("local/")
    with suppress(ModelFileInvalid, ConfigurationError):  # of a damaged one no engine runs
        model = await asyncio.to_thread(runtime.models.get, installed)
        if not model.is_builtin:
            await runtime.supervisor.stop(model.name)
    await asyncio.to_thread(runtime.models.remove, installed)


async def _apps(exchange: Exchange) -> list[ModelEntry]:
    """The published apps, each as a model that can be asked."""
    listed = await AppCaller(exchange.runtime, exchange.caller).listed()
    return [ModelEntry(PREFIX + app.slug, "app", int(app.created_at.timestamp())) for app in listed]


def _described(entry: ModelEntry) -> Json:
    return {
        "id": entry.id,
        "object": "model",
        "created": entry.created or 0,  # OpenAI's clients want a number
        "owned_by": entry.owned_by,
    }
