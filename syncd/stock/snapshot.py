"""What a warehouse says of its own stock, and the movements that makes. Pure.

Such a warehouse tells what it would still promise, net of what it has accepted from us. So what stands there for us is
that, and what of ours it has accepted and not yet shipped. What it was asked and may not have taken in is not added:
then the level is too low for a while, and never too high.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.warehouse import StockRow
from syncd.db.types import to_micros
from syncd.stock.ledger import Cause, Ledger, LevelKey


@dataclass(frozen=True, slots=True)
class Told:
    """What a warehouse says of one SKU, in pieces. `warehouse_sku` is the code it has most of."""

    sku_id: int
    free: int
    unavailable: int
    warehouse_sku: str


@dataclass(frozen=True, slots=True)
class OurShare:
    """What of a SKU the warehouse already keeps for us, and when it was last asked to ship some."""

    accepted: int = 0
    submitted_at: datetime | None = None
    unanswered: int = 0  # accepted, and asked not to be shipped: they may be among the free again, or not


@dataclass(frozen=True, slots=True)
class SnapshotBooked:
    """What became of a snapshot's rows. Nothing is known of SKUs that no row names."""

    changed: int = 0
    unchanged: int = 0
    older: int = 0  # left alone: their level is of a later instant
    held_back: int = 0  # left alone: a raise of which we cannot know that it is one
    unknown: tuple[str, ...] = ()  # codes that name no SKU
    unreadable: tuple[tuple[str, str], ...] = ()  # (code, what is wrong with its numbers)

    def plus(self, other: SnapshotBooked) -> SnapshotBooked:
        return SnapshotBooked(
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.older + other.older,
            self.held_back + other.held_back,
            self.unknown + other.unknown,
            self.unreadable + other.unreadable,
        )


def merge_rows(rows: Iterable[StockRow], skus: Mapping[str, int]) -> tuple[list[Told], SnapshotBooked]:
    """Sum the codes of each SKU, as in `skus`; and what cannot be used: one bad row leaves its SKU unknown.

    A code told twice counts once, as the lower of the two: a page that shifts while it is read repeats its rows.
    """
    by_sku: dict[int, list[StockRow]] = {}
    unknown: list[str] = []
    unreadable: list[tuple[str, str]] = []
    bad: set[int] = set()
    for row in rows:
        sku_id = skus.get(row.warehouse_sku)
        if sku_id is None:
            unknown.append(row.warehouse_sku)
        elif row.problem is not None:
            unreadable.append((row.warehouse_sku, row.problem))
            bad.add(sku_id)
        else:
            by_sku.setdefault(sku_id, []).append(row)
    told = [_sum(sku_id, by_sku[sku_id]) for sku_id in sorted(by_sku) if sku_id not in bad]
    return told, SnapshotBooked(unknown=tuple(unknown), unreadable=tuple(unreadable))


def _sum(sku_id: int, rows: Sequence[StockRow]) -> Told:
    free: dict[str, int] = {}
    unavailable: dict[str, int] = {}
    for row in rows:
        code = row.warehouse_sku
        free[code] = min(row.free, free.get(code, row.free))
        unavailable[code] = max(0, row.unavailable, unavailable.get(code, 0))
    most = min(free, key=lambda code: (-free[code], code))
    return Told(sku_id, sum(free.values()), sum(unavailable.values()), most)


def book_told(
    told: Sequence[Told],
    warehouse_id: int,
    as_of: datetime,
    ours: Mapping[int, OurShare],
    ledger: Ledger,
    unsure: Collection[int] = (),
) -> tuple[SnapshotBooked, list[LevelKey]]:
    """Move each level to what the warehouse says; and the levels of which this is the newest word, moved or not.

    Truth is never refused: what is reserved and is not there becomes `short`. A raise that is older than what the
    warehouse was asked to ship waits, and so does one of SKUs in `unsure`, of which news of shipments is missing.
    """
    changed = unchanged = older = held_back = 0
    newest: list[LevelKey] = []
    for each in told:
        key = (each.sku_id, warehouse_id)
        level, share = ledger.level(*key), ours.get(each.sku_id, OurShare())
        if level.as_of is not None and as_of < level.as_of:
            older += 1
            continue
        d_unavailable = each.unavailable - level.unavailable
        d_on_hand = each.free + each.unavailable + share.accepted - level.on_hand
        raises = d_on_hand - d_unavailable > 0
        before_asked = share.submitted_at is not None and as_of < share.submitted_at
        if raises and (before_asked or each.sku_id in unsure):
            held_back += 1
            continue
        newest.append(key)
        if d_on_hand or d_unavailable:
            cause = Cause(f"snapshot/{to_micros(as_of)}", level.seq + 1)
            ledger.snapshot(key, d_on_hand, d_unavailable, as_of, cause)
            changed += 1
        else:
            unchanged += 1
    return SnapshotBooked(changed, unchanged, older, held_back), newest
