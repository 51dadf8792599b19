"""Claim what is due: forget what shows right, name what to read, and store one write before it is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Connection, Executable, insert, select

from syncd.accounts.store import is_live
from syncd.alerts.store import close_alerts
from syncd.db.lease import guard
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import decision, push_batch, push_row
from syncd.publishing.cells import OPEN, Cell, Choice, Step, choose, is_certified
from syncd.publishing.load import Dirty, ListingStock, load_cells, load_due, load_stock, stale_warehouses
from syncd.publishing.plain import Fresh, choose_plain
from syncd.publishing.store.cells import read_horizon, save_cells
from syncd.publishing.store.queue import Waiting, forget, put_off
from syncd.publishing.store.rows import Compose, Push, Row, Rules, refusal_key, rows_of
from syncd.publishing.store.unheeded import forgive_unheeded
from syncd.reconcile.held_skus import HELD, held_skus
from syncd.stock.unnamed import unnamed_skus

Write = tuple[Row, Dirty, Cell, ListingStock]
POLICY = "publishing"
POLICY_VERSION = 1

_STOPPED_AGAIN_S = 60.0

STOCK_MAX_AGE = timedelta(minutes=30)
"""Levels that a warehouse's API told longer ago than this raise nothing any more; they lower all the same."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What there is to do for an account right now."""

    read: tuple[Row, ...]
    push: Push | None
    looked_at: int
    waiting: Mapping[str, int]


def claim(
    connection: Connection,
    rules: Rules,
    key: str,
    compose: Compose,
    limit: int,
    now: datetime,
    fresh: Mapping[int, Fresh] | None = None,
) -> Claimed:
    """Look at due listings: forget those that show what they should, name those to read, and store one write.

    With `fresh`, only at those, which were read a moment ago: a plain set may follow.
    """
    guard(connection, rules.lease)
    stored = _stored_push(connection, rules, key)
    if stored is not None:  # this very claim was committed before, and its answer was lost
        return Claimed((), stored, 0, {})
    due = load_due(connection, rules.account_id, now, limit, None if fresh is None else fresh.keys())
    if not due:
        return Claimed((), None, 0, {})
    live = is_live(connection, rules.account_id)
    # Cells first: an order committed in between makes the target too low for this moment, never too high.
    cells = _certify(connection, rules, load_cells(connection, [each.listing_id for each in due]))
    stock = load_stock(connection, [each.listing_id for each in due])
    stops = _load_stops(connection, rules, {term.sku_id for each in stock.values() for term in each.number.terms}, now)
    sorted_out = _Sorted()
    for each in due:
        at = cells.get((each.listing_id, rules.cell), Cell(each.listing_id, rules.cell))
        found = stock[each.listing_id]
        _sort(each, at, found, live, rules, now, sorted_out, stops.of(found), (fresh or {}).get(each.listing_id))
    forget(connection, sorted_out.done)
    done = [each.listing_id for each in sorted_out.done]
    close_alerts(connection, [refusal_key(rules, listing_id) for listing_id in done], now)
    forgive_unheeded(connection, rules, done, cells, now)
    put_off(connection, sorted_out.waits, now)
    push = _store_push(connection, rules, key, compose, sorted_out.writes, now) if sorted_out.writes else None
    waiting = Counter(reason for _, reason, _ in sorted_out.waits)
    return Claimed(tuple(sorted_out.reads), push, len(due), waiting)


@dataclass(slots=True)
class _Sorted:
    """Due listings by what there is to do about them."""

    done: list[Dirty] = field(default_factory=list)
    reads: list[Row] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    waits: list[Waiting] = field(default_factory=list)


def _sort(
    each: Dirty,
    at: Cell,
    found: ListingStock,
    live: bool,
    rules: Rules,
    now: datetime,
    into: _Sorted,
    stop: str | None,
    fresh: Fresh | None,
) -> None:
    if found.unwritable and at.must_read and at.anchor_value is not None and at.in_flight_key is None:
        into.reads.append(Row(each.listing_id, found.channel_sku, found.channel_location))  # holds of it may end
        return
    if found.unwritable:
        into.done.append(each)  # an import marks it again when its number becomes ours to set
        return
    if not found.mapped:
        into.waits.append((each, "unmapped", None))
        return
    tells_from = _tells_from(at, rules)
    choice = _choose(at, found, live, rules, stop, fresh, now, read_tells=now >= tells_from)
    row = Row(each.listing_id, found.channel_sku, found.channel_location, choice.value or 0, choice.expected or 0)
    if choice.step is Step.NOTHING:
        into.done.append(each)
    elif choice.step is Step.READ and at.not_before_read_at is not None and now < at.not_before_read_at:
        into.waits.append((each, "what a read would show is not settled", at.not_before_read_at))
    elif choice.step is Step.READ:
        into.reads.append(row)
    elif choice.step is Step.WRITE and len(into.writes) < rules.write_batch:
        into.writes.append((row, each, at, found))
    elif choice.step is Step.WAIT:
        into.waits.append((each, choice.reason, _look_again_at(choice, rules, stop, tells_from, now)))


def _choose(
    at: Cell,
    found: ListingStock,
    live: bool,
    rules: Rules,
    stop: str | None,
    fresh: Fresh | None,
    now: datetime,
    *,
    read_tells: bool,
) -> Choice:
    target = found.number.quantity
    if rules.plain:
        return choose_plain(at, target, live=live, raises_stop=stop, read_tells=read_tells, fresh=fresh, now=now)
    return choose(at, target, live=live, raises_stop=stop, read_tells=read_tells)


def _look_again_at(
    choice: Choice, rules: Rules, stop: str | None, tells_from: datetime, now: datetime
) -> datetime | None:
    """When a listing that waits is looked at by itself; None: by how long such waits take."""
    if choice.reason == stop:
        return now + timedelta(seconds=_STOPPED_AGAIN_S)
    if choice.reason != OPEN:
        return None
    return tells_from if tells_from > now else now + timedelta(seconds=rules.staleness_s + rules.granularity_s)


def _tells_from(at: Cell, rules: Rules) -> datetime:
    """From when on a read surely shows whether sales placed around the anchor are in it."""
    if at.anchor_hi_at is None:
        return datetime.min.replace(tzinfo=UTC)
    return at.anchor_hi_at + timedelta(seconds=rules.staleness_s + rules.granularity_s)


def _stored_push(connection: Connection, rules: Rules, key: str) -> Push | None:
    found = _in_flight(connection, push=key, account_id=rules.account_id).one_or_none()
    return None if found is None else Push(key, found.body or "", rows_of(connection, key), found.created_at)


@statement
def _in_flight(given: Given) -> Executable:
    return select(push_batch).where(
        push_batch.c.key == given.value("push", str),
        push_batch.c.account_id == given.value("account_id", int),
        push_batch.c.state == "in_flight",
    )


@dataclass(frozen=True, slots=True)
class _Stops:
    """What keeps an account's numbers from being raised: all of them, or those made of some SKUs."""

    account: str | None
    unnamed: Collection[int]
    held: Collection[int] = ()  # by the audit

    def of(self, found: ListingStock) -> str | None:
        if found.parked_line:
            return "an order line of this listing is parked"
        if self.account is None and any(term.sku_id in self.unnamed for term in found.number.terms):
            return "a warehouse does not tell its level any more"
        if any(term.sku_id in self.held for term in found.number.terms):
            return HELD
        return self.account


def _load_stops(connection: Connection, rules: Rules, sku_ids: Collection[int], now: datetime) -> _Stops:
    before = now - STOCK_MAX_AGE
    stale = stale_warehouses(connection, rules.account_id, before)
    account = f"the levels of {', '.join(stale)} are not known" if stale else None
    return _Stops(account, unnamed_skus(connection, rules.account_id, before), held_skus(connection, sku_ids))


def _certify(connection: Connection, rules: Rules, cells: dict[tuple[int, str], Cell]) -> dict[tuple[int, str], Cell]:
    horizon_at = read_horizon(connection, rules.account_id)
    lag = timedelta(seconds=rules.index_lag_s)
    return {key: replace(each, certified=is_certified(each, horizon_at, lag)) for key, each in cells.items()}


def _store_push(
    connection: Connection,
    rules: Rules,
    key: str,
    compose: Compose,
    writes: Sequence[Write],
    now: datetime,
) -> Push:
    chosen = tuple(row for row, _, _, _ in writes)
    body = compose(chosen)
    _insert_batch(
        connection,
        push=key,
        account_id=rules.account_id,
        body=body,
        lease_token=rules.lease.token,
        now=now,
        settle_by=now + timedelta(seconds=rules.settle_s),
    )
    _store_rows(connection, rules, key, writes)
    save_cells(
        connection,
        [
            replace(
                at,
                in_flight_key=key,
                in_flight_value=row.value,
                in_flight_sold_hi=at.sold_hi,
                in_flight_sold_lo=at.sold_lo,
            )
            for row, _, at, _ in writes
        ],
    )
    _store_decisions(connection, writes, now)
    put_off(connection, [(dirty, "a write is in flight", None) for _, dirty, _, _ in writes], now)
    return Push(key, body, chosen, created_at=now)


@statement
def _insert_batch(given: Given) -> Executable:
    return insert(push_batch).values(
        key=given.value("push", str),
        account_id=given.value("account_id", int),
        body=given.value("body", str),
        lease_token=given.value("lease_token", int),
        created_at=given.value("now", datetime),
        sent_at=given.value("now", datetime),
        settle_by=given.value("settle_by", datetime),
    )


def _store_rows(connection: Connection, rules: Rules, key: str, writes: Sequence[Write]) -> None:
    columns = [
        ("key", str),
        ("listing_id", int),
        ("cell", str),
        ("value", int),
        ("expected", int),
        ("dirty_version", int),
        ("since_at", datetime),
    ]
    insert_rows(
        connection,
        push_row,
        columns,
        [
            (key, row.listing_id, rules.cell, row.value, row.expected, dirty.version, dirty.since_at)
            for row, dirty, _, _ in writes
        ],
    )


def _store_decisions(connection: Connection, writes: Sequence[Write], now: datetime) -> None:
    data = [
        ("publication", row.listing_id, POLICY, POLICY_VERSION, *_explained(row, at, found), now)
        for row, _, at, found in writes
    ]
    columns = [
        ("kind", str),
        ("listing_id", int),
        ("policy", str),
        ("policy_version", int),
        ("inputs", str),
        ("outcome", str),
        ("decided_at", datetime),
    ]
    insert_rows(connection, decision, columns, data)


def _explained(row: Row, at: Cell, found: ListingStock) -> tuple[str, str]:
    inputs = found.number.to_json() | {
        "anchor": at.anchor_value,
        "anchor_hi_at": at.anchor_hi_at.isoformat() if at.anchor_hi_at else None,
        "certified": at.certified,
        "sold_since": at.sold_hi,
    }
    outcome = {"from": row.expected, "to": row.value}
    return msgspec.json.encode(inputs).decode(), msgspec.json.encode(outcome).decode()
