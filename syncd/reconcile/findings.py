"""What the audit finds, kept until it is gone: it holds raises, opens the alert, and is looked at again each round."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, Executable, case, delete, func, literal, select, tuple_, update
from sqlalchemy.dialects import postgresql

from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.statements import Given, statement
from syncd.db.tables import audit_finding
from syncd.publishing.marks import mark_dirty
from syncd.reconcile.checks import Check
from syncd.reconcile.concerned import NO_SKU, read_concerned
from syncd.reconcile.looking import Found, Named, subject_of
from syncd.reconcile.off_by import covers, off_by
from syncd.reconcile.violation import Violation

ALERT: Final = "audit_violation"
AT_ONCE: Final = 500
"""Findings that one transaction keeps or forgets."""

_KEY: Final = ("sku_id", "rule", "subject")
_Key = tuple[int, str, str]


def in_parts(found: Sequence[Found], size: int = AT_ONCE) -> Iterator[tuple[Found, ...]]:
    """What was found in parts of at least `size`, the last excepted; what is of one subject stays together."""
    part: list[Found] = []
    for each in sorted(found, key=lambda found: found.named):
        if len(part) >= size and each.named != part[-1].named:
            yield tuple(part)
            part = []
        part.append(each)
    if part:
        yield tuple(part)


def note_found(connection: Connection, found: Sequence[Found], now: datetime) -> None:
    """Keep what was found. What is known already stays as released as it is, unless it has grown since."""
    rows: dict[_Key, tuple[bool, dict[str, int], str]] = {}
    for each in found:
        told = msgspec.json.encode(each.violation.to_json()).decode()
        for sku_id in each.sku_ids:
            rows.setdefault((sku_id, *each.named), (each.looked, off_by(each.violation), told))
    for looked, note in ((True, _note_looked), (False, _note)):
        part = [
            (*key, told, msgspec.json.encode(off).decode(), now, now)
            for key, (was_looked, off, told) in sorted(rows.items())
            if was_looked == looked
        ]
        if part:
            note(connection, found=part)
    released = _released(connection, wanted=list(rows)).all() if rows else []
    grown = [
        key
        for sku_id, rule, subject, then in released
        if not covers(msgspec.json.decode(then or "{}"), rows[key := (sku_id, rule, subject)][1])
    ]
    if grown:
        _hold_again(connection, grown=grown)


def _noting(given: Given) -> postgresql.Insert:
    found = given.rows(
        "found", sku_id=int, rule=str, subject=str, told=str, off_by=str, found_at=datetime, seen_at=datetime
    )
    return given.insert(audit_finding, found)


@statement
def _note_looked(given: Given) -> Executable:
    new = _noting(given)
    kept = {name: new.excluded[name] for name in ("told", "off_by", "seen_at")}
    return new.on_conflict_do_update(index_elements=_KEY, set_=kept)


@statement
def _note(given: Given) -> Executable:
    """The same of what was not looked into: where it is no worse than before, what was told of it then says more."""
    new = _noting(given)
    as_before = audit_finding.c.off_by == new.excluded.off_by
    told = case((as_before, audit_finding.c.told), else_=new.excluded.told)
    kept = {"told": told, "off_by": new.excluded.off_by, "seen_at": new.excluded.seen_at}
    return new.on_conflict_do_update(index_elements=_KEY, set_=kept)


@statement
def _released(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int, rule=str, subject=str)
    columns = [audit_finding.c[name] for name in (*_KEY, "released_off_by")]
    same = tuple_(*columns[:3]).in_(select(wanted.c.sku_id, wanted.c.rule, wanted.c.subject))
    return select(*columns).where(same, audit_finding.c.released_at.is_not(None))


@statement
def _hold_again(given: Given) -> Executable:
    grown = given.rows("grown", sku_id=int, rule=str, subject=str)
    same = tuple_(*(audit_finding.c[name] for name in _KEY)).in_(select(grown.c.sku_id, grown.c.rule, grown.c.subject))
    return update(audit_finding).values(released_at=None, released_by=None, released_off_by=None).where(same)


def forget_others(connection: Connection, found: Sequence[Found], now: datetime) -> None:
    """SKUs that a subject concerned before and does not any more: give everything that is wrong with each subject."""
    noted = [(sku_id, *each.named) for each in found for sku_id in each.sku_ids]
    if noted:
        _mark(connection, _forget_others(connection, noted=noted).scalars().all(), now)


@statement
def _forget_others(given: Given) -> Executable:
    noted = given.rows("noted", sku_id=int, rule=str, subject=str)
    subjects = tuple_(audit_finding.c.rule, audit_finding.c.subject).in_(select(noted.c.rule, noted.c.subject))
    same = tuple_(*(audit_finding.c[name] for name in _KEY)).in_(select(noted.c.sku_id, noted.c.rule, noted.c.subject))
    return delete(audit_finding).where(subjects, ~same).returning(audit_finding.c.sku_id)


def forget_found(connection: Connection, gone: Sequence[Named], before: datetime, now: datetime) -> None:
    """Findings that are no more: what they held may be raised again. What was seen since `before` has come back."""
    if gone:
        _mark(connection, _forget(connection, gone=gone, before=before).scalars().all(), now)


@statement
def _forget(given: Given) -> Executable:
    gone = given.rows("gone", rule=str, subject=str)
    subjects = tuple_(audit_finding.c.rule, audit_finding.c.subject).in_(select(gone.c.rule, gone.c.subject))
    old = audit_finding.c.seen_at < given.value("before", datetime)
    return delete(audit_finding).where(subjects, old).returning(audit_finding.c.sku_id)


def _mark(connection: Connection, freed: Collection[int], now: datetime) -> None:
    mark_dirty(connection, dict.fromkeys(sorted(set(freed) - {NO_SKU})), now)


def named_before(
    connection: Connection, before: datetime, after: Named | None, without: Collection[str] = (), limit: int = AT_ONCE
) -> list[Named]:
    """The findings behind `after`, in their order, that were not seen since `before`; none of the rules `without`."""
    named = (audit_finding.c.rule, audit_finding.c.subject)
    wanted = select(*named).where(audit_finding.c.seen_at < before).group_by(*named).order_by(*named).limit(limit)
    if after is not None:
        wanted = wanted.where(tuple_(*named) > tuple_(*map(literal, after)))
    if without:
        wanted = wanted.where(audit_finding.c.rule.not_in(sorted(without)))
    return [(rule, subject) for rule, subject in connection.execute(wanted)]


def hold_told(
    connection: Connection, checks: Mapping[str, Check], violations: Sequence[Violation], now: datetime
) -> None:
    """Keep what an audit on demand has told, and open the alert."""
    concerned = read_concerned(connection, [each.subject for each in violations])
    found = [
        Found((each.rule, subject_of(checks[each.rule], each.subject)), each, sku_ids)
        for each, sku_ids in zip(violations, concerned, strict=True)
    ]
    note_found(connection, found, now)
    tell_found(connection, now)


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
        f"the audit found what cannot be: {broken}. `syncd audit held` tells each with its likely cause; the SKUs"
        " concerned are lowered as ever, and not raised until it is gone or released by `syncd audit release`"
    )
    impact = f"{sum(counted.values())} facts contradict each other"
    open_alerts(connection, [Alert(ALERT, ALERT, impact, message, detail=broken)], now)
    return counted
