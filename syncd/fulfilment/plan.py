"""Decide what an outside warehouse is asked to ship: one request an order, for all that is reserved there."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, Executable, func, select

from syncd.alerts.store import close_alerts, open_alerts
from syncd.catalogue.codes import codes_of
from syncd.db.lease import Lease, guard
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import account, shipment_request, shipment_request_line, warehouse_item
from syncd.fulfilment.survey import Outside, Survey, still_ready
from syncd.orders.book import OrderBook
from syncd.orders.change import OrderChange
from syncd.orders.store.cover_rows import record_covers
from syncd.orders.store.load import load_books, load_order_keys


def plan_shipments(
    connection: Connection, lease: Lease, place: Outside, found: Survey, grace_s: float, now: datetime
) -> int:
    """Plan the requests of orders that are still ready; how many. Their units count as submitted from here on."""
    guard(connection, lease)
    books = load_books(connection, load_order_keys(connection, found.ready))
    ids = [book.order_id for book in books.values() if book.order_id is not None]
    still = still_ready(connection, place, grace_s, ids, now)
    planned = [book for book in books.values() if book.order_id in still]
    _record(connection, place, planned, now)
    open_alerts(connection, found.opening, now)
    close_alerts(connection, found.closing, now)
    return len(planned)


def _record(connection: Connection, place: Outside, books: Sequence[OrderBook], now: datetime) -> None:
    if not books:
        return
    requests = _insert_requests(connection, place, books, now)
    lines: list[tuple[int, int | None, int, int]] = []
    for book in books:
        for line in book.lines.values():
            units = line.untold(place.warehouse_id)
            line.hand_over(place.warehouse_id, units)
            parts = line.components if units else ()
            lines += [(requests[book.order_id], line.line_id, sku_id, units * pieces) for sku_id, pieces in parts]
    codes = _codes(connection, place, {sku_id for _, _, sku_id, _ in lines})
    insert_rows(
        connection,
        shipment_request_line,
        [("request_id", int), ("order_line_id", int), ("sku_id", int), ("pieces", int), ("warehouse_sku", str)],
        [(*line, codes[line[2]]) for line in lines],
    )
    record_covers(connection, [OrderChange(book, None, None, is_new=False) for book in books], now)


def _insert_requests(
    connection: Connection, place: Outside, books: Sequence[OrderBook], now: datetime
) -> dict[int | None, int]:
    """A new request for each order; their ids by order."""
    here = installation_of(connection)
    before = _requests_before(connection, books)
    numbers = [(book.order_id, before.get(book.order_id or 0, 0) + 1) for book in books]
    made = [(place.warehouse_id, order_id, reference_of(here, order_id, number), now) for order_id, number in numbers]
    return {row.order_id: row.id for row in _insert(connection, made=made)}


@statement
def _insert(given: Given) -> Executable:
    made = given.rows("made", warehouse_id=int, order_id=int, reference=str, planned_at=datetime)
    return given.insert(shipment_request, made).returning(shipment_request.c.id, shipment_request.c.order_id)


def reference_of(installation: str, order_id: int | None, number: int) -> str:
    """How a warehouse is to call the `number`th request of an order: the same name is never used for anything else."""
    return f"syncd-{installation}-{order_id}-{number}"


def installation_of(connection: Connection) -> str:
    """What tells this database from others that ask the same warehouse: made of the moment its first account came."""
    first = _first_account(connection).one()
    return hashlib.sha256(f"{first.key} {first.added_at.isoformat()}".encode()).hexdigest()[:6]


@statement
def _first_account(given: Given) -> Executable:
    return select(account.c.key, account.c.added_at).order_by(account.c.id).limit(1)


def _requests_before(connection: Connection, books: Sequence[OrderBook]) -> dict[int, int]:
    found = _count_requests(connection, wanted=[(book.order_id,) for book in books])
    return {order_id: int(n) for order_id, n in found}


@statement
def _count_requests(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(shipment_request.c.order_id, func.count())
        .join(wanted, wanted.c.id == shipment_request.c.order_id)
        .group_by(shipment_request.c.order_id)
    )


def _codes(connection: Connection, place: Outside, sku_ids: Collection[int]) -> dict[int, str]:
    """How the warehouse calls each SKU: as its snapshots do, else as we do."""
    found = _own_codes(connection, wanted=[(sku_id,) for sku_id in sorted(sku_ids)], warehouse_id=place.warehouse_id)
    return codes_of(connection, sku_ids) | {row.sku_id: row.warehouse_sku for row in found}


@statement
def _own_codes(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    here = warehouse_item.c.warehouse_id == given.value("warehouse_id", int)
    return (
        select(warehouse_item.c.sku_id, warehouse_item.c.warehouse_sku)
        .join(wanted, wanted.c.id == warehouse_item.c.sku_id)
        .where(here, warehouse_item.c.warehouse_sku.is_not(None))
    )
