"""The way to a server, as whoever calls it gets it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingle.routing.health import Health
from ingle.routing.servers import Server
from ingle.storage.routes import NamedRoute
from ingle.upstream.target import Target

__all__ = ["Route"]


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a server. `model` is the name to ask it for; None lets the server choose.

    `is_local` is that an engine of Ingle's own answers, whose habits are known.
    `named` is the route of that name by which it was found, if one was asked for. `system_prompt`
    comes first in a chat that has none.
    """

    target: Target
    model: str | None
    is_local: bool
    named: NamedRoute | None = None
    system_prompt: str | None = None
    server: Server | None = field(default=None, repr=False)
    health: Health | None = field(default=None, repr=False)

    @property
    def is_one_of_several(self) -> bool:
        """Whether another one may answer in its place, so that this is not tried again."""
        return self.named is not None and len(self.named.models) > 1

    def answered(self, status: int = 200) -> None:
        """Note that an answer of this status has begun to come, for the connection's health.

        What ends with an error is noted without it.
        """
        if self.health is None:
            return
        if status >= 500:
            self.health.fault(f"status {status}")
        else:
            self.health.answered()
