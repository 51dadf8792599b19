"""Units promised where they are missing, which another warehouse of their account's pool has free.

Found in this checker's own words: what the daemon's replanning thinks of it is not asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, func, or_, select

from syncd.db.tables import (
    account,
    alert,
    level,
    line_component,
    movement,
    order_line,
    pool,
    reservation,
    sales_order,
    shipment_request,
    sku,
    warehouse,
)
from syncd.stock.shorts import short_key

_EVER: Final = datetime.min.replace(tzinfo=UTC)
_Place = tuple[int, int]
"""(sku_id, warehouse_id)"""


@dataclass(frozen=True, slots=True)
class Movable:
    """A line's units in a warehouse that is short of them; since `since` they could have been moved."""

    account: str
    order: str
    warehouse: str
    skus: frozenset[str]  # what the line is made of
    since: datetime


def read_movable(connection: Connection) -> list[Movable]:
    """Every line with units held where a piece of them is missing, and that another warehouse could make one of."""
    found: dict[tuple[int, int], Movable] = {}
    for row in connection.execute(_held_and_short()).all():
        parts = connection.execute(_parts_of(row.line_id)).all()
        since = _since(connection, row, [part.sku_id for part in parts])
        known = found.get((row.line_id, row.warehouse_id))
        if known is None or since < known.since:
            codes = frozenset(part.code for part in parts)
            found[(row.line_id, row.warehouse_id)] = Movable(row.account, row.name, row.warehouse, codes, since)
    return list(found.values())


def _held_and_short() -> Select[Any]:
    there = level.alias("there")
    free = func.coalesce(there.c.on_hand - there.c.unavailable - there.c.reserved, 0)
    lacks = (
        select(line_component.c.sku_id)
        .select_from(line_component)
        .outerjoin(there, and_(there.c.sku_id == line_component.c.sku_id, there.c.warehouse_id == pool.c.warehouse_id))
        .where(line_component.c.order_line_id == reservation.c.order_line_id, free < line_component.c.units)
        .correlate(reservation, pool)
    )
    return (
        select(
            reservation.c.order_line_id.label("line_id"),
            reservation.c.warehouse_id,
            pool.c.warehouse_id.label("elsewhere"),
            sales_order.c.id.label("order_id"),
            sales_order.c.name,
            account.c.key.label("account"),
            warehouse.c.key.label("warehouse"),
        )
        .distinct()
        .select_from(level)
        .join(
            reservation,
            and_(reservation.c.sku_id == level.c.sku_id, reservation.c.warehouse_id == level.c.warehouse_id),
        )
        .join(order_line, order_line.c.id == reservation.c.order_line_id)
        .join(sales_order, sales_order.c.id == order_line.c.order_id)
        .join(account, account.c.id == sales_order.c.account_id)
        .join(warehouse, warehouse.c.id == reservation.c.warehouse_id)
        .join(
            pool,
            and_(pool.c.account_id == sales_order.c.account_id, pool.c.warehouse_id != reservation.c.warehouse_id),
        )
        .where(level.c.short > 0, reservation.c.stage == "held", reservation.c.quantity > 0, ~lacks.exists())
    )


def _parts_of(line_id: int) -> Select[Any]:
    return (
        select(line_component.c.sku_id, sku.c.code)
        .join(sku, sku.c.id == line_component.c.sku_id)
        .where(line_component.c.order_line_id == line_id)
    )


def _since(connection: Connection, row: Row[Any], skus: Iterable[int]) -> datetime:
    """The last instant at which anything changed that the move depends on: since then it could be done."""
    instants = [connection.execute(_asked(row.order_id, row.warehouse_id)).scalar_one()]
    for sku_id in skus:
        here, elsewhere = (sku_id, row.warehouse_id), (sku_id, row.elsewhere)
        opened = select(func.max(alert.c.opened_at)).where(alert.c.key == short_key(here), alert.c.closed_at.is_(None))
        for question in (_recounted(here), _freed(elsewhere), opened):
            instants.append(connection.execute(question).scalar_one())
    return max((each for each in instants if each is not None), default=_EVER)


def _recounted(place: _Place) -> Select[Any]:
    """When its pieces last changed otherwise than by what had been reserved leaving."""
    more_than_reserved = movement.c.d_on_hand < movement.c.d_reserved
    changed = or_(movement.c.d_on_hand != 0, movement.c.d_unavailable != 0)
    return _last(place).where(changed, or_(movement.c.kind != "shipment", more_than_reserved))


def _freed(place: _Place) -> Select[Any]:
    return _last(place).where(movement.c.d_on_hand - movement.c.d_unavailable - movement.c.d_reserved > 0)


def _last(place: _Place) -> Select[Any]:
    return select(func.max(movement.c.at)).where(movement.c.sku_id == place[0], movement.c.warehouse_id == place[1])


def _asked(order_id: int, warehouse_id: int) -> Select[Any]:
    """When a warehouse last had to do with an order: what it was asked to send is not moved."""
    last = func.coalesce(
        shipment_request.c.settled_at, shipment_request.c.cancel_wanted_at, shipment_request.c.planned_at
    )
    return select(func.max(last)).where(
        shipment_request.c.order_id == order_id, shipment_request.c.warehouse_id == warehouse_id
    )
