"""Load what a listing's number is derived from: components, levels over the pool, shortages, holds, cells."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Executable, Row, Select, and_, func, literal_column, select

from syncd.db.statements import Given, statement
from syncd.db.tables import (
    account,
    cell,
    dirty_listing,
    hold,
    level,
    listing,
    listing_component,
    order_line,
    pool,
    shortage,
    sku,
    warehouse,
    warehouse_cursor,
)
from syncd.publishing.cells import Cell
from syncd.publishing.sellable import ComponentStock, Sellable, sellable


@dataclass(frozen=True, slots=True)
class ListingStock:
    """A listing with its number derived."""

    listing_id: int
    account_id: int
    channel_sku: str
    channel_location: str
    unwritable: str | None
    mapped: bool
    parked_line: bool
    number: Sellable


def load_stock(connection: Connection, listing_ids: Sequence[int]) -> dict[int, ListingStock]:
    """These listings with what they may show now, in five statements however many they are."""
    if not listing_ids:
        return {}
    ids = [(listing_id,) for listing_id in sorted(set(listing_ids))]
    heads = _heads(connection, wanted=ids).all()
    parts: dict[int, list[tuple[int, int, int]]] = {}
    for listing_id, sku_id, units, safety_stock in _components(connection, wanted=ids):
        parts.setdefault(listing_id, []).append((sku_id, units, safety_stock))
    skus = sorted({sku_id for each in parts.values() for sku_id, _, _ in each})
    # What lowers a number is read before what raises it: whatever is committed in between errs on the low side.
    unseen = _unseen(connection, skus)
    short = _shortages(connection, skus)
    available = _available(connection, skus, sorted({account_id for _, account_id, *_ in heads}))
    parked = set(_parked(connection, wanted=ids).scalars())
    stock = {}
    for listing_id, account_id, channel_sku, channel_location, unwritable, buffer, cap in heads:
        components = tuple(
            [
                ComponentStock(
                    sku_id,
                    units,
                    available.get((account_id, sku_id), _NOWHERE),
                    safety_stock,
                    short.get(sku_id, 0),
                    unseen.get(sku_id, 0),
                )
                for sku_id, units, safety_stock in parts.get(listing_id, ())
            ]
        )
        stock[listing_id] = ListingStock(
            listing_id,
            account_id,
            channel_sku,
            channel_location,
            unwritable,
            bool(components),
            listing_id in parked,
            sellable(components, buffer, cap),
        )
    return stock


_NOWHERE: Final[Mapping[int, int]] = {}


@statement
def _heads(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(
            listing.c.id,
            listing.c.account_id,
            listing.c.channel_sku,
            listing.c.channel_location,
            listing.c.unwritable,
            func.coalesce(listing.c.buffer, account.c.buffer),
            func.coalesce(listing.c.cap, account.c.cap),
        )
        .join(wanted, wanted.c.id == listing.c.id)
        .join(account, account.c.id == listing.c.account_id)
    )


@statement
def _components(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(
            listing_component.c.listing_id, listing_component.c.sku_id, listing_component.c.units, sku.c.safety_stock
        )
        .join(wanted, wanted.c.id == listing_component.c.listing_id)
        .join(sku, sku.c.id == listing_component.c.sku_id)
        .order_by(listing_component.c.listing_id, listing_component.c.sku_id)
    )


def _available(
    connection: Connection, skus: Sequence[int], accounts: Sequence[int]
) -> dict[tuple[int, int], dict[int, int]]:
    if not skus:
        return {}
    by_account: dict[tuple[int, int], dict[int, int]] = {}
    found = _levels(connection, wanted=[(sku_id,) for sku_id in skus], accounts=[(each,) for each in accounts])
    for account_id, sku_id, warehouse_id, available in found:
        key = account_id, sku_id
        if key in by_account:
            by_account[key][warehouse_id] = available
        else:
            by_account[key] = {warehouse_id: available}
    return by_account


@statement
def _levels(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int)
    accounts = given.rows("accounts", id=int)
    return (
        select(
            pool.c.account_id,
            level.c.sku_id,
            level.c.warehouse_id,
            (level.c.on_hand - level.c.unavailable - level.c.reserved).label("available"),
        )
        .join(wanted, wanted.c.sku_id == level.c.sku_id)
        .join(pool, and_(pool.c.warehouse_id == level.c.warehouse_id, pool.c.account_id.in_(select(accounts.c.id))))
    )


def _shortages(connection: Connection, skus: Sequence[int]) -> dict[int, int]:
    found = _open_shortages(connection, wanted=[(sku_id,) for sku_id in skus]) if skus else ()
    return {sku_id: int(quantity) for sku_id, quantity in found}


@statement
def _open_shortages(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int)
    return (
        select(shortage.c.sku_id, func.sum(shortage.c.quantity))
        .join(wanted, wanted.c.sku_id == shortage.c.sku_id)
        .where(shortage.c.closed_at.is_(None))
        .group_by(shortage.c.sku_id)
    )


def _unseen(connection: Connection, skus: Sequence[int]) -> dict[int, int]:
    """Pieces held for every component, over all listings it is part of."""
    found = _held_pieces(connection, wanted=[(sku_id,) for sku_id in skus]) if skus else ()
    return {sku_id: int(quantity) for sku_id, quantity in found}


@statement
def _held_pieces(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int)
    return (
        select(listing_component.c.sku_id, func.sum(hold.c.quantity * listing_component.c.units))
        .join(wanted, wanted.c.sku_id == listing_component.c.sku_id)
        .join(hold, and_(hold.c.listing_id == listing_component.c.listing_id, hold.c.closed_at.is_(None)))
        .group_by(listing_component.c.sku_id)
    )


@statement
def _parked(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(order_line.c.listing_id)
        .join(wanted, wanted.c.id == order_line.c.listing_id)
        .where(order_line.c.parked.is_not(None))
        .distinct()
    )


def to_cell(row: Row[Any]) -> Cell:
    return Cell(
        listing_id=row.listing_id,
        name=row.name,
        anchor_value=row.anchor_value,
        anchor_lo_at=row.anchor_lo_at,
        anchor_hi_at=row.anchor_hi_at,
        certified=bool(row.certified),
        sold_hi=row.sold_hi,
        sold_lo=row.sold_lo,
        must_read=bool(row.must_read),
        not_before_read_at=row.not_before_read_at,
        in_flight_key=row.in_flight_key,
        in_flight_value=row.in_flight_value,
        in_flight_sold_hi=row.in_flight_sold_hi,
        in_flight_sold_lo=row.in_flight_sold_lo,
        unknown_value=row.unknown_value,
        unknown_until=row.unknown_until,
        unknown_sold_hi=row.unknown_sold_hi,
        unknown_sold_lo=row.unknown_sold_lo,
        expired_hold=row.expired_hold,
        published=row.published,
        unknown_from_at=row.unknown_from_at,
        unheeded=row.unheeded,
        unheeded_at=row.unheeded_at,
        anchor_written=bool(row.anchor_written),
        verify_at=row.verify_at,
        last_read_at=row.last_read_at,
    )


def load_cells(connection: Connection, listing_ids: Sequence[int]) -> dict[tuple[int, str], Cell]:
    """The cells of these listings, locked until the transaction ends."""
    found = _load_cells(connection, wanted=[(i,) for i in sorted(set(listing_ids))]) if listing_ids else ()
    return {(row.listing_id, row.name): to_cell(row) for row in found}


def lock_cells(connection: Connection, listing_ids: Sequence[int]) -> None:
    """Lock the cells of these listings until the transaction ends. SQLite's one writer holds them already."""
    if listing_ids and connection.dialect.name != "sqlite":
        _lock_cells(connection, wanted=[(i,) for i in sorted(set(listing_ids))])


@statement
def _load_cells(given: Given) -> Executable:
    return _locked(given, select(cell))


@statement
def _lock_cells(given: Given) -> Executable:
    return _locked(given, select(literal_column("1")).select_from(cell))


def _locked(given: Given, cells: Select[Any]) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        cells.join(wanted, wanted.c.id == cell.c.listing_id)
        .order_by(cell.c.listing_id, cell.c.name)
        .with_for_update(of=cell)
    )


@dataclass(frozen=True, slots=True)
class Dirty:
    listing_id: int
    version: int
    since_at: datetime | None


def load_due(
    connection: Connection, account_id: int, now: datetime, limit: int, among: Collection[int] | None = None
) -> list[Dirty]:
    """Dirty listings whose turn it is: those that a sale caused first, then the oldest; only of `among` if given."""
    if among is None:
        found = _due(connection, account_id=account_id, now=now, limit=limit)
    else:
        wanted = [(i,) for i in sorted(among)]
        found = _due_among(connection, account_id=account_id, now=now, limit=limit, wanted=wanted)
    return [Dirty(*row) for row in found]


def _select_due(given: Given) -> Select[Any]:
    return (
        select(dirty_listing.c.listing_id, dirty_listing.c.version, dirty_listing.c.since_at)
        .where(dirty_listing.c.account_id == given.value("account_id", int))
        .where(dirty_listing.c.due_at <= given.value("now", datetime))
        .order_by(dirty_listing.c.urgency, dirty_listing.c.due_at, dirty_listing.c.listing_id)
        .limit(given.value("limit", int))
    )


_due = statement(_select_due)


@statement
def _due_among(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return _select_due(given).where(dirty_listing.c.listing_id.in_(select(wanted.c.id)))


def stale_warehouses(connection: Connection, account_id: int, before: datetime) -> list[str]:
    """Keys of the pool's warehouses with an API whose last complete levels speak of an instant before this."""
    return list(_stale_warehouses(connection, account_id=account_id, before=before).scalars())


@statement
def _stale_warehouses(given: Given) -> Executable:
    mine = and_(pool.c.warehouse_id == warehouse.c.id, pool.c.account_id == given.value("account_id", int))
    return (
        select(warehouse.c.key)
        .join(pool, mine)
        .join(
            warehouse_cursor,
            and_(warehouse_cursor.c.warehouse_id == warehouse.c.id, warehouse_cursor.c.stream == "stock"),
        )
        .where(warehouse_cursor.c.polled_to < given.value("before", datetime))
        .order_by(warehouse.c.key)
    )
