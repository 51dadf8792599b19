"""Load, under lock, what applying orders must know."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, Executable, select, union_all

from syncd.db.locks import lock_orders
from syncd.db.statements import Given, statement
from syncd.db.tables import (
    line_component,
    listing,
    order_line,
    reservation,
    sales_order,
    shipment_request,
    shortage,
)
from syncd.orders.book import LineBook, OrderBook, OrderStanding, ShortageReason, Stage

OrderKey = tuple[int, str]
"""(account_id, channel_order_id)"""


def load_books(connection: Connection, keys: Collection[OrderKey]) -> dict[OrderKey, OrderBook]:
    """The orders we already have among these, with their lines, locked until the transaction ends."""
    books: dict[OrderKey, OrderBook] = {}
    by_id: dict[int, OrderBook] = {}
    for found in lock_orders(connection, keys):
        book = OrderBook(
            account_id=found.account_id,
            channel_order_id=found.channel_order_id,
            order_id=found.id,
            version_at=found.version_at,
            digest=found.digest,
            way=found.way,
            country=found.country,
            postcode_prefix=found.postcode_prefix,
            applications=found.applications,
            standing=OrderStanding(found.state),
        )
        books[(found.account_id, found.channel_order_id)] = by_id[found.id] = book
    _load_lines(connection, by_id)
    _load_planned(connection, by_id)
    return books


def load_order_keys(connection: Connection, order_ids: Iterable[int]) -> list[OrderKey]:
    found = _order_keys(connection, wanted=[(i,) for i in sorted(set(order_ids))])
    return [(account_id, channel_order_id) for account_id, channel_order_id in found]


@statement
def _order_keys(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return select(sales_order.c.account_id, sales_order.c.channel_order_id).join(
        wanted, sales_order.c.id == wanted.c.id
    )


def _load_lines(connection: Connection, by_id: dict[int, OrderBook]) -> None:
    if not by_id:
        return
    lines: dict[int, LineBook] = {}
    for found in _lines_of(connection, wanted=[(order_id,) for order_id in sorted(by_id)]):
        line = LineBook(
            channel_line_id=found.channel_line_id,
            placed_at=found.placed_at,
            line_id=found.id,
            line_key=found.line_key,
            code=found.code,
            listing_id=found.listing_id,
            back_orderable=bool(found.back_orderable),
            quantity=found.quantity,
            fulfilled=found.fulfilled,
            shipped=found.shipped,
            taken_min=found.taken_min,
            taken_max=found.taken_max,
            oversold=found.oversold,
            by_channel=bool(found.by_channel),
            parked=found.parked,
            unit_price_minor=found.unit_price_minor,
            currency=found.currency,
        )
        lines[found.id] = by_id[found.order_id].lines[found.channel_line_id] = line
    _load_covers(connection, lines)


@statement
def _lines_of(given: Given) -> Executable:
    wanted = given.rows("wanted", order_id=int)
    return (
        select(order_line, listing.c.back_orderable)
        .join(wanted, order_line.c.order_id == wanted.c.order_id)
        .outerjoin(listing, listing.c.id == order_line.c.listing_id)
    )


def _load_covers(connection: Connection, lines: dict[int, LineBook]) -> None:
    wanted = [(line_id,) for line_id in sorted(lines)]
    for part in _components_of(connection, wanted=wanted):
        line = lines[part.order_line_id]
        line.components = (*line.components, (part.sku_id, part.units))
    for row in _reservations_of(connection, wanted=wanted):
        line = lines[row.order_line_id]
        first_sku, units = line.components[0]
        if row.sku_id == first_sku:
            place = line.shipped_from if row.stage == "shipped" else line.held
            place[row.warehouse_id] = place.get(row.warehouse_id, 0) + row.quantity // units
            if row.stage in (Stage.SUBMITTED, Stage.ACCEPTED) and row.quantity:
                line.handed_over[(row.warehouse_id, Stage(row.stage))] = row.quantity // units
    for row in _open_shortages_of(connection, wanted=wanted):
        line = lines[row.order_line_id]
        units = dict(line.components).get(row.sku_id, 1)
        line.short = row.quantity // units
        line.short_reason = ShortageReason(row.reason)


@statement
def _components_of(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(line_component)
        .join(wanted, line_component.c.order_line_id == wanted.c.id)
        .order_by(line_component.c.order_line_id, line_component.c.sku_id)
    )


@statement
def _reservations_of(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return select(reservation).join(wanted, reservation.c.order_line_id == wanted.c.id)


@statement
def _open_shortages_of(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    of_these = select(shortage).where(shortage.c.order_line_id.in_(select(wanted.c.id)), shortage.c.closed_at.is_(None))
    # With a SKU and without: each kind has a partial index of its own, and SQLite reads every open shortage otherwise.
    return union_all(of_these.where(shortage.c.sku_id.is_not(None)), of_these.where(shortage.c.sku_id.is_(None)))


def _load_planned(connection: Connection, by_id: dict[int, OrderBook]) -> None:
    asked = [
        (order_id,)
        for order_id, book in sorted(by_id.items())
        if any(stage is Stage.SUBMITTED for line in book.lines.values() for _, stage in line.handed_over)
    ]
    for order_id, warehouse_id in _planned(connection, asked=asked) if asked else ():
        by_id[order_id].planned.add(warehouse_id)


@statement
def _planned(given: Given) -> Executable:
    asked = given.rows("asked", order_id=int)
    return (
        select(shipment_request.c.order_id, shipment_request.c.warehouse_id)
        .join(asked, asked.c.order_id == shipment_request.c.order_id)
        .where(shipment_request.c.state == "planned")
    )
