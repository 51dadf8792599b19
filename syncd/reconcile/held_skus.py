"""SKUs that the audit has found something wrong with: no listing of them is raised until it is gone or released."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Executable, select, update

from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import audit_finding, decision
from syncd.publishing.marks import mark_dirty

HELD: Final = "the audit found that its stock does not add up"
KIND: Final = "audit_release"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the audit found of a SKU (0: of none) and that was still so when it last looked."""

    sku_id: int
    rule: str
    told: dict[str, Any]  # a violation as JSON
    found_at: datetime
    seen_at: datetime
    released_at: datetime | None
    released_by: str | None

    @property
    def likely_cause(self) -> str:
        return str(self.told["likely_cause"])


def held_skus(connection: Connection, sku_ids: Collection[int]) -> frozenset[int]:
    """Which of these SKUs may not be raised."""
    if not sku_ids:
        return frozenset()
    return frozenset(_held(connection, wanted=[(sku_id,) for sku_id in sorted(sku_ids)]).scalars())


@statement
def _held(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int)
    return (
        select(audit_finding.c.sku_id)
        .join(wanted, wanted.c.sku_id == audit_finding.c.sku_id)
        .where(audit_finding.c.released_at.is_(None))
        .distinct()
    )


def findings_of(connection: Connection, sku_ids: Collection[int] | None = None, limit: int = 200) -> list[Finding]:
    """What is wrong with these SKUs, or with anything; the oldest first."""
    wanted = select(audit_finding).order_by(audit_finding.c.found_at, audit_finding.c.sku_id, audit_finding.c.rule)
    if sku_ids is not None:
        wanted = wanted.where(audit_finding.c.sku_id.in_(sorted(sku_ids)))
    return [
        Finding(
            row.sku_id,
            row.rule,
            msgspec.json.decode(row.told),
            row.found_at,
            row.seen_at,
            row.released_at,
            row.released_by,
        )
        for row in connection.execute(wanted.limit(limit))
    ]


def release_sku(connection: Connection, sku_id: int, actor: str, now: datetime) -> list[str]:
    """Let a SKU be raised in spite of what was found, and note who said so. Returns the rules it was held by.

    What is found from then on holds it again; what was found already does not, until it is gone and comes back.
    """
    held = _release(connection, sku_id=sku_id, actor=actor, now=now).scalars().all()
    rules = sorted(set(held))
    if rules:
        inputs = msgspec.json.encode({"sku_id": sku_id, "rules": rules, "actor": actor}).decode()
        outcome = msgspec.json.encode({"released": len(held)}).decode()
        columns = [("kind", str), ("policy", str), ("policy_version", int), ("inputs", str), ("outcome", str)]
        row = (KIND, KIND, _VERSION, inputs, outcome, now)
        insert_rows(connection, decision, [*columns, ("decided_at", datetime)], [row])
        mark_dirty(connection, {sku_id: None}, now)
    return rules


@statement
def _release(given: Given) -> Executable:
    return (
        update(audit_finding)
        .values(released_at=given.value("now", datetime), released_by=given.value("actor", str))
        .where(audit_finding.c.sku_id == given.value("sku_id", int), audit_finding.c.released_at.is_(None))
        .returning(audit_finding.c.rule)
    )
