"""`/api/keys`: the keys that callers of this Ingle send, their limits, and what was used with them.

A key's text is told once, when it is made.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, replace

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ingle.runtime import Runtime
from ingle.storage.api_keys import ApiKey
from ingle.storage.key_limits import KeyLimits
from ingle.storage.key_usage import Usage

__all__ = ["routes"]


class KeyUsageDescription(BaseModel):
    """What was used with a key."""

    requests: int = Field(description="Requests to models that were let in.")
    prompt_tokens: int
    completion_tokens: int
    images: int


class KeyUsageOfDay(KeyUsageDescription):
    """What was used with a key on one day."""

    day: dt.date = Field(description="A day of UTC.")


class KeyLimitsDescription(BaseModel):
    """What a key may ask for; null is no limit."""

    model_config = ConfigDict(extra="forbid")

    allowed_models: list[str] | None = Field(
        None,
        description="Names as GET /v1/models lists them; * and ? stand for any characters.",
        examples=[["demo", "box/*"]],
    )
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = Field(None, description="Of prompts and completions together.")
    expires_at: AwareDatetime | None = None


class KeyDescription(KeyLimitsDescription):
    """A key as it may be shown. Times are in UTC."""

    id: str
    name: str
    prefix: str = Field(description="Its first characters.")
    created_at: dt.datetime
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None
    usage: KeyUsageDescription = Field(description="In total.")


class KeyWithDays(KeyDescription):
    """A key, and what was used with it day by day."""

    days: list[KeyUsageOfDay] = Field(description="The days that it was used on.")


class NewKey(KeyDescription):
    """A key that was just made."""

    key: str = Field(description="Its text, told now and never again.")


class KeyRequest(KeyLimitsDescription):
    """What to call a new key, and its limits. A key with any limit cannot manage this Ingle."""

    name: str


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room. What blocks on the database runs in FastAPI's threads."""
    router = APIRouter(prefix="/keys", tags=["keys"])
    api_keys, key_usage = runtime.api_keys, runtime.key_usage

    @router.get("")
    def list_keys() -> list[KeyDescription]:
        """All keys, revoked ones too."""
        totals = key_usage.totals()
        return [_described(key, totals.get(key.id, Usage())) for key in api_keys.list()]

    @router.post("", status_code=201)
    def create_key(wanted: KeyRequest) -> NewKey:
        """Make a key."""
        given = wanted.model_dump(exclude={"name"})
        key, text = api_keys.create(wanted.name, _changed(KeyLimits(), given))
        return NewKey(**_described(key, Usage()).model_dump(), key=text)

    @router.get("/{key_id}")
    def show_key(key_id: str) -> KeyWithDays:
        """One key, and what was used with it day by day."""
        key = api_keys.get(key_id)
        days = key_usage.days(key_id)
        total = sum(days.values(), Usage())
        used = [KeyUsageOfDay(day=day, **asdict(usage)) for day, usage in days.items()]
        return KeyWithDays(**_described(key, total).model_dump(), days=used)

    @router.patch("/{key_id}")
    def change_key(key_id: str, wanted: KeyLimitsDescription) -> KeyDescription:
        """Change limits. What is left out stays; null takes a limit away."""
        given = wanted.model_dump(include=wanted.model_fields_set)
        key = api_keys.change(key_id, lambda limits: _changed(limits, given))
        return _described(key, key_usage.totals().get(key_id, Usage()))

    @router.delete("/{key_id}")
    def revoke_key(key_id: str) -> KeyDescription:
        """Revoke a key."""
        key = api_keys.revoke(key_id)
        return _described(key, key_usage.totals().get(key_id, Usage()))

    return router


def _changed(limits: KeyLimits, given: dict[str, object]) -> KeyLimits:
    """The limits with those that a request gives, which Pydantic has checked."""
    allowed = given.get("allowed_models")
    if isinstance(allowed, list):
        given = {**given, "allowed_models": tuple(allowed)}
    # mypy cannot know that the names of the request are those of the limits.
    return replace(limits, **given)  # type: ignore[arg-type]


def _described(key: ApiKey, usage: Usage) -> KeyDescription:
    limits = key.limits
    return KeyDescription(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
        allowed_models=None if limits.allowed_models is None else list(limits.allowed_models),
        requests_per_minute=limits.requests_per_minute,
        tokens_per_minute=limits.tokens_per_minute,
        expires_at=limits.expires_at,
        usage=KeyUsageDescription(**asdict(usage)),
    )
