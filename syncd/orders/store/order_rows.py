"""Orders, their lines and their recipients as rows."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, and_, func, not_, or_, update

from syncd.db.database import StaleLoad
from syncd.db.ids import NextIds
from syncd.db.pipeline import expect
from syncd.db.rows import Kind
from syncd.db.statements import Given, statement
from syncd.db.tables import order_line, recipient, sales_order
from syncd.orders.book import OrderStanding
from syncd.orders.change import OrderChange

LineIds = dict[Hashable, int]
"""order_line.id by (account_id, channel_order_id, channel_line_id)"""

_ORDER_IDS, _LINE_IDS = NextIds(sales_order), NextIds(order_line)


_ORDER: dict[str, Kind] = {
    "id": int,
    "account_id": int,
    "channel_order_id": str,
    "name": str,
    "state": str,
    "way": str,
    "digest": str,
    "test": int,
    "currency": str,
    "country": str,
    "postcode_prefix": str,
    "review": str,
    "applications": int,
    "version_at": datetime,
    "placed_at": datetime,
    "first_applied_at": datetime,
    "last_shipped_at": datetime,
}
_KEPT = {"id", "account_id", "channel_order_id", "way", "placed_at", "first_applied_at", "last_shipped_at"}

_LINE: dict[str, Kind] = {
    "id": int,
    "order_id": int,
    "channel_line_id": str,
    "line_key": str,
    "code": str,
    "listing_id": int,
    "quantity": int,
    "fulfilled": int,
    "shipped": int,
    "taken_min": int,
    "taken_max": int,
    "oversold": int,
    "by_channel": int,
    "parked": str,
    "unit_price_minor": int,
    "currency": str,
    "placed_at": datetime,
}
_LINE_KEPT = {"id", "order_id", "channel_line_id", "placed_at"}


class OrderMoved(StaleLoad):
    """An order was not as it had been loaded: the transaction is rolled back and nothing has happened."""


def give_ids(connection: Connection, changes: Sequence[OrderChange]) -> None:
    """Give every order and line that has no row yet the id of the one it will have."""
    orders = [change.book for change in changes if change.book.order_id is None]
    lines = [line for change in changes for line in change.book.lines.values() if line.line_id is None]
    order_ids, line_ids = _ORDER_IDS.take(connection, len(orders)), _LINE_IDS.take(connection, len(lines))
    for book, order_id in zip(orders, order_ids, strict=True):
        book.order_id = order_id
    for line, line_id in zip(lines, line_ids, strict=True):
        line.line_id = line_id


def record_orders(connection: Connection, changes: Sequence[OrderChange], now: datetime) -> None:
    """Insert or update told orders, which have their ids, each only where it is as it was loaded; raises OrderMoved."""
    if not changes:
        return
    data = []
    for change in changes:
        state, book = change.state, change.book
        assert state is not None
        data.append(
            (
                book.order_id,
                book.account_id,
                book.channel_order_id,
                state.name,
                (change.standing or OrderStanding.OPEN).value,
                book.way,
                book.digest,
                int(state.test),
                state.currency,
                book.country,
                book.postcode_prefix,
                change.review,
                book.applications,
                state.version_at,
                state.placed_at,
                now,
                now if change.shipped_units else None,
            )
        )
    written = _upsert_orders(connection, told=data)
    expect(written, len(data), partial(_moved, len(data)))
    _record_recipients(connection, changes)


def _moved(wanted: int, written: int) -> OrderMoved:
    return OrderMoved(f"{wanted - written} of {wanted} orders moved while they were being written")


@statement
def _upsert_orders(given: Given) -> Executable:
    new = given.insert(sales_order, given.rows("told", **_ORDER))
    last_shipped_at = func.coalesce(new.excluded.last_shipped_at, sales_order.c.last_shipped_at)
    return new.on_conflict_do_update(
        index_elements=["account_id", "channel_order_id"],
        set_={
            **{name: new.excluded[name] for name in _ORDER if name not in _KEPT},
            "last_shipped_at": last_shipped_at,
        },
        where=sales_order.c.applications == new.excluded.applications - 1,
    )


def record_touches(connection: Connection, changes: Sequence[OrderChange], now: datetime) -> None:
    """Orders that only our own doing changed: covered later, or shipped by hand."""
    if not changes:
        return
    data = [
        (
            change.book.order_id,
            change.book.applications,
            change.standing.value if change.standing else None,
            now if change.shipped_units else None,
        )
        for change in changes
    ]
    _touch(connection, touched=data)


@statement
def _touch(given: Given) -> Executable:
    touched = given.rows("touched", id=int, applications=int, state=str, last_shipped_at=datetime)
    return (
        update(sales_order)
        .values(
            applications=touched.c.applications,
            state=func.coalesce(touched.c.state, sales_order.c.state),
            last_shipped_at=func.coalesce(touched.c.last_shipped_at, sales_order.c.last_shipped_at),
        )
        .where(sales_order.c.id == touched.c.id)
    )


def _record_recipients(connection: Connection, changes: Sequence[OrderChange]) -> None:
    data = []
    for change in changes:
        to = change.state.ship_to if change.state else None
        if to is not None:
            street = "\n".join(to.lines) or None
            data.append((change.book.order_id, to.name, street, to.city, to.province, to.postcode, to.country))
    if data:
        _upsert_recipients(connection, told=data)


@statement
def _upsert_recipients(given: Given) -> Executable:
    parts: dict[str, Kind] = dict.fromkeys(("name", "street", "city", "province", "postcode", "country"), str)
    insert = given.insert(recipient, given.rows("told", order_id=int, **parts))
    told = insert.excluded
    same_country = or_(told.country.is_(None), recipient.c.country.is_(None), told.country == recipient.c.country)
    # News often carry a part of what the order itself has told: that is no new address.
    told_less = and_(_is_whole(recipient.c), not_(_is_whole(told)), same_country)
    return insert.on_conflict_do_update(
        index_elements=["order_id"],
        set_={name: told[name] for name in parts},
        where=and_(recipient.c.erased_at.is_(None), not_(told_less)),  # what was erased stays erased
    )


def _is_whole(address: Any) -> ColumnElement[bool]:
    """Whether these columns of `recipient` say who gets it and where; never NULL."""
    return and_(func.coalesce(address.name, "") != "", func.coalesce(address.street, "") != "")


def record_lines(connection: Connection, changes: Sequence[OrderChange]) -> LineIds:
    """Insert or update the lines of these orders, which have their ids; these by what names them at the channel."""
    data = [
        (
            line.line_id,
            change.book.order_id,
            line.channel_line_id,
            line.line_key,
            line.code,
            line.listing_id,
            line.quantity,
            line.fulfilled,
            line.shipped,
            line.taken_min,
            line.taken_max,
            line.oversold,
            int(line.by_channel),
            line.parked,
            line.unit_price_minor,
            line.currency,
            line.placed_at,
        )
        for change in changes
        for line in change.book.lines.values()
    ]
    if data:
        _upsert_lines(connection, told=data)
    return {
        (change.book.account_id, change.book.channel_order_id, line.channel_line_id): line.line_id
        for change in changes
        for line in change.book.lines.values()
        if line.line_id is not None
    }


@statement
def _upsert_lines(given: Given) -> Executable:
    new = given.insert(order_line, given.rows("told", **_LINE))
    return new.on_conflict_do_update(
        index_elements=["order_id", "channel_line_id"],
        set_={name: new.excluded[name] for name in _LINE if name not in _LINE_KEPT},
    )
