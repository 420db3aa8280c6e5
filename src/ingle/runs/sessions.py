"""Chats over many runs: what was said before goes along, and answers are kept with their branch.

A session belongs to an app, or to a plain chat with a model. Each thing said in it is a run. Its
answer waits in the session until the run has ended, and then is what the run wrote, whole or not;
if this process does not live that long, it is put there when the session is next looked at.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import msgspec
import yaml

from ingle.apps.app import App
from ingle.apps.check import load
from ingle.apps.fields import read_input
from ingle.errors import IngleError, RunNotFound, SessionNotFound
from ingle.ids import new_id
from ingle.runs.events import OutputPiece, RunCancelled, RunEnded, RunFailed
from ingle.runs.published import PublishedApps
from ingle.runs.runs import Run, Runs
from ingle.storage.apps import Apps
from ingle.storage.sessions import MessageRecord, MessageState, Sessions

__all__ = ["MODEL", "ChatSessions", "history_of", "title_of"]

MODEL = "model/"
"""How the `app` of a session begins that is a plain chat with a model."""

_LONGEST_TITLE = 60
_START_S = 60.0
"""How long another process may take between a message and its run, before the run never was."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Text:
    """An app, and the text that it was read from."""

    app: App
    text: str
    version: int | None


class ChatSessions:
    """What is said in sessions, and what comes of it; belongs to the event loop of its runs.

    Leaving the context stops noting how runs end; whoever looks at a session later does.
    """

    def __init__(
        self, sessions: Sessions, runs: Runs, apps: Apps, published: PublishedApps
    ) -> None:
        self._sessions = sessions
        self._runs = runs
        self._apps = apps
        self._published = published
        self._starting: set[str] = set()
        self._noting: dict[str, tuple[Run, asyncio.Task[None]]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        tasks = [task for _, task in self._noting.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def say(
        self,
        session: str,
        input: Mapping[str, Any],  # noqa: A002 -- what it is called everywhere
        *,
        app: str | None = None,
        version: int | None = None,
        instead_of: str | None = None,
        key_id: str | None = None,
    ) -> Run:
        """The run that answers; what came before in the session goes along as its history.

        `input` is the app's. It follows the session's head, or with `instead_of` stands beside a
        user's message that it edits. `app` is the slug that the session's has to be, if given, and
        `version` which one of it runs, if not the one that is published.

        Whether the caller may ask a plain chat's model is not looked at here.

        Raises:
            SessionNotFound: there is no such session, or it is another key's or another app's.
            NotFound: there is no such message, or the session's app is gone.
            InvalidRequest: the input is not what the app asks for.
            Conflict: the head is an answer that is still being written.
            StorageError: the database failed.
        """
        found = await asyncio.to_thread(self._sessions.get, session, key_id=key_id)
        if app not in (None, found.app):
            raise SessionNotFound(f"The app {app!r} has no session {session!r}.")
        what = await asyncio.to_thread(self._text_of, found.app, version)
        said = said_of(what.app, read_input(what.app.fields, input))
        await self._settle(session, key_id)
        with self._new_run() as run_id:
            await asyncio.to_thread(
                self._sessions.say,
                session,
                said,
                run=run_id,
                title=title_of(said),
                instead_of=instead_of,
                key_id=key_id,
            )
            return await self._started(session, found.app, what, input, run_id, key_id)

    async def ask_again(self, session: str, answer: str, *, key_id: str | None = None) -> Run:
        """The run that makes another answer, beside one that there is, of the same input.

        Raises:
            SessionNotFound: there is no such session, or it is another key's.
            NotFound: the session has no such answer, or its app is gone.
            RunNotFound: the run that made it is gone, and with it its input.
            StorageError: the database failed.
        """
        found = await asyncio.to_thread(self._sessions.get, session, key_id=key_id)
        what = await asyncio.to_thread(self._text_of, found.app)
        tree = await asyncio.to_thread(self._sessions.tree, session, key_id=key_id)
        of_run = next((message.run_id for message in tree if message.id == answer), None)
        old = await self._runs.get(of_run, key_id) if of_run is not None else None
        values = old.input if old is not None else {}
        with self._new_run() as run_id:
            await asyncio.to_thread(
                self._sessions.ask_again, session, answer, run=run_id, key_id=key_id
            )
            return await self._started(session, found.app, what, values, run_id, key_id)

    async def tree(self, session: str, *, key_id: str | None = None) -> Sequence[MessageRecord]:
        """All messages of all branches, answers as far as their runs have ended.

        Raises:
            SessionNotFound: there is no such session, or it is another key's.
            StorageError: the database failed.
        """
        await self._settle(session, key_id)
        return await asyncio.to_thread(self._sessions.tree, session, key_id=key_id)

    async def branch(self, session: str, *, key_id: str | None = None) -> Sequence[MessageRecord]:
        """The messages of the branch that the session shows. Raises as `tree`."""
        await self._settle(session, key_id)
        return await asyncio.to_thread(self._sessions.branch, session, key_id=key_id)

    async def remove(self, session: str, *, key_id: str | None = None) -> None:
        """Cancel what still runs in the session, and delete it with its messages and runs.

        Raises:
            SessionNotFound: there is no such session, or it is another key's.
            StorageError: the database failed.
        """
        for message in await asyncio.to_thread(self._sessions.tree, session, key_id=key_id):
            if message.state == "waiting" and message.run_id in self._noting:
                run, task = self._noting[message.run_id]
                run.cancel()
                await asyncio.wait({task})
        await asyncio.to_thread(self._sessions.remove, session, key_id=key_id)

    @contextmanager
    def _new_run(self) -> Iterator[str]:
        """The id of a run that is in its session before it has begun."""
        run_id = new_id("run")
        self._starting.add(run_id)
        try:
            yield run_id
        finally:
            self._starting.remove(run_id)

    async def _started(
        self,
        session: str,
        slug: str,
        what: _Text,
        values: Mapping[str, Any],
        run_id: str,
        key_id: str | None,
    ) -> Run:
        try:
            before = await asyncio.to_thread(self._sessions.before_run, run_id)
            run = await self._runs.start(
                what.app,
                values,
                text=what.text,
                slug=slug,
                version=what.version,
                session=session,
                key_id=key_id,
                run_id=run_id,
                history=history_of(before),
            )
        except BaseException:
            await asyncio.to_thread(self._sessions.end_answer, run_id, "", "failed")
            raise
        task = asyncio.create_task(self._noted(run_id), name=f"answer of {run_id}")
        self._noting[run_id] = run, task
        task.add_done_callback(lambda _: self._noting.pop(run_id, None))
        return run

    async def _noted(self, run_id: str) -> None:
        """Wait for the end of a run, and put what it wrote into its session."""
        try:
            if ended := await self._ended(run_id):
                await asyncio.to_thread(self._sessions.end_answer, run_id, *ended)
        except IngleError as error:
            _logger.warning("The answer of the run %s waits in its session. %s", run_id, error)

    async def _ended(self, run_id: str) -> tuple[str, MessageState] | None:
        """What a run wrote and how it ended; None if this process stops before it has ended."""
        text = ""
        async with aclosing(self._runs.follow(run_id)) as told:
            async for events in told:
                for event in events:
                    match event:
                        case OutputPiece(text=written, is_restart=is_restart):
                            text = written if is_restart else text + written
                        case RunEnded(output=output):
                            return as_text(output), "ended"
                        case RunFailed():
                            return text, "failed"
                        case RunCancelled():
                            return text, "cancelled"
        return None

    async def _settle(self, session: str, key_id: str | None) -> None:
        """Put answers in their places whose runs have ended while no one here noted it."""
        for message in await asyncio.to_thread(self._sessions.tree, session, key_id=key_id):
            if message.state != "waiting" or message.run_id is None:
                continue
            if message.run_id in self._noting:
                run, task = self._noting[message.run_id]
                if run.log.is_over:  # it has just ended, and is noted in a moment
                    await asyncio.wait({task})
                continue
            if message.run_id in self._starting:
                continue
            try:
                record = await self._runs.get(message.run_id)
            except RunNotFound:
                if time.time() - message.created_at > _START_S:
                    end = self._sessions.end_answer
                    await asyncio.to_thread(end, message.run_id, "", "cancelled")
                continue
            if record.state in ("ended", "failed", "cancelled"):
                await self._noted(message.run_id)

    def _text_of(self, slug: str, version: int | None = None) -> _Text:
        """The app of a session.

        Raises:
            AppNotFound: it is not there any more.
            StorageError: the database failed.
        """
        if slug.startswith(MODEL):
            text = _plain_chat(slug.removeprefix(MODEL))
            return _Text(load(text, "chat"), text, None)
        version = version or self._apps.get(slug).published
        return _Text(self._published.find(slug, version), self._apps.text(slug, version), version)


def history_of(messages: Sequence[MessageRecord]) -> list[dict[str, Any]]:
    """The messages as a model reads them, in whole turns: what was never answered is left out."""
    history: list[dict[str, Any]] = []
    for said, answer in zip(messages[::2], messages[1::2], strict=False):
        if answer.state != "waiting" and answer.content:
            history.append({"role": "user", "content": said.content})
            history.append({"role": "assistant", "content": answer.content})
    return history


def title_of(said: str) -> str:
    """What a chat is called that begins with this: its first line, cut between two words."""
    line = " ".join(next(iter(said.strip().splitlines()), "").split())
    if len(line) <= _LONGEST_TITLE:
        return line
    begins, space, _ = line[:_LONGEST_TITLE].rpartition(" ")
    return (begins.rstrip(" ,.;:") if space else line[:_LONGEST_TITLE]) + "…"


def said_of(app: App, values: Mapping[str, Any]) -> str:
    """What a user said, of an app's input: its first text, else all of it as JSON."""
    for name, field in app.fields.items():
        if field.type in ("text", "string") and isinstance(values.get(name), str):
            return str(values[name])
    return msgspec.json.encode(values).decode()


def as_text(output: Any) -> str:
    """An app's output, as a message has it."""
    return output if isinstance(output, str) else msgspec.json.encode(output).decode()


def _plain_chat(model: str) -> str:
    """The text of the app that a chat with a model is."""
    step = {"model": model, "prompt": "{{ input.message }}"}
    return yaml.safe_dump(
        {"name": "Chat", "type": "chat", "steps": {"answer": step}}, sort_keys=False
    )
