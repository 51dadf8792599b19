"""Statements that go straight to the driver answer, fail and are seen as SQLAlchemy's own do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Executable, event, func, insert, select, update
from sqlalchemy.exc import IntegrityError, NoResultFound, OperationalError

from syncd.db.database import Database
from syncd.db.engine import is_sqlite
from syncd.db.statements import Given, statement
from syncd.db.tables import lease, sku
from tests.integration.database.skus import add_sku, codes

AT = datetime(2026, 11, 27, 3, 0, 0, 1, UTC)


@statement
def _leases_of(given: Given) -> Executable:
    held = lease.c.holder == given.value("holder", str)
    twice = (lease.c.token * 2).label("twice")
    return select(lease.c.name, lease.c.expires_at, twice).where(held, lease.c.token == 7).order_by(lease.c.name)


@statement
def _add(given: Given) -> Executable:
    return insert(sku).values(code=given.value("code", str), title=given.value("title", str))


@statement
def _rename(given: Given) -> Executable:
    return update(sku).values(title=given.value("title", str)).where(sku.c.code.in_(["RED-CLOCK", "BLUE-CLOCK"]))


@statement
def _retitle(given: Given) -> Executable:
    named = sku.c.code == given.value("code", str)
    return update(sku).values(title=given.value("title", str)).where(named).returning(sku.c.id, sku.c.title)


@statement
def _count(_given: Given) -> Executable:
    return select(func.count()).select_from(sku)


def test_rows_have_the_names_types_and_order_that_were_asked_for(db: Database) -> None:
    def write(connection: Connection) -> None:
        for name, holder in (("b", "us"), ("a", "us"), ("c", "them")):
            connection.execute(insert(lease).values(name=name, holder=holder, token=7, expires_at=AT))

    db.transact_now(write)
    rows = db.read_now(lambda connection: _leases_of(connection, holder="us").all())

    assert [row.name for row in rows] == ["a", "b"]
    assert rows[0].expires_at == rows[0][1] == rows[0]._mapping[lease.c.expires_at] == AT
    assert rows[0].twice == 14
    assert tuple(rows[0]._mapping) == ("name", "expires_at", "twice")


def test_a_result_is_read_in_every_usual_way(db: Database) -> None:
    db.transact_now(add_sku, "RED-CLOCK")

    assert db.read_now(lambda connection: _count(connection).scalar_one()) == 1
    assert db.read_now(lambda connection: _leases_of(connection, holder="nobody").one_or_none()) is None
    assert list(db.read_now(lambda connection: _leases_of(connection, holder="nobody").scalars().all())) == []
    with pytest.raises(NoResultFound):
        db.read_now(lambda connection: _leases_of(connection, holder="nobody").one())


def test_writes_tell_how_many_rows_they_met_and_what_became_of_them(db: Database) -> None:
    for code in ("RED-CLOCK", "BLUE-CLOCK", "GREEN-CLOCK"):
        db.transact_now(add_sku, code)

    assert db.transact_now(lambda connection: _rename(connection, title="a clock").rowcount) == 2
    changed = db.transact_now(lambda connection: _retitle(connection, code="GREEN-CLOCK", title="green").all())
    assert [row.title for row in changed] == ["green"]


def test_what_breaks_a_constraint_is_told_without_its_values(db: Database) -> None:
    db.transact_now(add_sku, "RED-CLOCK")

    with pytest.raises(IntegrityError) as caught:
        db.transact_now(lambda connection: _add(connection, code="RED-CLOCK", title="Jane Buyer's own"))

    assert "Jane" not in str(caught.value)


def test_who_watches_sees_every_statement(db: Database) -> None:
    sent: list[str] = []
    db.read_now(lambda connection: _count(connection).scalar_one())

    def watched(connection: Connection) -> int:
        event.listen(connection, "before_cursor_execute", lambda _c, _k, text, *_: sent.append(text))
        found: int = _count(connection).scalar_one()
        return found

    assert db.read_now(watched) == 0
    assert len(sent) == 1


def test_what_a_full_disk_broke_off_is_not_written_by_itself(db: Database) -> None:
    if not is_sqlite(db.url):
        pytest.skip("the other engine has no disk of its own here")

    def fill(connection: Connection) -> None:
        add_sku(connection, "FIRST")
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        try:
            _add(connection, code="SECOND", title="x" * 1_000_000)
        finally:
            connection.exec_driver_sql("PRAGMA max_page_count=4294967294")

    with pytest.raises(OperationalError, match="full"):
        db.transact_now(fill)

    assert db.read_now(codes) == []
