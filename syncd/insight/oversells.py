"""Oversells of the last days, and what took the last piece away before each: read from the book's own ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Executable, func, select

from syncd.db.statements import Given, constant, statement
from syncd.db.tables import account, level, movement, order_line, sales_order, shortage, sku

SPAN = timedelta(days=7)
SHOWN = 12
COUNTED_TO = 1_000
_OVERSOLD = "oversold"

_WORDS = {
    "count": "a count found less",
    "snapshot": "the warehouse reported less",
    "damage": "goods were booked as damaged",
    "adjustment": "an adjustment took stock away",
    "shipment": "goods left",
    "transfer_out": "goods were moved to another warehouse",
}


@dataclass(frozen=True, slots=True)
class Oversell:
    """Pieces of a SKU that an order was sold and that nobody had. `cause` is a clause; `closed_at` None: it waits."""

    order: str
    account: str
    sku_code: str
    pieces: int
    opened_at: datetime
    placed_at: datetime
    closed_at: datetime | None
    way: str
    cause: str


@dataclass(frozen=True, slots=True)
class Oversells:
    """The newest, and how many there were (ends at COUNTED_TO) with how many still wait among them."""

    newest: tuple[Oversell, ...]
    count: int
    open: int


def read_oversells(connection: Connection, now: datetime) -> Oversells:
    since = now - SPAN
    window = (
        select(shortage.c.closed_at)
        .where(shortage.c.reason == constant(_OVERSOLD), shortage.c.opened_at > since)
        .limit(COUNTED_TO + 1)
        .subquery("looked_at")
    )
    waiting = func.count().filter(window.c.closed_at.is_(None))
    count, still_open = connection.execute(select(func.count(), waiting).select_from(window)).one()
    rows = _newest(connection, since=since, limit=SHOWN).all()
    causes = _causes(connection, [(row.id, row.sku_id, row.opened_at) for row in rows])
    newest = tuple(
        Oversell(
            order=row.order_name,
            account=row.account,
            sku_code=row.code,
            pieces=row.quantity,
            opened_at=row.opened_at,
            placed_at=row.placed_at,
            closed_at=row.closed_at,
            way=row.way,
            cause=causes.get(row.id, "it was never in stock here"),
        )
        for row in rows
    )
    return Oversells(newest, count, still_open)


@statement
def _newest(given: Given) -> Executable:
    newest = (
        select(shortage.c.id)
        .where(shortage.c.reason == constant(_OVERSOLD), shortage.c.opened_at > given.value("since", datetime))
        .order_by(shortage.c.opened_at.desc())
        .limit(given.value("limit", int))
        .subquery("newest")
    )
    return (
        select(
            shortage,
            sku.c.code,
            order_line.c.placed_at,
            sales_order.c.name.label("order_name"),
            sales_order.c.way,
            account.c.key.label("account"),
        )
        .select_from(newest)
        .join(shortage, shortage.c.id == newest.c.id)
        .join(order_line, order_line.c.id == shortage.c.order_line_id)
        .join(sales_order, sales_order.c.id == order_line.c.order_id)
        .join(account, account.c.id == sales_order.c.account_id)
        .join(sku, sku.c.id == shortage.c.sku_id)
        .order_by(shortage.c.opened_at.desc(), shortage.c.id.desc())
    )


def _causes(connection: Connection, wanted: Sequence[tuple[int, int, datetime]]) -> dict[int, str]:
    """What took the last piece before each shortage of (id, sku_id, opened_at), by id."""
    taken: dict[int, Any] = {}
    for row in _taken(connection, wanted=wanted) if wanted else ():
        if row.id not in taken or row.at >= taken[row.id].at:
            taken[row.id] = row
    lines = {each.id: _line_of(each.cause_key) for each in taken.values() if each.kind == "reservation"}
    ids = sorted({line_id for line_id in lines.values() if line_id is not None})
    buyers = {row.id: row for row in _orders_of(connection, wanted=[(each,) for each in ids])} if ids else {}
    return {key: _worded(row, buyers.get(lines.get(key))) for key, row in taken.items()}


def _worded(taken: Any, buyer: Any) -> str:
    if buyer is not None:
        return f"the last one had gone to order {buyer.name} of {buyer.account}"
    if taken.kind == "reservation":
        return "the last one had gone to another order"
    return _WORDS.get(taken.kind, "stock went down")


def _line_of(cause_key: str) -> int | None:
    """The order line that a reservation was made for."""
    subject, _, rest = cause_key.partition("/")
    number = rest.partition("/")[0]
    return int(number) if subject == "line" and number.isdigit() else None


@statement
def _taken(given: Given) -> Executable:
    """The last movement in each warehouse that left less to sell: some steps back from the newest of that SKU."""
    wanted = given.rows("wanted", id=int, sku_id=int, opened_at=datetime)
    earlier = movement.alias("earlier")
    last = (
        select(earlier.c.seq)
        .where(
            earlier.c.sku_id == level.c.sku_id,
            earlier.c.warehouse_id == level.c.warehouse_id,
            earlier.c.at <= wanted.c.opened_at,
            earlier.c.d_on_hand - earlier.c.d_unavailable - earlier.c.d_reserved < 0,
        )
        .order_by(earlier.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(wanted.c.id, movement.c.kind, movement.c.cause_key, movement.c.at)
        .select_from(wanted)
        .join(level, level.c.sku_id == wanted.c.sku_id)
        .join(
            movement,
            (movement.c.sku_id == level.c.sku_id)
            & (movement.c.warehouse_id == level.c.warehouse_id)
            & (movement.c.seq == last),
        )
    )


@statement
def _orders_of(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(order_line.c.id, sales_order.c.name, account.c.key.label("account"))
        .join(wanted, wanted.c.id == order_line.c.id)
        .join(sales_order, sales_order.c.id == order_line.c.order_id)
        .join(account, account.c.id == sales_order.c.account_id)
    )
