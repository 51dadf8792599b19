"""Up to when a warehouse has been heard."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Executable, func, select

from syncd.db.statements import Given, statement
from syncd.db.tables import shipment_request, warehouse_cursor

SHIPMENTS: Final = "shipments"
STOCK: Final = "stock"


def heard_to(connection: Connection, warehouse_id: int, stream: str) -> datetime | None:
    return _heard_to(connection, warehouse_id=warehouse_id, stream=stream).scalar_one_or_none()


@statement
def _heard_to(given: Given) -> Executable:
    mine = warehouse_cursor.c.warehouse_id == given.value("warehouse_id", int)
    return select(warehouse_cursor.c.polled_to).where(mine, warehouse_cursor.c.stream == given.value("stream", str))


def shipments_since(connection: Connection, warehouse_id: int) -> datetime | None:
    """From when on shipments are to be polled: the last poll, else the oldest request; None when there is nothing."""
    return (
        heard_to(connection, warehouse_id, SHIPMENTS)
        or _first_planned(connection, warehouse_id=warehouse_id).scalar_one_or_none()
    )


@statement
def _first_planned(given: Given) -> Executable:
    first = func.min(shipment_request.c.planned_at, type_=shipment_request.c.planned_at.type)
    return select(first).where(shipment_request.c.warehouse_id == given.value("warehouse_id", int))


def move_cursor(connection: Connection, warehouse_id: int, stream: str, polled_to: datetime, now: datetime) -> None:
    """Note that everything up to an instant has been booked."""
    _move(connection, heard=[(warehouse_id, stream, polled_to, now)])


@statement
def _move(given: Given) -> Executable:
    heard = given.rows("heard", warehouse_id=int, stream=str, polled_to=datetime, moved_at=datetime)
    new = given.insert(warehouse_cursor, heard)
    return new.on_conflict_do_update(
        index_elements=["warehouse_id", "stream"],
        set_={"polled_to": new.excluded.polled_to, "moved_at": new.excluded.moved_at},
    )
