"""Responses that are kept, so that later ones can go on from them; also while they are made.

Each has the items of its own request only. What came before is found by way of the response that it
went on from. Everything here blocks, so async callers go through `asyncio.to_thread`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import sqlalchemy as sa

from ingle.errors import Conflict, NotFound, PreviousResponseNotFound
from ingle.storage.database import Database
from ingle.storage.openai_tables import stored_responses

__all__ = ["LEASE_S", "StoredResponse", "StoredResponses", "failed"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type

LEASE_S = 60.0
"""A response that nobody has renewed for so long is made by nobody any more."""

_UNDER_WAY = frozenset({"queued", "in_progress"})


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response, and the items of the request that it answers. `events` is its stream as text."""

    id: str
    key_id: str | None
    previous_id: str | None
    items: list[Json]
    response: Json
    events: str | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it is still being made."""
        return self.response["status"] in _UNDER_WAY


class StoredResponses:
    """The responses of one database, kept for `days`. Any thread may use it.

    With a `key_id` only what was made with that API key is there; with None everything.
    """

    def __init__(
        self, database: Database, days: int, *, now: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._kept_s = days * 24 * 3600
        self._now = now

    def keep(self, stored: StoredResponse) -> None:
        """Keep a response; one under way has a lease from now on.

        Raises:
            StorageError: the database failed; nothing was changed.
        """
        now = self._now()
        with self._database.writing() as transaction:
            transaction.execute(
                sa.insert(stored_responses).values(
                    id=stored.id,
                    key_id=stored.key_id,
                    previous_id=stored.previous_id,
                    items=_encoded(stored.items),
                    response=_encoded(stored.response),
                    events=stored.events,
                    lease_until=now + LEASE_S if stored.is_under_way else None,
                    expires_at=now + self._kept_s,
                )
            )

    def change(self, response_id: str, response: Json, events: str | None = None) -> bool:
        """Put the state of a response that is being made; False if it is over, or was deleted.

        Raises:
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            row = _row(transaction, response_id, None)
            if row is None or not _stored(row).is_under_way:
                return False
            lease_until = self._now() + LEASE_S if response["status"] in _UNDER_WAY else None
            transaction.execute(
                sa.update(stored_responses)
                .where(stored_responses.c.id == response_id)
                .values(response=_encoded(response), events=events, lease_until=lease_until)
            )
            return True

    def cancel(self, response_id: str, key_id: str | None = None) -> StoredResponse:
        """The response, cancelled if it was under way; else as it is. Raises what `get` does."""
        with self._database.writing() as transaction:
            stored = self._found(transaction, response_id, key_id)
            if not stored.is_under_way:
                return stored
            response = {**stored.response, "status": "cancelled"}
            transaction.execute(
                sa.update(stored_responses)
                .where(stored_responses.c.id == response_id)
                .values(response=_encoded(response), lease_until=None)
            )
            return replace(stored, response=response)

    def renew(self, response_ids: Collection[str]) -> None:
        """Give these a new lease.

        Raises:
            StorageError: the database failed; nothing was changed.
        """
        table = stored_responses.c
        with self._database.writing() as transaction:
            transaction.execute(
                sa.update(stored_responses)
                .where(table.id.in_(response_ids), table.lease_until.is_not(None))
                .values(lease_until=self._now() + LEASE_S)
            )

    def get(self, response_id: str, key_id: str | None = None) -> StoredResponse:
        """The response of this id. One that nobody makes any more has failed.

        Raises:
            NotFound: there is none, or it is someone else's.
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            return self._found(transaction, response_id, key_id)

    def context(self, response_id: str, key_id: str | None = None) -> list[Json]:
        """All that was said up to the end of this response: items of requests and of outputs.

        The responses that it goes on from are kept as long as one that goes on now.

        Raises:
            PreviousResponseNotFound: it, or one that it goes on from, is not there or not this
                key's.
            Conflict: it is still being made.
            StorageError: the database failed.
        """
        with self._database.writing() as transaction:
            chain = self._chain(transaction, response_id, key_id)
            transaction.execute(
                sa.update(stored_responses)
                .where(stored_responses.c.id.in_([stored.id for stored in chain]))
                .values(expires_at=self._now() + self._kept_s)
            )
        if chain[-1].is_under_way:
            raise Conflict(
                f"The response {response_id} is still being made. Wait for its end, then go on "
                "from it.",
                param="previous_response_id",
            )
        return [item for stored in chain for item in (*stored.items, *stored.response["output"])]

    def input_items(self, response_id: str, key_id: str | None = None) -> list[Json]:
        """All that the model was given for this response, the first item first.

        What came from responses that were deleted since is left out. Raises what `get` does.
        """
        with self._database.reading() as transaction:
            stored = self._found(transaction, response_id, key_id)
            before: list[Json] = []
            if stored.previous_id is not None:
                chain = _ancestors(transaction, stored.previous_id, key_id)
                before = [i for one in chain for i in (*one.items, *one.response["output"])]
        return [*before, *stored.items]

    def remove(self, response_id: str, key_id: str | None = None) -> None:
        """Delete a response. Raises what `get` does."""
        with self._database.writing() as transaction:
            self._found(transaction, response_id, key_id)
            transaction.execute(
                sa.delete(stored_responses).where(stored_responses.c.id == response_id)
            )

    def sweep(self) -> int:
        """Delete what has expired. Returns how many responses that were.

        Raises:
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            gone = transaction.execute(
                sa.delete(stored_responses).where(stored_responses.c.expires_at <= self._now())
            )
            return gone.rowcount

    def _found(
        self, transaction: sa.Connection, response_id: str, key_id: str | None
    ) -> StoredResponse:
        row = _row(transaction, response_id, key_id)
        if row is None or row.expires_at <= self._now():
            raise NotFound(
                f"No response found with id {response_id!r}. It was never kept (`store: false`), "
                "was deleted, or has expired.",
                param="response_id",
            )
        stored = _stored(row)
        if row.lease_until is not None and row.lease_until <= self._now():
            message = "The server that made this response was stopped. Ask again."
            return replace(stored, response=failed(stored.response, message))
        return stored

    def _chain(
        self, transaction: sa.Connection, response_id: str, key_id: str | None
    ) -> list[StoredResponse]:
        chain = _ancestors(transaction, response_id, key_id)
        missing = chain[0].previous_id if chain else response_id
        if missing is not None:
            raise PreviousResponseNotFound(
                f"Previous response with id {missing!r} not found: it was not kept "
                "(`store: false`), was deleted, or has expired. Send the whole conversation as "
                "`input`.",
                param="previous_response_id",
            )
        return chain


def failed(response: Json, message: str) -> Json:
    """The response as one that failed."""
    error = {"code": "server_error", "message": message}
    return {**response, "status": "failed", "error": error}


def _ancestors(
    transaction: sa.Connection, response_id: str, key_id: str | None
) -> list[StoredResponse]:
    """The response and those that it goes on from, as far as they are there, the first first."""
    table = stored_responses.c
    visible = sa.true() if key_id is None else table.key_id == key_id
    chain = (
        sa.select(table.id, table.previous_id, sa.literal(0).label("depth"))
        .where(table.id == response_id, visible)
        .cte("chain", recursive=True)
    )
    chain = chain.union_all(
        sa.select(table.id, table.previous_id, chain.c.depth + 1).where(
            table.id == chain.c.previous_id, visible
        )
    )
    rows = transaction.execute(
        sa.select(stored_responses)
        .join(chain, chain.c.id == table.id)
        .order_by(chain.c.depth.desc())
    )
    return [_stored(row) for row in rows]


def _row(transaction: sa.Connection, response_id: str, key_id: str | None) -> sa.Row[Any] | None:
    table = stored_responses.c
    chosen = sa.select(stored_responses).where(table.id == response_id)
    if key_id is not None:
        chosen = chosen.where(table.key_id == key_id)
    return transaction.execute(chosen).one_or_none()


def _stored(row: sa.Row[Any]) -> StoredResponse:
    return StoredResponse(
        id=row.id,
        key_id=row.key_id,
        previous_id=row.previous_id,
        items=msgspec.json.decode(row.items),
        response=msgspec.json.decode(row.response),
        events=row.events,
    )


def _encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()
