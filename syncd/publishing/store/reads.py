"""Take reads into account: explained numbers change nothing, a shortfall is held back on every channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, select, update

from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.lease import guard
from syncd.db.rows import insert_rows, rows
from syncd.db.tables import cell, dirty_listing, hold, order_line
from syncd.insight.store import add_tallies
from syncd.publishing.cells import Cell, Reading, read_back
from syncd.publishing.load import load_cells
from syncd.publishing.marks import mark_listings
from syncd.publishing.store.cells import save_cells
from syncd.publishing.store.queue import LATER_S, mark_shared, wake
from syncd.publishing.store.rows import Rules


@dataclass(frozen=True, slots=True)
class ReadRow:
    """What a read showed; quantity None when the channel does not say."""

    listing_id: int
    quantity: int | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Surprise:
    """A number that nothing we know explains."""

    listing_id: int
    held: int
    surplus: int


def note_reads(
    connection: Connection, rules: Rules, read: Sequence[ReadRow], sent_at: datetime, now: datetime
) -> tuple[Surprise, ...]:
    """Take reads into account: explained numbers change nothing, a shortfall is held on every channel (C3 to C6)."""
    guard(connection, rules.lease)
    shown = {each.listing_id: each.quantity for each in read if each.quantity is not None}
    ids = sorted(shown)
    staleness = timedelta(seconds=rules.staleness_s)
    cells = load_cells(connection, ids)
    missing = [listing_id for listing_id in ids if (listing_id, rules.cell) not in cells]
    if missing:
        insert_rows(
            connection, cell, [("listing_id", int), ("name", str)], [(i, rules.cell) for i in missing], ignore=True
        )
        cells |= {(listing_id, rules.cell): Cell(listing_id, rules.cell) for listing_id in missing}
    recent_from = sent_at - staleness - timedelta(seconds=rules.granularity_s)
    recent = _taken_since(connection, ids, recent_from)
    holds = _open_holds(connection, ids)
    readings: dict[int, Reading] = {
        listing_id: read_back(
            cells[(listing_id, rules.cell)],
            shown[listing_id],
            recent.get(listing_id, 0),
            holds.get(listing_id, 0),
            sent_at,
            now,
            staleness,
        )
        for listing_id in ids
    }
    save_cells(connection, [reading.cell for reading in readings.values()])
    _note_last_read(connection, rules, shown, sent_at)
    held = {listing_id: reading for listing_id, reading in readings.items() if reading.held}
    _hold_back(connection, rules, held, now)
    _note_unreadable(connection, rules, [each for each in read if each.quantity is None], now)
    close_alerts(connection, [_unreadable_key(rules, listing_id) for listing_id in ids], now)
    moved = [listing_id for listing_id, reading in readings.items() if reading.moved]
    mark_listings(connection, moved, now, urgency=0)
    wake(connection, ids, now)
    surprises = tuple(Surprise(i, r.held, r.surplus) for i, r in readings.items() if r.held or r.surplus)
    add_tallies(
        connection,
        {
            (f"account:{rules.account}", "reads"): len(ids),
            (f"account:{rules.account}", "units_held"): sum(s.held for s in surprises),
            (f"account:{rules.account}", "units_surplus"): sum(s.surplus for s in surprises),
        },
    )
    return surprises


def _note_last_read(connection: Connection, rules: Rules, shown: Mapping[int, int], sent_at: datetime) -> None:
    if not shown:
        return
    source = rows(connection, "last_read", [("id", int), ("value", int)], sorted(shown.items()))
    connection.execute(
        update(cell)
        .values(last_read_value=source.c.value, last_read_at=sent_at)
        .where(cell.c.listing_id == source.c.id, cell.c.name == rules.cell)
    )


def _taken_since(connection: Connection, listing_ids: Sequence[int], since: datetime) -> dict[int, int]:
    wanted = rows(connection, "wanted", [("id", int)], [(i,) for i in listing_ids])
    found = connection.execute(
        select(order_line.c.listing_id, func.sum(order_line.c.taken_max))
        .join(wanted, and_(wanted.c.id == order_line.c.listing_id, order_line.c.placed_at >= since))
        .group_by(order_line.c.listing_id)
    )
    return {int(listing_id): int(taken) for listing_id, taken in found if listing_id is not None}


def _open_holds(connection: Connection, listing_ids: Sequence[int]) -> dict[int, int]:
    wanted = rows(connection, "wanted", [("id", int)], [(i,) for i in listing_ids])
    found = connection.execute(
        select(hold.c.listing_id, func.sum(hold.c.quantity))
        .join(wanted, wanted.c.id == hold.c.listing_id)
        .where(hold.c.closed_at.is_(None))
        .group_by(hold.c.listing_id)
    )
    return {listing_id: int(quantity) for listing_id, quantity in found}


def _hold_back(connection: Connection, rules: Rules, held: Mapping[int, Reading], now: datetime) -> None:
    expires_at = now + timedelta(seconds=rules.hold_window_s)
    columns = [
        ("listing_id", int),
        ("cell", str),
        ("quantity", int),
        ("kind", str),
        ("from_at", datetime),
        ("to_at", datetime),
        ("expires_at", datetime),
        ("opened_at", datetime),
    ]
    insert_rows(
        connection,
        hold,
        columns,
        [
            (i, rules.cell, reading.held, "shortfall", reading.from_at or now, now, expires_at, now)
            for i, reading in sorted(held.items())
        ],
    )
    mark_shared(connection, list(held), now)


def _unreadable_key(rules: Rules, listing_id: int) -> str:
    return f"unreadable:{rules.account_id}:{listing_id}"


def _note_unreadable(connection: Connection, rules: Rules, unread: Sequence[ReadRow], now: datetime) -> None:
    if not unread:
        return
    open_alerts(
        connection,
        [
            Alert(
                _unreadable_key(rules, each.listing_id),
                "listing_unreadable",
                "its number stays as it is",
                f"{rules.account} does not say what listing {each.listing_id} shows: {each.problem or 'no number'}",
                rules.account_id,
            )
            for each in unread
        ],
        now,
    )
    source = rows(connection, "unread", [("id", int)], [(each.listing_id,) for each in unread])
    connection.execute(
        update(dirty_listing)
        .values(waits_for="unreadable at the channel", due_at=now + timedelta(seconds=LATER_S))
        .where(dirty_listing.c.listing_id.in_(select(source.c.id)))
    )
