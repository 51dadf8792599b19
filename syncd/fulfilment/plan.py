"""Decide what an outside warehouse is asked to ship: one request an order, for all that is reserved there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, func, insert, not_, select

from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.catalogue.codes import codes_of
from syncd.db.lease import Lease, guard
from syncd.db.rows import insert_rows, rows
from syncd.db.tables import (
    account,
    order_line,
    recipient,
    reservation,
    sales_order,
    shipment_request,
    shipment_request_line,
    warehouse_item,
)
from syncd.fulfilment import alerts
from syncd.orders.book import AccountView, OrderBook
from syncd.orders.change import OrderChange
from syncd.orders.store.cover_rows import record_covers
from syncd.orders.store.load import load_books, load_order_keys

_TOLD_AFTER: Final = timedelta(hours=1)
_WAITING: Final = 500


@dataclass(frozen=True, slots=True)
class Outside:
    """A warehouse that ships for us, and who may act for it."""

    warehouse_id: int
    key: str
    views: Mapping[int, AccountView]


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is to plan for a warehouse, and to tell."""

    ready: tuple[int, ...]  # orders
    opening: tuple[Alert, ...]
    closing: tuple[str, ...]


def survey(connection: Connection, place: Outside, grace_s: float, limit: int, now: datetime) -> Survey:
    """Orders whose goods there can be sent now, oldest first, and what became of alerts. Only reads.

    Left out are orders younger than the grace period, ones in review, tests, and those that the warehouse has refused.
    """
    due = _due(place, now - timedelta(seconds=grace_s)).order_by(sales_order.c.id)
    ready = connection.execute(due.where(_has_address()).limit(limit))
    lacking = {
        alerts.alert_key(alerts.WAITS, place.warehouse_id, row.id): row
        for row in connection.execute(
            due.where(not_(_has_address()), sales_order.c.first_applied_at <= now - _TOLD_AFTER).limit(_WAITING)
        )
    }
    told = alerts.open_waits(connection, place.warehouse_id)
    return Survey(
        tuple(row.id for row in ready),
        tuple(
            alerts.waits(place.warehouse_id, place.key, row.id, row.name, row.account_id)
            for key, row in lacking.items()
            if key not in told
        ),
        (*sorted(told - lacking.keys()), *alerts.outdated(connection, place.warehouse_id, now)),
    )


def plan_shipments(
    connection: Connection, lease: Lease, place: Outside, found: Survey, grace_s: float, now: datetime
) -> int:
    """Plan the requests of orders that are still ready; how many. Their units count as submitted from here on."""
    guard(connection, lease)
    books = load_books(connection, load_order_keys(connection, found.ready))
    ids = [book.order_id for book in books.values() if book.order_id is not None]
    due = _due(place, now - timedelta(seconds=grace_s)).where(_has_address(), sales_order.c.id.in_(ids))
    still = {row.id for row in connection.execute(due)}
    planned = [book for book in books.values() if book.order_id in still]
    _record(connection, place, planned, now)
    open_alerts(connection, found.opening, now)
    close_alerts(connection, found.closing, now)
    return len(planned)


def _due(place: Outside, applied_before: datetime) -> Select[Any]:
    asked = select(1).where(
        shipment_request.c.order_id == sales_order.c.id,
        shipment_request.c.warehouse_id == place.warehouse_id,
        shipment_request.c.state.in_(("planned", "submitted", "accepted", "refused")),
    )
    held = (
        select(1)
        .select_from(reservation)
        .join(order_line, order_line.c.id == reservation.c.order_line_id)
        .where(
            order_line.c.order_id == sales_order.c.id,
            reservation.c.warehouse_id == place.warehouse_id,
            reservation.c.stage == "held",
            reservation.c.quantity > 0,
        )
    )
    return (
        select(sales_order.c.id, sales_order.c.name, sales_order.c.account_id, sales_order.c.first_applied_at)
        .join(account, and_(account.c.id == sales_order.c.account_id, account.c.state == "live"))
        .outerjoin(recipient, recipient.c.order_id == sales_order.c.id)
        .where(
            sales_order.c.state == "open",
            sales_order.c.review.is_(None),
            sales_order.c.test == 0,
            sales_order.c.first_applied_at <= applied_before,
            sales_order.c.account_id.in_(sorted(place.views)),
            held.exists(),
            ~asked.exists(),
        )
    )


def _has_address() -> Any:
    parts = (recipient.c.name, recipient.c.street, recipient.c.country)
    return and_(*(func.coalesce(part, "") != "" for part in parts))


def _record(connection: Connection, place: Outside, books: Sequence[OrderBook], now: datetime) -> None:
    if not books:
        return
    before = _requests_before(connection, books)
    lines: list[tuple[int, int | None, int, int]] = []
    for book in books:
        number = before.get(book.order_id or 0, 0) + 1
        made = connection.execute(
            insert(shipment_request).values(
                warehouse_id=place.warehouse_id,
                order_id=book.order_id,
                reference=f"syncd-{book.order_id}-{number}",
                planned_at=now,
            )
        )
        assert made.inserted_primary_key is not None
        for line in book.lines.values():
            units = line.untold(place.warehouse_id)
            line.hand_over(place.warehouse_id, units)
            parts = line.components if units else ()
            lines += [(made.inserted_primary_key[0], line.line_id, sku_id, units * pieces) for sku_id, pieces in parts]
    codes = _codes(connection, place, {sku_id for _, _, sku_id, _ in lines})
    insert_rows(
        connection,
        shipment_request_line,
        [("request_id", int), ("order_line_id", int), ("sku_id", int), ("pieces", int), ("warehouse_sku", str)],
        [(*line, codes[line[2]]) for line in lines],
    )
    record_covers(connection, [OrderChange(book, None, None, is_new=False) for book in books], now)


def _requests_before(connection: Connection, books: Sequence[OrderBook]) -> dict[int, int]:
    wanted = rows(connection, "wanted", [("id", int)], [(book.order_id,) for book in books])
    found = connection.execute(
        select(shipment_request.c.order_id, func.count())
        .join(wanted, wanted.c.id == shipment_request.c.order_id)
        .group_by(shipment_request.c.order_id)
    )
    return {order_id: int(n) for order_id, n in found}


def _codes(connection: Connection, place: Outside, sku_ids: Collection[int]) -> dict[int, str]:
    """How the warehouse calls each SKU: as its snapshots do, else as we do."""
    wanted = rows(connection, "wanted", [("id", int)], [(sku_id,) for sku_id in sorted(sku_ids)])
    found = connection.execute(
        select(warehouse_item.c.sku_id, warehouse_item.c.warehouse_sku)
        .join(wanted, wanted.c.id == warehouse_item.c.sku_id)
        .where(warehouse_item.c.warehouse_id == place.warehouse_id, warehouse_item.c.warehouse_sku.is_not(None))
    )
    return codes_of(connection, sku_ids) | {row.sku_id: row.warehouse_sku for row in found}
