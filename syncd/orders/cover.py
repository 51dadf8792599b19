"""Cover shortages when stock or a mapping comes, oldest order first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, Executable, and_, or_, select

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
from syncd.stock.store import load_levels

Progress = tuple[datetime, int]
"""The last order looked at: (placed_at, sales_order.id)."""

START: Progress = (datetime(1970, 1, 1, tzinfo=UTC), 0)


@dataclass(frozen=True, slots=True)
class Covered:
    """How many orders got something, and where to go on; None: every order has been looked at."""

    orders: int
    after: Progress | None


def cover_shortages(
    connection: Connection, views: Mapping[int, AccountView], limit: int, now: datetime, after: Progress = START
) -> Covered:
    """Reserve what the open shortages of some orders can have by now, each account as live as it is at this moment.

    Shortages lower what sales may see, so waiting for this never lets the same unit be promised twice.
    """
    found = _coverable(connection, sorted(views), limit, after)
    if not found:
        return Covered(0, None)
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
    return Covered(len(changes), found[-1] if len(found) == limit else None)


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


def _coverable(connection: Connection, accounts: list[int], limit: int, after: Progress) -> list[Progress]:
    """Orders with a line whose every shortage their pool can lower now, or that has been mapped meanwhile."""
    placed_at, order_id = after
    found = _after(
        connection, accounts=[(each,) for each in accounts], limit=limit, placed_at=placed_at, order_id=order_id
    )
    return [(row.placed_at, row.id) for row in found]


@statement
def _after(given: Given) -> Executable:
    accounts = given.rows("accounts", id=int)
    placed_at = given.value("placed_at", datetime)
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
    coverable = and_(shortage.c.sku_id.is_not(None), ~lacking)
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
            or_(coverable, and_(shortage.c.sku_id.is_(None), has_mapping)),
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
