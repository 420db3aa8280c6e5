"""Chats and their messages, kept until someone removes them.

The messages of a session are a tree: one that was edited, and an answer that was asked for again,
stand beside what they replace. The session's head says which branch is shown. Everything here
blocks, so async callers go through `asyncio.to_thread`. It does not know what makes the messages.

With a `key_id`, only that key's sessions are there; without one, all are.
"""

from __future__ import annotations

import builtins
import time
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from ingle.errors import Conflict, NotFound, SessionNotFound
from ingle.ids import new_id
from ingle.storage.database import Database
from ingle.storage.run_tables import messages, sessions

__all__ = ["MessageRecord", "MessageState", "SessionRecord", "Sessions"]

MessageState = Literal["waiting", "ended", "failed", "cancelled"]
"""An answer waits until its run has ended; a failed or cancelled one is what was written so far."""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A chat. `app` is an app's slug, or `model/<name>`; moments are Unix seconds."""

    id: str
    app: str
    title: str
    key_id: str | None
    head: str | None
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One message; `parent_id` is the one that it follows, None for a first one."""

    id: str
    parent_id: str | None
    run_id: str | None
    role: str
    content: str
    state: MessageState
    created_at: float


class Sessions:
    """The sessions of one database. Any thread may use it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, app: str, *, title: str = "", key_id: str | None = None) -> SessionRecord:
        """A new session without messages.

        Raises:
            StorageError: the database failed; nothing was changed.
        """
        now = time.time()
        record = SessionRecord(new_id("session"), app, title, key_id, None, now, now)
        with self._database.writing() as transaction:
            values = {name: getattr(record, name) for name in SessionRecord.__slots__}
            transaction.execute(sa.insert(sessions).values(values))
        return record

    def get(self, session: str, *, key_id: str | None = None) -> SessionRecord:
        """The session of this id.

        Raises:
            SessionNotFound: there is none, or it is another key's.
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            return _found(transaction, session, key_id)

    def list(
        self,
        *,
        app: str | None = None,
        search: str = "",
        key_id: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> builtins.list[SessionRecord]:
        """Those last used first; `before` is the last one of the page before this one.

        `search` is looked for in titles and in what was said, in any case of ASCII letters.

        Raises:
            SessionNotFound: there is no session `before`.
            StorageError: the database failed.
        """
        wanted = sa.select(sessions)
        if app is not None:
            wanted = wanted.where(sessions.c.app == app)
        if key_id is not None:
            wanted = wanted.where(sessions.c.key_id == key_id)
        if search:
            said = sa.exists().where(
                messages.c.session_id == sessions.c.id,
                messages.c.content.icontains(search, autoescape=True),
            )
            wanted = wanted.where(sa.or_(sessions.c.title.icontains(search, autoescape=True), said))
        with self._database.reading() as transaction:
            if before is not None:
                last = _found(transaction, before, key_id)
                place = sa.tuple_(sessions.c.updated_at, sessions.c.id)
                wanted = wanted.where(place < sa.tuple_(last.updated_at, last.id))
            order = (sessions.c.updated_at.desc(), sessions.c.id.desc())
            rows = transaction.execute(wanted.order_by(*order).limit(limit)).all()
        return [_session(row) for row in rows]

    def rename(self, session: str, title: str, *, key_id: str | None = None) -> SessionRecord:
        """The session under another title.

        Raises:
            SessionNotFound: there is none, or it is another key's.
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            _found(transaction, session, key_id)
            _change(transaction, session, title=title)
            return _found(transaction, session, key_id)

    def remove(self, session: str, *, key_id: str | None = None) -> None:
        """Delete the session, its messages and its runs.

        Raises:
            SessionNotFound: there is none, or it is another key's.
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            _found(transaction, session, key_id)
            transaction.execute(sa.delete(sessions).where(sessions.c.id == session))

    def tree(self, session: str, *, key_id: str | None = None) -> builtins.list[MessageRecord]:
        """All messages of all branches, in the order in which they were made.

        Raises:
            SessionNotFound: there is none, or it is another key's.
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            _found(transaction, session, key_id)
            wanted = sa.select(messages).where(messages.c.session_id == session)
            rows = transaction.execute(wanted.order_by(messages.c.created_at, messages.c.id)).all()
        return [_message(row) for row in rows]

    def branch(
        self, session: str, *, head: str | None = None, key_id: str | None = None
    ) -> builtins.list[MessageRecord]:
        """The messages from the first to `head`, or to the session's own.

        Raises:
            SessionNotFound: there is no such session, or it is another key's.
            NotFound: the session has no message `head`.
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            found = _found(transaction, session, key_id)
            if head is not None:
                _message_of(transaction, session, head)
            return _up_from(transaction, head or found.head)

    def before_run(self, run: str) -> builtins.list[MessageRecord]:
        """The messages that came before what was said in this run; none if it has no session.

        Raises:
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            answer = transaction.execute(_answer_of(run)).one_or_none()
            return _up_from(transaction, answer.parent_id)[:-1] if answer else []

    def say(
        self,
        session: str,
        content: str,
        *,
        run: str,
        title: str = "",
        instead_of: str | None = None,
        key_id: str | None = None,
    ) -> MessageRecord:
        """The answer to come to what a user says, at the head of the session.

        What is said follows the head, or stands beside the message `instead_of`, which it edits.
        A session without a title gets this one.

        Raises:
            SessionNotFound: there is no such session, or it is another key's.
            NotFound: the session has no message `instead_of`.
            Conflict: the head is an answer that is still being written.
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            found = _found(transaction, session, key_id)
            if instead_of is None:
                _refuse_while_written(transaction, found)
                parent = found.head
            else:
                parent = _said(_message_of(transaction, session, instead_of)).parent_id
            said = _add(transaction, session, parent, "user", content, run, "ended")
            answer = _add(transaction, session, said.id, "assistant", "", run, "waiting")
            _change(transaction, session, head=answer.id, title=found.title or title)
        return answer

    def ask_again(
        self, session: str, answer: str, *, run: str, key_id: str | None = None
    ) -> tuple[MessageRecord, MessageRecord]:
        """What was said, and another answer to come beside the one that there is.

        Raises:
            SessionNotFound: there is no such session, or it is another key's.
            NotFound: the session has no such answer.
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            _found(transaction, session, key_id)
            old = _message_of(transaction, session, answer)
            if old.role != "assistant" or old.parent_id is None:
                raise NotFound(f"{answer!r} is not an answer. Name a message of the assistant.")
            said = _message_of(transaction, session, old.parent_id)
            new = _add(transaction, session, said.id, "assistant", "", run, "waiting")
            _change(transaction, session, head=new.id)
        return said, new

    def end_answer(self, run: str, content: str, state: MessageState) -> None:
        """What came of the answer of this run; nothing happens if it waits no more.

        Raises:
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            waiting = (messages.c.run_id == run) & (messages.c.state == "waiting")
            transaction.execute(
                sa.update(messages).where(waiting).values(content=content, state=state)
            )

    def choose(
        self, session: str, message: str, *, key_id: str | None = None
    ) -> builtins.list[MessageRecord]:
        """Show the branch through this message, to the newest that follows it, from now on.

        Raises:
            SessionNotFound: there is no such session, or it is another key's.
            NotFound: the session has no such message.
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            _found(transaction, session, key_id)
            _message_of(transaction, session, message)
            below = sa.select(messages.c.id).where(messages.c.id == message).cte(recursive=True)
            below = below.union_all(
                sa.select(messages.c.id).join(below, messages.c.parent_id == below.c.id)
            )
            newest = sa.select(messages.c.id).join(below, messages.c.id == below.c.id)
            head = transaction.execute(
                newest.order_by(messages.c.created_at.desc(), messages.c.id.desc()).limit(1)
            ).scalar_one()
            transaction.execute(
                sa.update(sessions).where(sessions.c.id == session).values(head=head)
            )
            return _up_from(transaction, head)


def _found(transaction: sa.Connection, session: str, key_id: str | None) -> SessionRecord:
    row = transaction.execute(sa.select(sessions).where(sessions.c.id == session)).one_or_none()
    if row is None or (key_id is not None and row.key_id != key_id):
        raise SessionNotFound(
            f"There is no session {session[:80]!r}. `GET /api/sessions` lists those that there are."
        )
    return _session(row)


def _message_of(transaction: sa.Connection, session: str, message: str) -> MessageRecord:
    wanted = (messages.c.id == message) & (messages.c.session_id == session)
    row = transaction.execute(sa.select(messages).where(wanted)).one_or_none()
    if row is None:
        raise NotFound(f"The session {session!r} has no message {message[:80]!r}.")
    return _message(row)


def _said(message: MessageRecord) -> MessageRecord:
    if message.role != "user":
        raise NotFound(f"{message.id!r} is not a user's message, and only those are edited.")
    return message


def _answer_of(run: str) -> sa.Select[Any]:  # Any: the row of a table
    return sa.select(messages).where(messages.c.run_id == run, messages.c.role == "assistant")


def _refuse_while_written(transaction: sa.Connection, session: SessionRecord) -> None:
    if session.head is None:
        return
    head = _message_of(transaction, session.id, session.head)
    if head.state == "waiting":
        raise Conflict(
            f"The last message of the session {session.id!r} is not answered yet. Wait for the run "
            f"{head.run_id!r}, or cancel it."
        )


def _add(
    transaction: sa.Connection,
    session: str,
    parent: str | None,
    role: str,
    content: str,
    run: str,
    state: MessageState,
) -> MessageRecord:
    record = MessageRecord(new_id("message"), parent, run, role, content, state, time.time())
    values = {name: getattr(record, name) for name in MessageRecord.__slots__}
    transaction.execute(sa.insert(messages).values(session_id=session, **values))
    return record


def _change(transaction: sa.Connection, session: str, **values: str) -> None:
    changed = sa.update(sessions).where(sessions.c.id == session)
    transaction.execute(changed.values(updated_at=time.time(), **values))


def _up_from(transaction: sa.Connection, head: str | None) -> list[MessageRecord]:
    """The messages from the first one down to `head`."""
    depth = sa.literal(0).label("depth")
    up = sa.select(messages, depth).where(messages.c.id == head).cte(recursive=True)
    up = up.union_all(sa.select(messages, up.c.depth + 1).join(up, messages.c.id == up.c.parent_id))
    rows = transaction.execute(sa.select(up).order_by(up.c.depth.desc())).all()
    return [_message(row) for row in rows]


def _session(row: sa.Row[Any]) -> SessionRecord:  # Any: the row of a table
    return SessionRecord(**{name: getattr(row, name) for name in SessionRecord.__slots__})


def _message(row: sa.Row[Any]) -> MessageRecord:  # Any: the row of a table
    return MessageRecord(**{name: getattr(row, name) for name in MessageRecord.__slots__})
