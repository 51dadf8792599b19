"""Orders as our book has them: their lines, what is reserved where, and what found no unit. Nothing of the buyer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Row, Select, and_, select
from sqlalchemy.sql import ColumnCollection

from syncd.db.statements import Given, statement
from syncd.db.tables import account, order_line, reservation, sales_order, shortage, sku, warehouse
from syncd.insight.order_filter import OrderFilter
from syncd.insight.slices import NEWEST, Keep, Slice, take_ids
from syncd.insight.unknown import Ambiguous, Unknown, alike, near


@dataclass(frozen=True, slots=True)
class ReservedPieces:
    """Pieces of a SKU promised to a line, and how far they have come: held, submitted, accepted or shipped."""

    sku: str
    warehouse: str
    stage: str
    pieces: int


@dataclass(frozen=True, slots=True)
class MissingPieces:
    """Demand of a line that found no unit; `sku` None where the line maps to none."""

    sku: str | None
    pieces: int
    reason: str


@dataclass(frozen=True, slots=True)
class OrderLineRow:
    """One line in listing units: what the buyer is to get or has got, and what of it has left."""

    channel_line_id: str
    code: str | None
    listing_id: int | None
    quantity: int
    fulfilled: int
    shipped: int
    by_channel: bool
    parked: str | None
    reserved: tuple[ReservedPieces, ...]
    missing: tuple[MissingPieces, ...]


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order; `order` is its name at the channel."""

    id: int
    account: str
    channel: str
    channel_order_id: str
    order: str
    state: str
    in_review: str | None
    test: bool
    way: str
    placed_at: datetime
    taken_in_at: datetime
    changed_at: datetime
    last_shipped_at: datetime | None
    lines: tuple[OrderLineRow, ...]


def list_orders(
    connection: Connection,
    after: int | None,
    limit: int,
    which: OrderFilter | None = None,
    account_id: int | None = None,
    since: datetime | None = None,
) -> Slice[OrderRow]:
    """Orders, the last taken in first, from behind `after`; of a kind, of an account, placed since an instant."""
    page = take_ids(connection, _source(after, which), _keep(which, account_id, since), limit, newest_first=True)
    behind = page.after
    if behind is not None and since is not None and _all_older(connection, behind, since):
        behind = None
    return Slice(load_orders(connection, page.rows), behind)


def _source(after: int | None, which: OrderFilter | None) -> Select[Any]:
    table = sales_order.c
    source = select(table.id, table.account_id, table.placed_at, table.review)
    source = source.where(table.id < (NEWEST if after is None else after))
    if which is not None:
        state = OrderFilter.OPEN if which in (OrderFilter.SHORT, OrderFilter.IN_REVIEW) else which
        source = source.where(table.state == state.value)
    return source


def _keep(which: OrderFilter | None, account_id: int | None, since: datetime | None) -> Keep | None:
    """What no index tells of an order, if anything of it is asked."""
    if account_id is None and since is None and which not in (OrderFilter.SHORT, OrderFilter.IN_REVIEW):
        return None

    def keep(row: ColumnCollection[str, Any]) -> ColumnElement[bool]:
        asked: list[ColumnElement[bool]] = []
        if account_id is not None:
            asked.append(row["account_id"] == account_id)
        if since is not None:
            asked.append(row["placed_at"] >= since)
        if which is OrderFilter.IN_REVIEW:
            asked.append(row["review"].is_not(None))
        if which is OrderFilter.SHORT:
            missing = and_(shortage.c.order_line_id == order_line.c.id, shortage.c.closed_at.is_(None))
            asked.append(
                select(1)
                .select_from(order_line.join(shortage, missing))
                .where(order_line.c.order_id == row["id"])
                .exists()
            )
        return and_(*asked)

    return keep


def _all_older(connection: Connection, order_id: int, since: datetime) -> bool:
    """Whether whatever came before this order was placed before `since`: nothing is taken in before it is placed."""
    taken_in_at = connection.execute(
        select(sales_order.c.first_applied_at).where(sales_order.c.id == order_id)
    ).scalar_one()
    return bool(taken_in_at < since)


def load_orders(connection: Connection, order_ids: Sequence[int]) -> tuple[OrderRow, ...]:
    """These orders, in the order given, in four statements however many they are."""
    if not order_ids:
        return ()
    wanted = [(each,) for each in sorted(set(order_ids))]
    reserved: dict[int, list[ReservedPieces]] = {}
    for row in _reserved(connection, wanted=wanted):
        pieces = ReservedPieces(row.code, row.key, row.stage, row.quantity)
        reserved.setdefault(row.order_line_id, []).append(pieces)
    missing: dict[int, list[MissingPieces]] = {}
    for row in _missing(connection, wanted=wanted):
        missing.setdefault(row.order_line_id, []).append(MissingPieces(row.code, row.quantity, row.reason))
    lines: dict[int, list[OrderLineRow]] = {}
    for row in _lines(connection, wanted=wanted):
        lines.setdefault(row.order_id, []).append(_line(row, reserved, missing))
    found = {row.id: _order(row, tuple(lines.get(row.id, ()))) for row in _heads(connection, wanted=wanted)}
    return tuple(found[each] for each in order_ids if each in found)


def _line(
    row: Row[Any], reserved: Mapping[int, list[ReservedPieces]], missing: Mapping[int, list[MissingPieces]]
) -> OrderLineRow:
    return OrderLineRow(
        channel_line_id=row.channel_line_id,
        code=row.code,
        listing_id=row.listing_id,
        quantity=row.quantity,
        fulfilled=row.fulfilled,
        shipped=row.shipped,
        by_channel=bool(row.by_channel),
        parked=row.parked,
        reserved=tuple(reserved.get(row.id, ())),
        missing=tuple(missing.get(row.id, ())),
    )


def _order(row: Row[Any], lines: tuple[OrderLineRow, ...]) -> OrderRow:
    return OrderRow(
        id=row.id,
        account=row.account,
        channel=row.channel,
        channel_order_id=row.channel_order_id,
        order=row.name,
        state=row.state,
        in_review=row.review,
        test=bool(row.test),
        way=row.way,
        placed_at=row.placed_at,
        taken_in_at=row.first_applied_at,
        changed_at=row.version_at,
        last_shipped_at=row.last_shipped_at,
        lines=lines,
    )


def find_order(connection: Connection, name: str, account_id: int | None = None) -> int:
    """An order by its name or id at the channel, or else by its number here.

    Raises Unknown with those that look like it, and Ambiguous.
    """
    mine = () if account_id is None else (sales_order.c.account_id == account_id,)
    owners = select(account.c.id) if account_id is None else select(account.c.id).where(account.c.id == account_id)
    by_channel_id = and_(sales_order.c.account_id.in_(owners), sales_order.c.channel_order_id == name)
    for asked in (sales_order.c.name == name, by_channel_id, sales_order.c.name == f"#{name}"):
        found = connection.execute(
            select(sales_order.c.id, sales_order.c.channel_order_id, account.c.key)
            .join(account, account.c.id == sales_order.c.account_id)
            .where(asked, *mine)
            .order_by(sales_order.c.id)
            .limit(10)
        ).all()
        if len(found) == 1:
            return int(found[0].id)
        if found:
            told = [f"{row.key}: {row.channel_order_id}" for row in found]
            raise Ambiguous("order", name, told, "Write the channel's id of the one you mean, or add --account")
    if name.isdecimal() and len(name) < 19:
        number = connection.execute(select(sales_order.c.id).where(sales_order.c.id == int(name), *mine))
        order_id = number.scalar_one_or_none()
        if order_id is not None:
            return int(order_id)
    around = {*near(connection, sales_order.c.name, name), *near(connection, sales_order.c.name, f"#{name}")}
    hint = "Write its name as the channel shows it, its id there, or its number here"
    raise Unknown("order", name, alike(name, around), hint)


def open_orders_of(connection: Connection, sku_id: int, limit: int) -> tuple[tuple[int, ...], bool]:
    """Ids of open orders that have pieces of a SKU reserved or wait for some, and whether there are more."""
    reserving = (
        select(order_line.c.order_id)
        .join(reservation, reservation.c.order_line_id == order_line.c.id)
        .where(reservation.c.sku_id == sku_id, reservation.c.stage != "shipped", reservation.c.quantity > 0)
    )
    waiting = (
        select(order_line.c.order_id)
        .join(shortage, shortage.c.order_line_id == order_line.c.id)
        .where(shortage.c.sku_id == sku_id, shortage.c.closed_at.is_(None))
    )
    both = reserving.union(waiting).subquery("wanting")
    ids = list(connection.execute(select(both.c.order_id).order_by(both.c.order_id).limit(limit + 1)).scalars())
    return tuple(ids[:limit]), len(ids) > limit


@statement
def _heads(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(sales_order, account.c.key.label("account"), account.c.channel)
        .join(wanted, wanted.c.id == sales_order.c.id)
        .join(account, account.c.id == sales_order.c.account_id)
    )


@statement
def _lines(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return select(order_line).join(wanted, wanted.c.id == order_line.c.order_id).order_by(order_line.c.id)


@statement
def _reserved(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(reservation.c.order_line_id, sku.c.code, warehouse.c.key, reservation.c.stage, reservation.c.quantity)
        .join(order_line, order_line.c.id == reservation.c.order_line_id)
        .join(wanted, wanted.c.id == order_line.c.order_id)
        .join(sku, sku.c.id == reservation.c.sku_id)
        .join(warehouse, warehouse.c.id == reservation.c.warehouse_id)
        .where(reservation.c.quantity > 0)
        .order_by(reservation.c.order_line_id, sku.c.code, warehouse.c.key, reservation.c.stage)
    )


@statement
def _missing(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(shortage.c.order_line_id, sku.c.code, shortage.c.quantity, shortage.c.reason)
        .join(order_line, order_line.c.id == shortage.c.order_line_id)
        .join(wanted, wanted.c.id == order_line.c.order_id)
        .outerjoin(sku, sku.c.id == shortage.c.sku_id)
        .where(shortage.c.closed_at.is_(None), shortage.c.quantity > 0)
        .order_by(shortage.c.id)
    )
