"""A seller with a real book in a real database, and the orders that channels tell it.

`a_seller(db)` stands on the functions that the daemon itself runs; only the catalogue is inserted by hand.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, insert, text

from adapters.contract import Address, Money, OrderLine, OrderState, Problem
from allocation import Policy
from syncd.db.database import Database
from syncd.db.migrate import migrate
from syncd.db.tables import account, cell, listing, listing_component, metadata, pool, sku, warehouse
from syncd.orders.apply import Applied, apply_orders
from syncd.orders.book import AccountView, Incoming, PoolWarehouse, Rate
from syncd.orders.inbox import Arrived, insert_arrived
from syncd.stock.ledger import Cause, Ledger, Level
from syncd.stock.store import load_levels, record_ledger
from tests.support import postgres

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
COUNTED_AT = NOW - timedelta(days=1)
ENGINES = ("sqlite", "postgresql")

Lines = Sequence[OrderLine]
Parts = Mapping[str, int]


@contextmanager
def a_database(engine: str, folder: Path) -> Iterator[Database]:
    """A migrated, empty database that nobody else uses meanwhile, closed at the end.

    On PostgreSQL it is emptied and given to the next: much faster than a new one, and no place to change the schema.
    """
    url = f"sqlite:///{folder / 'syncd.db'}" if engine == "sqlite" else _free.pop() if _free else _new_database()
    if engine == "sqlite":
        (folder / "syncd.db").write_bytes(migrated_sqlite())
    db = Database(url)
    try:
        if engine != "sqlite":
            db.transact_now(_empty)
        yield db
    finally:
        db.close()
        if engine != "sqlite":
            _free.append(url)


_free: list[str] = []


@cache
def migrated_sqlite() -> bytes:
    """A migrated, empty SQLite database, made once a process."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "syncd.db")
        migrate(f"sqlite:///{file}")
        return file.read_bytes()


def _new_database() -> str:
    url = postgres.create_database()
    migrate(url)
    return url


def _empty(connection: Connection) -> None:
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # no triggers, no foreign keys
    for table in metadata.tables.values():
        connection.execute(table.delete())
        if "id" in table.c:
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), 1, false)"))


def a_line(
    sku: str | None = "RED-CLOCK",
    quantity: int = 1,
    *,
    line_id: str = "1",
    fulfilled: int = 0,
    taken: int | None = None,
    parked: str | None = None,
) -> OrderLine:
    """One order line; `sku` is how the channel names the listing. It has taken what it wants from the listing."""
    usable = 0 if parked else quantity
    took = usable if taken is None else taken
    return OrderLine(
        channel_line_id=line_id,
        line_key=sku,
        code=sku,
        quantity=usable,
        fulfilled=0 if parked else fulfilled,
        taken_min=took,
        taken_max=took,
        unit_price=Money(1999, "EUR"),
        parked=Problem("quantity", parked) if parked else None,
    )


def an_order(
    *lines: OrderLine,
    order_id: str = "1001",
    sku: str | None = "RED-CLOCK",
    quantity: int = 1,
    fulfilled: int = 0,
    cancelled: bool = False,
    minute: int = 0,
    placed_minute: int = 0,
    fulfilled_minute: int | None = None,
    problems: tuple[Problem, ...] = (),
    country: str = "DE",
    postcode: str = "20095",
) -> OrderState:
    """An order as the channel stood `minute` minutes after NOW: the lines given, else one of `sku` and `quantity`."""
    return OrderState(
        channel_order_id=order_id,
        name=f"#{order_id}",
        version_at=NOW + timedelta(minutes=minute),
        placed_at=NOW + timedelta(minutes=placed_minute),
        cancelled=cancelled,
        test=False,
        lines=lines or (a_line(sku, quantity, fulfilled=fulfilled),),
        ship_to=Address("Ada Buyer", ("Main Street 1",), "Hamburg", None, postcode, country),
        currency="EUR",
        problems=problems,
        fulfilled_at=None if fulfilled_minute is None else NOW + timedelta(minutes=fulfilled_minute),
    )


@dataclass
class Seller:
    """One book: an account or more, warehouses, SKUs and listings, by the names that tests give them."""

    db: Database
    accounts: dict[str, AccountView] = field(default_factory=dict)
    warehouses: dict[str, PoolWarehouse] = field(default_factory=dict)
    skus: dict[str, int] = field(default_factory=dict)
    listings: dict[str, int] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def takes_in(
        self, *orders: OrderState, account: str = "shop", way: str = "webhook", now: datetime = NOW
    ) -> tuple[Applied, ...]:
        """Let the channel deliver these orders, and apply them as one batch."""
        return self.db.transact_now(take_in, self.accounts[account].account_id, orders, way, self.views(), now, self)

    def counts(
        self, sku: str, pieces: int, warehouse: str = "hamburg", *, unavailable: int = 0, at: datetime = COUNTED_AT
    ) -> None:
        """Count a SKU in a warehouse: what the count finds is the truth."""
        key = (self.skus[sku], self.warehouses[warehouse].warehouse_id)
        self.db.transact_now(book_count, key, pieces, unavailable, at, next(self.numbers))

    def lists(self, name: str, parts: Parts, account: str = "shop") -> None:
        """Put one more listing on an account, made of SKUs we have."""
        self.db.transact_now(insert_listing, self, account, name, parts)

    def stands_on(self, *warehouses: str, account: str = "shop") -> None:
        """Let these warehouses alone answer an account's orders."""
        kept = tuple(self.warehouses[key] for key in warehouses)
        self.accounts[account] = replace(self.accounts[account], pool=kept)

    def level(self, sku: str = "RED-CLOCK", warehouse: str = "hamburg") -> Level:
        key = (self.skus[sku], self.warehouses[warehouse].warehouse_id)
        return self.db.transact_now(load_levels, {key}).get(key, Level())

    def reserved(self, order_id: str = "1001", stage: str = "held") -> dict[tuple[str, str, str], int]:
        """Pieces of an order by (line, sku, warehouse) in a stage; what is zero is left out."""
        found = self.rows(
            "SELECT l.channel_line_id AS line, s.code, w.key AS place, r.quantity FROM reservation r"
            " JOIN order_line l ON l.id = r.order_line_id JOIN sales_order o ON o.id = l.order_id"
            " JOIN sku s ON s.id = r.sku_id JOIN warehouse w ON w.id = r.warehouse_id"
            " WHERE o.channel_order_id = :order_id AND r.stage = :stage AND r.quantity > 0",
            order_id=order_id,
            stage=stage,
        )
        return {(row["line"], row["code"], row["place"]): row["quantity"] for row in found}

    def shortages(self, order_id: str = "1001") -> list[tuple[str | None, int, str]]:
        """(sku, pieces, reason) of an order's open shortages."""
        found = self.rows(
            "SELECT s.code, h.quantity, h.reason FROM shortage h JOIN order_line l ON l.id = h.order_line_id"
            " JOIN sales_order o ON o.id = l.order_id LEFT JOIN sku s ON s.id = h.sku_id"
            " WHERE o.channel_order_id = :order_id AND h.closed_at IS NULL ORDER BY h.id",
            order_id=order_id,
        )
        return [(row["code"], row["quantity"], row["reason"]) for row in found]

    def open_alerts(self) -> list[str]:
        return [row["kind"] for row in self.rows("SELECT kind FROM alert WHERE closed_at IS NULL ORDER BY kind")]

    def order(self, order_id: str = "1001") -> RowMapping:
        (found,) = self.rows("SELECT * FROM sales_order WHERE channel_order_id = :order_id", order_id=order_id)
        return found

    def rows(self, statement: str, **values: Any) -> list[RowMapping]:
        return self.db.read_now(lambda connection: list(connection.execute(text(statement), values).mappings()))

    def does(self, *statements: str) -> None:
        """Run raw SQL in one transaction: what no code of ours would do."""

        def run(connection: Connection) -> None:
            for statement in statements:
                connection.execute(text(statement))

        self.db.transact_now(run)

    def views(self) -> dict[int, AccountView]:
        return {view.account_id: view for view in self.accounts.values()}


def a_seller(
    db: Database,
    stock: Parts | Mapping[str, Parts] | None = None,
    *,
    listings: Mapping[str, Parts] | None = None,
    live: bool = True,
    warehouses: Mapping[str, str] | None = None,
    accounts: Sequence[str] = ("shop",),
    back_orderable: bool = False,
) -> Seller:
    """A seller whose `stock` is counted: {sku: pieces} in hamburg, or {warehouse: {sku: pieces}}.

    Every SKU is listed as itself; `listings` adds packs and kits, {listing: {sku: pieces a unit}}.
    """
    places = warehouses or {"hamburg": "own"}
    stocked: dict[str, Parts] = {}
    for name, found in (stock if stock is not None else {"RED-CLOCK": 5}).items():
        if isinstance(found, Mapping):
            stocked[name] = found
        else:
            stocked["hamburg"] = {**stocked.get("hamburg", {}), name: found}
    codes = sorted({code for parts in (*stocked.values(), *(listings or {}).values()) for code in parts})
    seller = Seller(db)
    db.transact_now(_insert_catalogue, seller, places, codes, accounts, live)
    offered = {code: {code: 1} for code in codes} | dict(listings or {})
    db.transact_now(_insert_listings, seller, offered, back_orderable)
    for place, parts in stocked.items():
        for code, pieces in parts.items():
            seller.counts(code, pieces, place)
    return seller


def take_in(
    connection: Connection,
    account_id: int,
    orders: Sequence[OrderState],
    way: str,
    accounts: Mapping[int, AccountView],
    now: datetime,
    seller: Seller,
) -> tuple[Applied, ...]:
    """Put each order into the inbox and apply all of them, as one transaction."""
    batch = []
    for order in orders:
        digest = hashlib.sha256(repr(order).encode()).hexdigest()
        event_key = f"{way}/{order.channel_order_id}/{next(seller.numbers)}"
        insert_arrived(connection, [Arrived(account_id, event_key, "orders/updated", way, b"{}")], now)
        inbox_id = connection.execute(text("SELECT max(id) FROM inbox")).scalar_one()
        batch.append(Incoming(account_id, inbox_id, way, digest, order))
    return apply_orders(connection, batch, accounts, now)


def book_count(
    connection: Connection, key: tuple[int, int], pieces: int, unavailable: int, at: datetime, number: int
) -> None:
    levels = load_levels(connection, {key})
    before = levels.get(key, Level())
    ledger = Ledger(levels, "counter", at)
    ledger.count(key, pieces - before.on_hand, unavailable - before.unavailable, at, Cause("count", number))
    record_ledger(connection, ledger, lambda cause: f"{cause.subject}/{cause.application}")


def _insert_catalogue(
    connection: Connection,
    seller: Seller,
    places: Mapping[str, str],
    codes: Sequence[str],
    accounts: Sequence[str],
    live: bool,
) -> None:
    for rank, (key, kind) in enumerate(places.items()):
        where: dict[str, Any] = {"country": "DE", "postcode": "20095", "time_zone": "Europe/Berlin"}
        warehouse_id = _add(connection, warehouse, key=key, name=key.title(), kind=kind, **where)
        rates = (Rate("world", 500 + 100 * rank, 50),)
        seller.warehouses[key] = PoolWarehouse(warehouse_id, key, rank, kind == "own", "DE", "20095", rates)
    for code in codes:
        seller.skus[code] = _add(connection, sku, code=code)
    for key in accounts:
        standing: dict[str, Any] = {"state": "live" if live else "observing", "added_at": NOW, "state_changed_at": NOW}
        account_id = _add(connection, account, key=key, channel="shopify", policy="priority", **standing)
        everywhere = tuple(seller.warehouses.values())
        for place in everywhere:
            _add(connection, pool, account_id=account_id, warehouse_id=place.warehouse_id, rank=place.rank)
        seller.accounts[key] = AccountView(account_id, key, live, Policy.PRIORITY, 1.0, 60.0, 60.0, everywhere)


def insert_listing(
    connection: Connection, seller: Seller, account: str, name: str, parts: Parts, back_orderable: bool = False
) -> None:
    """A listing with one cell, read a day ago as 100."""
    listing_id = seller.listings[name] = _add(
        connection,
        listing,
        account_id=seller.accounts[account].account_id,
        channel_sku=name,
        channel_location="main",
        line_key=name,
        code=name,
        budget_key=name,
        back_orderable=int(back_orderable),
    )
    for code, units in parts.items():
        _add(connection, listing_component, listing_id=listing_id, sku_id=seller.skus[code], units=units)
    read: dict[str, Any] = {"anchor_lo_at": COUNTED_AT, "anchor_hi_at": COUNTED_AT, "must_read": 0}
    _add(connection, cell, listing_id=listing_id, name="available", anchor_value=100, **read)


def _insert_listings(
    connection: Connection, seller: Seller, offered: Mapping[str, Parts], back_orderable: bool
) -> None:
    for account_key in seller.accounts:
        for name, parts in offered.items():
            insert_listing(connection, seller, account_key, name, parts, back_orderable)


def _add(connection: Connection, table: Table, **values: Any) -> int:
    """Insert one row; the first part of its key."""
    return int((connection.execute(insert(table).values(values)).inserted_primary_key or (0,))[0])
