"""`/api/keys`: the keys that callers of this Ingle send. A key's text is told once, when made."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ingle.runtime import Runtime
from ingle.storage.api_keys import ApiKey

__all__ = ["routes"]


class KeyDescription(BaseModel):
    """A key as it may be shown. Times are in UTC."""

    id: str
    name: str
    prefix: str = Field(description="Its first characters.")
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewKey(KeyDescription):
    """A key that was just made."""

    key: str = Field(description="Its text, told now and never again.")


class KeyRequest(BaseModel):
    """What to call a new key."""

    model_config = ConfigDict(extra="forbid")

    name: str


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room. What blocks on the database runs in FastAPI's threads."""
    router = APIRouter(prefix="/keys", tags=["keys"])
    api_keys = runtime.api_keys

    @router.get("")
    def list_keys() -> list[KeyDescription]:
        """All keys, revoked ones too."""
        return [KeyDescription(**_shown(key)) for key in api_keys.list()]

    @router.post("", status_code=201)
    def create_key(wanted: KeyRequest) -> NewKey:
        """Make a key."""
        key, text = api_keys.create(wanted.name)
        return NewKey(**_shown(key), key=text)

    @router.delete("/{key_id}")
    def revoke_key(key_id: str) -> KeyDescription:
        """Revoke a key."""
        return KeyDescription(**_shown(api_keys.revoke(key_id)))

    return router


def _shown(key: ApiKey) -> dict[str, Any]:
    return asdict(key)
