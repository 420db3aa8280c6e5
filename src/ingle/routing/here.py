"""Which model of this machine answers: the one that is named, the default, or one that can."""

from __future__ import annotations

import asyncio
import time

from ingle.errors import EngineMissing, ModelNotFound, UnsupportedInput
from ingle.models.manifest import Capability, Model
from ingle.models.store import Models

__all__ = ["DEMO_IMAGE", "Here"]

DEMO_IMAGE = "demo-image"
_FRESH_S = 1.0


class Here:
    """The installed models, as their files were at most a second ago."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._seen: dict[str, tuple[Model, float]] = {}  # no longer than the list of models

    async def has(self, name: str | None, capability: Capability) -> bool:
        """Whether this machine has the model, or without a name any that can do that."""
        models = await asyncio.to_thread(self._models.list)
        if not name:
            return any(capability in one.capabilities for one in models)
        return any(name in (one.name, *one.aliases) for one in models)

    async def find(self, name: str | None, capability: Capability | None, default: str) -> Model:
        """The model of this name; without one the default model, or another that can do it.

        Raises:
            ModelNotFound: there is no such model; lists those that there are.
            UnsupportedInput: the model cannot do that.
            EngineMissing: no model of this machine can.
        """
        try:
            model = await self._installed(name or default)
        except ModelNotFound:
            if name is not None or default != DEMO_IMAGE:
                raise
            model = None  # a package may come without it
        if model is not None and (capability is None or capability in model.capabilities):
            return model
        able = [
            other
            for other in await asyncio.to_thread(self._models.list)
            if capability in other.capabilities
        ]
        if able and (name is None or model is None):
            return able[0]
        if able and model is not None:
            names = ", ".join(other.name for other in able)
            raise UnsupportedInput(
                f"The model {model.name!r} is not made for {capability}. Installed models that "
                f"are: {names}.",
                param="model",
            )
        raise EngineMissing(
            f"No model of this machine is made for {capability}. Give the `base_url` of a server "
            "that has one, or connect it for good: `ingle connections add localai URL`."
        )

    async def _installed(self, name: str) -> Model:
        """The model; looking for it each time would cost more than all the rest."""
        now_s = time.monotonic()
        model, until_s = self._seen.get(name, (None, 0.0))
        if model is None or until_s < now_s:
            self._seen.pop(name, None)
            model = await asyncio.to_thread(self._models.get, name)
            self._seen[name] = model, now_s + _FRESH_S
        return model
