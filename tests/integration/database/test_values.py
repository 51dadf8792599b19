"""Values come back from the database as they went in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import Connection, Executable, event, insert, select, update
from sqlalchemy.exc import IntegrityError, StatementError

from adapters.contract import Money, OrderLine
from syncd.db.database import Database
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, Statement
from syncd.db.tables import lease, sku
from syncd.db.types import from_micros, to_micros
from syncd.money import LARGEST_MINOR, MoneyError, from_minor, to_minor
from tests.support.builders import a_seller, an_order

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
