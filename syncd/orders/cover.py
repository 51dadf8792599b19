"""Cover shortages when stock or a mapping comes, oldest order first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Executable, Select, and_, or_, select

from syncd.accounts.store import selling_accounts
from syncd.db.statements import Given, statement
from syncd.db.tables import level, line_component, listing, listing_component, order_line, pool, sales_order, shortage
from syncd.orders.book import AccountView, Listings, OrderBook
from syncd.orders.change import OrderChange
from syncd.orders.decide import cover_lines
from syncd.orders.store.listings import load_listings, named_by_code
from syncd.orders.store.load import load_books, load_order_keys
from syncd.orders.store.record import record_changes
from syncd.stock.ledger import Ledger
from syncd.stock.replenished import Mark, forget_replenished, replenished_skus
from syncd.stock.store import load_levels

_SKUS_AT_ONCE: Final = 500

Waiting = tuple[datetime, int]
"""An order: (placed_at, sales_order.id)."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where covering stands: the replenished SKUs it is about (None: the next ones), and the last order looked at."""

    skus: tuple[Mark, ...] | None = None
    placed_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    order_id: int = 0


START: Progress = Progress()


@dataclass(frozen=True, slots=True)
class Covered:
    """How many orders got something, and where to go on; None: everything that can be covered has been."""

    orders: int
    after: Progress | None


def cover_shortages(
    connection: Connection, views: Mapping[int, AccountView], limit: int, now: datetime, after: Progress = START
) -> Covered:
    """Reserve what the open shortages of some orders can have by now, each account as live as it is at this moment.

    Looked at are the orders that wait for SKUs of which more has become free, and those that wait for a mapping.
    Shortages lower what sales may see, so waiting for this never lets the same unit be promised twice.
    """
    skus = replenished_skus(connection, _SKUS_AT_ONCE) if after.skus is None else after.skus
    found = _coverable(connection, sorted(views), limit, replace(after, skus=skus))
    orders = _cover(connection, views, found, now) if found else 0
    if len(found) == limit:
        return Covered(orders, Progress(skus, *found[-1]))
    forget_replenished(connection, skus)
    return Covered(orders, START if len(skus) == _SKUS_AT_ONCE else None)


def _cover(connection: Connection, views: Mapping[int, AccountView], found: Sequence[Waiting], now: datetime) -> int:
    """Returns how many of these orders got something."""
    selling = selling_accounts(connection)
    accounts = {key: replace(view, live=key in selling) for key, view in views.items()}
    books = load_books(connection, load_order_keys(connection, [order_id for _, order_id in found]))
    listings = load_listings(
        connection,
        {
            (key[0], line.line_key, line.code)
            for key, book in books.items()
            for line in book.lines.values()
            if line.line_key
        },
    )
    mapped_now = {key for key, book in books.items() if _map_lines(book, listings)}
    skus = {sku_id for book in books.values() for line in book.lines.values() for sku_id, _ in line.components}
    warehouses = {w.warehouse_id for account in accounts.values() for w in account.pool}
    ledger = Ledger(load_levels(connection, {(s, w) for s in skus for w in warehouses}), "cover", now)

    changes = []
    oldest_first = sorted(books.values(), key=lambda b: (min(line.placed_at for line in b.lines.values()), b.order_id))
    for book in oldest_first:
        before = len(ledger.movements)
        book.applications += 1
        change = OrderChange(book, None, None, is_new=False)
        short = [line for line in book.lines.values() if line.short and line.components]
        cover_lines(short, change, accounts[book.account_id], ledger, {}, first_applied=False)
        if len(ledger.movements) > before or (book.account_id, book.channel_order_id) in mapped_now:
            changes.append(change)

    record_changes(connection, changes, ledger, accounts, now)
    return len(changes)


def _map_lines(book: OrderBook, listings: Listings) -> bool:
    """Map the lines that had no listing when they came. Returns whether any was."""
    mapped = False
    for line in book.lines.values():
        view = listings.get((book.account_id, line.line_key)) if line.line_key else None
        if view is not None and view.components and not line.components:
            line.listing_id, line.components = view.listing_id or line.listing_id, view.components
            line.back_orderable = view.back_orderable
            mapped = True
    return mapped


def _coverable(connection: Connection, accounts: list[int], limit: int, after: Progress) -> list[Waiting]:
    """The next orders with a line whose every shortage their pool can lower now, or that has been mapped meanwhile."""
    given = {
        "accounts": [(each,) for each in accounts],
        "limit": limit,
        "placed_at": after.placed_at,
        "order_id": after.order_id,
    }
    found = {(row.placed_at, row.id) for row in _mapped_now(connection, **given)}
    if after.skus:
        skus = [(sku_id,) for sku_id, _ in after.skus]
        found |= {(row.placed_at, row.id) for row in _waiting_for(connection, skus=skus, **given)}
    return sorted(found)[:limit]


@statement
def _waiting_for(given: Given) -> Executable:
    skus = given.rows("skus", id=int)
    other = shortage.alias("other")
    lacking = (
        select(1)
        .select_from(other)
        .join(
            line_component,
            and_(line_component.c.order_line_id == other.c.order_line_id, line_component.c.sku_id == other.c.sku_id),
        )
        .where(
            other.c.order_line_id == order_line.c.id,
            other.c.closed_at.is_(None),
            other.c.sku_id.is_not(None),  # or no index fits, and every open shortage is read for each of them
            ~_in_pool(other.c.sku_id, line_component.c.units, sales_order.c.account_id),
        )
        .exists()
    )
    return _next_orders(given).where(shortage.c.sku_id.in_(select(skus.c.id)), ~lacking)


@statement
def _mapped_now(given: Given) -> Executable:
    has_mapping = or_(
        select(1)
        .select_from(listing)
        .join(listing_component, listing_component.c.listing_id == listing.c.id)
        .where(listing.c.account_id == sales_order.c.account_id, listing.c.line_key == order_line.c.line_key)
        .exists(),
        and_(
            order_line.c.line_key.is_not(None),
            named_by_code(sales_order.c.account_id, order_line.c.line_key, order_line.c.code),
        ),
    )
    return _next_orders(given).where(shortage.c.sku_id.is_(None), has_mapping)


def _next_orders(given: Given) -> Select[Any]:
    """The oldest orders with an open shortage, after the last one looked at."""
    accounts = given.rows("accounts", id=int)
    placed_at = given.value("placed_at", datetime)
    return (
        select(sales_order.c.placed_at, sales_order.c.id)
        .join(order_line, order_line.c.order_id == sales_order.c.id)
        .join(shortage, shortage.c.order_line_id == order_line.c.id)
        .where(
            shortage.c.closed_at.is_(None),
            sales_order.c.account_id.in_(select(accounts.c.id)),
            or_(
                sales_order.c.placed_at > placed_at,
                and_(sales_order.c.placed_at == placed_at, sales_order.c.id > given.value("order_id", int)),
            ),
        )
        .group_by(sales_order.c.id, sales_order.c.placed_at)
        .order_by(sales_order.c.placed_at, sales_order.c.id)
        .limit(given.value("limit", int))
    )


def _in_pool(
    sku_id: ColumnElement[int], pieces: ColumnElement[int], account_id: ColumnElement[int]
) -> ColumnElement[bool]:
    """Whether some warehouse of the account's pool has that many free pieces of the SKU."""
    return (
        select(1)
        .select_from(level)
        .join(pool, and_(pool.c.warehouse_id == level.c.warehouse_id, pool.c.account_id == account_id))
        .where(level.c.sku_id == sku_id, level.c.on_hand - level.c.unavailable - level.c.reserved >= pieces)
        .exists()
    )
