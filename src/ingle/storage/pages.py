"""A part of a list, as OpenAI's API pages through it: so many rows after one that is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import sqlalchemy as sa

from ingle.errors import NotFound

__all__ = ["Order", "Page", "Paging", "page_of"]

T = TypeVar("T")
Order = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class Paging:
    """At most `limit` of those that follow `after`, an id; from the first where that is None."""

    limit: int
    order: Order = "desc"
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, and whether there are more after them."""

    items: list[T]
    has_more: bool


def page_of(
    transaction: sa.Connection,
    chosen: sa.Select[Any],  # Any: rows of whatever table is paged through
    paging: Paging,
    *,
    id_column: sa.ColumnElement[str],
    position: sa.ColumnElement[Any] | None = None,
) -> Page[sa.Row[Any]]:
    """The rows of a page, in the order of `position`, or of the ids where there is none.

    Raises:
        NotFound: `after` is none of the chosen rows, where a position has to be looked up.
    """
    place: sa.ColumnElement[Any] = id_column if position is None else position
    filtered = chosen
    if paging.after is not None:
        mark: Any = paging.after
        if position is not None:
            mark = transaction.execute(
                chosen.with_only_columns(position).where(id_column == paging.after)
            ).scalar()
            if mark is None:
                raise NotFound(
                    f"`after` is {paging.after!r}, which is not in this list. Take the `last_id` "
                    "of the page before.",
                    param="after",
                )
        filtered = chosen.where(place > mark if paging.order == "asc" else place < mark)
    ordered = filtered.order_by(place.asc() if paging.order == "asc" else place.desc())
    rows = list(transaction.execute(ordered.limit(paging.limit + 1)).all())
    return Page(rows[: paging.limit], len(rows) > paging.limit)
