"""The parcels of a shipment as rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Executable

from adapters.warehouse import Parcel
from syncd.db.statements import Given, statement
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
    if filled:
        _fill(connection, filled=filled)


@statement
def _fill(given: Given) -> Executable:
    new = given.insert(parcel_content, given.rows("filled", parcel_id=int, warehouse_sku=str, pieces=int))
    return new.on_conflict_do_update(
        index_elements=["parcel_id", "warehouse_sku"], set_={"pieces": new.excluded.pieces}
    )


def _text(told: str) -> str:
    """A text that every database can store."""
    return told.replace("\0", "")


def _upsert(
    connection: Connection, request_id: int, known: dict[_Key, tuple[str | None, datetime | None]]
) -> dict[_Key, int]:
    told = [(request_id, *key, *rest) for key, rest in sorted(known.items())]
    return {(row.carrier, row.tracking_number): row.id for row in _upsert_parcels(connection, told=told)}


@statement
def _upsert_parcels(given: Given) -> Executable:
    told = given.rows("told", request_id=int, carrier=str, tracking_number=str, tracking_url=str, shipped_at=datetime)
    new = given.insert(parcel, told)
    return new.on_conflict_do_update(
        index_elements=["request_id", "carrier", "tracking_number"],
        set_={"tracking_url": new.excluded.tracking_url, "shipped_at": new.excluded.shipped_at},
    ).returning(parcel.c.id, parcel.c.carrier, parcel.c.tracking_number)
