"""From the outbox to webhooks: every event becomes one delivery for each endpoint that wants its topic."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Executable, Row, delete, select

from syncd.alerts.deliveries import Outgoing, enqueue
from syncd.alerts.kinds import kind_of
from syncd.alerts.outbox import ALERT_CLOSED, ALERT_OPENED, ORDER_ALLOCATED, STOCK_CHANGED
from syncd.db.lease import Lease, guard
from syncd.db.statements import Given, statement
from syncd.db.tables import account, alert, outbox, sales_order, sku, warehouse

EVENTS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class HookRule:
    """An endpoint, and the topics that it wants."""

    name: str
    topics: frozenset[str]


Json = dict[str, Any]


def anything_happened(connection: Connection) -> bool:
    return connection.execute(select(outbox.c.id).limit(1)).scalar_one_or_none() is not None


def hand_out(connection: Connection, lease: Lease, hooks: Sequence[HookRule], seed: str, real_now: datetime) -> int:
    """Make deliveries of the oldest events, each gone from the outbox with that. Returns how many events there were."""
    guard(connection, lease)
    found = _oldest(connection, most=EVENTS_AT_ONCE).all()
    if not found:
        return 0
    told = _Told(connection, found)
    outgoing = []
    for row in found:
        data, subject = told.data(row)
        if data is None:
            continue
        body = msgspec.json.encode({"type": row.topic, "timestamp": row.at.isoformat(), "data": data}).decode()
        # An alert has one key for ever; other events are new each time.
        key = f"{row.topic}-{row.alert_id}" if row.alert_id is not None else f"{seed}-{row.id}"
        outgoing += [Outgoing(hook.name, key, row.topic, body, subject) for hook in hooks if row.topic in hook.topics]
    enqueue(connection, outgoing, real_now)
    _forget(connection, done=[(row.id,) for row in found])
    return len(found)


@statement
def _oldest(given: Given) -> Executable:
    return select(outbox).order_by(outbox.c.id).limit(given.value("most", int))


@statement
def _forget(given: Given) -> Executable:
    done = given.rows("done", id=int)
    return delete(outbox).where(outbox.c.id.in_(select(done.c.id)))


class _Told:
    """What the ids of many events stand for, read by a statement a table."""

    def __init__(self, connection: Connection, rows: Sequence[Row[Any]]) -> None:
        self._bodies: dict[int, Json] = {row.id: msgspec.json.decode(row.body) for row in rows}
        bodies = self._bodies.values()
        self._accounts = {row.id: row.key for row in connection.execute(select(account.c.id, account.c.key))}
        self._warehouses = {row.id: row.key for row in connection.execute(select(warehouse.c.id, warehouse.c.key))}
        self._alerts = {row.id: row for row in _alerts(connection, wanted=_ids(row.alert_id for row in rows))}
        self._orders = {row.id: row for row in _orders(connection, wanted=_ids(b.get("order_id") for b in bodies))}
        self._skus = {row.id: row.code for row in _skus(connection, wanted=_ids(b.get("sku_id") for b in bodies))}

    def data(self, row: Row[Any]) -> tuple[Json | None, str | None]:
        """(the event's data, what it replaces while it waits); None for what is gone meanwhile."""
        body = self._bodies[row.id]
        match row.topic:
            case topic if topic in (ALERT_OPENED, ALERT_CLOSED):
                return self._alert(row), None
            case topic if topic == ORDER_ALLOCATED:
                return self._order(body), None
            case topic if topic == STOCK_CHANGED:
                return self._stock(body), f"stock/{body['sku_id']}/{body['warehouse_id']}"
        return None, None

    def _alert(self, row: Row[Any]) -> Json | None:
        found = self._alerts.get(row.alert_id)
        if found is None:
            return None
        data = {
            "id": found.id,
            "kind": found.kind,
            "severity": kind_of(found.kind).severity.word,
            "account": self._accounts.get(found.account_id),
            "warehouse": self._warehouses.get(found.warehouse_id),
            "subject": found.subject,
            "message": found.message,
            "units": found.units,
            "orders": found.orders,
            "opened_at": found.opened_at.isoformat(),
        }
        return data if row.topic == ALERT_OPENED else data | {"closed_at": row.at.isoformat()}

    def _order(self, body: Json) -> Json | None:
        found = self._orders.get(body["order_id"])
        if found is None:
            return None
        reserved: Mapping[str, int] = body["reserved"]
        return {
            "account": self._accounts.get(found.account_id),
            "channel_order_id": found.channel_order_id,
            "name": found.name,
            "reserved": [
                {"warehouse": self._warehouses.get(int(warehouse_id)), "units": units}
                for warehouse_id, units in reserved.items()
            ],
            "short": body["short"],
        }

    def _stock(self, body: Json) -> Json:
        counts = {name: body[name] for name in ("on_hand", "unavailable", "reserved", "short", "available")}
        return {
            "sku": self._skus.get(body["sku_id"]),
            "warehouse": self._warehouses.get(body["warehouse_id"]),
            "seq": body["seq"],
        } | counts


def _ids(values: Any) -> list[tuple[int]]:
    wanted: Collection[int] = {value for value in values if value is not None}
    return [(value,) for value in sorted(wanted)]


@statement
def _alerts(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return select(alert).join(wanted, wanted.c.id == alert.c.id)


@statement
def _orders(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return select(sales_order.c.id, sales_order.c.account_id, sales_order.c.channel_order_id, sales_order.c.name).join(
        wanted, wanted.c.id == sales_order.c.id
    )


@statement
def _skus(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return select(sku.c.id, sku.c.code).join(wanted, wanted.c.id == sku.c.id)
