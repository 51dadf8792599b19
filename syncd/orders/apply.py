"""Apply a batch of orders in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from syncd.db.pipeline import pipelined
from syncd.orders.book import AccountView, Incoming, Listings, OrderBook
from syncd.orders.change import OrderChange
from syncd.orders.decide import UNTIMELY, decide_order, is_news
from syncd.orders.inbox import settle_rows
from syncd.orders.store.erased import ask_to_erase
from syncd.orders.store.listings import load_listings
from syncd.orders.store.load import load_books
from syncd.orders.store.record import record_changes
from syncd.stock.ledger import Ledger, LevelKey
from syncd.stock.store import load_levels


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one inbox row, for the log after the commit."""

    inbox_id: int
    account: str
    channel_order_id: str
    news: bool
    oversold_units: int = 0


def apply_orders(
    connection: Connection, batch: Sequence[Incoming], accounts: Mapping[int, AccountView], now: datetime
) -> tuple[Applied, ...]:
    """Apply orders as states, each exactly once per account, channel order id and version, in one transaction.

    Orders, reservations, ledger, decisions, what became dirty and the inbox rows commit together or not at all.
    """
    batch = sorted(batch, key=lambda each: (each.order.version_at, each.inbox_id))
    books = load_books(connection, {(each.account_id, each.order.channel_order_id) for each in batch})
    news = _only_news(batch, books)
    listings = load_listings(
        connection,
        {(each.account_id, line.line_key, line.code) for each in news for line in each.order.lines if line.line_key},
    )
    ledger = Ledger(load_levels(connection, _touched(news, books, listings, accounts)), "intake", now)

    changes: list[OrderChange] = []
    for each in news:
        key = (each.account_id, each.order.channel_order_id)
        account = accounts[each.account_id]
        changes.append(decide_order(each.order, each.way, each.digest, books.get(key), account, listings, ledger))

    newest = {each.inbox_id for each in news}
    with pipelined(connection):
        record_changes(connection, changes, ledger, accounts, now)
        settle_rows(connection, [(each.inbox_id, "applied", None) for each in batch if each.inbox_id in newest], now)
        old = [(each.inbox_id, "ignored", "known already") for each in batch if each.inbox_id not in newest]
        settle_rows(connection, old, now)
        ask_to_erase(connection, _of_known_orders(batch, books), now)
    oversold = {(c.book.account_id, c.book.channel_order_id): c.oversold_units for c in changes}
    return tuple(
        Applied(
            each.inbox_id,
            accounts[each.account_id].key,
            each.order.channel_order_id,
            each.inbox_id in newest,
            oversold.get((each.account_id, each.order.channel_order_id), 0) if each.inbox_id in newest else 0,
        )
        for each in batch
    )


def _of_known_orders(batch: Sequence[Incoming], books: Mapping[tuple[int, str], OrderBook]) -> list[tuple[int, int]]:
    """(inbox id, order id) of the rows that tell of orders we had already."""
    known = [(each.inbox_id, books.get((each.account_id, each.order.channel_order_id))) for each in batch]
    return [(inbox_id, book.order_id) for inbox_id, book in known if book is not None and book.order_id is not None]


def _only_news(batch: Sequence[Incoming], books: Mapping[tuple[int, str], OrderBook]) -> list[Incoming]:
    """The newest state of each order of the batch, where it is newer than what was applied before."""
    newest: dict[tuple[int, str], Incoming] = {}
    for each in batch:
        key = (each.account_id, each.order.channel_order_id)
        if not is_news(each.order, each.way, each.digest, books.get(key)):
            continue
        before = newest.get(key)
        if before is None or each.order.version_at > before.order.version_at or each.way not in UNTIMELY:
            newest[key] = each
    return sorted(newest.values(), key=lambda each: (each.order.placed_at, each.inbox_id))


def _touched(
    news: Sequence[Incoming],
    books: Mapping[tuple[int, str], OrderBook],
    listings: Listings,
    accounts: Mapping[int, AccountView],
) -> set[LevelKey]:
    """Every level that these orders may move: their SKUs in the pool, and wherever they hold units already."""
    keys: set[LevelKey] = set()
    for each in news:
        account = accounts[each.account_id]
        skus: set[int] = set()
        for told in each.order.lines:
            if told.by_channel:
                continue
            view = listings.get((each.account_id, told.line_key)) if told.line_key else None
            skus.update(sku_id for sku_id, _ in (view.components if view else ()))
        book = books.get((each.account_id, each.order.channel_order_id))
        for line in book.lines.values() if book else ():
            skus.update(sku_id for sku_id, _ in line.components)
            keys.update((sku_id, warehouse_id) for sku_id, _ in line.components for warehouse_id in line.held)
        keys.update((sku_id, warehouse.warehouse_id) for sku_id in skus for warehouse in account.pool)
    return keys
