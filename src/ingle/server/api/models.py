"""`/api/models`: the models that can be asked for, here and at every connection; loading one."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from ingle.runtime import Runtime
from ingle.server.api.engines import EngineDescription

__all__ = ["routes"]


class ModelDescription(BaseModel):
    """A model that can be asked for."""

    id: str
    owned_by: str = Field(description="A connection's name, or `local` for this machine.")


class ConnectionFault(BaseModel):
    """A connection whose models are not known."""

    connection: str
    error: str


class ModelsDescription(BaseModel):
    """All models, and where there may be more."""

    models: list[ModelDescription]
    faults: list[ConnectionFault]


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room. A model is removed with `DELETE /v1/models/{id}`."""
    router = APIRouter(prefix="/models", tags=["models"])

    @router.get("")
    async def list_models() -> ModelsDescription:
        """All models that can be asked for, and the connections that could not be asked."""
        found = await runtime.router.models()
        return ModelsDescription(
            models=[ModelDescription(id=one.id, owned_by=one.owned_by) for one in found.models],
            faults=[
                ConnectionFault(connection=fault.connection, error=fault.error.message)
                for fault in found.faults
            ],
        )

    @router.post("/{name:path}/load")
    async def load_model(name: str) -> EngineDescription:
        """Start the engine of a model of this machine, so that its first call does not wait."""
        model = await run_in_threadpool(runtime.models.get, name)
        async with runtime.supervisor.lease(model):
            [status] = [one for one in runtime.supervisor.status() if one.name == model.name]
        return EngineDescription.model_validate(status, from_attributes=True)

    return router
