"""Up to when a warehouse has been heard."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from syncd.db.rows import rows, selectable, upsert
from syncd.db.tables import shipment_request, warehouse_cursor

SHIPMENTS: Final = "shipments"
STOCK: Final = "stock"


def heard_to(connection: Connection, warehouse_id: int, stream: str) -> datetime | None:
    return connection.execute(
        select(warehouse_cursor.c.polled_to).where(
            warehouse_cursor.c.warehouse_id == warehouse_id, warehouse_cursor.c.stream == stream
        )
    ).scalar_one_or_none()


def shipments_since(connection: Connection, warehouse_id: int) -> datetime | None:
    """From when on shipments are to be polled: the last poll, else the oldest request; None when there is nothing."""
    return (
        heard_to(connection, warehouse_id, SHIPMENTS)
        or connection.execute(
            select(func.min(shipment_request.c.planned_at, type_=shipment_request.c.planned_at.type)).where(
                shipment_request.c.warehouse_id == warehouse_id
            )
        ).scalar_one_or_none()
    )


def move_cursor(connection: Connection, warehouse_id: int, stream: str, polled_to: datetime, now: datetime) -> None:
    """Note that everything up to an instant has been booked."""
    columns = [("warehouse_id", int), ("stream", str), ("polled_to", datetime), ("moved_at", datetime)]
    source = rows(connection, "heard", columns, [(warehouse_id, stream, polled_to, now)])
    statement = upsert(connection, warehouse_cursor).from_select([name for name, _ in columns], selectable(source))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["warehouse_id", "stream"],
            set_={"polled_to": statement.excluded.polled_to, "moved_at": statement.excluded.moved_at},
        )
    )
