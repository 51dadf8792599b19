"""Decisions as they were kept: what kind, about what, from which inputs, with which outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, literal_column, select

from syncd.db.tables import decision
from syncd.insight.slices import NEWEST, Keep, Slice, take_ids

KINDS = ("allocation", "publication", "erasure", "audit_release")


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision. `inputs` and `outcome` are as its policy wrote them down, by the numbers that things have here."""

    id: int
    kind: str
    order_id: int | None
    listing_id: int | None
    policy: str
    policy_version: int
    decided_at: datetime
    inputs: dict[str, Any]
    outcome: dict[str, Any]


def list_decisions(
    connection: Connection,
    after: int | None,
    limit: int,
    kind: str | None = None,
    order_id: int | None = None,
    listing_id: int | None = None,
) -> Slice[DecisionRow]:
    """Decisions, the newest first, from behind `after`; of a kind, about an order or a listing."""
    key: ColumnElement[int] = decision.c.id
    of_one = order_id is not None or listing_id is not None
    if of_one:  # all of one thing are few: without this PostgreSQL might walk the newest of everything instead
        key = (decision.c.id + literal_column("0")).label("id")
    source = select(key, decision.c.kind).where(decision.c.id < (NEWEST if after is None else after))
    if order_id is not None:
        source = source.where(decision.c.order_id == order_id)
    if listing_id is not None:
        source = source.where(decision.c.listing_id == listing_id)
    keep: Keep | None = None if kind is None else lambda row: row["kind"] == kind
    page = take_ids(connection, source, keep, limit, newest_first=True)
    found = {row.id: _decision(row) for row in connection.execute(select(decision).where(decision.c.id.in_(page.rows)))}
    return Slice(tuple(found[each] for each in page.rows), page.after)


def _decision(row: Row[Any]) -> DecisionRow:
    return DecisionRow(
        row.id,
        row.kind,
        row.order_id,
        row.listing_id,
        row.policy,
        row.policy_version,
        row.decided_at,
        msgspec.json.decode(row.inputs),
        msgspec.json.decode(row.outcome),
    )
