"""`/api/connections`: other servers of the same API. Their keys go in and never come out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from starlette.concurrency import run_in_threadpool

from ingle.routing import HealthStatus
from ingle.runtime import Runtime
from ingle.storage.connections import Connection
from ingle.upstream.probe import Probe, probe

__all__ = ["routes"]


class ConnectionHealth(BaseModel):
    """Whether a connection is called: `open`, it failed time after time and is left alone."""

    state: Literal["closed", "open", "half-open"]
    since: datetime = Field(description="When it came into this state; at first, when Ingle began.")
    last_error: str | None
    last_error_at: datetime | None


class ConnectionDescription(BaseModel):
    """A connection, its key masked."""

    name: str
    base_url: str = Field(description="As it was written.")
    resolved_url: str | None = Field(description="What is called, once that was found out.")
    masked_key: str | None
    key_fault: str | None = Field(description="Why the stored key cannot be read.")
    source: str = Field(description="Where it is set: the database, the file or the environment.")
    health: ConnectionHealth


class ConnectionRequest(BaseModel):
    """What to make a connection of."""

    model_config = ConfigDict(extra="forbid")

    base_url: str = Field(description="Where the server is, in any way of writing it.")
    api_key: SecretStr | None = Field(None, description="The key that the server wants, if any.")


class ProbeTry(BaseModel):
    """A URL that was called, and what came of it."""

    url: str
    outcome: str


class ProbeResult(BaseModel):
    """What is at an address."""

    base_url: str = Field(description="What would be called.")
    is_reachable: bool
    models: list[str]
    tried: list[ProbeTry]
    note: str
    error: str | None


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room. What blocks on the database runs in FastAPI's threads."""
    router = APIRouter(prefix="/connections", tags=["connections"])
    connections = runtime.connections

    def described(connection: Connection) -> ConnectionDescription:  # on the router's own loop
        return _described(connection, runtime.router.health(connection).status())

    @router.get("")
    async def list_connections() -> list[ConnectionDescription]:
        """All connections."""
        found = await run_in_threadpool(connections.list)
        return [described(connection) for connection in found]

    @router.get("/{name}")
    async def show_connection(name: str) -> ConnectionDescription:
        """One connection."""
        return described(await run_in_threadpool(connections.get, name))

    @router.put("/{name}")
    async def save_connection(name: str, wanted: ConnectionRequest) -> ConnectionDescription:
        """Make a connection, or put this one in its place. Without a key it has none."""
        key = wanted.api_key.get_secret_value() if wanted.api_key else None
        return described(await run_in_threadpool(connections.save, name, wanted.base_url, key))

    @router.delete("/{name}", status_code=204)
    def remove_connection(name: str) -> None:
        """Remove a connection and its key."""
        connections.remove(name)

    @router.post("/{name}/test")
    async def test_connection(name: str) -> ProbeResult:
        """Call the server: what would be called, what answered, which models are there.

        If it answers, it is called again, whatever failed before.
        """
        connection = await run_in_threadpool(connections.get, name)
        found = await probe(
            runtime.client, connection.base_url, connection.api_key, name=connection.name
        )
        if found.error is None:
            runtime.router.health(connection).close()
        return _result(found)

    @router.post("/test")
    async def test_address(wanted: ConnectionRequest) -> ProbeResult:
        """Call a server that is no connection yet, as the test of one does; nothing is kept."""
        key = wanted.api_key.get_secret_value() if wanted.api_key else None
        return _result(await probe(runtime.client, wanted.base_url, key))

    return router


def _described(connection: Connection, health: HealthStatus) -> ConnectionDescription:
    return ConnectionDescription(
        name=connection.name,
        base_url=connection.base_url,
        resolved_url=connection.resolved_url,
        masked_key=connection.masked_key,
        key_fault=connection.key_fault,
        source=str(connection.source),
        health=ConnectionHealth.model_validate(health, from_attributes=True),
    )


def _result(found: Probe) -> ProbeResult:
    return ProbeResult(
        base_url=found.base_url,
        is_reachable=found.error is None,
        models=list(found.models),
        tried=[ProbeTry(url=one.url, outcome=one.outcome) for one in found.tried],
        note=found.note,
        error=found.error.message if found.error else None,
    )
