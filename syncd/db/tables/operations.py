"""What keeps the daemon honest: cursors, leases, decisions, alerts, tallies and measured lag."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table

from syncd.db.tables.base import Id, count, identity, instant, metadata, reference, text

# Per account and stream: polled up to (durable in the inbox) and applied up to (in the book).
cursor = Table(
    "cursor",
    metadata,
    reference("account_id", "account.id", primary_key=True, autoincrement=False),
    text("stream", primary_key=True),
    instant("polled_to", nullable=True),
    instant("horizon_at", nullable=True),
    instant("moved_at"),
)

# Who may act, with a fencing token that only grows. Its instants are real, not the seller's.
lease = Table(
    "lease",
    metadata,
    text("name", primary_key=True),
    text("holder", nullable=True),
    count("token"),
    instant("expires_at"),
)

decision = Table(
    "decision",
    metadata,
    identity(),
    text("kind"),
    reference("order_id", "sales_order.id", nullable=True, index=True),
    reference("listing_id", "listing.id", nullable=True, index=True),
    text("policy"),
    count("policy_version"),
    text("inputs"),
    text("outcome"),
    instant("decided_at"),
)
_publication = decision.c.kind == "publication"
Index("ix_decision_publication", decision.c.decided_at, sqlite_where=_publication, postgresql_where=_publication)

alert = Table(
    "alert",
    metadata,
    identity(),
    text("key"),
    text("kind"),
    text("impact"),
    text("message"),
    reference("account_id", "account.id", nullable=True),
    count("times", default=1),
    instant("opened_at"),
    instant("last_seen_at"),
    instant("closed_at", nullable=True),
    Column("warehouse_id", Id, nullable=True),
    Column("incident_id", Id, nullable=True),  # with what it is told; None: nobody has looked at it yet
    instant("told_at", nullable=True),
    text("subject", server_default=""),  # what it is about, in nobody's language: an order's name, a code, a key
    text("detail", server_default=""),  # what a vendor said, as it said it
    Column("units", Integer, nullable=True),
    Column("orders", Integer, nullable=True),
)
Index(
    "uq_alert_open",
    alert.c.key,
    unique=True,
    sqlite_where=alert.c.closed_at.is_(None),
    postgresql_where=alert.c.closed_at.is_(None),
)
Index(
    "ix_alert_open_kind",
    alert.c.kind,
    alert.c.opened_at,
    sqlite_where=alert.c.closed_at.is_(None),
    postgresql_where=alert.c.closed_at.is_(None),
)
_untold = alert.c.closed_at.is_(None) & alert.c.incident_id.is_(None)
Index("ix_alert_untold", alert.c.id, sqlite_where=_untold, postgresql_where=_untold)
Index(
    "ix_alert_incident",
    alert.c.incident_id,
    sqlite_where=alert.c.closed_at.is_(None),
    postgresql_where=alert.c.closed_at.is_(None),
)
Index("ix_alert_opened", alert.c.opened_at)
_closed = alert.c.closed_at.is_not(None)
Index("ix_alert_closed", alert.c.closed_at, sqlite_where=_closed, postgresql_where=_closed)
# Whether a cause is news, or what people were told a while ago comes back.
_told = alert.c.told_at.is_not(None)
Index("ix_alert_told", alert.c.key, alert.c.told_at, sqlite_where=_told, postgresql_where=_told)

# Running totals, so that no page counts history.
tally = Table(
    "tally",
    metadata,
    text("scope", primary_key=True),
    text("name", primary_key=True),
    count("n"),
)

# A fixed logarithmic histogram of lags in the seller's seconds: mergeable, of constant size.
lag_bucket = Table(
    "lag_bucket",
    metadata,
    reference("account_id", "account.id", primary_key=True, autoincrement=False),
    text("kind", primary_key=True),
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    count("n"),
)

# How far each pass of the audit has come, across restarts; one row a pass.
audit_progress = Table(
    "audit_progress",
    metadata,
    text("name", primary_key=True),
    text("position"),  # JSON
    instant("started_at"),
    instant("moved_at"),
    instant("ended_at", nullable=True),
)

# What the audit has found and what is still so. A SKU that one names is not raised anywhere, unless it is released.
audit_finding = Table(
    "audit_finding",
    metadata,
    Column("sku_id", Id, primary_key=True, autoincrement=False),  # 0: of no SKU; the SKU itself may be gone
    text("rule", primary_key=True),
    text("subject", primary_key=True),  # JSON: what it is looked up by again
    text("told"),  # JSON: the violation as it was last seen
    instant("found_at"),
    instant("seen_at"),
    text("off_by", server_default="{}"),  # JSON: by how much it is wrong, by name
    instant("released_at", nullable=True),
    text("released_by", nullable=True),
    text("released_off_by", nullable=True),  # as it was then: what has grown since holds again
)
Index("ix_audit_finding_subject", audit_finding.c.rule, audit_finding.c.subject)
