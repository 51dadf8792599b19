"""The database under everything: values come back as they went in, transactions are whole, trouble is repeated."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Executable, event, insert, make_url, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError

from adapters.contract import Money, OrderLine
from syncd.db import engine as engines
from syncd.db.database import Database, DatabaseClosed, StaleLoad
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, Statement
from syncd.db.tables import lease, sku, tally, warehouse
from syncd.db.types import from_micros, to_micros
from syncd.money import LARGEST_MINOR, MoneyError, from_minor, to_minor
from tests.integration.conftest import ON_POSTGRESQL, ON_SQLITE
from tests.support.builders import a_line, a_seller, an_order

INSTANTS = [
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
    datetime(2026, 11, 27, 10, 0, 0, 1, UTC),
    datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
]
TEXTS = [
    "",
    " ",
    'O\'Neill "the" Buyer',
    "50 % off :name $1 ? {x} \\ \\u0041 \\x00",
    "two\nlines\r\nand\ta tab",
    "Ünïcode 日本語 עברית \U0001f381\U0001f469\u200d\U0001f680",
    '["not", {"a": "row"}]',
    "null",
    "0042",
    "1e3",
]


# --- values ---------------------------------------------------------------------------------------------------


def test_instants_come_back_as_they_went_in_and_in_utc(db: Database) -> None:
    def write(connection: Connection) -> None:
        for number, instant in enumerate(INSTANTS):
            connection.execute(insert(lease).values(name=f"a{number}", expires_at=instant))
        told = [(f"b{number}", instant) for number, instant in enumerate(INSTANTS)]
        insert_rows(connection, lease, [("name", str), ("expires_at", datetime)], told)

    db.transact_now(write)

    found = db.read_now(lambda c: c.execute(select(lease.c.expires_at).order_by(lease.c.name)).scalars().all())
    assert found == INSTANTS * 2
    assert {each.tzinfo for each in found} == {UTC}


def test_instants_are_found_by_comparison_whatever_their_offset(db: Database) -> None:
    at = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
    db.transact_now(lambda connection: connection.execute(insert(lease).values(name="shop", expires_at=at)))
    elsewhere = at.astimezone(timezone(timedelta(hours=-5)))

    found = db.read_now(lambda connection: connection.execute(select(lease).where(lease.c.expires_at == elsewhere)))

    assert len(found.all()) == 1


def test_a_statement_is_built_once_and_run_with_what_it_is_given(db: Database) -> None:
    built = 0

    def build(given: Given) -> Executable:
        nonlocal built
        built += 1
        told = given.rows("told", n=int, at=datetime)
        return select(told.c.n).where(told.c.at <= given.value("at", datetime)).order_by(told.c.n)

    first, later = from_micros(1), from_micros(2)
    due = Statement(build)

    assert db.read_now(lambda c: due(c, told=[(1, first), (2, later)], at=first).scalars().all()) == [1]
    assert db.read_now(lambda c: due(c, told=[(4, later), (3, first)], at=later).scalars().all()) == [3, 4]
    assert db.read_now(lambda c: due(c, told=[], at=later).scalars().all()) == []
    assert built == 1


def test_a_statement_refuses_to_run_with_something_else_than_it_takes(db: Database) -> None:
    close = Statement(lambda given: update(sku).values(title="gone").where(sku.c.code == given.value("name", str)))

    for wrong in ({}, {"name": "a", "title": "never"}, {"code": "a"}):
        with pytest.raises(TypeError, match=r"takes \['name'\]"):
            db.transact_now(lambda connection, given: close(connection, **given), wrong)


def test_naive_datetimes_are_refused(db: Database) -> None:
    naive = datetime(2026, 11, 27, 10, 0)  # noqa: DTZ001 - that is what is refused
    columns = [("name", str), ("expires_at", datetime)]

    with pytest.raises(StatementError, match="naive datetime"):
        db.transact_now(lambda connection: connection.execute(insert(lease).values(name="shop", expires_at=naive)))
    with pytest.raises(ValueError, match="naive datetime"):
        db.transact_now(lambda connection: insert_rows(connection, lease, columns, [("shop", naive)]))

    assert db.read_now(lambda connection: connection.execute(select(lease)).all()) == []


def test_microseconds_lead_there_and_back() -> None:
    assert [from_micros(to_micros(instant)) for instant in INSTANTS] == INSTANTS


def test_texts_come_back_as_they_went_in(db: Database) -> None:
    def write(connection: Connection) -> None:
        for number, value in enumerate(TEXTS):
            connection.execute(insert(sku).values(code=f"a{number}", title=value, gtin=value))
        told = [(f"b{number}", value, value) for number, value in enumerate(TEXTS)]
        insert_rows(connection, sku, [("code", str), ("title", str), ("gtin", str)], told)

    db.transact_now(write)

    found = db.read_now(lambda c: c.execute(select(sku.c.title, sku.c.gtin).order_by(sku.c.id)).all())
    assert [tuple(row) for row in found] == [(value, value) for value in TEXTS * 2]


def test_a_nul_is_left_out_of_rows_and_the_rest_kept(db: Database) -> None:
    columns = [("code", str), ("title", str)]

    db.transact_now(lambda connection: insert_rows(connection, sku, columns, [("RED\x00CLOCK", "\x00a \x00title\x00")]))

    (found,) = db.read_now(lambda connection: connection.execute(select(sku.c.code, sku.c.title)).all())
    assert tuple(found) == ("REDCLOCK", "a title")


def test_what_is_absent_stays_absent_and_is_not_the_empty_text_or_zero(db: Database) -> None:
    echo = Statement(lambda given: select(given.rows("told", n=int, text=str, at=datetime)))
    data = [(None, None, None), (0, "", from_micros(0)), (None, "x", None)]

    found = db.read_now(lambda connection: echo(connection, told=data).all())

    assert sorted(map(tuple, found), key=repr) == sorted(data, key=repr)


def test_an_absent_value_is_stored_as_null(db: Database) -> None:
    def write(connection: Connection) -> None:
        connection.execute(insert(sku).values(code="by the table", gtin=None))
        insert_rows(connection, sku, [("code", str), ("gtin", str)], [("by rows", None)])

    db.transact_now(write)

    found = db.read_now(lambda connection: connection.execute(select(sku.c.code).where(sku.c.gtin.is_(None))).all())
    assert len(found) == 2


def test_numbers_keep_all_their_digits(db: Database) -> None:
    data = [(2**63 - 1,), (-(2**63),), (2**53 + 1,), (0,)]

    echo = Statement(lambda given: select(given.rows("told", n=int)))

    found = db.read_now(lambda connection: echo(connection, told=data).scalars().all())

    assert sorted(found) == sorted(n for (n,) in data)
    assert {type(n) for n in found} == {int}


PRICES = {
    ("1980", "JPY"): 1980,
    ("0.001", "KWD"): 1,
    ("12.345", "KWD"): 12345,
    ("19.99", "EUR"): 1999,
    ("0.1", "USD"): 10,
    ("0", "EUR"): 0,
    ("92233720368547758.07", "EUR"): LARGEST_MINOR,
}


def test_prices_survive_the_way_through_order_and_database_in_minor_units(db: Database) -> None:
    seller = a_seller(db)
    lines = [
        OrderLine(str(n), "RED-CLOCK", "RED-CLOCK", 1, 0, 1, 1, unit_price=Money(to_minor(amount, currency), currency))
        for n, (amount, currency) in enumerate(PRICES)
    ]

    seller.takes_in(an_order(*lines))

    found = seller.rows("SELECT unit_price_minor AS minor, currency FROM order_line ORDER BY id")
    assert [row["minor"] for row in found] == list(PRICES.values())
    told_back = [(from_minor(row["minor"], row["currency"]), row["currency"]) for row in found]
    assert told_back == [(Decimal(amount), currency) for amount, currency in PRICES]


def test_a_price_finer_than_its_currency_never_reaches_the_database() -> None:
    for amount, currency in (("1.5", "JPY"), ("1.2345", "KWD")):
        with pytest.raises(MoneyError):
            to_minor(amount, currency)


def test_a_line_without_a_price_has_none(db: Database) -> None:
    seller = a_seller(db)
    line = OrderLine("1", "RED-CLOCK", "RED-CLOCK", 1, 0, 1, 1, unit_price=None)

    seller.takes_in(an_order(line))

    assert seller.rows("SELECT unit_price_minor FROM order_line")[0]["unit_price_minor"] is None


def test_rows_already_there_are_skipped_only_when_asked(db: Database) -> None:
    columns = [("code", str), ("title", str)]
    db.transact_now(lambda connection: insert_rows(connection, sku, columns, [("RED-CLOCK", "first")]))
    again = [("RED-CLOCK", "second"), ("BLUE-CLOCK", "new")]

    with pytest.raises(IntegrityError):
        db.transact_now(lambda connection: insert_rows(connection, sku, columns, again))
    added = db.transact_now(lambda connection: insert_rows(connection, sku, columns, again, ignore=True))

    assert added == 1
    found = db.read_now(lambda c: c.execute(select(sku.c.code, sku.c.title).order_by(sku.c.id)).all())
    assert [tuple(row) for row in found] == [("RED-CLOCK", "first"), ("BLUE-CLOCK", "new")]


def test_no_rows_are_no_statement(db: Database) -> None:
    assert db.transact_now(lambda connection: insert_rows(connection, sku, [("code", str)], [])) == 0


def test_thousands_of_rows_go_in_by_one_statement(db: Database) -> None:
    data = [(f"SKU-{number:05d}", f"No. {number}", None) for number in range(20_000)]
    sent: list[str] = []
    event.listen(db.writer, "before_cursor_execute", lambda _c, _k, statement, *_: sent.append(statement))

    added = db.transact_now(lambda c: insert_rows(c, sku, [("code", str), ("title", str), ("gtin", str)], data))

    assert added == len(data)
    assert sum("INSERT" in statement for statement in sent) == 1


# --- transactions ---------------------------------------------------------------------------------------------


def add_sku(connection: Connection, code: str) -> str:
    connection.execute(insert(sku).values(code=code))
    return code


def codes(connection: Connection) -> list[str]:
    return list(connection.execute(select(sku.c.code).order_by(sku.c.code)).scalars())


async def test_a_transaction_is_committed_before_its_caller_goes_on(db: Database) -> None:
    told = await db.transact(add_sku, "RED-CLOCK")

    assert told == "RED-CLOCK"
    assert await db.read(codes) == ["RED-CLOCK"]


async def test_a_failing_transaction_leaves_nothing_behind(db: Database) -> None:
    def fail_late(connection: Connection) -> None:
        add_sku(connection, "RED-CLOCK")
        connection.execute(insert(tally).values(scope="syncd", name="orders", n=1))
        raise LookupError("the last step")

    with pytest.raises(LookupError, match="the last step"):
        await db.transact(fail_late)

    assert await db.read(codes) == []
    assert await db.read(lambda connection: connection.execute(select(tally)).all()) == []


async def test_a_statement_that_fails_takes_the_whole_transaction_with_it(db: Database) -> None:
    def twice(connection: Connection) -> None:
        add_sku(connection, "BLUE-CLOCK")
        add_sku(connection, "RED-CLOCK")
        add_sku(connection, "RED-CLOCK")

    with pytest.raises(IntegrityError):
        await db.transact(twice)

    assert await db.read(codes) == []


def test_the_command_lines_way_in_commits_and_rolls_back_alike(db: Database) -> None:
    assert db.transact_now(add_sku, "RED-CLOCK") == "RED-CLOCK"
    with pytest.raises(IntegrityError):
        db.transact_now(add_sku, "RED-CLOCK")

    assert db.read_now(codes) == ["RED-CLOCK"]


async def test_readers_cannot_write(db: Database) -> None:
    with pytest.raises(DBAPIError):
        await db.read(add_sku, "RED-CLOCK")
    with pytest.raises(DBAPIError):
        db.read_now(add_sku, "RED-CLOCK")

    assert await db.read(codes) == []


async def test_a_read_sees_one_moment_whatever_is_written_meanwhile(db: Database) -> None:
    await db.transact(add_sku, "RED-CLOCK")

    def twice(connection: Connection) -> tuple[list[str], list[str]]:
        before = codes(connection)
        db.transact_now(add_sku, "BLUE-CLOCK")
        return before, codes(connection)

    before, after = await db.read(twice)

    assert before == after == ["RED-CLOCK"]
    assert await db.read(codes) == ["BLUE-CLOCK", "RED-CLOCK"]


def test_references_and_checks_are_enforced(db: Database) -> None:
    def orphan(connection: Connection) -> None:
        connection.execute(text("INSERT INTO sku_alias (normalised_code, sku_id) VALUES ('red', 77)"))

    def negative(connection: Connection) -> None:
        connection.execute(insert(sku).values(code="RED-CLOCK", safety_stock=-1))

    for wrong in (orphan, negative):
        with pytest.raises(IntegrityError):
            db.transact_now(wrong)


@ON_SQLITE
def test_sqlite_is_set_up_to_survive_a_power_cut(db: Database) -> None:
    def settings(connection: Connection) -> dict[str, Any]:
        names = ("journal_mode", "synchronous", "foreign_keys", "query_only")
        return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names}

    written, read = db.transact_now(settings), db.read_now(settings)

    assert written == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "query_only": 0}
    assert read == {**written, "query_only": 1}


@ON_POSTGRESQL
def test_postgresql_is_set_up_to_end_what_hangs(db: Database) -> None:
    def settings(connection: Connection) -> tuple[str, ...]:
        names = ("transaction_isolation", "transaction_read_only", "statement_timeout")
        return tuple(connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names)

    assert db.transact_now(settings) == ("read committed", "off", "20s")
    assert db.read_now(settings) == ("repeatable read", "on", "20s")


async def test_a_closed_database_says_so(db: Database) -> None:
    db.close()

    with pytest.raises(DatabaseClosed):
        await db.transact(add_sku, "RED-CLOCK")


# --- what is worth repeating ----------------------------------------------------------------------------------


async def test_a_stale_load_is_repeated_from_the_start(db: Database) -> None:
    tries: list[list[str]] = []

    def stale_at_first(connection: Connection) -> str:
        tries.append(codes(connection))
        add_sku(connection, "RED-CLOCK")
        if len(tries) == 1:
            raise StaleLoad
        return "done"

    assert await db.transact(stale_at_first) == "done"

    assert tries == [[], []], "the first try left nothing behind"


async def test_what_stays_stale_is_given_up(db: Database) -> None:
    tries = 0

    def always_stale(_: Connection) -> None:
        nonlocal tries
        tries += 1
        raise StaleLoad

    with pytest.raises(StaleLoad):
        await db.transact(always_stale)

    assert tries == 4


async def test_other_errors_are_not_repeated(db: Database) -> None:
    tries = 0

    def wrong(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        connection.execute(insert(sku).values(code="RED-CLOCK", safety_stock=-1))

    with pytest.raises(IntegrityError):
        await db.transact(wrong)

    assert tries == 1


@contextmanager
def somebody_writes(url: str) -> Iterator[sqlite3.Connection]:
    """Another process's write transaction, as long as this lasts."""
    name = make_url(url).database
    assert name is not None
    other = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield other
    finally:
        other.rollback()
        other.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite gives a busy database up at once, so that it is our repeating that is tested. Ask for it before `db`."""
    monkeypatch.setattr(engines, "_BUSY_TIMEOUT_MS", 1)


@ON_SQLITE
@pytest.mark.usefixtures("impatient")
async def test_a_busy_database_is_tried_again(db: Database) -> None:
    with somebody_writes(db.url) as other:
        adding = asyncio.create_task(db.transact(add_sku, "RED-CLOCK"))
        await asyncio.sleep(0.1)
        assert not adding.done()
        other.execute("COMMIT")
        await adding

    assert await db.read(codes) == ["RED-CLOCK"]


@ON_SQLITE
@pytest.mark.usefixtures("impatient")
async def test_a_database_that_stays_busy_is_given_up_and_works_again_later(db: Database) -> None:
    with somebody_writes(db.url):
        with pytest.raises(OperationalError, match="locked"):
            await db.transact(add_sku, "RED-CLOCK")
        assert await db.read(codes) == [], "readers are not disturbed"

    await db.transact(add_sku, "RED-CLOCK")
    assert await db.read(codes) == ["RED-CLOCK"]


@ON_SQLITE
async def test_a_short_wait_is_left_to_sqlite_itself(db: Database) -> None:
    begun = 0

    @event.listens_for(db.writer, "begin")
    def count(_: Connection) -> None:
        nonlocal begun
        begun += 1

    with somebody_writes(db.url) as other:
        adding = asyncio.create_task(db.transact(add_sku, "RED-CLOCK"))
        await asyncio.sleep(0.2)
        other.execute("COMMIT")
        await adding

    assert begun == 1


@ON_SQLITE
async def test_a_snapshot_that_was_overtaken_is_busy_too(db: Database) -> None:
    """SQLite says so by an extended code; a transaction that only reads first would get it."""
    tries = 0

    def read_then_write(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("BEGIN")
            codes(connection)
            with somebody_writes(db.url) as other:
                other.execute("INSERT INTO sku (code) VALUES ('BLUE-CLOCK')")
                other.execute("COMMIT")
        add_sku(connection, "RED-CLOCK")

    await db.transact(read_then_write)

    assert tries == 2
    assert await db.read(codes) == ["BLUE-CLOCK", "RED-CLOCK"]


def add_places(connection: Connection) -> None:
    for key in ("hamburg", "berlin"):
        where = {"country": "DE", "postcode": "20095", "time_zone": "Europe/Berlin"}
        connection.execute(insert(warehouse).values(key=key, name="", kind="own", **where))


def rename(connection: Connection, key: str, more: str) -> None:
    connection.execute(update(warehouse).where(warehouse.c.key == key).values(name=warehouse.c.name + more))


def names(connection: Connection) -> dict[str, str]:
    return {row.key: row.name for row in connection.execute(select(warehouse.c.key, warehouse.c.name))}


@ON_POSTGRESQL
async def test_the_loser_of_a_deadlock_repeats(db: Database) -> None:
    await db.transact(add_places)
    both_hold_one = threading.Barrier(2, timeout=10)
    tries: list[str] = []

    def cross(connection: Connection, first: str, second: str) -> None:
        tries.append(first)
        connection.exec_driver_sql("SET LOCAL deadlock_timeout = '50ms'")
        rename(connection, first, first[0])
        if len(tries) <= 2:
            both_hold_one.wait()
        rename(connection, second, first[0])

    await asyncio.gather(db.transact(cross, "hamburg", "berlin"), db.transact(cross, "berlin", "hamburg"))

    assert len(tries) == 3, "one of them was chosen as the victim and came again"
    assert {key: sorted(name) for key, name in (await db.read(names)).items()} == {
        "hamburg": ["b", "h"],
        "berlin": ["b", "h"],
    }


@ON_POSTGRESQL
async def test_a_serialization_failure_is_repeated(db: Database) -> None:
    await db.transact(add_places)
    tries: list[str] = []

    def read_then_rename(connection: Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        tries.append(names(connection)["hamburg"])
        if len(tries) == 1:
            db.transact_now(rename, "hamburg", "theirs ")
        rename(connection, "hamburg", "ours")

    await db.transact(read_then_rename)

    assert tries == ["", "theirs "]
    assert (await db.read(names))["hamburg"] == "theirs ours"


@ON_POSTGRESQL
async def test_a_connection_that_was_cut_is_opened_again(db: Database) -> None:
    tries = 0

    def cut_at_first(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        add_sku(connection, "RED-CLOCK")
        if tries == 1:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    await db.transact(cut_at_first)

    assert tries == 2
    assert await db.read(codes) == ["RED-CLOCK"]


# --- cancelled callers ----------------------------------------------------------------------------------------


class Gate:
    """A transaction that has begun and goes on when it is told to."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()

    def add(self, connection: Connection, code: str) -> None:
        add_sku(connection, code)
        self.begun.set()
        assert self.go.wait(10), "nobody opened the gate"


@contextmanager
def every_writer_busy(db: Database, workers: int) -> Iterator[list[asyncio.Task[None]]]:
    """No thread is free to begin anything: what is handed over now waits."""
    gates = [Gate() for _ in range(workers)]
    tasks = [asyncio.create_task(db.transact(gate.add, f"BUSY-{n}")) for n, gate in enumerate(gates)]
    try:
        yield tasks
    finally:
        for gate in gates:
            gate.go.set()


async def test_a_cancelled_caller_withdraws_work_that_has_not_begun(db: Database) -> None:
    workers = 1 if db.writer.dialect.name == "sqlite" else 4
    ran: list[str] = []

    def note(connection: Connection) -> None:
        ran.append(add_sku(connection, "WITHDRAWN"))

    with every_writer_busy(db, workers) as busy:
        await asyncio.sleep(0.05)
        waiting = asyncio.create_task(db.transact(note))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await asyncio.gather(*busy)

    await db.transact(add_sku, "LATER")
    assert ran == []
    assert await db.read(codes) == [*(f"BUSY-{n}" for n in range(workers)), "LATER"]


async def test_work_that_has_begun_is_finished_without_its_caller(db: Database) -> None:
    gate = Gate()
    caller = asyncio.create_task(db.transact(gate.add, "RED-CLOCK"))
    assert await asyncio.to_thread(gate.begun.wait, 10)

    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    gate.go.set()

    await until(lambda: db.read_now(codes) == ["RED-CLOCK"])


async def until(true: Callable[[], bool], within_s: float = 10.0) -> None:
    give_up_at = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < give_up_at, "it did not come to pass"
        await asyncio.sleep(0.02)


async def test_closing_waits_for_work_that_has_begun(db: Database) -> None:
    gate = Gate()
    adding = asyncio.create_task(db.transact(gate.add, "RED-CLOCK"))
    assert await asyncio.to_thread(gate.begun.wait, 10)

    closing = asyncio.create_task(asyncio.to_thread(db.close))
    await asyncio.sleep(0.05)
    assert not closing.done()
    gate.go.set()

    await asyncio.gather(closing, adding)
    reopened = Database(db.url)
    assert reopened.read_now(codes) == ["RED-CLOCK"]
    reopened.close()


# --- errors tell no secrets -----------------------------------------------------------------------------------

BUYER = "Ada Buyer, Main Street 1"
NUMBER = 70_000_000_001


def breaks_a_check(connection: Connection) -> None:
    connection.execute(insert(sku).values(code=BUYER, safety_stock=-1))


def breaks_uniqueness(connection: Connection) -> None:
    for _ in range(2):
        insert_rows(connection, sku, [("code", str)], [(BUYER,)])


def breaks_a_reference(connection: Connection) -> None:
    told = {"code": BUYER, "id": NUMBER}
    connection.execute(text("INSERT INTO sku_alias (normalised_code, sku_id) VALUES (:code, :id)"), told)


def is_no_statement(connection: Connection) -> None:
    connection.execute(text("SELECT nothing FROM nowhere WHERE x = :buyer"), {"buyer": BUYER})


def is_no_number(connection: Connection) -> None:
    insert_rows(connection, sku, [("code", str), ("safety_stock", int)], [(BUYER, BUYER)])
    breaks_a_check(connection)  # SQLite takes a text for 0


def is_no_json(connection: Connection) -> None:
    function = "json" if connection.dialect.name == "sqlite" else "to_jsonb"
    cast = ":buyer" if function == "json" else "CAST(:buyer AS jsonb)"
    connection.execute(text(f"SELECT {function}({cast})"), {"buyer": f'["{BUYER}", {NUMBER}'})


@pytest.mark.parametrize(
    "wrong", [breaks_a_check, breaks_uniqueness, breaks_a_reference, is_no_statement, is_no_number, is_no_json]
)
async def test_an_error_never_shows_what_was_written(db: Database, wrong: Callable[[Connection], None]) -> None:
    with pytest.raises(DBAPIError) as caught:
        await db.transact(wrong)

    told = "".join((str(caught.value), repr(caught.value), *traceback.format_exception(caught.value)))
    assert BUYER not in told
    assert "Ada" not in told
    assert str(NUMBER) not in told


def test_an_error_still_says_what_was_broken(db: Database) -> None:
    with pytest.raises(IntegrityError, match="ck_sku_safety_stock"):
        db.transact_now(breaks_a_check)


async def test_a_parked_lines_text_is_stored_but_never_told_in_an_error(db: Database) -> None:
    seller = a_seller(db)
    seller.takes_in(an_order(a_line(parked=BUYER)))

    with pytest.raises(DBAPIError) as caught:
        await db.transact(lambda connection: connection.execute(text("UPDATE order_line SET quantity = -1")))

    assert BUYER not in str(caught.value)
