"""The parcels of a shipment as rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from adapters.warehouse import Parcel
from syncd.db.rows import rows, selectable, upsert
from syncd.db.tables import parcel, parcel_content

_Key = tuple[str, str]
"""(carrier, tracking number); empty where the warehouse gives none."""


def record_parcels(connection: Connection, request_id: int, told: Sequence[Parcel]) -> None:
    """Insert or update the parcels of a request and what is in them; a second time changes nothing."""
    if not told:
        return
    known: dict[_Key, tuple[str | None, datetime | None]] = {}
    content: dict[_Key, Counter[str]] = {}
    for each in told:
        key = (_text(each.carrier or ""), _text(each.tracking_number or ""))
        url, shipped_at = known.get(key, (None, None))
        known[key] = (url or _text(each.tracking_url or "") or None, shipped_at or each.shipped_at)
        content.setdefault(key, Counter()).update({_text(code): n for code, n in each.pieces.items() if n > 0})
    ids = _upsert(connection, request_id, known)
    filled = [(ids[key], code, pieces) for key, inside in content.items() for code, pieces in sorted(inside.items())]
    if not filled:
        return
    columns = [("parcel_id", int), ("warehouse_sku", str), ("pieces", int)]
    source = rows(connection, "filled", columns, filled)
    statement = upsert(connection, parcel_content).from_select([name for name, _ in columns], selectable(source))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["parcel_id", "warehouse_sku"], set_={"pieces": statement.excluded.pieces}
        )
    )


def _text(told: str) -> str:
    """A text that every database can store."""
    return told.replace("\0", "")


def _upsert(
    connection: Connection, request_id: int, known: dict[_Key, tuple[str | None, datetime | None]]
) -> dict[_Key, int]:
    columns = [
        ("request_id", int),
        ("carrier", str),
        ("tracking_number", str),
        ("tracking_url", str),
        ("shipped_at", datetime),
    ]
    source = rows(connection, "told", columns, [(request_id, *key, *rest) for key, rest in sorted(known.items())])
    statement = upsert(connection, parcel).from_select([name for name, _ in columns], selectable(source))
    found = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["request_id", "carrier", "tracking_number"],
            set_={"tracking_url": statement.excluded.tracking_url, "shipped_at": statement.excluded.shipped_at},
        ).returning(parcel.c.id, parcel.c.carrier, parcel.c.tracking_number)
    )
    return {(row.carrier, row.tracking_number): row.id for row in found}
