"""SKUs that the audit has found something wrong with: no listing of them is raised until it is gone or released."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Executable, Row, case, func, literal, select, tuple_, update

from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import audit_finding, decision
from syncd.publishing.marks import mark_dirty
from syncd.reconcile.concerned import NO_SKU

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
    return [_finding(row) for row in connection.execute(wanted.limit(limit))]


Place = tuple[int, str, str]
"""(sku_id, rule, subject): where a finding stands among all."""


def findings_after(connection: Connection, after: Place | None, limit: int) -> tuple[list[Finding], Place | None]:
    """The next findings SKU by SKU, and the place to go on behind; None when there are no more."""
    key = (audit_finding.c.sku_id, audit_finding.c.rule, audit_finding.c.subject)
    wanted = select(audit_finding).order_by(*key).limit(limit)
    if after is not None:
        wanted = wanted.where(tuple_(*key) > tuple_(*map(literal, after)))
    rows = connection.execute(wanted).all()
    last = (rows[-1].sku_id, rows[-1].rule, rows[-1].subject) if len(rows) == limit else None
    return [_finding(row) for row in rows], last


def _finding(row: Row[Any]) -> Finding:
    told = msgspec.json.decode(row.told)
    return Finding(row.sku_id, row.rule, told, row.found_at, row.seen_at, row.released_at, row.released_by)


@dataclass(frozen=True, slots=True)
class Counted:
    """How much one rule has found that is still so: findings of SKUs, and of those the ones that hold their SKU."""

    rule: str
    found: int
    held: int


def count_findings(connection: Connection) -> list[Counted]:
    held = func.sum(case((audit_finding.c.released_at.is_(None), 1), else_=0))
    wanted = select(audit_finding.c.rule, func.count(), held).group_by(audit_finding.c.rule)
    return [
        Counted(rule, found, int(n)) for rule, found, n in connection.execute(wanted.order_by(audit_finding.c.rule))
    ]


def held_after(
    connection: Connection, after: int, limit: int, sku_ids: Collection[int] | None = None, rule: str | None = None
) -> list[int]:
    """The next SKUs behind `after` that are held: of these, or of all (NO_SKU with them); by this rule, or by any."""
    held = audit_finding.c.sku_id
    wanted = select(held).distinct().where(audit_finding.c.released_at.is_(None), held > after)
    if sku_ids is not None:
        wanted = wanted.where(held.in_(sorted(sku_ids)))
    if rule is not None:
        wanted = wanted.where(audit_finding.c.rule == rule)
    return list(connection.execute(wanted.order_by(held).limit(limit)).scalars())


def release_skus(
    connection: Connection, sku_ids: Collection[int], actor: str, now: datetime, rule: str | None = None
) -> dict[int, list[str]]:
    """Let SKUs be raised in spite of what was found, or of what one rule found, and note who said so.

    Returns the rules that each was held by. What is found from then on holds it again, and what was found already if
    it grows, or is gone and comes back.
    """
    wanted = [(sku_id,) for sku_id in sorted(set(sku_ids))]
    if not wanted:
        return {}
    released: dict[int, list[str]] = {}
    for sku_id, name in _release(connection, wanted=wanted, rule=rule, actor=actor, now=now):
        released.setdefault(sku_id, []).append(name)
    rows = [
        (
            KIND,
            KIND,
            _VERSION,
            msgspec.json.encode({"sku_id": sku_id, "rules": sorted(set(names)), "actor": actor}).decode(),
            msgspec.json.encode({"released": len(names)}).decode(),
            now,
        )
        for sku_id, names in sorted(released.items())
    ]
    columns = [("kind", str), ("policy", str), ("policy_version", int), ("inputs", str), ("outcome", str)]
    if rows:
        insert_rows(connection, decision, [*columns, ("decided_at", datetime)], rows)
    mark_dirty(connection, dict.fromkeys(sorted(released.keys() - {NO_SKU})), now)
    return {sku_id: sorted(set(names)) for sku_id, names in sorted(released.items())}


@statement
def _release(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int)
    rule = given.value("rule", str)
    return (
        update(audit_finding)
        .values(
            released_at=given.value("now", datetime),
            released_by=given.value("actor", str),
            released_off_by=audit_finding.c.off_by,
        )
        .where(
            given.among(audit_finding.c.sku_id, select(wanted.c.sku_id)),
            audit_finding.c.rule == func.coalesce(rule, audit_finding.c.rule),
            audit_finding.c.released_at.is_(None),
        )
        .returning(audit_finding.c.sku_id, audit_finding.c.rule)
    )
