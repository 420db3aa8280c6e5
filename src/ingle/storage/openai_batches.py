"""OpenAI's batches: which there are, and how far each has come.

The lines of their files are not here. Everything here blocks, so async callers go through
`asyncio.to_thread`.
"""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from ingle.errors import NotFound
from ingle.storage.database import Database
from ingle.storage.openai_tables import openai_batches
from ingle.storage.pages import Page, Paging, page_of

__all__ = ["OpenAIBatch", "OpenAIBatches", "State"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type
State = Literal[
    "validating",
    "in_progress",
    "finalizing",
    "cancelling",
    "completed",
    "failed",
    "expired",
    "cancelled",
]

_UNFINISHED = ("validating", "in_progress", "finalizing", "cancelling")
_JSON_COLUMNS = ("metadata", "moments", "errors", "usage")


@dataclass(frozen=True, slots=True)
class OpenAIBatch:
    """A batch. `moments` (Unix seconds) has when it was created and when each state began.

    The output and error files have their ids from the start; they are files once it has ended.
    `total`, `completed` and `failed` count requests; `usage` sums up what their answers took.
    """

    id: str
    key_id: str | None
    endpoint: str
    input_file_id: str
    output_file_id: str
    error_file_id: str
    completion_window: str
    expires_at: float
    output_expires_s: int | None
    metadata: dict[str, str] | None
    moments: dict[str, float]
    state: State = "validating"
    errors: list[Json] = field(default_factory=list)
    total: int = 0
    completed: int = 0
    failed: int = 0
    usage: dict[str, int] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state not in _UNFINISHED


class OpenAIBatches:
    """The batches of one database. Any thread may use it.

    With a `key_id` only what was made with that API key is there; with None everything.
    """

    def __init__(self, database: Database, *, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    def add(self, batch: OpenAIBatch) -> None:
        """Make a batch known.

        Raises:
            StorageError: the database failed; nothing was changed.
        """
        values = asdict(batch)
        values |= {name: _encoded(values[name]) for name in _JSON_COLUMNS}
        with self._database.writing() as transaction:
            transaction.execute(sa.insert(openai_batches).values(values))

    def get(self, batch_id: str, key_id: str | None = None) -> OpenAIBatch:
        """The batch of this id.

        Raises:
            NotFound: there is none, or it is someone else's.
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            return _found(transaction, batch_id, key_id)

    def list(self, paging: Paging, *, key_id: str | None = None) -> Page[OpenAIBatch]:
        """Some batches in the order in which they were made.

        Raises:
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            page = page_of(transaction, _visible(key_id), paging, id_column=openai_batches.c.id)
        return Page([_batch(row) for row in page.items], page.has_more)

    def unfinished(self) -> builtins.list[OpenAIBatch]:
        """All that have something left to do, the oldest first.

        Raises:
            StorageError: the database failed.
        """
        chosen = sa.select(openai_batches).where(openai_batches.c.state.in_(_UNFINISHED))
        with self._database.reading() as transaction:
            rows = transaction.execute(chosen.order_by(openai_batches.c.id)).all()
        return [_batch(row) for row in rows]

    def move(
        self,
        batch_id: str,
        state: State,
        *among: State,
        key_id: str | None = None,
        errors: builtins.list[Json] | None = None,
    ) -> OpenAIBatch:
        """The batch in this state, if it was in one of `among`; else as it is.

        Raises what `get` does.
        """
        with self._database.writing() as transaction:
            batch = _found(transaction, batch_id, key_id)
            if batch.state not in among:
                return batch
            moments = {**batch.moments, f"{state}_at": self._now()}
            values: Json = {"state": state, "moments": _encoded(moments)}
            if errors is not None:
                values["errors"] = _encoded(errors)
            _update(transaction, batch_id, values)
            return _found(transaction, batch_id, None)

    def count(
        self, batch_id: str, *, total: int, completed: int, failed: int, usage: dict[str, int]
    ) -> None:
        """Write how far a batch has come.

        Raises:
            StorageError: the database failed; nothing was changed.
        """
        values = {"total": total, "completed": completed, "failed": failed}
        with self._database.writing() as transaction:
            _update(transaction, batch_id, {**values, "usage": _encoded(usage)})


def _update(transaction: sa.Connection, batch_id: str, values: Json) -> None:
    transaction.execute(
        sa.update(openai_batches).where(openai_batches.c.id == batch_id).values(values)
    )


def _visible(key_id: str | None) -> sa.Select[Any]:
    chosen = sa.select(openai_batches)
    return chosen if key_id is None else chosen.where(openai_batches.c.key_id == key_id)


def _found(transaction: sa.Connection, batch_id: str, key_id: str | None) -> OpenAIBatch:
    row = transaction.execute(_visible(key_id).where(openai_batches.c.id == batch_id)).one_or_none()
    if row is None:
        raise NotFound(
            f"No batch found with id {batch_id!r}. `GET /v1/batches` lists those that there are.",
            param="batch_id",
        )
    return _batch(row)


def _batch(row: sa.Row[Any]) -> OpenAIBatch:
    values = dict(row._mapping)
    return OpenAIBatch(
        **values | {name: msgspec.json.decode(values[name]) for name in _JSON_COLUMNS}
    )


def _encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()
