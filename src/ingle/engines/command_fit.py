"""The memory that a model takes which another server runs: what its manifest says, as nothing else
tells."""

from __future__ import annotations

from dataclasses import dataclass

from ingle.engines.memory import Memory
from ingle.errors import ModelTooLarge
from ingle.models.manifest import Model

__all__ = ["CommandFit", "command_fit"]


@dataclass(frozen=True, slots=True)
class CommandFit:
    """What to set aside for the server, in bytes; slots and context as far as the manifest says."""

    server_bytes: int
    slots: int | None = None
    context_tokens: int | None = None

    @property
    def memory(self) -> Memory:
        """All of it."""
        return Memory(self.server_bytes)

    @property
    def parts(self) -> dict[str, int]:
        """What it is made of, for people."""
        return {"server": self.server_bytes}


def command_fit(model: Model, *, limit: Memory) -> CommandFit:
    """What to set aside for a model with a `command`.

    Raises:
        ModelTooLarge: that is more than the limit.
    """
    assert model.command is not None, "its engine is a command"
    needed = model.command.memory_bytes
    if needed > limit.ram_bytes:
        raise ModelTooLarge(
            f"The manifest of model {model.name!r} says that its server takes "
            f"{needed / 2**20:,.0f} MiB, and engines may take {limit.ram_bytes / 2**20:,.0f} MiB. Raise "
            "`memory_limit_bytes`, or correct `memory` in the manifest: it counts the machine's "
            "memory, not the GPU's."
        )
    return CommandFit(needed, model.slots, model.context_tokens)
