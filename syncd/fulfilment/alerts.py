"""What people are told of shipments from outside warehouses. Keys name warehouse and order; no buyer's data."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Executable, select

from syncd.alerts.store import Alert
from syncd.db.statements import Given, constant, statement
from syncd.db.tables import alert, shipment_request

WAITS: Final = "shipment_waits"
REFUSED: Final = "shipment_refused"
EXCEPTION: Final = "shipment_exception"
TOO_LATE: Final = "shipment_too_late"
BACKLOG: Final = "orders_not_sent"
_KINDS: Final = (WAITS, REFUSED, EXCEPTION, TOO_LATE, BACKLOG)

BY_ITSELF: Final = "it has cancelled the shipment by itself"

_TOLD_DAYS: Final = 7
_OTHERWISE: Final = "or send it from elsewhere and mark it fulfilled at the channel, or cancel it there"


def alert_key(kind: str, warehouse_id: int, order_id: int) -> str:
    return f"{kind}:{warehouse_id}:{order_id}"


def waits(warehouse_id: int, warehouse: str, order_id: int, name: str, account_id: int) -> Alert:
    message = (
        f"order {name} cannot be sent by {warehouse}: its recipient has no name, street or country."
        f" When it is paid, complete the address at the channel, {_OTHERWISE}"
    )
    key = alert_key(WAITS, warehouse_id, order_id)
    return Alert(key, WAITS, "the order is not sent", message, account_id, warehouse_id, name, orders=1)


def refused(warehouse_id: int, warehouse: str, order_id: int, name: str, account_id: int, reason: str) -> Alert:
    message = (
        f"{warehouse} will not send order {name}: {reason}. It is not asked again: send it by hand there, {_OTHERWISE}"
    )
    key = alert_key(REFUSED, warehouse_id, order_id)
    return Alert(key, REFUSED, "the order is not sent", message, account_id, warehouse_id, name, reason, orders=1)


def exception(warehouse_id: int, warehouse: str, order_id: int, name: str, account_id: int, reason: str) -> Alert:
    message = f"{warehouse} is held up with order {name}: {reason}. Its units stay reserved; act at the warehouse"
    key = alert_key(EXCEPTION, warehouse_id, order_id)
    return Alert(key, EXCEPTION, "the order is late", message, account_id, warehouse_id, name, reason, orders=1)


def too_late(warehouse_id: int, warehouse: str, order_id: int, name: str, account_id: int, reason: str) -> Alert:
    message = (
        f"goods of order {name} that are not to be sent leave {warehouse} or have left it: {reason}."
        " Ask the warehouse to hold the parcel, or expect it back"
    )
    impact = "goods leave that nobody wants"
    key = alert_key(TOO_LATE, warehouse_id, order_id)
    return Alert(key, TOO_LATE, impact, message, account_id, warehouse_id, name, reason, orders=1)


def backlog(warehouse_id: int, warehouse: str, account_id: int, account: str, orders: int) -> Alert:
    message = (
        f"{orders} orders of {account} from before it went live hold goods at {warehouse}, which is not asked to send"
        " them: whatever sent orders until then may have sent these. Send the rest as before, and mark them fulfilled"
        " at the channel"
    )
    impact = f"{orders} orders are left to you"
    key = f"{BACKLOG}:{warehouse_id}:{account_id}"
    return Alert(key, BACKLOG, impact, message, account_id, warehouse_id, account, orders=orders)


def outdated(connection: Connection, warehouse_id: int, opened: Collection[str], now: datetime) -> list[str]:
    """Of these open alerts those nobody needs to act on any more: delays of what is over, parcels long gone."""
    told = of_kinds(opened, EXCEPTION, TOO_LATE)
    if not told:
        return []
    orders = sorted({_order_of(key) for key in told})
    found = _requests_of(connection, wanted=[(order_id,) for order_id in orders], warehouse_id=warehouse_id).all()
    long_gone = now - timedelta(days=_TOLD_DAYS)
    under_way = {row.order_id for row in found if row.settled_at is None}
    recent = under_way | {row.order_id for row in found if row.settled_at is not None and row.settled_at >= long_gone}
    acted_on = {EXCEPTION: under_way, TOO_LATE: recent}
    return sorted(key for key in told if _order_of(key) not in acted_on[key.split(":", 1)[0]])


@statement
def _requests_of(given: Given) -> Executable:
    wanted = given.rows("wanted", order_id=int)
    return (
        select(shipment_request.c.order_id, shipment_request.c.settled_at)
        .join(wanted, wanted.c.order_id == shipment_request.c.order_id)
        .where(shipment_request.c.warehouse_id == given.value("warehouse_id", int))
    )


def open_of(connection: Connection, warehouse_id: int) -> set[str]:
    """The keys of a warehouse's open alerts."""
    starts = tuple(f"{kind}:{warehouse_id}:" for kind in _KINDS)
    return {key for key in _open_keys(connection).scalars() if key.startswith(starts)}


@statement
def _open_keys(given: Given) -> Executable:
    return select(alert.c.key).where(alert.c.closed_at.is_(None), alert.c.kind.in_([constant(kind) for kind in _KINDS]))


def of_kinds(keys: Collection[str], *kinds: str) -> set[str]:
    return {key for key in keys if key.split(":", 1)[0] in kinds}


def _order_of(key: str) -> int:
    return int(key.rsplit(":", 1)[1])
