"""Give API keys limits and a record of their use, and make the table for routes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Give API keys limits and a record of their use, and make the table for routes."""
    with op.batch_alter_table("api_keys") as batch:
        batch.add_column(sa.Column("expires_at", sa.DateTime(timezone=True)))
        batch.add_column(sa.Column("allowed_models", sa.JSON()))
        batch.add_column(sa.Column("requests_per_minute", sa.Integer()))
        batch.add_column(sa.Column("tokens_per_minute", sa.Integer()))
    op.create_table(
        "api_key_usage",
        sa.Column("api_key_id", sa.String(16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("images", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("api_key_id", "day", name="pk_api_key_usage"),
        sa.ForeignKeyConstraint(
            ["api_key_id"],
            ["api_keys.id"],
            name="fk_api_key_usage_api_key_id_api_keys",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "routes",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("models", sa.JSON(), nullable=False),
        sa.Column("pick", sa.String(16), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_routes"),
    )
