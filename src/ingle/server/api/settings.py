"""`/api/settings`: every setting with where it came from, secrets masked."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from ingle.runtime import Runtime

__all__ = ["routes"]


class SettingDescription(BaseModel):
    """One setting."""

    name: str
    value: str = Field(description="As text, secrets masked; empty if it is not set.")
    source: str = Field(description="Where the value came from.")
    description: str
    variable: str = Field(description="The environment variable that sets it.")
    example: str


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room."""
    router = APIRouter(prefix="/settings", tags=["settings"])

    @router.get("")
    def list_settings() -> list[SettingDescription]:
        """All settings, in the order of the documentation."""
        return [
            SettingDescription(
                name=setting.name,
                value=setting.value,
                source=str(setting.source),
                description=setting.description,
                variable=setting.variable,
                example=setting.example,
            )
            for setting in runtime.settings.describe()
        ]

    return router
