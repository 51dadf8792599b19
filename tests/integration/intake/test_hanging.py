"""What takes too long is ended: an order that hangs is set aside, and who only waits for somebody else is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from syncd.db import engine, patience
from syncd.db.database import Database
from syncd.db.trouble import explain, is_down
from syncd.orders import intake
from syncd.orders.apply import Applied
from syncd.orders.book import AccountView, Incoming
from syncd.orders.take_in import apply_batch
from tests.integration.conftest import ON_POSTGRESQL, ON_SQLITE
from tests.integration.intake.desk import Desk, order_news

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


@pytest.fixture
def hasty(db: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk whose database ends what takes half a second, or waits a fifth for a lock."""
    monkeypatch.setattr(patience, "LIMIT_S", 0.5)
    monkeypatch.setattr(engine, "_STATEMENT_TIMEOUT_MS", 500)
    monkeypatch.setattr(engine, "_LOCK_TIMEOUT_MS", 200)
    impatient = Database(db.url)
    yield Desk(impatient)
    impatient.close()


async def test_an_order_that_hangs_is_ended_and_set_aside_and_the_others_land(
    hasty: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "apply_batch", hanging_on("3"))
    await hasty.hears(*(order_news(str(n)) for n in range(8)))

    await hasty.takes_all_in()

    assert hasty.states() == ["parked" if n == 3 else "applied" for n in range(8)]
    assert hasty.seller.open_alerts() == ["parked_event"]


@ON_POSTGRESQL
async def test_orders_that_wait_for_somebody_elses_lock_are_innocent_and_come_again(hasty: Desk, db: Database) -> None:
    await hasty.hears(order_news("1"), order_news("2"))

    with db.writer.begin() as other:
        other.execute(text("SELECT * FROM level FOR UPDATE"))
        with pytest.raises(OperationalError, match="lock timeout"):
            await hasty.intake.drain()
        waiting = hasty.states()
    await hasty.takes_all_in()

    assert (waiting, hasty.states()) == (["new", "new"], ["applied", "applied"])
    assert hasty.seller.open_alerts() == []


async def test_what_is_broken_off_has_done_nothing_and_says_why(hasty: Desk) -> None:
    with pytest.raises(OperationalError) as broken_off:
        await hasty.seller.db.transact(writes_and_hangs)

    assert hasty.seller.rows("SELECT count(*) AS n FROM sku WHERE code = 'GHOST'")[0]["n"] == 0
    assert "It took too long" in explain(broken_off.value)
    assert not is_down(broken_off.value), "the statement is to blame, and the daemon goes on"


@ON_SQLITE
async def test_a_reader_that_hangs_is_ended_too(hasty: Desk) -> None:
    with pytest.raises(OperationalError, match="interrupted"):
        await hasty.seller.db.read(lambda connection: connection.execute(text(ENDLESS)).all())

    assert hasty.seller.rows("SELECT 1 AS n") == [{"n": 1}]


def writes_and_hangs(connection: Connection) -> None:
    connection.execute(text("INSERT INTO sku (code) VALUES ('GHOST')"))
    connection.execute(text(ENDLESS))


def hanging_on(order_id: str) -> object:
    """`apply_batch` that never ends where this order is among the batch."""

    def apply(
        connection: Connection, batch: Sequence[Incoming], views: Mapping[int, AccountView], now: datetime
    ) -> tuple[Applied, ...]:
        if any(each.order.channel_order_id == order_id for each in batch):
            connection.execute(text(ENDLESS))
        return apply_batch(connection, batch, views, now)

    apply.__name__ = "apply_batch"
    return apply
