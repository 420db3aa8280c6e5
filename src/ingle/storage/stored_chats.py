"""Chats that their callers asked to be kept (`store`), with what was said before each.

Everything here blocks, so async callers go through `asyncio.to_thread`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from ingle.errors import InvalidRequest, NotFound
from ingle.storage.database import Database
from ingle.storage.openai_tables import stored_chats
from ingle.storage.pages import Page, Paging, page_of

__all__ = ["StoredChat", "StoredChats"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type


@dataclass(frozen=True, slots=True)
class StoredChat:
    """A chat as it was answered. `id` is what its server called it, unique for one key only."""

    id: str
    key_id: str | None
    model: str
    metadata: dict[str, str]
    messages: list[Json]
    completion: Json


class StoredChats:
    """The chats of one database. Any thread may use it.

    With a `key_id` only what was made with that API key is there; with None everything.
    """

    def __init__(self, database: Database, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._database = database
        self._now_ns = now_ns

    def keep(self, chat: StoredChat) -> None:
        """Keep a chat, in place of one of the same id and key.

        Raises:
            StorageError: the database failed; nothing was changed.
        """
        table = stored_chats.c
        key = chat.key_id or ""
        with self._database.writing() as transaction:
            transaction.execute(
                sa.delete(stored_chats).where(table.id == chat.id, table.key_id == key)
            )
            transaction.execute(
                sa.insert(stored_chats).values(
                    id=chat.id,
                    key_id=key,
                    position=self._now_ns(),
                    model=chat.model,
                    metadata=chat.metadata,
                    messages=_encoded(chat.messages),
                    completion=_encoded(chat.completion),
                )
            )

    def get(self, chat_id: str, key_id: str | None = None) -> StoredChat:
        """The chat of this id; of several keys' chats the newest.

        Raises:
            NotFound: there is none, or it is someone else's.
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            return _chat(_found(transaction, chat_id, key_id))

    def list(
        self,
        paging: Paging,
        *,
        key_id: str | None = None,
        model: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Page[StoredChat]:
        """Some chats in the order in which they were kept; those of a model, or with metadata.

        Raises:
            NotFound: what the page is to begin after is not in this list.
            InvalidRequest: a key of `metadata` has a quote or a backslash.
            StorageError: the database failed.
        """
        table = stored_chats.c
        chosen = _visible(key_id)
        if model is not None:
            chosen = chosen.where(table.model == model)
        for name, value in (metadata or {}).items():
            if {'"', "\\"} & set(name):  # SQLite's paths into JSON have no way to write them
                raise InvalidRequest(
                    f"Chats cannot be chosen by the metadata key {name!r}: it has a quote or a "
                    "backslash. Choose by another one.",
                    param="metadata",
                )
            chosen = chosen.where(table.metadata[name].as_string() == value)
        with self._database.reading() as transaction:
            page = page_of(transaction, chosen, paging, id_column=table.id, position=table.position)
        return Page([_chat(row) for row in page.items], page.has_more)

    def change(
        self, chat_id: str, metadata: dict[str, str], key_id: str | None = None
    ) -> StoredChat:
        """The chat with other metadata. Raises what `get` does."""
        with self._database.writing() as transaction:
            row = _found(transaction, chat_id, key_id)
            transaction.execute(sa.update(stored_chats).where(_is(row)).values(metadata=metadata))
            return _chat(_found(transaction, chat_id, key_id))

    def remove(self, chat_id: str, key_id: str | None = None) -> None:
        """Delete a chat. Raises what `get` does."""
        with self._database.writing() as transaction:
            row = _found(transaction, chat_id, key_id)
            transaction.execute(sa.delete(stored_chats).where(_is(row)))


def _visible(key_id: str | None) -> sa.Select[Any]:
    chosen = sa.select(stored_chats)
    return chosen if key_id is None else chosen.where(stored_chats.c.key_id == key_id)


def _found(transaction: sa.Connection, chat_id: str, key_id: str | None) -> sa.Row[Any]:
    chosen = _visible(key_id).where(stored_chats.c.id == chat_id)
    row = transaction.execute(chosen.order_by(stored_chats.c.position.desc())).first()
    if row is None:
        raise NotFound(
            f"No chat completion found with id {chat_id!r}. Only those that were asked for with "
            "`store: true` are kept; `GET /v1/chat/completions` lists them.",
            param="completion_id",
        )
    return row


def _is(row: sa.Row[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(stored_chats.c.id == row.id, stored_chats.c.key_id == row.key_id)


def _chat(row: sa.Row[Any]) -> StoredChat:
    return StoredChat(
        id=row.id,
        key_id=row.key_id or None,
        model=row.model,
        metadata=row.metadata,
        messages=msgspec.json.decode(row.messages),
        completion=msgspec.json.decode(row.completion),
    )


def _encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()
