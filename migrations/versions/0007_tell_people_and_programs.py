"""Tell people and programs: incidents, an outbox, deliveries, and what an alert is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_incident()
    _say_what_alerts_are_about()
    _create_outbox()
    _create_delivery()
    _create_chore()


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")


def _create_incident() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("tell_at", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("quiet_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("messages", sa.Integer(), server_default="0", nullable=False),
        sa.Column("flaps", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_incident_account_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_incident_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    still_open = sa.text("closed_at IS NULL")
    op.create_index(
        "uq_incident_open", "incident", ["key"], unique=True, sqlite_where=still_open, postgresql_where=still_open
    )
    op.create_index("ix_incident_closed", "incident", ["key", "closed_at"])


def _say_what_alerts_are_about() -> None:
    """No foreign keys: SQLite would have to build the table anew for them."""
    identifier = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("alert", sa.Column("warehouse_id", identifier, nullable=True))
    op.add_column("alert", sa.Column("incident_id", identifier, nullable=True))
    op.add_column("alert", sa.Column("told_at", sa.BigInteger(), nullable=True))
    op.add_column("alert", sa.Column("subject", sa.Text(), server_default="", nullable=False))
    op.add_column("alert", sa.Column("detail", sa.Text(), server_default="", nullable=False))
    op.add_column("alert", sa.Column("units", sa.Integer(), nullable=True))
    op.add_column("alert", sa.Column("orders", sa.Integer(), nullable=True))
    for name, columns, condition in (
        ("ix_alert_untold", ["id"], "closed_at IS NULL AND incident_id IS NULL"),
        ("ix_alert_incident", ["incident_id"], "closed_at IS NULL"),
    ):
        where = sa.text(condition)
        op.create_index(name, "alert", columns, sqlite_where=where, postgresql_where=where)
    op.create_index("ix_alert_opened", "alert", ["opened_at"])
    closed = sa.text("closed_at IS NOT NULL")
    op.create_index("ix_alert_closed", "alert", ["closed_at"], sqlite_where=closed, postgresql_where=closed)


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_outbox_alert_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )


def _create_delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'failed', 'passed_on')", name=op.f("ck_delivery_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("route", "key", name=op.f("uq_delivery_route_key")),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "ix_delivery_waiting", "delivery", ["route", "next_at"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_index(
        "uq_delivery_subject",
        "delivery",
        ["route", "subject"],
        unique=True,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("ix_delivery_created", "delivery", ["created_at"])


def _create_chore() -> None:
    op.create_table(
        "chore",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chore")),
    )
