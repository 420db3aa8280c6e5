"""Who answers a processor: the configuration that all that call a server share."""

from __future__ import annotations

from pydantic import Field

from ingle.processors.base import Configuration

__all__ = ["ServerConfiguration", "SlowServerConfiguration"]


class ServerConfiguration(Configuration):
    """Which model of which server, and how long it may be silent."""

    base_url: str | None = Field(
        None,
        description="The base URL of the LocalAI API. Left out, Settings say which server answers.",
    )
    model: str | None = Field(
        None, description="The name of the model to use. Left out, the server chooses."
    )
    timeout: float = Field(
        60,
        gt=0,
        description="Timeout in seconds: how long the server may be silent. "
        "The time that a model takes to load does not count.",
    )


class SlowServerConfiguration(ServerConfiguration):
    """The same for work of which nothing is heard until it is done, minutes later maybe."""

    timeout: float = Field(
        600,
        gt=0,
        description="Timeout in seconds: how long the server may be silent, which it is until all "
        "is done. The time that a model takes to load does not count.",
    )
