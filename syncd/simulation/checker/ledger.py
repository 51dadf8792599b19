"""The ledger proves itself in this checker's own words: the daemon's audit is believed in nothing it says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from syncd.reconcile.audit import AuditReport
from syncd.simulation.checker.verdict import Verdict

# One statement is one snapshot on both engines: the daemon may be at work. `low` is below the first movement there is.
_FOLD: Final = text("""
    WITH told AS (SELECT sku_id, warehouse_id, count(*) AS movements, min(seq) - 1 AS low, max(seq) AS high,
                         sum(d_on_hand) AS on_hand, sum(d_unavailable) AS unavailable, sum(d_reserved) AS reserved
                  FROM movement GROUP BY sku_id, warehouse_id),
         archived AS (SELECT sku_id, warehouse_id, seq, on_hand, unavailable, reserved FROM archived_level),
         promised AS (SELECT sku_id, warehouse_id, sum(quantity) AS pieces FROM reservation
                      WHERE stage IN ('held', 'submitted', 'accepted') GROUP BY sku_id, warehouse_id),
         places AS (SELECT sku_id, warehouse_id FROM level UNION SELECT sku_id, warehouse_id FROM told
                    UNION SELECT sku_id, warehouse_id FROM promised
                    UNION SELECT sku_id, warehouse_id FROM archived)
    SELECT s.code, w.key, p.sku_id, p.warehouse_id, l.on_hand, l.unavailable, l.reserved, l.short, l.seq,
           l.archived_seq, t.movements, t.low, t.high, coalesce(a.seq, 0) AS base_seq,
           coalesce(a.on_hand, 0) + coalesce(t.on_hand, 0) AS told_on_hand,
           coalesce(a.unavailable, 0) + coalesce(t.unavailable, 0) AS told_unavailable,
           coalesce(a.reserved, 0) + coalesce(t.reserved, 0) AS told_reserved, coalesce(r.pieces, 0) AS promised
    FROM places p JOIN sku s ON s.id = p.sku_id JOIN warehouse w ON w.id = p.warehouse_id
    LEFT JOIN level l ON l.sku_id = p.sku_id AND l.warehouse_id = p.warehouse_id
    LEFT JOIN told t ON t.sku_id = p.sku_id AND t.warehouse_id = p.warehouse_id
    LEFT JOIN archived a ON a.sku_id = p.sku_id AND a.warehouse_id = p.warehouse_id
    LEFT JOIN promised r ON r.sku_id = p.sku_id AND r.warehouse_id = p.warehouse_id
    ORDER BY p.sku_id, p.warehouse_id
""")

# What was free after each movement, by all that had been booked until then. A reservation takes what is there.
_OVERDRAWN: Final = text("""
    WITH free_after AS (
        SELECT sku_id, warehouse_id, seq, d_reserved,
               sum(d_on_hand - d_unavailable - d_reserved) OVER (PARTITION BY sku_id, warehouse_id ORDER BY seq) AS free
        FROM movement)
    SELECT s.code, w.key, min(f.seq) AS seq, count(*) AS times
    FROM free_after f JOIN sku s ON s.id = f.sku_id JOIN warehouse w ON w.id = f.warehouse_id
    LEFT JOIN archived_level a ON a.sku_id = f.sku_id AND a.warehouse_id = f.warehouse_id
    WHERE f.d_reserved > 0 AND f.free + coalesce(a.on_hand - a.unavailable - a.reserved, 0) < 0
    GROUP BY s.code, w.key ORDER BY s.code, w.key
""")

_ABOUT_LEVELS: Final = frozenset(("level.fold", "level.seq", "level.short", "level.reserved", "movement.level"))


@dataclass(frozen=True, slots=True)
class Place:
    """One SKU in one warehouse: its level, the fold of its movements, and what reservations hold there, in pieces."""

    name: str
    key: tuple[int, int]  # (sku_id, warehouse_id)
    level: tuple[int, int, int] | None  # on_hand, unavailable, reserved
    short: int
    seq: int
    archived_seq: int
    base_seq: int  # what was archived sums up to something up to here
    movements: int
    low: int  # one below the first movement
    high: int
    told: tuple[int, int, int]  # what the movements sum up to, archived ones too, as `level`
    promised: int


def read_places(connection: Connection) -> list[Place]:
    """Every place that a level, a movement or a reservation names."""
    return [_place(row) for row in connection.execute(_FOLD)]


def the_ledger_folds(places: Collection[Place], now: datetime, verdict: Verdict) -> frozenset[tuple[int, int]]:
    """Movements fold to levels, gap-free; reserved is what reservations hold. Returns the places that are wrong."""
    wrong = set()
    for place in places:
        for rule, told in _faults(place).items():
            wrong.add(place.key)
            verdict.find(f"ledger.{rule}", place.name, now, told)
    return frozenset(wrong)


def read_overdrawn(connection: Connection) -> list[tuple[str, str]]:
    """(place, what) of every place in which a reservation took pieces that were not free."""
    return [
        (f"{row.code} in {row.key}", f"movement {row.seq}, the first of {row.times}, promises what is not free")
        for row in connection.execute(_OVERDRAWN)
    ]


def nothing_is_promised_that_is_not_there(
    overdrawn: Collection[tuple[str, str]], now: datetime, verdict: Verdict
) -> None:
    """Only truth makes reserved pieces short: no reservation ever took more than was free at that moment."""
    for place, told in overdrawn:
        verdict.find("ledger.overdrawn", place, now, told)


def the_audit_sees_as_much(
    report: AuditReport, wrong: Collection[tuple[int, int]], now: datetime, verdict: Verdict
) -> None:
    """Whether a level, a movement or a reservation is wrong, the daemon's audit and this checker agree."""
    told = {rule: n for rule, n in report.counted.items() if rule in _ABOUT_LEVELS and n}
    if wrong and not told:
        verdict.find(
            "audit.blind", "the daemon's own audit", now, f"it finds nothing, and {len(wrong)} places are wrong"
        )
    if told and not wrong:
        verdict.find("audit.mistaken", "the daemon's own audit", now, f"nothing is wrong, and it finds {told}")


def _faults(place: Place) -> Mapping[str, str]:
    """What is wrong with a place, by rule."""
    if place.level is None:
        return {"level": f"{place.movements} movements and {place.promised} pieces promised, and no level"}
    found: dict[str, str] = {}
    on_hand, unavailable, reserved = place.level
    if place.told != place.level:
        found["fold"] = f"movements sum up to {place.told}, the level is {place.level}"
    if place.base_seq != place.archived_seq:
        found["archived"] = f"the sums of archived movements go up to {place.base_seq}, not to {place.archived_seq}"
    last = place.high if place.movements else place.archived_seq
    first = place.low if place.movements else place.archived_seq
    if (first, last, place.movements) != (place.archived_seq, place.seq, place.seq - place.archived_seq):
        found["gap"] = f"{place.movements} movements from {first + 1} to {last}, the level is at {place.seq}"
    if reserved != place.promised:
        found["reserved"] = f"reservations hold {place.promised}, the level says {reserved}"
    if place.short != (short := max(0, reserved + unavailable - on_hand)):
        found["short"] = f"{short} pieces are missing, the level says {place.short}"
    return found


def _place(row: Any) -> Place:
    told = (row.told_on_hand, row.told_unavailable, row.told_reserved)
    return Place(
        name=f"{row.code} in {row.key}",
        key=(row.sku_id, row.warehouse_id),
        level=None if row.on_hand is None else (row.on_hand, row.unavailable, row.reserved),
        short=row.short or 0,
        seq=row.seq or 0,
        archived_seq=row.archived_seq or 0,
        base_seq=row.base_seq,
        movements=row.movements or 0,
        low=row.low or 0,
        high=row.high or 0,
        told=(int(told[0] or 0), int(told[1] or 0), int(told[2] or 0)),  # PostgreSQL sums to a Decimal
        promised=int(row.promised),
    )
