"""How a listing's number comes about: every term of it, what it shows instead, and what it waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Executable, select

from syncd.db.statements import Given, statement
from syncd.db.tables import (
    account,
    hold,
    listing,
    listing_component,
    order_line,
    pool,
    sales_order,
    shortage,
    warehouse,
)
from syncd.insight.decisions import DecisionRow, list_decisions
from syncd.insight.listings import ListingRow, load_listings
from syncd.insight.stock import SkuStock, WarehouseLevel, load_skus
from syncd.publishing.load import load_stock
from syncd.publishing.sellable import ComponentStock
from syncd.reconcile.held_skus import findings_of

MANY = 50


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Units that a channel's number lost without an order: held back from every listing of the same goods."""

    listing: str
    account: str
    units: int
    pieces: int
    kind: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Unserved:
    """Pieces that an order wants and no warehouse has."""

    order_id: int
    order: str
    account: str
    pieces: int
    reason: str


@dataclass(frozen=True, slots=True)
class ComponentTerm:
    """One component of a listing: free = available - safety_stock - shortage - held pieces, and units = free // each.

    `levels` are of the pool's warehouses; `holds` and `orders` end at MANY.
    """

    sku: str
    each: int
    levels: tuple[WarehouseLevel, ...]
    available: int
    safety_stock: int
    shortage: int
    held: int
    free: int
    units: int
    holds: tuple[HeldBack, ...]
    orders: tuple[Unserved, ...]


@dataclass(frozen=True, slots=True)
class Makeable:
    """Whole listing units that one warehouse of the pool could send by itself."""

    warehouse: str
    units: int


@dataclass(frozen=True, slots=True)
class ExplainedListing:
    """sellable = min(sum of makeable, least units of a component) - buffer, at least 0 and at most `cap`.

    `tightest` is the component that allows the fewest units. `last_write` is the newest number written, with what was
    known then. `held_by_audit` are the likely causes of what the audit found of its SKUs: it is not raised meanwhile.
    """

    listing: ListingRow
    account_state: str
    components: tuple[ComponentTerm, ...]
    makeable: tuple[Makeable, ...]
    makeable_units: int
    tightest: str | None
    free_units: int
    buffer: int
    buffer_from: str
    cap: int | None
    cap_from: str | None
    sellable: int | None
    parked_line: bool
    last_write: DecisionRow | None
    held_by_audit: tuple[str, ...]


def explain_listing(connection: Connection, listing_id: int) -> ExplainedListing:
    (row,) = load_listings(connection, [listing_id])
    derived = load_stock(connection, [listing_id])[listing_id]
    terms = derived.number.terms
    stock = {each.sku_id: each for each in load_skus(connection, [term.sku_id for term in terms])}
    places = _pool_keys(connection, derived.account_id)
    holds = _held_back(connection, [term.sku_id for term in terms])
    unserved = _unserved(connection, [term.sku_id for term in terms])
    own = connection.execute(
        select(listing.c.buffer, listing.c.cap, account.c.state)
        .join(account, account.c.id == listing.c.account_id)
        .where(listing.c.id == listing_id)
    ).one()
    number = derived.number
    writes = list_decisions(connection, None, 1, kind="publication", listing_id=listing_id).rows
    return ExplainedListing(
        listing=row,
        account_state=own.state,
        components=tuple(
            _term(term, stock[term.sku_id], places, holds.get(term.sku_id, ()), unserved.get(term.sku_id, ()))
            for term in terms
        ),
        makeable=_makeable(terms, places),
        makeable_units=number.makeable,
        tightest=stock[number.bound_by].sku if number.bound_by is not None else None,
        free_units=number.free_units,
        buffer=number.buffer,
        buffer_from="account" if own.buffer is None else "listing",
        cap=number.cap,
        cap_from=None if number.cap is None else "account" if own.cap is None else "listing",
        sellable=number.quantity if derived.mapped else None,
        parked_line=derived.parked_line,
        last_write=writes[0] if writes else None,
        held_by_audit=tuple(
            f"{stock[each.sku_id].sku}, {each.rule}: {each.likely_cause}"
            for each in findings_of(connection, [term.sku_id for term in terms], MANY)
            if each.released_at is None
        ),
    )


def _term(
    term: ComponentStock,
    stock: SkuStock,
    places: Mapping[int, str],
    holds: Sequence[HeldBack],
    orders: Sequence[Unserved],
) -> ComponentTerm:
    available = sum(term.available.values())
    free = available - term.safety_stock - term.shortage - term.unseen
    return ComponentTerm(
        sku=stock.sku,
        each=term.units,
        levels=tuple(each for each in stock.levels if each.warehouse in places.values()),
        available=available,
        safety_stock=term.safety_stock,
        shortage=term.shortage,
        held=term.unseen,
        free=free,
        units=free // term.units,
        holds=tuple(holds),
        orders=tuple(orders),
    )


def _makeable(terms: Sequence[ComponentStock], places: Mapping[int, str]) -> tuple[Makeable, ...]:
    return tuple(
        Makeable(key, min(max(0, term.available.get(place, 0)) // term.units for term in terms))
        for place, key in places.items()
        if any(place in term.available for term in terms)
    )


def _pool_keys(connection: Connection, account_id: int) -> dict[int, str]:
    """Keys of the pool's warehouses by id, in the seller's order."""
    return {row.id: row.key for row in _pool(connection, account_id=account_id)}


@statement
def _pool(given: Given) -> Executable:
    return (
        select(warehouse.c.id, warehouse.c.key)
        .join(pool, pool.c.warehouse_id == warehouse.c.id)
        .where(pool.c.account_id == given.value("account_id", int))
        .order_by(pool.c.rank)
    )


def _held_back(connection: Connection, sku_ids: Sequence[int]) -> dict[int, list[HeldBack]]:
    found: dict[int, list[HeldBack]] = {}
    for row in _holds(connection, wanted=[(each,) for each in sku_ids]) if sku_ids else ():
        name = row.code or row.channel_sku
        held = HeldBack(name, row.key, row.quantity, row.quantity * row.units, row.kind, row.opened_at, row.expires_at)
        found.setdefault(row.sku_id, []).append(held)
    return found


@statement
def _holds(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int)
    return (
        select(listing_component.c.sku_id, listing_component.c.units, listing.c.code, listing.c.channel_sku)
        .add_columns(account.c.key, hold.c.quantity, hold.c.kind, hold.c.opened_at, hold.c.expires_at)
        .join(wanted, wanted.c.sku_id == listing_component.c.sku_id)
        .join(hold, hold.c.listing_id == listing_component.c.listing_id)
        .join(listing, listing.c.id == listing_component.c.listing_id)
        .join(account, account.c.id == listing.c.account_id)
        .where(hold.c.closed_at.is_(None), hold.c.quantity > 0)
        .order_by(hold.c.opened_at, hold.c.id)
        .limit(MANY)
    )


def _unserved(connection: Connection, sku_ids: Sequence[int]) -> dict[int, list[Unserved]]:
    found: dict[int, list[Unserved]] = {}
    for row in _shortages(connection, wanted=[(each,) for each in sku_ids]) if sku_ids else ():
        wants = Unserved(row.order_id, row.name, row.key, row.quantity, row.reason)
        found.setdefault(row.sku_id, []).append(wants)
    return found


@statement
def _shortages(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int)
    return (
        select(shortage.c.sku_id, shortage.c.quantity, shortage.c.reason, order_line.c.order_id)
        .add_columns(sales_order.c.name, account.c.key)
        .join(wanted, wanted.c.sku_id == shortage.c.sku_id)
        .join(order_line, order_line.c.id == shortage.c.order_line_id)
        .join(sales_order, sales_order.c.id == order_line.c.order_id)
        .join(account, account.c.id == sales_order.c.account_id)
        .where(shortage.c.closed_at.is_(None), shortage.c.quantity > 0)
        .order_by(shortage.c.opened_at, shortage.c.id)
        .limit(MANY)
    )
