"""No statement of the status pages scans a table that grows: what each engine says it would do, statement by statement.

SQLite plans by its schema alone, so an empty database tells. PostgreSQL is told that the tables are large and that
scans are dear: what it scans all the same, it has no index for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event

from syncd.db.database import Database
from syncd.db.tables import metadata
from syncd.fulfilment.ship import orders_called
from syncd.insight import at_risk
from syncd.insight.account_page import read_account
from syncd.insight.at_risk import AtRisk, read_at_risk
from syncd.insight.attention import read_concerns
from syncd.insight.oversells import read_oversells
from syncd.insight.parties import read_pulses
from syncd.insight.recent import read_recent
from syncd.insight.sku_page import read_sku
from syncd.insight.status import read_status
from syncd.reconcile.recipients import erase_recipients
from syncd.reconcile.tidy import erase_asked
from tests.support.builders import NOW, a_seller, an_order

SMALL = {"account", "warehouse", "pool", "cursor", "warehouse_cursor", "tally", "lag_bucket"}
"""A row an account, a warehouse or a name of ours: as small on a million SKUs."""

BIG = {name for name in metadata.tables if name not in SMALL}

BOUNDED = {("level", "some_levels"), ("decision", "newest")}
"""Scans that end by a LIMIT right on the table: the first levels, to see whether there are too many to add up, and the
last decisions from the end of their key."""

READINGS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "status": (read_status, (NOW,)),
    "pulses": (read_pulses, ()),
    "concerns": (read_concerns, ()),
    "stock at risk": (read_at_risk, (NOW,)),
    "a search": (at_risk.search, ("red", None, AtRisk())),
    "a search's next page": (at_risk.search, ("red", "red-clock", AtRisk())),
    "oversells": (read_oversells, (NOW,)),
    "what was lately": (read_recent, ()),
    "an account": (read_account, ("shop",)),
    "a SKU": (read_sku, ("RED-CLOCK", NOW)),
    "an order to ship": (orders_called, ("#1001", None)),
    "an account's order to ship": (orders_called, ("#1001", "shop")),
    "recipients to erase": (erase_recipients, (100, NOW, NOW)),
    "bodies that buyers want erased": (erase_asked, (100,)),
}
PARTIAL = {
    str(index.name): True
    for table in metadata.tables.values()
    for index in table.indexes
    if index.dialect_options["sqlite"]["where"] is not None
}


@pytest.fixture
def busy(db: Database) -> Database:
    """A book in which every reading finds something to go on with."""
    seller = a_seller(db, {"RED-CLOCK": 5}, accounts=("shop", "market"))
    seller.takes_in(an_order(order_id="1", quantity=4))
    seller.takes_in(an_order(order_id="2", quantity=4), account="market")
    seller.does(
        "INSERT INTO sku_alias (normalised_code, sku_id) SELECT 'red-clock', id FROM sku",
        "UPDATE dirty_listing SET urgency = 0, due_at = 0, since_at = NULL",
    )
    if db.writer.dialect.name == "postgresql":
        seller.does("ANALYZE")  # as it does by itself at any time, with what little there is
    return db


@pytest.mark.parametrize("name", READINGS)
def test_no_statement_of_a_page_scans_a_big_table(busy: Database, name: str) -> None:
    function, inputs = READINGS[name]
    explain = _sqlite_scans if busy.writer.dialect.name == "sqlite" else _postgresql_scans

    def told(connection: Connection) -> list[tuple[str, str]]:
        ran = _statements(connection, function, inputs)
        assert ran, "it reads something"
        return [(scan, text) for text, values in ran for scan in explain(connection, text, values)]

    with planning(busy) as connection:
        scans = told(connection)

    assert [(table, text) for table, text in scans if not any(t == table and m in text for t, m in BOUNDED)] == []


def test_what_waits_to_be_written_is_read_in_its_order_up_to_a_limit(busy: Database) -> None:
    """However many numbers a sale has made due: the limit stands on the index itself, before anything is left out."""
    with planning(busy) as connection:
        inputs = {"account_id": 1, "before": NOW, "look_at": 2_000, "limit": 200}
        ((text, values),) = _statements(connection, at_risk._awaiting_write, (), **inputs)
        if connection.dialect.name == "sqlite":
            plan = [str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)]
        else:
            # So small a table is read whole and sorted; whether the index could give the order is what counts.
            connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
            connection.exec_driver_sql("SET LOCAL enable_sort = off")
            plan = [str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {text}", values)]

    told = "\n".join(plan)
    assert "ix_dirty_listing_due" in told
    if connection.dialect.name == "postgresql":
        under = told[: told.index("ix_dirty_listing_due")]
        assert under.count("Limit") == 2, told
        assert "Sort" not in under[under.rindex("Limit") :], told
    else:
        inner = text[text.index("FROM (") : text.index(") AS first_due")]
        assert "LIMIT" in inner
        assert "COALESCE" not in inner.upper()
        (scan,) = [line for line in plan if "ix_dirty_listing_due" in line]
        assert scan == "SEARCH dirty_listing USING INDEX ix_dirty_listing_due (account_id=? AND urgency=?)"


def test_a_scan_would_be_seen(busy: Database) -> None:
    """The test itself: a scan, one through a whole index, and one under another name are all found."""
    explain = _sqlite_scans if busy.writer.dialect.name == "sqlite" else _postgresql_scans
    for statement in (
        "SELECT count(*) FROM order_line WHERE quantity = 3",
        "SELECT other.code FROM sku AS other ORDER BY other.code",
        "SELECT max(h.quantity) FROM hold AS h JOIN cell AS c ON c.sold_lo = h.given_back",
    ):
        with planning(busy) as connection:
            assert list(explain(connection, statement, ())), statement


@contextmanager
def planning(db: Database) -> Iterator[Connection]:
    """A connection on which every big table counts as big, whatever was last found in it; taken back at the end."""
    with db.writer.connect() as connection, connection.begin() as transaction:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("DELETE FROM pg_statistic WHERE starelid IN " + _TABLES, (sorted(BIG),))
            connection.exec_driver_sql(
                "UPDATE pg_class SET reltuples = 1000000, relpages = 1 WHERE oid IN " + _TABLES, (sorted(BIG),)
            )
        yield connection
        transaction.rollback()


_TABLES = "(SELECT oid FROM pg_class WHERE relname = ANY(%s) AND relnamespace = 'public'::regnamespace)"


def _statements(
    connection: Connection, function: Callable[..., Any], inputs: tuple[Any, ...], **named: Any
) -> list[tuple[str, Any]]:
    ran: list[tuple[str, Any]] = []

    def note(_connection: Connection, _cursor: object, statement: str, values: Any, *_: object) -> None:
        ran.append((statement, values))

    event.listen(connection, "before_cursor_execute", note)
    function(connection, *inputs, **named)
    event.remove(connection, "before_cursor_execute", note)
    return ran


def _sqlite_scans(connection: Connection, statement: str, values: Any) -> Iterator[str]:
    """Tables that are read from end to end, by the names the statement gives them in that place."""
    plan = [str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    derived = {found[1] for line in plan if (found := re.match(r"(?:CO-ROUTINE|MATERIALIZE) (\S+)", line))}
    named = dict(re.findall(r"(?:FROM|JOIN) (\w+) AS (\w+)", statement))
    tables = {alias: table for table, alias in named.items()}
    for line in plan:
        scan = re.match(r"SCAN (\S+)(?: USING (?:COVERING )?INDEX (\S+))?", line)
        scan = scan or re.match(
            r"SEARCH (\S+)(?:$| USING AUTOMATIC.* INDEX ()\()", line
        )  # by no index, or one made now
        if scan is None or "VIRTUAL TABLE" in line or scan[1] in derived or scan[2] in PARTIAL:
            continue
        table = tables.get(scan[1], scan[1])
        if table in BIG:
            yield table


def _postgresql_scans(connection: Connection, statement: str, values: Any) -> Iterator[str]:
    for way in ("seqscan", "hashjoin", "mergejoin"):  # what reads a table whole, be it by an index
        connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
    (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalar_one()
    yield from _node_scans(plan["Plan"])


def _node_scans(node: dict[str, Any]) -> Iterator[str]:
    table = node.get("Relation Name")
    whole = node["Node Type"] == "Seq Scan" or (
        node["Node Type"] in ("Index Scan", "Index Only Scan")
        and "Index Cond" not in node
        and node["Index Name"] not in PARTIAL
    )
    if table in BIG and whole:
        yield table
    for each in node.get("Plans", ()):
        yield from _node_scans(each)
