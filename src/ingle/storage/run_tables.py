"""The tables of apps and of what happens when they run; as in `tables`, for both databases.

Moments of apps are `UtcDateTime`. Those of runs are Unix seconds, as their events tell them. A
column of JSON is text, written by msgspec: only what is asked for is read again.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
)

from ingle.storage.tables import UtcDateTime, metadata

__all__ = [
    "app_versions",
    "apps",
    "batch_rows",
    "batches",
    "definitions",
    "events",
    "messages",
    "metadata",
    "runs",
    "schedules",
    "sessions",
    "steps",
    "workers",
]

_ID = String(64)
_SLUG = String(128)
_SHA256 = String(64)

# The texts of apps, each once, and what each says of itself. Versions refer to them, and so do runs:
# a run goes on with the text that it began with, whatever becomes of the app.
definitions = Table(
    "definitions",
    metadata,
    Column("sha256", _SHA256, primary_key=True),
    Column("text", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", String(16), nullable=False),
    Column("description", Text, nullable=False),
)

# `published` is a version's number; `draft` what nobody but its author sees.
apps = Table(
    "apps",
    metadata,
    Column("slug", _SLUG, primary_key=True),
    Column("draft", _SHA256, ForeignKey("definitions.sha256")),
    Column("published", Integer),
    Column("is_listed", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

app_versions = Table(
    "app_versions",
    metadata,
    Column("slug", _SLUG, ForeignKey("apps.slug", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("definition", _SHA256, ForeignKey("definitions.sha256"), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

# A process that runs apps. On PostgreSQL `seen_at` is by the database's clock; on SQLite the
# process holds a file's lock instead.
workers = Table(
    "workers",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("place", Text, nullable=False),
    Column("began_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
)

# A chat, and the last message of the branch that it shows.
sessions = Table(
    "sessions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("app", _SLUG, nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("key_id", String(16)),
    Column("head", _ID),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)

# No reference to the app: its runs stay when it goes. `version` is null for a text that was never
# published. `owner` is the worker that runs it, and `attempt` counts how often one has begun.
runs = Table(
    "runs",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("app", _SLUG, nullable=False),
    Column("version", Integer),
    Column("definition", _SHA256, ForeignKey("definitions.sha256"), nullable=False),
    Column("session_id", _ID, ForeignKey("sessions.id", ondelete="CASCADE"), index=True),
    Column("key_id", String(16)),
    Column("parent_id", _ID),
    Column("source", String(16), nullable=False, server_default=""),
    Column("input", Text, nullable=False),
    Column("history", Text),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("owner", _ID),
    Column("is_cancel_wanted", Boolean, nullable=False, server_default=false()),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("ended_at", Double),
    Column("output", Text),
    Column("fault", Text),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("thumb", Integer),
    Column("comment", Text),
    Index("ix_runs_app_id", "app", "id"),
    Index("ix_runs_state_owner", "state", "owner"),
    Index("ix_runs_ended_at", "ended_at"),
)

# How each step ended, written once. `input` and `config` are as they were sent, secrets masked.
steps = Table(
    "steps",
    metadata,
    Column("run_id", _ID, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("step", Text, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("output", Text),
    Column("usage", Text),
    Column("fault", Text),
    Column("input", Text),
    Column("config", Text),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double, nullable=False),
)

# Some of a run's events, in a row together: those from `sequence` to `last`.
events = Table(
    "events",
    metadata,
    Column("run_id", _ID, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("chunk", Text, nullable=False),
)

# The messages of a session, as a tree: an edited one has the same parent as what it replaces.
# `state` is that of the run that writes it: waiting until it ends, then ended, failed or cancelled.
messages = Table(
    "messages",
    metadata,
    Column("id", _ID, primary_key=True),
    Column(
        "session_id",
        _ID,
        ForeignKey("sessions.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("parent_id", _ID, ForeignKey("messages.id", ondelete="CASCADE"), index=True),
    Column("run_id", _ID, index=True),
    Column("role", String(16), nullable=False),
    Column("content", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Double, nullable=False),
)

# When an app runs by itself. `timing` is JSON: at, every or cron. `starting` is the run of an
# occasion that a process took and has not begun yet; `missed` counts occasions that went by.
schedules = Table(
    "schedules",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("app", _SLUG, nullable=False, index=True),
    Column("key_id", String(16)),
    Column("input", Text, nullable=False),
    Column("timing", Text, nullable=False),
    Column("is_paused", Boolean, nullable=False),
    Column("next_at", Double, index=True),
    Column("last_at", Double),
    Column("last_run_id", _ID),
    Column("starting", _ID),
    Column("missed", BigInteger, nullable=False, server_default="0"),
    Column("fault", Text),
    Column("created_at", Double, nullable=False),
)

# An app over many rows. `source` says where they are; `owner` and `attempt` are as of runs.
batches = Table(
    "batches",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("app", _SLUG, nullable=False, index=True),
    Column("definition", _SHA256, ForeignKey("definitions.sha256"), nullable=False),
    Column("key_id", String(16)),
    Column("source", Text, nullable=False),
    Column("options", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("owner", _ID),
    Column("total", BigInteger),
    Column("created_at", Double, nullable=False),
    Column("ended_at", Double),
)

# The rows of a batch that have ended, the first being 0.
batch_rows = Table(
    "batch_rows",
    metadata,
    Column("batch_id", _ID, ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("row", BigInteger, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("output", Text),
    Column("fault", Text),
    Column("ended_at", Double, nullable=False),
)
