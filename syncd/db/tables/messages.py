"""What people and programs are told: incidents, what happened and awaits telling, deliveries, and daily chores."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Table, UniqueConstraint

from syncd.db.tables.base import count, identity, instant, metadata, reference, text

# Alerts of one kind and one account or warehouse, told together: one message down and one recovered.
incident = Table(
    "incident",
    metadata,
    identity(),
    text("key"),
    text("kind"),
    reference("account_id", "account.id", nullable=True),
    reference("warehouse_id", "warehouse.id", nullable=True),
    instant("opened_at"),
    instant("tell_at", nullable=True),  # when people are to be told; None: all that there is was told
    instant("told_at", nullable=True),  # when they last were; None: never
    instant("quiet_at", nullable=True),  # since when none of its alerts is open
    instant("closed_at", nullable=True),
    count("messages"),
    count("flaps"),  # how often it came back soon after it was over
)
Index(
    "uq_incident_open",
    incident.c.key,
    unique=True,
    sqlite_where=incident.c.closed_at.is_(None),
    postgresql_where=incident.c.closed_at.is_(None),
)
Index("ix_incident_closed", incident.c.key, incident.c.closed_at)

# What happened and some webhook wants to hear; gone as soon as it is a delivery.
outbox = Table(
    "outbox",
    metadata,
    identity(),
    text("topic"),
    reference("alert_id", "alert.id", nullable=True),
    text("body"),
    instant("at"),
)

# One message on its way to one route. Its instants are real, not the seller's.
delivery = Table(
    "delivery",
    metadata,
    identity(),
    text("route"),
    text("key"),  # the same for every attempt, so that who gets it twice can tell
    text("topic"),
    text("subject", nullable=True),  # a newer message of the same takes the place of one that waits
    text("body"),
    text("state", server_default="waiting"),
    text("reason", nullable=True),
    count("attempts"),
    instant("created_at"),
    instant("next_at"),
    instant("settled_at", nullable=True),
    UniqueConstraint("route", "key"),
    CheckConstraint("state IN ('waiting', 'sent', 'failed', 'passed_on')", name="state"),
)
_waiting = delivery.c.state == "waiting"
Index("ix_delivery_waiting", delivery.c.route, delivery.c.next_at, sqlite_where=_waiting, postgresql_where=_waiting)
Index(
    "uq_delivery_subject",
    delivery.c.route,
    delivery.c.subject,
    unique=True,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)
Index("ix_delivery_created", delivery.c.created_at)
# What has waited too long, and what one route has waiting beyond the cap.
Index(
    "ix_delivery_waiting_created",
    delivery.c.route,
    delivery.c.created_at,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)
_plain = _waiting & delivery.c.subject.is_(None)
Index("ix_delivery_waiting_plain", delivery.c.route, delivery.c.id, sqlite_where=_plain, postgresql_where=_plain)

# When something that is due once in a while was last done, across restarts.
chore = Table(
    "chore",
    metadata,
    text("name", primary_key=True),
    instant("done_at"),
    text("note", server_default=""),
)
