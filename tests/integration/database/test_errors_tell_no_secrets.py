"""An error of the database says what was broken, and never shows what was written."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from syncd.db.database import Database
from syncd.db.rows import insert_rows
from syncd.db.tables import sku
from tests.support.builders import a_line, a_seller, an_order

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
