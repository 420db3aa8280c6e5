"""The tables of what callers of OpenAI's API leave here: files, chats, responses and batches.

As in `tables`, for both databases. Moments are Unix seconds, as the API tells them. `key_id` is the
API key that something was made with; null where none was asked for. A column of JSON is text.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Double, Index, Integer, String, Table, Text

from ingle.storage.tables import metadata

__all__ = ["files", "openai_batches", "stored_chats", "stored_responses"]

_ID = String(64)
_KEY = String(16)

# What is in a file lies beside the database, in a file that is named by the id.
files = Table(
    "files",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("key_id", _KEY),
    Column("filename", Text, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, index=True),
)

# The id is what the model's server called the answer, so two keys may have the same one.
# `position` (nanoseconds) is where it stands in a list.
stored_chats = Table(
    "stored_chats",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("key_id", _KEY, primary_key=True),  # empty for none: no part of a key may be null
    Column("position", BigInteger, nullable=False),
    Column("model", Text, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("messages", Text, nullable=False),
    Column("completion", Text, nullable=False),
    Index("ix_stored_chats_position", "position"),
)

# `items` are those of the request alone; what came before them is found by way of `previous_id`.
# While it is being made, `lease_until` says how long it counts as alive.
stored_responses = Table(
    "stored_responses",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("key_id", _KEY),
    Column("previous_id", _ID, index=True),
    Column("items", Text, nullable=False),
    Column("response", Text, nullable=False),
    Column("events", Text),
    Column("lease_until", Double),
    Column("expires_at", Double, nullable=False, index=True),
)

# `state` is OpenAI's `status`, `moments` when each began. The two files get their ids when the batch
# is made and become files when it ends.
openai_batches = Table(
    "openai_batches",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("key_id", _KEY),
    Column("state", String(16), nullable=False, index=True),
    Column("endpoint", String(64), nullable=False),
    Column("input_file_id", _ID, nullable=False),
    Column("output_file_id", _ID, nullable=False),
    Column("error_file_id", _ID, nullable=False),
    Column("completion_window", String(16), nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("output_expires_s", Integer),
    Column("metadata", Text, nullable=False),
    Column("moments", Text, nullable=False),
    Column("errors", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("completed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("usage", Text, nullable=False),
)
