"""Ship an order from own warehouses by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Row, select

from syncd.db.tables import account, sales_order
from syncd.errors import SyncdError
from syncd.orders.book import AccountView, OrderBook, OrderStanding
from syncd.orders.change import OrderChange
from syncd.orders.moves import ship_units
from syncd.orders.store.load import load_books
from syncd.orders.store.record import record_changes
from syncd.stock.ledger import Ledger
from syncd.stock.store import load_levels

_ALIKE: Final = 10


class OrderNotFound(SyncdError):
    """No order, or more than one, goes by the name given."""


class NothingToShip(SyncdError):
    """The order has no unit reserved in an own warehouse."""


@dataclass(frozen=True, slots=True)
class Shipped:
    order: str
    account: str
    units: dict[str, int]  # listing units by warehouse
    left: int  # units still to go: short, or in somebody else's warehouse


def ship_order(
    connection: Connection, name: str, account_key: str | None, accounts: Mapping[int, AccountView], now: datetime
) -> Shipped:
    """Book everything an order holds in own warehouses as shipped. Raises OrderNotFound, NothingToShip."""
    book, order_name, view = _find(connection, name, account_key, accounts)
    own = {warehouse.warehouse_id: warehouse.key for warehouse in view.pool if warehouse.own}
    held = {w for line in book.lines.values() for w, units in line.held.items() if units}
    if not held & own.keys():
        where = "no unit of it is reserved" if not held else "its units are reserved in a warehouse that is not ours"
        raise NothingToShip(f"order {order_name} has nothing to ship: {where}")
    skus = {sku_id for line in book.lines.values() for sku_id, _ in line.components}
    ledger = Ledger(load_levels(connection, {(sku_id, w) for sku_id in skus for w in held}), "ship", now)

    book.applications += 1
    change = OrderChange(book, None, None, is_new=False)
    shipped: dict[str, int] = {}
    for line in book.lines.values():
        for warehouse_id in sorted(line.held.keys() & own.keys()):
            units = line.untold(warehouse_id)
            ship_units(line, book, ledger, warehouse_id, units)
            line.shipped += units
            change.shipped_units += units
            if units:
                shipped[own[warehouse_id]] = shipped.get(own[warehouse_id], 0) + units
    left = sum(line.open_units for line in book.lines.values())
    change.standing = OrderStanding.FULFILLED if book.is_done else None

    record_changes(connection, [change], ledger, accounts, now)
    return Shipped(order_name, view.key, shipped, left)


def _find(
    connection: Connection, name: str, account_key: str | None, accounts: Mapping[int, AccountView]
) -> tuple[OrderBook, str, AccountView]:
    found = orders_called(connection, name, account_key)
    if not found:
        raise OrderNotFound(f"no order goes by {name!r}: give its name as the channel shows it, or its channel id")
    if len(found) > 1:
        owners = ", ".join(sorted({row.key for row in found}))
        raise OrderNotFound(f"{len(found)} orders go by {name!r} ({owners}): add --account")
    (row,) = found
    if row.account_id not in accounts:
        raise OrderNotFound(f"order {name!r} is of account {row.key!r}, which the configuration no longer names")
    books = load_books(connection, [(row.account_id, row.channel_order_id)])
    return books[(row.account_id, row.channel_order_id)], row.name, accounts[row.account_id]


def orders_called(connection: Connection, name: str, account_key: str | None) -> list[Row[int, int, str, str, str]]:
    """The first orders of that name or channel id, each looked up by its own index."""
    orders = select(
        sales_order.c.id, sales_order.c.account_id, sales_order.c.channel_order_id, sales_order.c.name, account.c.key
    ).join(account, account.c.id == sales_order.c.account_id)
    owners = select(account.c.id)
    if account_key is not None:
        orders = orders.where(account.c.key == account_key)
        owners = owners.where(account.c.key == account_key)
    by_channel_id = orders.where(sales_order.c.account_id.in_(owners), sales_order.c.channel_order_id == name)
    found = {
        row.id: row
        for query in (orders.where(sales_order.c.name == name), by_channel_id)
        for row in connection.execute(query.limit(_ALIKE))
    }
    return [found[order_id] for order_id in sorted(found)]
