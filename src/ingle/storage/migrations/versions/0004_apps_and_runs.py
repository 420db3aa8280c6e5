"""Make the tables of apps, their runs, sessions, schedules and batches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables of apps, their runs, sessions, schedules and batches."""
    op.create_table(
        "definitions",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_definitions"),
    )
    op.create_table(
        "apps",
        sa.Column("slug", sa.String(128), nullable=False),
        sa.Column("draft", sa.String(64)),
        sa.Column("published", sa.Integer()),
        sa.Column("is_listed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("slug", name="pk_apps"),
        sa.ForeignKeyConstraint(
            ["draft"], ["definitions.sha256"], name="fk_apps_draft_definitions"
        ),
    )
    op.create_table(
        "app_versions",
        sa.Column("slug", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("definition", sa.String(64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("slug", "version", name="pk_app_versions"),
        sa.ForeignKeyConstraint(
            ["definition"], ["definitions.sha256"], name="fk_app_versions_definition_definitions"
        ),
        sa.ForeignKeyConstraint(
            ["slug"], ["apps.slug"], name="fk_app_versions_slug_apps", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("began_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("app", sa.String(128), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(16)),
        sa.Column("head", sa.String(64)),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_app", "sessions", ["app"])
    op.create_table(
        "runs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("app", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer()),
        sa.Column("definition", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(64)),
        sa.Column("key_id", sa.String(16)),
        sa.Column("parent_id", sa.String(64)),
        sa.Column("source", sa.String(16), nullable=False, server_default=""),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("history", sa.Text()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("is_cancel_wanted", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double()),
        sa.Column("ended_at", sa.Double()),
        sa.Column("output", sa.Text()),
        sa.Column("fault", sa.Text()),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("thumb", sa.Integer()),
        sa.Column("comment", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.ForeignKeyConstraint(
            ["definition"], ["definitions.sha256"], name="fk_runs_definition_definitions"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_runs_session_id_sessions", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_runs_app_id", "runs", ["app", "id"])
    op.create_index("ix_runs_ended_at", "runs", ["ended_at"])
    op.create_index("ix_runs_session_id", "runs", ["session_id"])
    op.create_index("ix_runs_state_owner", "runs", ["state", "owner"])
    op.create_table(
        "steps",
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("output", sa.Text()),
        sa.Column("usage", sa.Text()),
        sa.Column("fault", sa.Text()),
        sa.Column("input", sa.Text()),
        sa.Column("config", sa.Text()),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "step", name="pk_steps"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name="fk_steps_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "events",
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("chunk", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "sequence", name="pk_events"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name="fk_events_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("parent_id", sa.String(64)),
        sa.Column("run_id", sa.String(64)),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["messages.id"],
            name="fk_messages_parent_id_messages",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name="fk_messages_session_id_sessions",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_messages_parent_id", "messages", ["parent_id"])
    op.create_index("ix_messages_run_id", "messages", ["run_id"])
    op.create_index("ix_messages_session_id", "messages", ["session_id"])
    op.create_table(
        "schedules",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("app", sa.String(128), nullable=False),
        sa.Column("key_id", sa.String(16)),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("timing", sa.Text(), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("next_at", sa.Double()),
        sa.Column("last_at", sa.Double()),
        sa.Column("last_run_id", sa.String(64)),
        sa.Column("starting", sa.String(64)),
        sa.Column("missed", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("fault", sa.Text()),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schedules"),
    )
    op.create_index("ix_schedules_app", "schedules", ["app"])
    op.create_index("ix_schedules_next_at", "schedules", ["next_at"])
    op.create_table(
        "batches",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("app", sa.String(128), nullable=False),
        sa.Column("definition", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(16)),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("total", sa.BigInteger()),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
        sa.ForeignKeyConstraint(
            ["definition"], ["definitions.sha256"], name="fk_batches_definition_definitions"
        ),
    )
    op.create_index("ix_batches_app", "batches", ["app"])
    op.create_table(
        "batch_rows",
        sa.Column("batch_id", sa.String(64), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("output", sa.Text()),
        sa.Column("fault", sa.Text()),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "row", name="pk_batch_rows"),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name="fk_batch_rows_batch_id_batches", ondelete="CASCADE"
        ),
    )
