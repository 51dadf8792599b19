"""A shipment request with its order, locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, and_, select, update

from adapters.contract import Address
from adapters.warehouse import ShipmentLine, ShipmentOrder
from syncd.db.rows import Kind, insert_rows
from syncd.db.statements import Given, Statement, statement
from syncd.db.tables import (
    account,
    recipient,
    sales_order,
    shipment_request,
    shipment_request_line,
    sku,
    warehouse_item,
)
from syncd.orders.book import LineBook, OrderBook
from syncd.orders.store.load import load_books, load_order_keys

OPEN = ("planned", "submitted", "accepted")


@dataclass(slots=True)
class Part:
    """Pieces of one SKU for one order line."""

    line: LineBook
    sku_id: int
    warehouse_sku: str
    pieces: int
    shipped: int


@dataclass(slots=True)
class Request:
    """A shipment request as it stands, with the book of its order."""

    request_id: int
    warehouse_id: int
    reference: str
    state: str
    warehouse_shipment_id: str | None
    digest: str
    attempts: int
    submitted_at: datetime | None
    accepted_at: datetime | None
    cancel_wanted_at: datetime | None
    cancel_sent_at: datetime | None
    too_late_at: datetime | None
    settled_at: datetime | None
    name: str
    book: OrderBook
    parts: tuple[Part, ...]

    @property
    def order_id(self) -> int:
        assert self.book.order_id is not None
        return self.book.order_id

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def lines(self) -> list[LineBook]:
        return list({part.line.channel_line_id: part.line for part in self.parts}.values())

    @property
    def open_units(self) -> int:
        """Units that the warehouse was asked to ship and that are still reserved."""
        return sum(line.handed(self.warehouse_id) for line in self.lines)


def load_request(connection: Connection, warehouse_id: int, reference: str) -> Request | None:
    """The request of this reference, with its order locked until the transaction ends; None: it is not ours."""
    order_id = _order_of(connection, warehouse_id=warehouse_id, reference=reference).scalar_one_or_none()
    if order_id is None:
        return None
    (book,) = load_books(connection, load_order_keys(connection, [order_id])).values()
    found = _request(connection, warehouse_id=warehouse_id, reference=reference).one()
    return Request(
        request_id=found.id,
        warehouse_id=warehouse_id,
        reference=reference,
        state=found.state,
        warehouse_shipment_id=found.warehouse_shipment_id,
        digest=found.digest,
        attempts=found.attempts,
        submitted_at=found.submitted_at,
        accepted_at=found.accepted_at,
        cancel_wanted_at=found.cancel_wanted_at,
        cancel_sent_at=found.cancel_sent_at,
        too_late_at=found.too_late_at,
        settled_at=found.settled_at,
        name=found.name,
        book=book,
        parts=_load_parts(connection, found.id, book),
    )


@statement
def _order_of(given: Given) -> Executable:
    return select(shipment_request.c.order_id).where(_is_mine(given))


@statement
def _request(given: Given) -> Executable:
    return (
        select(shipment_request, sales_order.c.name)
        .join(sales_order, sales_order.c.id == shipment_request.c.order_id)
        .where(_is_mine(given))
    )


def _is_mine(given: Given) -> ColumnElement[bool]:
    return and_(
        shipment_request.c.warehouse_id == given.value("warehouse_id", int),
        shipment_request.c.reference == given.value("reference", str),
    )


def can_be_sent(connection: Connection, request: Request) -> bool:
    """Whether its order is to be sent at this moment, and just what the request asks for is reserved for it."""
    wanted = _sendable(connection, order_id=request.order_id).first()
    return wanted is not None and all(
        part.pieces == part.line.handed(request.warehouse_id) * dict(part.line.components).get(part.sku_id, 0)
        for part in request.parts
    )


@statement
def _sendable(given: Given) -> Executable:
    return (
        select(sales_order.c.id)
        .join(account, account.c.id == sales_order.c.account_id)
        .where(
            sales_order.c.id == given.value("order_id", int),
            sales_order.c.state == "open",
            sales_order.c.review.is_(None),
            sales_order.c.test == 0,
            account.c.state == "live",
        )
    )


def _load_parts(connection: Connection, request_id: int, book: OrderBook) -> tuple[Part, ...]:
    lines = {line.line_id: line for line in book.lines.values()}
    return tuple(
        Part(lines[row.order_line_id], row.sku_id, row.warehouse_sku, row.pieces, row.shipped)
        for row in _lines_of(connection, request_id=request_id)
    )


@statement
def _lines_of(given: Given) -> Executable:
    return (
        select(shipment_request_line)
        .where(shipment_request_line.c.request_id == given.value("request_id", int))
        .order_by(shipment_request_line.c.order_line_id, shipment_request_line.c.sku_id)
    )


def save_request(connection: Connection, request: Request, **values: Any) -> None:
    """Change columns of a request, in the database and here."""
    if not values:
        return
    _save(tuple(sorted(values)))(connection, request_id=request.request_id, **values)
    for name, value in values.items():
        if name != "reason":
            setattr(request, name, value)


@cache
def _save(names: tuple[str, ...]) -> Statement:
    """The statement that changes these columns of a request."""

    def build(given: Given) -> Executable:
        kinds: dict[str, Kind] = {"attempts": int}
        new = {name: given.value(name, datetime if name.endswith("_at") else kinds.get(name, str)) for name in names}
        return update(shipment_request).where(shipment_request.c.id == given.value("request_id", int)).values(new)

    return Statement(build)


def save_shipped(connection: Connection, request: Request, moved: Sequence[Part]) -> None:
    """Write how many pieces of these parts the warehouse says have left."""
    if not moved:
        return
    parts = [(part.line.line_id, part.sku_id, part.shipped) for part in moved]
    _save_shipped(connection, moved=parts, request_id=request.request_id)


@statement
def _save_shipped(given: Given) -> Executable:
    moved = given.rows("moved", order_line_id=int, sku_id=int, shipped=int)
    return (
        update(shipment_request_line)
        .values(shipped=moved.c.shipped)
        .where(
            shipment_request_line.c.request_id == given.value("request_id", int),
            shipment_request_line.c.order_line_id == moved.c.order_line_id,
            shipment_request_line.c.sku_id == moved.c.sku_id,
        )
    )


def note_submission(connection: Connection, request: Request, now: datetime) -> None:
    """Remember for its SKUs when the warehouse was last asked: what it told before may not raise them."""
    skus = sorted({part.sku_id for part in request.parts})
    insert_rows(
        connection,
        warehouse_item,
        [("warehouse_id", int), ("sku_id", int)],
        [(request.warehouse_id, sku_id) for sku_id in skus],
        ignore=True,
    )
    _note_asked(connection, asked=[(sku_id,) for sku_id in skus], warehouse_id=request.warehouse_id, now=now)


@statement
def _note_asked(given: Given) -> Executable:
    asked = given.rows("asked", sku_id=int)
    here = warehouse_item.c.warehouse_id == given.value("warehouse_id", int)
    return (
        update(warehouse_item)
        .values(submitted_at=given.value("now", datetime))
        .where(here, warehouse_item.c.sku_id == asked.c.sku_id)
    )


def compose(connection: Connection, request: Request) -> ShipmentOrder:
    """What the warehouse is asked, with the order's address as it is now."""
    to = _recipient(connection, order_id=request.order_id).one()
    address = Address(to.name, tuple((to.street or "").split("\n")), to.city, to.province, to.postcode, to.country)
    pieces: dict[str, int] = {}
    for part in request.parts:
        pieces[part.warehouse_sku] = pieces.get(part.warehouse_sku, 0) + part.pieces
    titles = _titles(connection, request)
    lines = tuple(
        ShipmentLine(str(number), code, pieces[code], titles.get(code, ""))
        for number, code in enumerate(sorted(pieces), 1)
    )
    return ShipmentOrder(request.reference, request.name, address, lines, to.placed_at)


def _titles(connection: Connection, request: Request) -> dict[str, str]:
    by_id = {part.sku_id: part.warehouse_sku for part in request.parts}
    return {by_id[row.id]: row.title for row in _titles_of(connection, wanted=[(sku_id,) for sku_id in sorted(by_id)])}


@statement
def _recipient(given: Given) -> Executable:
    return (
        select(recipient, sales_order.c.placed_at)
        .join(sales_order, sales_order.c.id == recipient.c.order_id)
        .where(recipient.c.order_id == given.value("order_id", int))
    )


@statement
def _titles_of(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return select(sku.c.id, sku.c.title).join(wanted, wanted.c.id == sku.c.id).order_by(sku.c.id)
