"""Take reads into account: explained numbers change nothing, a shortfall is held back on every channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Executable, and_, func, select, update

from syncd.db.lease import guard
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import cell, dirty_listing, hold, order_line
from syncd.insight.store import add_lags, add_tallies
from syncd.publishing.cells import Cell, Reading, read_back
from syncd.publishing.load import load_cells
from syncd.publishing.marks import mark_listings
from syncd.publishing.plain import Fresh, read_plain
from syncd.publishing.store.cells import save_cells
from syncd.publishing.store.holds import open_holds
from syncd.publishing.store.queue import TAKES_EFFECT, mark_shared, wake
from syncd.publishing.store.rows import Rules
from syncd.publishing.store.surplus import note_surplus
from syncd.publishing.store.unheeded import note_unheeded
from syncd.publishing.store.unreadable import forget_unreadable, note_unreadable


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
    relisted: int


@dataclass(frozen=True, slots=True)
class Noted:
    """What reads gave away, and whose numbers are known as of now."""

    surprises: tuple[Surprise, ...]
    surplus: bool  # some showed more than anything explains yet
    fresh: Mapping[int, Fresh]


def note_reads(
    connection: Connection, rules: Rules, read: Sequence[ReadRow], sent_at: datetime, now: datetime
) -> Noted:
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
    holds = open_holds(connection, ids)
    judge = read_plain if rules.plain else read_back
    readings: dict[int, Reading] = {
        listing_id: judge(
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
    readings |= _relisted_at_most(connection, rules, cells, readings)
    save_cells(connection, [reading.cell for reading in readings.values()])
    _note_last_read(connection, rules, shown, sent_at)
    held = {listing_id: reading for listing_id, reading in readings.items() if reading.held}
    _hold_back(connection, rules, held, now)
    _give_back(connection, {i: reading.given_back for i, reading in readings.items() if reading.given_back}, now)
    note_unreadable(connection, rules, {each.listing_id: each.problem for each in read if each.quantity is None}, now)
    forget_unreadable(connection, rules, ids, now)
    moved = [listing_id for listing_id, reading in readings.items() if reading.moved]
    mark_listings(connection, moved, now, urgency=0)
    wake(connection, ids, now)
    if rules.plain:
        note_unheeded(connection, rules, readings, now)
        _note_confirmed(connection, rules, cells, [i for i, reading in readings.items() if reading.confirmed], now)
        _await_effect(connection, rules, [i for i, reading in readings.items() if reading.pending], now)
    surplus = {i: reading.surplus for i, reading in readings.items() if reading.surplus}
    note_surplus(connection, surplus, now)
    surprises = tuple(Surprise(i, r.held, r.relisted) for i, r in readings.items() if r.held or r.relisted)
    scope = f"account:{rules.account}"
    add_tallies(
        connection,
        {
            (scope, "reads"): len(ids),
            (scope, "units_held"): sum(s.held for s in surprises),
            (scope, "units_relisted"): sum(s.relisted for s in surprises),
        },
    )
    return Noted(
        surprises, bool(surplus), {i: Fresh(r.sure) for i, r in readings.items() if not (r.ignored or r.pending)}
    )


def _relisted_at_most(
    connection: Connection, rules: Rules, before: Mapping[tuple[int, str], Cell], readings: Mapping[int, Reading]
) -> dict[int, Reading]:
    """The readings that show sold units on sale again, with no more of them than were sold in the write's own window.

    A cancelled sale from after the write leaves the range open just as well, and has erased nothing.
    """
    grain = timedelta(seconds=rules.granularity_s)
    windows = [
        (listing_id, at.anchor_lo_at - grain, at.anchor_hi_at)
        for listing_id, at in ((i, before[(i, rules.cell)]) for i in sorted(readings) if readings[i].relisted)
        if at.anchor_lo_at is not None and at.anchor_hi_at is not None
    ]
    if not windows:
        return {}
    sold = {int(listing_id): int(taken) for listing_id, taken in _sold_in_windows(connection, windows=windows)}
    return {
        listing_id: replace(readings[listing_id], relisted=min(readings[listing_id].relisted, sold.get(listing_id, 0)))
        for listing_id, _, _ in windows
    }


@statement
def _sold_in_windows(given: Given) -> Executable:
    windows = given.rows("windows", id=int, from_at=datetime, to_at=datetime)
    inside = order_line.c.placed_at.between(windows.c.from_at, windows.c.to_at)
    return (
        select(order_line.c.listing_id, func.sum(order_line.c.taken_max))
        .join(windows, and_(windows.c.id == order_line.c.listing_id, inside))
        .group_by(order_line.c.listing_id)
    )


def _note_confirmed(
    connection: Connection,
    rules: Rules,
    before: Mapping[tuple[int, str], Cell],
    confirmed: Sequence[int],
    now: datetime,
) -> None:
    """Note how long the orders behind confirmed lowerings had to wait, and that they wait no more."""
    if not confirmed:
        return
    ids = [(i,) for i in sorted(confirmed)]
    samples = []
    for row in _waiting_orders(connection, confirmed=ids):
        at = before[(row.listing_id, rules.cell)]
        if at.hi is not None and at.unknown_value is not None and at.unknown_value < at.hi:
            samples.append((rules.account_id, "placed_to_shown", (now - row.since_at).total_seconds()))
    add_lags(connection, samples)
    _end_waits(connection, confirmed=ids)
    add_tallies(connection, {(f"account:{rules.account}", "numbers_written"): len(confirmed)})


@statement
def _waiting_orders(given: Given) -> Executable:
    return select(dirty_listing.c.listing_id, dirty_listing.c.since_at).where(_is_waited_for(given))


@statement
def _end_waits(given: Given) -> Executable:
    return update(dirty_listing).values(since_at=None).where(_is_waited_for(given))


def _is_waited_for(given: Given) -> ColumnElement[bool]:
    confirmed = given.rows("confirmed", id=int)
    return and_(dirty_listing.c.listing_id.in_(select(confirmed.c.id)), dirty_listing.c.since_at.is_not(None))


def _await_effect(connection: Connection, rules: Rules, pending: Sequence[int], now: datetime) -> None:
    """Look again later at numbers that do not show yet whether their write took effect."""
    if pending:
        again_at = now + timedelta(seconds=max(rules.staleness_s, rules.apply_s / 2))
        _let_wait(connection, waiting=[(i,) for i in sorted(pending)], reason=TAKES_EFFECT, due_at=again_at)


@statement
def _let_wait(given: Given) -> Executable:
    waiting = given.rows("waiting", id=int)
    return (
        update(dirty_listing)
        .values(waits_for=given.value("reason", str), due_at=given.value("due_at", datetime))
        .where(dirty_listing.c.listing_id.in_(select(waiting.c.id)))
    )


def _give_back(connection: Connection, units: Mapping[int, int], now: datetime) -> None:
    """Shrink holds whose units are back on sale, the oldest first."""
    if not units:
        return
    left = dict(units)
    data = []
    for row in _lock_holds(connection, wanted=[(i,) for i in sorted(units)]):
        back = min(left[row.listing_id], row.quantity)
        left[row.listing_id] -= back
        if back:
            data.append((row.id, row.quantity - back, back, now if back == row.quantity else None))
    _shrink_holds(connection, left=data)
    mark_shared(connection, sorted(units), now)


@statement
def _lock_holds(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(hold)
        .join(wanted, wanted.c.id == hold.c.listing_id)
        .where(hold.c.closed_at.is_(None))
        .order_by(hold.c.listing_id, hold.c.from_at, hold.c.id)
        .with_for_update(of=hold)
    )


@statement
def _shrink_holds(given: Given) -> Executable:
    left = given.rows("left", id=int, quantity=int, back=int, closed_at=datetime)
    return (
        update(hold)
        .values(quantity=left.c.quantity, closed_at=left.c.closed_at, given_back=hold.c.given_back + left.c.back)
        .where(hold.c.id == left.c.id, hold.c.closed_at.is_(None))
    )


def _note_last_read(connection: Connection, rules: Rules, shown: Mapping[int, int], sent_at: datetime) -> None:
    if shown:
        _save_last_read(connection, shown=sorted(shown.items()), cell=rules.cell, sent_at=sent_at)


@statement
def _save_last_read(given: Given) -> Executable:
    shown = given.rows("shown", id=int, value=int)
    return (
        update(cell)
        .values(last_read_value=shown.c.value, last_read_at=given.value("sent_at", datetime))
        .where(cell.c.listing_id == shown.c.id, cell.c.name == given.value("cell", str))
    )


def _taken_since(connection: Connection, listing_ids: Sequence[int], since: datetime) -> dict[int, int]:
    found = _sum_taken(connection, wanted=[(i,) for i in listing_ids], since=since) if listing_ids else ()
    return {int(listing_id): int(taken) for listing_id, taken in found}


@statement
def _sum_taken(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    since = given.value("since", datetime)
    return (
        select(order_line.c.listing_id, func.sum(order_line.c.taken_max))
        .join(wanted, and_(wanted.c.id == order_line.c.listing_id, order_line.c.placed_at >= since))
        .group_by(order_line.c.listing_id)
    )


def _hold_back(connection: Connection, rules: Rules, held: Mapping[int, Reading], now: datetime) -> None:
    in_doubt = now + timedelta(seconds=min(rules.hold_window_s, rules.index_lag_s))
    unseen = now + timedelta(seconds=rules.hold_window_s)
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
    data = [
        (i, rules.cell, units, kind, reading.from_at or now, now, expires_at, now)
        for i, reading in sorted(held.items())
        for units, kind, expires_at in (
            (reading.held - reading.doubtful, "shortfall", unseen),
            (reading.doubtful, "doubtful", in_doubt),
        )
        if units
    ]
    insert_rows(connection, hold, columns, data)
    mark_shared(connection, list(held), now)
