"""The seller every contender sells for: so many SKUs in five warehouses, one listing each, a million pieces of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, text

from allocation import Policy
from benchmarks.book.shoppers import START
from syncd.accounts.store import AccountSetup, WarehouseSetup, set_state, sync_parties
from syncd.db.database import Database
from syncd.db.migrate import migrate
from syncd.db.types import to_micros
from syncd.orders.book import AccountView, PoolWarehouse

WAREHOUSES: Final = 5
PIECES: Final = 1_000_000
ACCOUNT: Final = "shop"
LOCATION: Final = "gid://shopify/Location/1"
_KEYS: Final = tuple(f"w{number}" for number in range(1, WAREHOUSES + 1))
_CHUNK: Final = 200_000  # SKUs a transaction: an engine bounds how long one may take

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
_PLACES = ", (SELECT id AS w FROM warehouse) place"
_GOODS = (
    ("sku (id, code, title)", "i, 'SKU-' || i, 'An article' FROM n"),
    ("sku_alias (normalised_code, sku_id)", "'sku-' || i, i FROM n"),
    ("level (sku_id, warehouse_id, on_hand, seq)", f"i, w, :pieces, :depth FROM n{_PLACES}"),
    (
        "movement (sku_id, warehouse_id, seq, kind, d_on_hand, cause_key, actor, at)",
        f"i, w, 1, 'count', :pieces, 'count/' || i || '/' || w, 'benchmark', :at FROM n{_PLACES}",
    ),
)
_LISTED = (
    (
        "listing (id, account_id, channel_sku, channel_location, line_key, code, budget_key)",
        "i + :offset, :account, 'gid://shopify/InventoryItem/' || i, :location,"
        " 'gid://shopify/ProductVariant/' || i, 'SKU-' || i, 'p' || i FROM n",
    ),
    ("listing_component (listing_id, sku_id, units)", "i + :offset, i, 1 FROM n"),
    (
        "cell (listing_id, name, anchor_value, anchor_lo_at, anchor_hi_at, certified, must_read, last_read_value,"
        " last_read_at, published)",
        "i + :offset, 'available', :shown, :at, :at, 1, 0, :shown, :at, :shown FROM n",
    ),
)
_FILLED: Final = (
    "account",
    "warehouse",
    "pool",
    "sku",
    "sku_alias",
    "level",
    "movement",
    "listing",
    "listing_component",
    "cell",
)
# A past of adjustments that cancel out: what a ledger has after years, and what no order may get slower by.
_PAST = (
    "INSERT INTO movement (sku_id, warehouse_id, seq, kind, d_on_hand, cause_key, actor, at)"
    " SELECT sku_id, warehouse_id, step, 'adjustment', CASE WHEN step % 2 = 0 THEN 1 ELSE -1 END,"
    " 'past/' || sku_id || '/' || warehouse_id || '/' || step, 'benchmark', :at"
    " FROM level, (WITH RECURSIVE s(step) AS (SELECT 2 UNION ALL SELECT step + 1 FROM s WHERE step < :depth)"
    " SELECT step FROM s) steps"
)


@dataclass(frozen=True, slots=True)
class Size:
    """`depth` movements a level: 1 is the count that all began with."""

    skus: int = 10_000
    channels: int = 1
    depth: int = 1

    def __post_init__(self) -> None:
        if self.depth % 2 == 0:
            raise ValueError("a past of adjustments that cancel out needs an odd depth")


def furnish(url: str, size: Size) -> None:
    """Make an empty database such a seller's, and let go of it."""
    migrate(url)
    db = Database(url)
    try:
        keys = accounts_of(size.channels)
        setups = [AccountSetup(key, "shopify", Policy.PRIORITY, 0, None, _KEYS) for key in keys]
        places = [WarehouseSetup(key, key, "own", "US", f"{10000 + n}", "UTC") for n, key in enumerate(_KEYS)]
        ids = db.transact_now(sync_parties, setups, places, START)
        for first in range(1, size.skus + 1, _CHUNK):
            last = min(first + _CHUNK - 1, size.skus)
            db.transact_now(_stock_up, first, last, size, tuple(ids.accounts.values()))
        if size.depth > 1:
            db.transact_now(_live_through, size.depth)
        for account_id in ids.accounts.values():
            db.transact_now(set_state, account_id, "live", START - timedelta(days=9))
        with db.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(settle(_FILLED) if connection.dialect.name == "postgresql" else "ANALYZE"))
    finally:
        db.close()


def settle(tables: Sequence[str]) -> str:
    """The statement that tells PostgreSQL's planner of filled tables.

    An empty one must be left alone: once it was vacuumed, a foreign key's check reads it whole as it grows, because
    the plan is kept. A new installation's tables are empty and were never vacuumed.
    """
    return f"VACUUM (ANALYZE) {', '.join(tables)}"


def accounts_of(channels: int) -> list[str]:
    """The keys of that many accounts."""
    return [ACCOUNT, *(f"{ACCOUNT}{number}" for number in range(2, channels + 1))]


def _stock_up(connection: Connection, first: int, last: int, size: Size, accounts: tuple[int, ...]) -> None:
    _unhurried(connection)
    values: dict[str, Any] = {
        "first": first,
        "last": last,
        "pieces": PIECES,
        "depth": size.depth,
        "shown": PIECES * WAREHOUSES,
        "location": LOCATION,
        "at": to_micros(START - timedelta(days=1)),
    }
    for into, picked in _GOODS:
        _insert(connection, into, picked, values)
    for number, account_id in enumerate(accounts):
        for into, picked in _LISTED:
            _insert(connection, into, picked, {**values, "account": account_id, "offset": number * size.skus})


def _insert(connection: Connection, into: str, picked: str, values: dict[str, Any]) -> None:
    statement = f"INSERT INTO {into} {_NUMBERS} SELECT {picked}"
    wanted = {name: value for name, value in values.items() if f":{name}" in statement}
    connection.execute(text(_typed(connection, statement)), wanted)


def _live_through(connection: Connection, depth: int) -> None:
    _unhurried(connection)
    values = {"depth": depth, "at": to_micros(START - timedelta(hours=1))}
    connection.execute(text(_typed(connection, _PAST)), values)


def _typed(connection: Connection, statement: str) -> str:
    """PostgreSQL wants to know what a bare parameter is."""
    if connection.dialect.name != "postgresql":
        return statement
    for name, kind in (("first", "int"), ("at", "bigint"), ("location", "text"), ("shown", "int")):
        statement = statement.replace(f":{name}", f"CAST(:{name} AS {kind})")
    return statement


def _unhurried(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))


def views_of(db: Database) -> dict[int, AccountView]:
    """The seller's accounts as taking orders in must know them."""
    found = db.read_now(_parties)
    return {
        account_id: AccountView(
            account_id,
            key,
            True,
            Policy.PRIORITY,
            1.0,
            2.0,
            60.0,
            tuple(
                PoolWarehouse(warehouse_id, name, rank, True, "US", postcode, ())
                for owner, warehouse_id, name, rank, postcode in found[1]
                if owner == account_id
            ),
        )
        for account_id, key in found[0]
    }


def _parties(connection: Connection) -> tuple[list[tuple[int, str]], list[tuple[int, int, str, int, str]]]:
    accounts = [(row.id, row.key) for row in connection.execute(text("SELECT id, key FROM account ORDER BY id"))]
    pools = connection.execute(
        text(
            "SELECT p.account_id, w.id, w.key, p.rank, w.postcode FROM pool p JOIN warehouse w ON w.id = p.warehouse_id"
            " ORDER BY p.account_id, p.rank"
        )
    )
    return accounts, [(row[0], row[1], row[2], row[3], row[4]) for row in pools]
