"""`/api/schedules`: apps that run by themselves, once, every so often, or by a crontab."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from ingle.runs.schedules import Schedule
from ingle.runs.timing import timing
from ingle.runtime import Runtime
from ingle.server.app_runs import AppCaller
from ingle.server.exchange import Exchange

__all__ = ["routes"]


class TimingDescription(BaseModel):
    """When it runs; one of `at`, `every` and `cron` is set."""

    at: float | None = Field(None, description="Once, in Unix seconds.")
    every: float | None = Field(None, description="Again and again, after so many seconds.")
    cron: str | None = None
    zone: str | None = Field(None, description="The time zone that `cron` is meant in.")
    missed: Literal["once", "skip"] = "once"


class ScheduleDescription(BaseModel):
    """An app that runs by itself. Times are Unix seconds."""

    id: str
    app: str
    input: dict[str, Any]
    timing: TimingDescription
    is_paused: bool
    created_at: float
    next_at: float | None = None
    last_at: float | None = None
    last_run: str | None = None
    missed: int = Field(0, description="Occasions that went by and were not made up for.")
    fault: str | None = Field(None, description="Why the last run could not be started.")


class ScheduleRequest(BaseModel):
    """Which app to run, and when: one of `at`, `every` and `cron`."""

    model_config = ConfigDict(extra="forbid")

    app: str = Field(description="The slug of a published app.")
    input: dict[str, Any] = {}
    at: str | None = Field(None, examples=["2027-01-31 07:00"])
    every: str | None = Field(None, examples=["15m"])
    cron: str | None = Field(None, examples=["0 7 * * 1-5"])
    zone: str | None = Field(None, description="Else this machine's.", examples=["Europe/Berlin"])
    missed: Literal["once", "skip"] = Field(
        "once", description="What is missed while nothing runs: made up for once, or not."
    )


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room."""
    router = APIRouter(prefix="/schedules", tags=["schedules"])
    schedules = runtime.schedules

    @router.get("")
    async def list_schedules(request: Request) -> list[ScheduleDescription]:
        """All schedules, the oldest first."""
        return [_described(one) for one in await schedules.list(_caller(request).key_id)]

    @router.post("", status_code=201)
    async def add_schedule(wanted: ScheduleRequest, request: Request) -> ScheduleDescription:
        """Let a published app run by itself. Each run is of the version that is published then."""
        caller = _caller(request)
        found = await caller.find(wanted.app)
        when = timing(**wanted.model_dump(exclude={"app", "input"}))
        return _described(await schedules.add(found.slug, wanted.input, when, caller.key_id))

    @router.get("/{schedule}")
    async def show_schedule(schedule: str, request: Request) -> ScheduleDescription:
        """One schedule."""
        return _described(await schedules.get(schedule, _caller(request).key_id))

    @router.post("/{schedule}/pause")
    async def pause_schedule(schedule: str, request: Request) -> ScheduleDescription:
        """Let it rest; what it would have done meanwhile does not count as missed."""
        key_id = _caller(request).key_id
        await schedules.pause(schedule, key_id)
        return _described(await schedules.get(schedule, key_id))

    @router.post("/{schedule}/resume")
    async def resume_schedule(schedule: str, request: Request) -> ScheduleDescription:
        """Let it run again."""
        key_id = _caller(request).key_id
        await schedules.resume(schedule, key_id)
        return _described(await schedules.get(schedule, key_id))

    @router.delete("/{schedule}", status_code=204)
    async def remove_schedule(schedule: str, request: Request) -> None:
        """Remove it; its runs stay."""
        await schedules.remove(schedule, _caller(request).key_id)

    return router


def _caller(request: Request) -> AppCaller:
    exchange: Exchange = request.scope["ingle"]
    return AppCaller(exchange.runtime, exchange.caller, exchange.answer)


def _described(schedule: Schedule) -> ScheduleDescription:
    return ScheduleDescription.model_validate(msgspec.to_builtins(schedule))
