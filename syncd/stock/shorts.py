"""Tell people of reserved units that are not there, and when they are again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, Executable, select

from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.statements import Given, statement
from syncd.db.tables import sku, warehouse
from syncd.stock.ledger import Level, LevelKey

KIND = "short"


def short_key(key: LevelKey) -> str:
    """The alert's key for a level."""
    return f"{KIND}:{key[1]}:{key[0]}"


def tell_shorts(connection: Connection, changed: Iterable[tuple[LevelKey, Level, Level, bool]], now: datetime) -> None:
    """Open an alert for every level that got short or shorter or less so, and close it where nothing is missing.

    Takes `Ledger.changed()`; belongs in every transaction that records a ledger.
    """
    moved = {key: after.short for key, before, after, _ in changed if before.short != after.short}
    short = {key: units for key, units in moved.items() if units}
    if short:
        names = _names(connection, list(short))
        open_alerts(connection, [_alert(key, units, *names[key]) for key, units in short.items()], now)
    close_alerts(connection, [short_key(key) for key, units in moved.items() if not units], now)


def _alert(key: LevelKey, units: int, code: str, warehouse_key: str) -> Alert:
    return Alert(
        short_key(key),
        KIND,
        f"{units} units",
        f"{units} reserved units of {code} are not in {warehouse_key}: find them, count again, or cancel what cannot"
        " be sent",
        warehouse_id=key[1],
        subject=code,
        units=units,
    )


def _names(connection: Connection, keys: list[LevelKey]) -> dict[LevelKey, tuple[str, str]]:
    return {(row.sku_id, row.warehouse_id): (row.code, row.key) for row in _named(connection, wanted=sorted(keys))}


@statement
def _named(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int, warehouse_id=int)
    return (
        select(sku.c.id.label("sku_id"), warehouse.c.id.label("warehouse_id"), sku.c.code, warehouse.c.key)
        .join(wanted, wanted.c.sku_id == sku.c.id)
        .join(warehouse, warehouse.c.id == wanted.c.warehouse_id)
    )
