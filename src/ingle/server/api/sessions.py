"""`/api/sessions`: chats and their messages, which are kept until someone removes them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingle.runs.sessions import MODEL
from ingle.runtime import Runtime
from ingle.server.api.run_description import RunName
from ingle.server.app_runs import AppCaller
from ingle.server.exchange import Exchange
from ingle.storage.sessions import MessageRecord, SessionRecord

__all__ = ["routes"]


class SessionSummary(BaseModel):
    """A chat. Times are Unix seconds."""

    id: str
    app: str = Field(description="The slug of its app; `model/<name>` of a chat without one.")
    title: str
    created_at: float
    updated_at: float


class MessageDescription(BaseModel):
    """What was said. Messages are a tree: an edited one stands beside the one that it replaces."""

    id: str
    parent: str | None = Field(description="The message that it follows.")
    run: str | None = Field(description="The run that answers it, or that it is the answer of.")
    role: str
    content: str
    state: Literal["waiting", "ended", "failed", "cancelled"] = Field(
        description="An answer waits until its run has ended."
    )
    created_at: float


class SessionDescription(SessionSummary):
    """A chat with the messages of the branch that it shows, the first one first."""

    messages: list[MessageDescription]


class SessionList(BaseModel):
    """A page of chats, those last used first."""

    sessions: list[SessionSummary]
    next: str | None = Field(description="Give it as `before` for the next page; null at the end.")


class NewSession(BaseModel):
    """What to chat with: an app or a model."""

    model_config = ConfigDict(extra="forbid")

    app: str | None = Field(None, description="An app's slug or UUID.")
    model: str | None = Field(None, min_length=1, max_length=100, description="A model's name.")
    title: str = Field("", max_length=500, description="Else the first line of what is said.")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.app is None) == (self.model is None):
            raise ValueError("give `app` or `model`")
        return self


class NewMessage(BaseModel):
    """What is said."""

    model_config = ConfigDict(extra="forbid")

    input: dict[str, Any] = Field(description="What the app asks for; a model asks a `message`.")
    instead_of: str | None = Field(
        None, description="A user's message that this edits: it gets a branch beside that one."
    )


class SessionChange(BaseModel):
    """What to change of a chat."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(None, max_length=500)
    shown: str | None = Field(
        None, description="A message: show the branch through it, to the newest below."
    )


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room. What blocks on the database runs in FastAPI's threads."""
    router = APIRouter(prefix="/sessions", tags=["sessions"])
    sessions, chats = runtime.sessions, runtime.chats

    @router.get("")
    def list_sessions(
        request: Request,
        app: str | None = None,
        search: Annotated[str, Query(description="In titles and in what was said.")] = "",
        before: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    ) -> SessionList:
        """Chats, those last used first."""
        found = sessions.list(
            app=app, search=search, key_id=_key_id(request), before=before, limit=limit
        )
        last = found[-1].id if len(found) == limit else None
        return SessionList(sessions=[_summary(one) for one in found], next=last)

    @router.post("", status_code=201)
    async def create_session(wanted: NewSession, request: Request) -> SessionDescription:
        """Begin a chat with an app, or with a model and no app."""
        caller = AppCaller(runtime, _exchange(request).caller)
        if wanted.model is None:
            app = (await caller.find(wanted.app or "")).slug
        else:
            # By its full name, as the one of a connection may be called the same.
            is_here = "/" not in wanted.model and await runtime.router.is_here(wanted.model, "chat")
            app = f"{MODEL}local/{wanted.model}" if is_here else MODEL + wanted.model
            caller.check_session(app)
        create = partial(sessions.create, app, title=wanted.title, key_id=caller.key_id)
        return await described((await asyncio.to_thread(create)).id, caller.key_id)

    @router.get("/{session}")
    async def show_session(session: str, request: Request) -> SessionDescription:
        """One chat, as far as it is shown."""
        return await described(session, _key_id(request))

    @router.get("/{session}/messages")
    async def list_messages(session: str, request: Request) -> list[MessageDescription]:
        """All messages of all branches, in the order in which they were made."""
        return [_message(one) for one in await chats.tree(session, key_id=_key_id(request))]

    @router.post("/{session}/messages", status_code=202)
    async def say(session: str, wanted: NewMessage, request: Request) -> RunName:
        """Say something. The run that answers is told as any other, under `/api/runs`."""
        caller, app = await admitted(session, request)
        if app.startswith(MODEL):
            run = await chats.say(
                session, wanted.input, instead_of=wanted.instead_of, key_id=caller.key_id
            )
        else:
            found = await caller.find(app)
            run = await caller.start(
                found, wanted.input, session=session, instead_of=wanted.instead_of
            )
        return RunName(id=run.id)

    @router.post("/{session}/messages/{message}/again", status_code=202)
    async def ask_again(session: str, message: str, request: Request) -> RunName:
        """Have another answer made, beside this one."""
        caller, _ = await admitted(session, request)
        return RunName(id=(await chats.ask_again(session, message, key_id=caller.key_id)).id)

    @router.patch("/{session}")
    async def change_session(
        session: str, wanted: SessionChange, request: Request
    ) -> SessionDescription:
        """Give a chat another title, or show another branch of it."""
        key_id = _key_id(request)
        if wanted.shown is not None:
            await asyncio.to_thread(sessions.choose, session, wanted.shown, key_id=key_id)
        if wanted.title is not None:
            await asyncio.to_thread(sessions.rename, session, wanted.title, key_id=key_id)
        return await described(session, key_id)

    @router.delete("/{session}", status_code=204)
    async def remove_session(session: str, request: Request) -> None:
        """Remove a chat with its messages and runs."""
        await chats.remove(session, key_id=_key_id(request))

    async def admitted(session: str, request: Request) -> tuple[AppCaller, str]:
        """The caller, who may say something in this session, and the session's app."""
        exchange = _exchange(request)
        caller = AppCaller(runtime, exchange.caller, exchange.answer)
        app = (await asyncio.to_thread(sessions.get, session, key_id=caller.key_id)).app
        caller.check_session(app)
        caller.admit()
        return caller, app

    async def described(session: str, key_id: str | None) -> SessionDescription:
        shown = await chats.branch(session, key_id=key_id)
        record = await asyncio.to_thread(sessions.get, session, key_id=key_id)
        told = _summary(record).model_dump()
        return SessionDescription(**told, messages=[_message(one) for one in shown])

    return router


def _exchange(request: Request) -> Exchange:
    exchange: Exchange = request.scope["ingle"]
    return exchange


def _key_id(request: Request) -> str | None:
    return _exchange(request).caller.key_id


def _summary(record: SessionRecord) -> SessionSummary:
    return SessionSummary.model_validate(record, from_attributes=True)


def _message(record: MessageRecord) -> MessageDescription:
    return MessageDescription(
        id=record.id,
        parent=record.parent_id,
        run=record.run_id,
        role=record.role,
        content=record.content,
        state=record.state,
        created_at=record.created_at,
    )
