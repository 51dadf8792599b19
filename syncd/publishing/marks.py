"""What orders and stock leave behind for publishing: dirty listings, explained sales, eaten holds.

Plain transaction functions, called inside the transaction that causes them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Row,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    union_all,
    update,
)

from syncd.db.statements import Given, statement
from syncd.db.tables import cell, dirty_listing, hold, listing, listing_component
from syncd.db.types import Instant
from syncd.publishing.cells import Sale
from syncd.publishing.held import HeldUnits, eat
from syncd.publishing.load import lock_cells
from syncd.publishing.store.surplus import explain_surplus


def mark_dirty(
    connection: Connection,
    skus: Mapping[int, datetime | None],
    now: datetime,
    urgency: int = 1,
    also: Collection[int] = (),
) -> None:
    """Mark every listing made of these SKUs as to be looked at; the instant is the oldest order that waits for it.

    `also`: listings to be marked whatever they are made of.
    """
    if skus or also:
        moved = [(sku_id, skus[sku_id]) for sku_id in sorted(skus)]
        _mark_dirty(connection, moved=moved, also=[(each,) for each in sorted(set(also))], now=now, urgency=urgency)


def mark_listings(connection: Connection, listing_ids: Sequence[int], now: datetime, urgency: int = 1) -> None:
    """Mark these listings themselves as to be looked at."""
    if listing_ids:
        marked = [(listing_id,) for listing_id in sorted(set(listing_ids))]
        _mark_listings(connection, marked=marked, now=now, urgency=urgency)


def mark_accounts(connection: Connection, account_ids: Sequence[int], now: datetime, urgency: int = 1) -> None:
    """Mark every listing of these accounts as to be looked at."""
    if account_ids:
        marked = [(account_id,) for account_id in sorted(set(account_ids))]
        _mark_accounts(connection, marked=marked, now=now, urgency=urgency)


@statement
def _mark_dirty(given: Given) -> Executable:
    moved = given.rows("moved", sku_id=int, since_at=datetime)
    also = given.rows("also", id=int)
    concerned = union_all(
        select(listing_component.c.listing_id, moved.c.since_at).join(
            moved, moved.c.sku_id == listing_component.c.sku_id
        ),
        select(also.c.id, cast(null(), Instant())),
    ).subquery("concerned")
    by_listing = (
        select(concerned.c.listing_id, func.min(concerned.c.since_at, type_=Instant()).label("since_at"))
        .group_by(concerned.c.listing_id)
        .subquery("by_listing")
    )
    found = select(by_listing.c.listing_id, listing.c.account_id, by_listing.c.since_at)
    return _upsert_dirty(given, found.join(listing, listing.c.id == by_listing.c.listing_id))


@statement
def _mark_listings(given: Given) -> Executable:
    marked = given.rows("marked", id=int)
    return _upsert_dirty(given, _untimed().join(marked, marked.c.id == listing.c.id))


@statement
def _mark_accounts(given: Given) -> Executable:
    marked = given.rows("marked", id=int)
    return _upsert_dirty(given, _untimed().join(marked, marked.c.id == listing.c.account_id))


def _untimed() -> Select[Any]:
    return select(listing.c.id.label("listing_id"), listing.c.account_id, cast(null(), Instant()).label("since_at"))


def _upsert_dirty(given: Given, found: Select[Any]) -> Executable:
    source = found.subquery("found")
    values = select(
        source.c.listing_id,
        source.c.account_id,
        source.c.since_at,
        literal_column("1").label("version"),
        given.value("urgency", int).label("urgency"),
        given.value("now", datetime).label("due_at"),
    )
    insert = given.insert(dirty_listing, values.order_by(source.c.listing_id))
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=["listing_id"],
        set_={
            "version": dirty_listing.c.version + 1,
            "urgency": _least(dirty_listing.c.urgency, new.urgency),
            "since_at": func.coalesce(
                _least(dirty_listing.c.since_at, new.since_at), dirty_listing.c.since_at, new.since_at
            ),
            "due_at": _least(dirty_listing.c.due_at, new.due_at),
            "waits_for": None,
        },
    )


def _least(left: Any, right: Any) -> Any:
    """The lesser of two; NULL when either is (the engines' own LEAST and MIN differ there)."""
    return case((left <= right, left), (right < left, right), else_=None)


def note_sales(
    connection: Connection, sales: Sequence[Sale], granularity_s: float, index_lag_s: float, now: datetime
) -> None:
    """Lower what the listings' cells are expected to show by sales (and raise it by give-backs) after their anchors.

    A change surely after the anchor counts in both bounds; one surely before is in the anchor already; one that may
    be either widens the range. A channel's instants stand for `granularity_s` from there on. A give-back that the
    anchor already contains is held for the channel's index lag (C8): a sale not heard of may hide behind it. Where a
    change is older than a write that went through without knowing of it, something has hidden it: the number is read.
    Whoever calls has locked them (`lock_sold`) and marks the listings: one may be made of other things by now than
    what was sold.
    """
    if not sales:
        return
    grain = timedelta(seconds=granularity_s)
    sold = [(sale.listing_id, sale.d_min, sale.d_max, sale.from_at, sale.to_at + grain) for sale in sales]
    if any(sale.d_min < 0 for sale in sales):
        _hold_give_backs(connection, sold=sold, expires_at=now + timedelta(seconds=index_lag_s), now=now)
        explain_surplus(connection, [(each.listing_id, -each.d_min, each.from_at) for each in sales if each.d_min < 0])
    _lower(connection, sold=sold)


def lock_sold(connection: Connection, sales: Sequence[Sale]) -> Iterable[Row[Any]]:
    """Lock what sales are counted against: their listings' cells, and then the holds that they may explain.

    Returns the holds, which `eat_holds` wants. First of all, since what sales are compared with must not move.
    """
    lock_cells(connection, [sale.listing_id for sale in sales])
    if not any(sale.d_max > 0 for sale in sales):
        return ()
    return _lock_holds(connection, sold=[(i,) for i in sorted({sale.listing_id for sale in sales})])


def _sold(given: Given) -> tuple[Subquery, ColumnElement[bool], ColumnElement[bool]]:
    """Sales, and whether one came surely after its listing's anchor, and surely before it."""
    sold = given.rows("sold", listing_id=int, d_min=int, d_max=int, from_at=datetime, to_at=datetime)
    return sold, sold.c.from_at > cell.c.anchor_hi_at, sold.c.to_at < cell.c.anchor_lo_at


@statement
def _lower(given: Given) -> Executable:
    sold, after, before = _sold(given)
    lowered_hi = case((after, sold.c.d_min), (before, 0), (sold.c.d_min < 0, sold.c.d_min), else_=0)
    lowered_lo = case((after, sold.c.d_max), (before, 0), (sold.c.d_max > 0, sold.c.d_max), else_=0)
    by_cell = (
        select(
            cell.c.listing_id,
            cell.c.name,
            func.sum(lowered_hi).label("d_hi"),
            func.sum(lowered_lo).label("d_lo"),
            func.max(case((and_(after, sold.c.to_at < cell.c.not_before_read_at), 1), else_=0)).label("hidden"),
        )
        .join(sold, sold.c.listing_id == cell.c.listing_id)
        .where(cell.c.anchor_value.is_not(None))
        .group_by(cell.c.listing_id, cell.c.name)
        .subquery("by_cell")
    )
    return (
        update(cell)
        .values(
            sold_hi=cell.c.sold_hi + by_cell.c.d_hi,
            sold_lo=cell.c.sold_lo + by_cell.c.d_lo,
            must_read=case((by_cell.c.hidden == 1, 1), else_=cell.c.must_read),
        )
        .where(cell.c.listing_id == by_cell.c.listing_id, cell.c.name == by_cell.c.name)
    )


@statement
def _hold_give_backs(given: Given) -> Executable:
    """Hold what came back on sale before the anchor was taken, until orders placed since must have been listed."""
    sold, _, before = _sold(given)
    now = given.value("now", datetime)
    given_back = (
        select(
            cell.c.listing_id,
            cell.c.name,
            func.sum(-sold.c.d_min),
            literal("give_back"),
            func.min(sold.c.from_at, type_=Instant()),
            now.label("to_at"),
            given.value("expires_at", datetime),
            now.label("opened_at"),
        )
        .join(sold, sold.c.listing_id == cell.c.listing_id)
        .where(cell.c.anchor_value.is_not(None), before, sold.c.d_min < 0)
        .group_by(cell.c.listing_id, cell.c.name)
    )
    columns = ["listing_id", "cell", "quantity", "kind", "from_at", "to_at", "expires_at", "opened_at"]
    return hold.insert().from_select(columns, given_back)


def eat_holds(
    connection: Connection, held: Iterable[Row[Any]], sales: Sequence[Sale], staleness_s: float, now: datetime
) -> set[int]:
    """Let orders that explain a shortfall eat its hold, once. Returns the SKUs whose holds shrank.

    `held` are the locked holds of the listings sold; what is given back just now has added to them. What was sold after
    the read that found the shortfall cannot be what it missed.
    """
    if any(sale.d_min < 0 for sale in sales) and any(sale.d_max > 0 for sale in sales):
        held = _lock_holds(connection, sold=[(i,) for i in sorted({sale.listing_id for sale in sales})])
    found = list(held)
    if not found:
        return set()
    slack = timedelta(seconds=staleness_s)
    table = [HeldUnits(r.id, r.listing_id, r.from_at - slack, r.to_at, r.quantity, r.given_back) for r in found]
    left = eat(table, sales)
    shrunk = [each for each, before in zip(left, table, strict=True) if each != before]
    if not shrunk:
        return set()
    was_open = {row.id for row in found if row.closed_at is None}
    data = [
        (each.hold_id, each.quantity, each.given_back, now if each.hold_id in was_open and not each.quantity else None)
        for each in shrunk
    ]
    _shrink_holds(connection, left=data)
    return set(_made_of(connection, changed=[(i,) for i in sorted({each.listing_id for each in shrunk})]).scalars())


@statement
def _lock_holds(given: Given) -> Executable:
    sold = given.rows("sold", id=int)
    of_these = select(hold.c.id).where(hold.c.listing_id.in_(select(sold.c.id)))
    is_open, gave_back = hold.c.closed_at.is_(None), hold.c.given_back > literal_column("0")
    # Each kind has a partial index of its own, and SQLite reads every hold ever otherwise.
    either = union_all(of_these.where(is_open), of_these.where(gave_back))
    return (
        select(hold)
        .where(hold.c.id.in_(either), or_(is_open, gave_back))
        .order_by(hold.c.listing_id, hold.c.from_at, hold.c.id)
        .with_for_update(of=hold)
    )


@statement
def _shrink_holds(given: Given) -> Executable:
    left = given.rows("left", id=int, quantity=int, given_back=int, closed_at=datetime)
    return (
        update(hold)
        .values(
            quantity=left.c.quantity,
            given_back=left.c.given_back,
            closed_at=func.coalesce(hold.c.closed_at, left.c.closed_at),
        )
        .where(hold.c.id == left.c.id)
    )


@statement
def _made_of(given: Given) -> Executable:
    changed = given.rows("changed", id=int)
    return select(listing_component.c.sku_id).join(changed, changed.c.id == listing_component.c.listing_id)
