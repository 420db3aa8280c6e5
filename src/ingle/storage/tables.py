"""The tables, described once for SQLite and PostgreSQL.

A change here needs a migration in `migrations/versions`; a test compares the two.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

__all__ = [
    "UtcDateTime",
    "api_key_usage",
    "api_keys",
    "connections",
    "metadata",
    "resolved_urls",
    "routes",
]


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, aware and in UTC, also where the database keeps no time zones, as SQLite does."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC.

        Raises:
            ValueError: it has no time zone, so that nobody can say which moment is meant.
        """
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; use datetime.now(UTC).")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment, with its time zone again."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


metadata = MetaData(
    # Constraints need names, or a later migration cannot change them.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

connections = Table(
    "connections",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("base_url", Text, nullable=False),
    Column("encrypted_api_key", Text),
    Column("updated_at", UtcDateTime, nullable=False),
)

# What a base URL, as a person wrote it, was found to lead to. It belongs to the URL and not to the
# connection: so it holds for connections from settings too, and cannot outlive a changed URL.
resolved_urls = Table(
    "resolved_urls",
    metadata,
    Column("base_url", Text, primary_key=True),
    Column("resolved_url", Text, nullable=False),
    Column("found_at", UtcDateTime, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("allowed_models", JSON(none_as_null=True)),
    Column("requests_per_minute", Integer),
    Column("tokens_per_minute", Integer),
)

# What was asked with a key on one day (UTC). It goes when the key's row goes; revoked keys stay.
api_key_usage = Table(
    "api_key_usage",
    metadata,
    Column(
        "api_key_id", String(16), ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("day", Date, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("images", BigInteger, nullable=False),
)

# Names that stand for models; `models` is a list of `connection/model` and `local/model`.
routes = Table(
    "routes",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("models", JSON, nullable=False),
    Column("pick", String(16), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
