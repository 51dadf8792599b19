"""What the daemon has in its database, read in one go, in the words of the sandboxes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from syncd.db.tables import (
    account,
    level,
    line_component,
    listing,
    order_line,
    sales_order,
    shipment_request,
    shortage,
    sku,
    warehouse,
)
from syncd.insight.store import read_tallies
from syncd.simulation.checker.moves import read_movable
from syncd.simulation.checker.truth import Listing

OrderKey = tuple[str, str]
"""(account key, the channel's own order id without what its API puts before it)"""


@dataclass(frozen=True, slots=True)
class BookLine:
    line_id: int
    listing_id: int | None
    quantity: int
    fulfilled: int
    oversold: int
    by_channel: bool
    parked: str | None
    pieces: Mapping[str, int]  # a listing unit, by our SKU; empty while it maps to nothing


@dataclass(frozen=True, slots=True)
class BookOrder:
    order_id: int
    state: str
    applications: int
    first_applied_at: datetime
    lines: Mapping[str, BookLine]


@dataclass(frozen=True, slots=True)
class Shelf:
    """One SKU in one warehouse."""

    on_hand: int
    unavailable: int
    reserved: int
    short: int


@dataclass(frozen=True, slots=True)
class Request:
    """What a warehouse with an API was, or is to be, asked to send of an order."""

    order: OrderKey
    warehouse: str
    state: str


@dataclass(slots=True)
class Book:
    """`twice` are orders that the database has more than once."""

    accounts: Mapping[str, int]  # ids by key
    channels: Mapping[str, str]  # vendors by account key
    warehouses: Mapping[str, str]  # kinds by key
    orders: dict[OrderKey, BookOrder] = field(default_factory=dict)
    twice: list[OrderKey] = field(default_factory=list)
    shelves: dict[tuple[str, str], Shelf] = field(default_factory=dict)  # by (sku, warehouse)
    wanting: Counter[str] = field(default_factory=Counter)  # pieces of open shortages by SKU
    units_wanting: dict[str, list[Mapping[str, int]]] = field(default_factory=lambda: defaultdict(list))
    """By SKU, what a unit of each line is made of that lacks some."""
    movable: frozenset[str] = frozenset()  # SKUs of lines whose units are short in one warehouse and free in another
    listings: dict[Listing, int] = field(default_factory=dict)  # ids
    requests: dict[str, Request] = field(default_factory=dict)  # by reference
    tallies: Mapping[tuple[str, str], int] = field(default_factory=dict)


def read_book(connection: Connection) -> Book:
    """Everything that rules about the present compare with the truth."""
    accounts = {row.key: row for row in connection.execute(select(account))}
    kinds = {row.key: row.kind for row in connection.execute(select(warehouse))}
    book = Book(
        {key: row.id for key, row in accounts.items()}, {key: row.channel for key, row in accounts.items()}, kinds
    )
    keys = {row.id: key for key, row in accounts.items()}
    _read_orders(connection, book, keys)
    for row in connection.execute(
        select(level, sku.c.code, warehouse.c.key)
        .join(sku, sku.c.id == level.c.sku_id)
        .join(warehouse, warehouse.c.id == level.c.warehouse_id)
    ):
        book.shelves[(row.code, row.key)] = Shelf(row.on_hand, row.unavailable, row.reserved, row.short)
    pieces = {line.line_id: line.pieces for order in book.orders.values() for line in order.lines.values()}
    for row in connection.execute(
        select(sku.c.code, shortage.c.quantity, shortage.c.order_line_id)
        .join(sku, sku.c.id == shortage.c.sku_id)
        .where(shortage.c.closed_at.is_(None), shortage.c.quantity > 0)
    ):
        book.wanting[row.code] += row.quantity
        book.units_wanting[row.code].append(pieces[row.order_line_id])
    book.movable = frozenset(code for each in read_movable(connection) for code in each.skus)
    for row in connection.execute(select(listing)):
        book.listings[(keys[row.account_id], row.channel_sku, row.channel_location)] = row.id
    for row in connection.execute(
        select(
            shipment_request.c.reference,
            shipment_request.c.state,
            warehouse.c.key,
            sales_order.c.account_id,
            sales_order.c.channel_order_id,
        )
        .join(sales_order, sales_order.c.id == shipment_request.c.order_id)
        .join(warehouse, warehouse.c.id == shipment_request.c.warehouse_id)
    ):
        order = (keys[row.account_id], short_id(row.channel_order_id))
        book.requests[row.reference] = Request(order, row.key, row.state)
    book.tallies = read_tallies(connection)
    return book


def short_id(channel_id: str) -> str:
    """An id as the sandbox itself counts: some APIs put what it is of before it."""
    return channel_id.rpartition("/")[2]


def _read_orders(connection: Connection, book: Book, keys: Mapping[int, str]) -> None:
    pieces: dict[int, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(
        select(line_component.c.order_line_id, line_component.c.units, sku.c.code).join(
            sku, sku.c.id == line_component.c.sku_id
        )
    ):
        pieces[row.order_line_id][row.code] = row.units
    lines: dict[int, dict[str, BookLine]] = defaultdict(dict)
    for row in connection.execute(select(order_line)):
        lines[row.order_id][short_id(row.channel_line_id)] = BookLine(
            row.id,
            row.listing_id,
            row.quantity,
            row.fulfilled,
            row.oversold,
            bool(row.by_channel),
            row.parked,
            pieces.get(row.id, {}),
        )
    for row in connection.execute(select(sales_order)):
        key = (keys[row.account_id], short_id(row.channel_order_id))
        if key in book.orders:
            book.twice.append(key)
        book.orders[key] = BookOrder(row.id, row.state, row.applications, row.first_applied_at, lines[row.id])
