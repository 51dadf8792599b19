"""Any write of a batch may fail, wherever it stands among those sent ahead: it is told of that write, or repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from syncd.db import database as database_module
from syncd.db.database import Database
from syncd.db.pipeline import is_watched
from syncd.db.tables import metadata
from syncd.reconcile.audit import audit
from tests.integration.book_machine.crashes import struck
from tests.integration.conftest import ON_POSTGRESQL
from tests.support.builders import NOW, Seller, a_seller, an_order, take_in

pytestmark = ON_POSTGRESQL

KNOWN = (
    an_order(order_id="plain", quantity=2),
    an_order(order_id="short", sku="RARE", quantity=3),
    an_order(order_id="gone", quantity=3),
)
BATCH = (
    an_order(order_id="new", sku="KIT", quantity=2),
    an_order(order_id="lacking", sku="RARE", quantity=2),
    an_order(order_id="unknown", sku="NOSUCH"),
    an_order(order_id="gone", quantity=0, cancelled=True, minute=1),
    an_order(order_id="plain", quantity=4, fulfilled=1, minute=1),
)

# The plan names the one write that is struck, counted over all transactions, and how; -1 strikes none. It raises the
# text of the statement that PostgreSQL was running.
STRIKES = (
    "CREATE SEQUENCE strike",
    "CREATE TABLE plan (write bigint, state text)",
    "INSERT INTO plan VALUES (-1, '')",
    """
    CREATE FUNCTION strike() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE struck plan;
    BEGIN
      SELECT * INTO struck FROM plan;
      IF nextval('strike') = struck.write THEN
        RAISE EXCEPTION '%', current_query() USING ERRCODE = struck.state;
      END IF;
      RETURN NULL;
    END $$
    """,
    *(
        f"CREATE TRIGGER strike AFTER INSERT OR UPDATE OR DELETE ON {name} FOR EACH STATEMENT EXECUTE FUNCTION strike()"
        for name in metadata.tables
    ),
)

Book = dict[str, list[str]]
"""Every row of every table, but for the number of the transaction that wrote it."""


class Undone(Exception):
    """The whole batch was written, and is rolled back."""

    def __init__(self, book: Book) -> None:
        super().__init__()
        self.book = book


class Struck:
    """A seller in a database whose writes can be struck, one at a time."""

    def __init__(self, seller: Seller) -> None:
        self.db, self.seller = seller.db, seller
        self.watched: list[bool] = []

    def write(self, connection: Connection) -> None:
        """The batch, with the same ids each time."""
        connection.execute(text("SELECT setval(seqrelid, 1000) FROM pg_sequence WHERE seqrelid != 'strike'::regclass"))
        self.watched.append(is_watched(connection))
        seller = copy(self.seller)
        seller.numbers = count(100)
        take_in(connection, seller.accounts["shop"].account_id, BATCH, "webhook", seller.views(), NOW, seller)

    def try_it(self, connection: Connection) -> None:
        self.write(connection)
        raise Undone(book(connection))

    def tried(self) -> Book:
        """What the book is with the batch, which is not kept."""
        with pytest.raises(Undone) as caught:
            self.db.transact_now(self.try_it)
        return caught.value.book

    def strikes(self, write: int, state: str) -> None:
        """The so-and-so-many-th write from now on will fail so; 1 is the next."""
        self.seller.does(f"UPDATE plan SET state = '{state}', write = {write} + {self._SO_FAR}")

    def writes(self) -> int:
        return int(self.seller.rows(f"SELECT {self._SO_FAR} AS n")[0]["n"])

    _SO_FAR = "(SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM strike)"


def book(connection: Connection) -> Book:
    return {
        name: sorted(repr(tuple(row)) for row in connection.execute(select(*(c for c in table.c if c.name != "txid"))))
        for name, table in metadata.tables.items()
    }


@pytest.fixture
def batch(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Struck]:
    monkeypatch.setattr(database_module, "PAUSE_S", 0.0)
    db = Database(database_url)
    seller = a_seller(db, {"RED-CLOCK": 20, "STAND": 20, "RARE": 1}, listings={"KIT": {"RED-CLOCK": 1, "STAND": 2}})
    seller.takes_in(*KNOWN)
    seller.does(*STRIKES)
    yield Struck(seller)
    db.close()


def same_text(sql: str) -> str:
    """A statement without the names and numbers of its parameters."""
    return re.sub(r"%(\(\w+\))?[bs]|\$\d+", "?", sql).strip()


def backends(db: Database) -> set[Any]:
    with db.writer.connect() as connection:
        return {connection.execute(text("SELECT pg_backend_pid()")).scalar_one()}


def test_the_loser_of_a_deadlock_at_any_write_is_repeated_and_right(batch: Struck) -> None:
    before = batch.writes()
    right = batch.tried()
    writes = batch.writes() - before
    assert writes > 20

    for write in range(1, writes + 1):
        batch.strikes(write, "40P01")
        batch.watched.clear()
        assert batch.tried() == right, write
        assert batch.watched == [False, False], "repeated once, and nobody kept it from being sent ahead"

    batch.strikes(writes // 2, "40P01")
    batch.db.transact_now(batch.write)
    assert batch.db.read_now(book) == right
    assert audit(batch.db).clean


@pytest.mark.parametrize("state", ["23505", "55P03"])
def test_what_fails_is_told_of_the_very_write_and_nothing_is_written(batch: Struck, state: str) -> None:
    before = batch.writes()
    right, stands, connections = batch.tried(), batch.db.read_now(book), backends(batch.db)
    writes = batch.writes() - before

    for write in range(1, writes + 1):
        batch.strikes(write, state)
        with pytest.raises(DBAPIError) as caught:
            batch.db.transact_now(batch.try_it)
        told: Any = caught.value.orig
        assert told.sqlstate == state
        assert same_text(told.diag.message_primary) == same_text(caught.value.statement or ""), write
        assert not caught.value.connection_invalidated
        assert batch.db.read_now(book) == stands, write

    assert batch.tried() == right
    assert backends(batch.db) == connections, "the connection is as good as before"
    assert batch.db.writer.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_the_machine_breaks_off_what_is_sent_ahead(batch: Struck) -> None:
    from syncd.db.ahead import driver_of, pipeline_of  # only who has PostgreSQL loads its driver

    ahead: list[bool] = []

    def look(connection: Connection) -> None:
        ahead.append(pipeline_of(driver_of(connection)) is not None)

    for statement in range(0, 45, 3):
        with struck(batch.db, statement, look):
            batch.tried()

    assert len(ahead) == 15, "each is struck once"
    assert ahead.count(True) > 5
    assert not any(batch.watched)
