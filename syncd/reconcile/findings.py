"""What the audit finds, kept until it is gone: it holds raises, opens the alert, and is looked at again each round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Executable, delete, func, select, text

from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.statements import Given, statement
from syncd.db.tables import audit_finding
from syncd.publishing.marks import mark_dirty
from syncd.reconcile.causes import look_into, told
from syncd.reconcile.checks import Check
from syncd.reconcile.pages import Row, read_named
from syncd.reconcile.violation import Violation

ALERT: Final = "audit_violation"
_AT_ONCE: Final = 500
_LOOKED_INTO: Final = 20

Named = tuple[str, str]
"""(rule, its subject as JSON): what a finding is looked up by again."""


@dataclass(frozen=True, slots=True)
class Found:
    """A violation, what it is looked up by again, and the SKUs it concerns."""

    named: Named
    violation: Violation
    sku_ids: tuple[int, ...]


def look_at(connection: Connection, check: Check, broken: Sequence[Row]) -> tuple[Found, ...]:
    """Each violation with its likely cause and the SKUs it concerns; only the first ones are looked into."""
    return tuple(
        Found(
            (check.rule, _subject(check, row)),
            Violation.of(check, row, look_into(connection, check, row) if at < _LOOKED_INTO else told(check, row)),
            _concerned(connection, row) or (0,),
        )
        for at, row in enumerate(broken)
    )


def _subject(check: Check, row: Row) -> str:
    return msgspec.json.encode([row[name] for name in check.subject]).decode()


_SKUS_OF: Final[Mapping[str, str]] = {
    "order_line_id": "SELECT sku_id FROM line_component WHERE order_line_id = :it",
    "order_id": "SELECT k.sku_id FROM line_component k JOIN order_line ol ON ol.id = k.order_line_id"
    " WHERE ol.order_id = :it",
    "listing_id": "SELECT sku_id FROM listing_component WHERE listing_id = :it",
    "request_id": "SELECT sku_id FROM shipment_request_line WHERE request_id = :it",
}


def _concerned(connection: Connection, row: Row) -> tuple[int, ...]:
    if row.get("sku_id") is not None:
        return (int(row["sku_id"]),)
    for name, wanted in _SKUS_OF.items():
        if row.get(name) is not None:
            return tuple(sorted({int(each) for each in connection.execute(text(wanted), {"it": row[name]}).scalars()}))
    return ()


def note_found(connection: Connection, found: Iterable[Found], now: datetime) -> None:
    """Keep what was found. What is known already stays as released as it is."""
    rows = [
        (sku_id, *each.named, msgspec.json.encode(each.violation.to_json()).decode(), now, now)
        for each in found
        for sku_id in each.sku_ids
    ]
    if rows:
        _note_found(connection, found=rows)


@statement
def _note_found(given: Given) -> Executable:
    found = given.rows("found", sku_id=int, rule=str, subject=str, told=str, found_at=datetime, seen_at=datetime)
    new = given.insert(audit_finding, found)
    return new.on_conflict_do_update(
        index_elements=["sku_id", "rule", "subject"],
        set_={"told": new.excluded.told, "seen_at": new.excluded.seen_at},
    )


def hold_told(
    connection: Connection, checks: Mapping[str, Check], violations: Sequence[Violation], now: datetime
) -> None:
    """Keep what an audit on demand has told, and open the alert."""
    found = []
    for each in violations:
        named = (each.rule, _subject(checks[each.rule], each.subject))
        found.append(Found(named, each, _concerned(connection, each.subject) or (0,)))
    note_found(connection, found, now)
    tell_found(connection, now)


def seen_longest_ago(connection: Connection, before: datetime, limit: int = _AT_ONCE) -> list[Named]:
    """The findings to be looked at again: those not seen since `before`, the longest ago first."""
    seen_at = func.min(audit_finding.c.seen_at)
    wanted = (
        select(audit_finding.c.rule, audit_finding.c.subject)
        .where(audit_finding.c.seen_at < before)
        .group_by(audit_finding.c.rule, audit_finding.c.subject)
        .order_by(seen_at)
        .limit(limit)
    )
    return [(rule, subject) for rule, subject in connection.execute(wanted)]


def look_again(
    connection: Connection, checks: Mapping[str, Check], named: Sequence[Named]
) -> tuple[tuple[Found, ...], tuple[Named, ...]]:
    """What is still so of these findings, and which are gone. A rule that is not known any more finds nothing."""
    by_rule: dict[str, list[str]] = {}
    for rule, subject in named:
        by_rule.setdefault(rule, []).append(subject)
    still: list[Found] = []
    for rule, subjects in by_rule.items():
        check = checks.get(rule)
        if check is not None:
            keys: list[tuple[Any, ...]] = [tuple(msgspec.json.decode(subject)) for subject in subjects]
            still += look_at(connection, check, read_named(connection, check, tuple(check.subject.values()), keys))
    known = {each.named for each in still}
    return tuple(still), tuple(each for each in named if each not in known)


def forget_found(connection: Connection, gone: Sequence[Named], now: datetime) -> None:
    """Findings that are no more: what they held may be raised again."""
    if not gone:
        return
    freed = set(_forget(connection, gone=gone).scalars())
    mark_dirty(connection, dict.fromkeys(freed - {0}), now)


@statement
def _forget(given: Given) -> Executable:
    gone = given.rows("gone", rule=str, subject=str)
    same = select(1).where(gone.c.rule == audit_finding.c.rule, gone.c.subject == audit_finding.c.subject)
    return delete(audit_finding).where(same.exists()).returning(audit_finding.c.sku_id)


def tell_found(connection: Connection, now: datetime) -> dict[str, int]:
    """Open the alert that the book does not add up, or close it. Returns what is found, by rule.

    What a person has released is known, and told no more.
    """
    rule = audit_finding.c.rule
    several = func.count(audit_finding.c.subject.distinct())
    wanted = select(rule, several).where(audit_finding.c.released_at.is_(None)).group_by(rule).order_by(rule)
    counted = {str(name): int(n) for name, n in connection.execute(wanted)}
    if not counted:
        close_alerts(connection, [ALERT], now)
        return counted
    broken = ", ".join(f"{name} {n}" for name, n in counted.items())
    message = (
        f"the audit found what cannot be: {broken}. `syncd audit` tells each with its likely cause;"
        " the SKUs concerned are not raised until it is gone or released by `syncd audit release SKU`"
    )
    impact = f"{sum(counted.values())} facts contradict each other"
    open_alerts(connection, [Alert(ALERT, ALERT, impact, message, detail=broken)], now)
    return counted
