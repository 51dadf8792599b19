"""Move reservations whose goods are not where they were promised to warehouses that have them.

A count, a damage or a warehouse's own snapshot may leave fewer pieces somewhere than are promised there. What another
warehouse of the account's pool can give goes there instead; the rest stays reserved where it is, and a person is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, Executable, Integer, and_, literal_column, select

from syncd.accounts.store import selling_accounts
from syncd.db.statements import Given, constant, statement
from syncd.db.tables import level, line_component, movement, order_line, pool, reservation, sales_order
from syncd.orders.allocate import allocate, explain
from syncd.orders.book import AccountView, LineBook, OrderBook
from syncd.orders.change import OrderChange
from syncd.orders.moves import hold_units, release_units
from syncd.orders.store.load import load_books, load_order_keys
from syncd.orders.store.record import record_changes
from syncd.stock.ledger import Ledger
from syncd.stock.store import load_levels

_NONE: ColumnElement[int] = literal_column("0", Integer)  # in the statement itself, or SQLite sees no partial index

STANDS_FOR: Final = timedelta(minutes=10)
"""How long what was counted must stand: the next count or snapshot often corrects a wrong one."""


def replan_short(connection: Connection, views: Mapping[int, AccountView], limit: int, now: datetime) -> int:
    """Move what can be moved of at most `limit` orders, the newest first. Returns how many orders got another place.

    Only units that no warehouse has been asked to ship are moved, and only to where they are free now.
    """
    found = _movable(
        connection, accounts=[(each,) for each in sorted(views)], before=now - STANDS_FOR, limit=limit
    ).all()
    if not found:
        return 0
    places: dict[int, list[int]] = {}
    for row in found:
        places.setdefault(row.order_id, []).append(row.warehouse_id)
    return _replan(connection, views, places, now)


def _replan(
    connection: Connection, views: Mapping[int, AccountView], places: Mapping[int, Sequence[int]], now: datetime
) -> int:
    selling = selling_accounts(connection)
    accounts = {key: replace(view, live=key in selling) for key, view in views.items()}
    books = load_books(connection, load_order_keys(connection, places))
    skus = {sku_id for book in books.values() for line in book.lines.values() for sku_id, _ in line.components}
    warehouses = {w.warehouse_id for account in accounts.values() for w in account.pool}
    warehouses |= {place for several in places.values() for place in several}
    ledger = Ledger(load_levels(connection, {(s, w) for s in skus for w in warehouses}), "replan", now)
    newest_first = sorted(
        books.values(), key=lambda b: (max(line.placed_at for line in b.lines.values()), b.order_id), reverse=True
    )
    changes = []
    for book in newest_first:
        book.applications += 1
        change = OrderChange(book, None, None, is_new=False)
        for place in places[book.order_id or 0]:
            _move_from(place, book, accounts[book.account_id], ledger, change)
        if change.reserved:
            changes.append(change)
    record_changes(connection, changes, ledger, accounts, now)
    return len(changes)


def _move_from(place: int, book: OrderBook, account: AccountView, ledger: Ledger, change: OrderChange) -> None:
    """Move an order's units out of a warehouse that is short of them, as far as others have them."""
    lines = _missing(book, place, ledger)
    if not lines:
        return
    mapped = [line for line, _ in lines]
    plan = allocate(mapped, [units for _, units in lines], book, account, ledger)
    for share in plan.shares:
        line = mapped[share.line]
        release_units(line, place, share.quantity, change, ledger)
        hold_units(line, int(share.warehouse), share.quantity, change, ledger)
    if plan.shares:
        change.decision = explain(plan, mapped, book, account)


def _missing(book: OrderBook, place: int, ledger: Ledger) -> list[tuple[LineBook, int]]:
    """Units of each line that are reserved in a warehouse, not asked of it, and not there: a missing piece counts once.

    Lines of which nothing is missing are left out.
    """
    short: dict[int, int] = {}
    missing = []
    for line in book.lines.values():
        for sku_id, _ in line.components:
            short.setdefault(sku_id, ledger.level(sku_id, place).short)
        wanted = max((-(-short[sku_id] // pieces) for sku_id, pieces in line.components), default=0)
        units = min(line.untold(place), wanted)
        if units <= 0:
            continue
        for sku_id, pieces in line.components:
            short[sku_id] = max(0, short[sku_id] - units * pieces)
        missing.append((line, units))
    return missing


@statement
def _movable(given: Given) -> Executable:
    """Orders with units held in a warehouse that is short of them, of which another one of their pool can make one."""
    accounts = given.rows("accounts", id=int)
    elsewhere = level.alias("elsewhere")
    there = and_(
        elsewhere.c.sku_id == line_component.c.sku_id,
        elsewhere.c.warehouse_id == pool.c.warehouse_id,
        elsewhere.c.on_hand - elsewhere.c.unavailable - elsewhere.c.reserved >= line_component.c.units,
    )
    is_there = select(1).select_from(elsewhere).where(there).correlate(line_component, pool).exists()
    lacking = (
        select(1)
        .select_from(line_component)
        .where(line_component.c.order_line_id == order_line.c.id, ~is_there)
        .correlate(order_line, pool)
        .exists()
    )
    can_be_made = (
        select(1)
        .select_from(pool)
        .where(
            pool.c.account_id == sales_order.c.account_id,
            pool.c.warehouse_id != reservation.c.warehouse_id,
            ~lacking,
        )
        .exists()
    )
    recounted = (
        select(1)
        .select_from(movement)
        .where(
            movement.c.sku_id == level.c.sku_id,
            movement.c.warehouse_id == level.c.warehouse_id,
            movement.c.at > given.value("before", datetime),
            (movement.c.d_on_hand != _NONE) | (movement.c.d_unavailable != _NONE),
            movement.c.kind != "shipment",
        )
        .exists()
    )
    return (
        select(order_line.c.order_id, reservation.c.warehouse_id)
        .select_from(level)
        .join(
            reservation,
            and_(reservation.c.sku_id == level.c.sku_id, reservation.c.warehouse_id == level.c.warehouse_id),
        )
        .join(order_line, order_line.c.id == reservation.c.order_line_id)
        .join(sales_order, sales_order.c.id == order_line.c.order_id)
        .where(
            level.c.short > _NONE,
            reservation.c.stage == constant("held"),
            reservation.c.quantity > _NONE,
            sales_order.c.account_id.in_(select(accounts.c.id)),
            can_be_made,
            ~recounted,
        )
        .group_by(order_line.c.order_id, reservation.c.warehouse_id)
        .order_by(order_line.c.order_id.desc(), reservation.c.warehouse_id)
        .limit(given.value("limit", int))
    )
