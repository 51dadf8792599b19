"""Two transactions at a time never raise a number, nor count a unit twice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from syncd.db.database import Database
from syncd.publishing.marks import mark_listings
from syncd.publishing.store.holds import expire_holds, must_read
from tests.integration.conftest import ON_POSTGRESQL
from tests.integration.publishing.shown import both
from tests.support.shop import STALENESS_S, Seller, Shop


@contextmanager
def meanwhile(db: Database, marker: str, action: Callable[[], object]) -> Iterator[None]:
    """Just before the first statement that contains `marker`, let `action` run to its end or to a lock."""
    acting: list[threading.Thread] = []

    def interrupt(_c: Any, _cursor: Any, statement: str, _p: Any, _x: Any, _m: Any) -> None:
        if marker not in statement or acting:
            return
        acting.append(threading.Thread(target=action))
        acting[0].start()
        while acting[0].is_alive() and not db.read_now(waits_for_a_lock):
            acting[0].join(0.01)

    event.listen(db.writer, "before_cursor_execute", interrupt)
    try:
        yield
    finally:
        event.remove(db.writer, "before_cursor_execute", interrupt)
    assert acting, f"no statement contained {marker!r}"
    acting[0].join()


def waits_for_a_lock(connection: Connection) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(connection.execute(text(waiting)).scalar_one())


@ON_POSTGRESQL
@pytest.mark.parametrize("marker", ["FROM cell", "JOIN hold", "sum(shortage", "level.on_hand", "DELETE FROM dirty"])
async def test_an_order_taken_in_while_a_number_is_derived_never_raises_it(
    seller: Seller, alpha: Shop, marker: str
) -> None:
    await alpha.sells()
    await seller.passes(10.0)  # in the inbox, and not in the book
    seller.db.transact_now(mark_listings, [seller.cell(alpha)["listing_id"]], seller.now)

    with meanwhile(seller.db, marker, lambda: asyncio.run(seller.intake.drain())):
        await seller.publishers["alpha"].step()
    await seller.publishes()

    assert alpha.written() == []
    assert both(seller) == (9, 9)


@ON_POSTGRESQL
async def test_an_order_taken_in_while_its_number_is_read_counts_once(seller: Seller, alpha: Shop, beta: Shop) -> None:
    await alpha.sells()
    await seller.passes(10.0)  # in the inbox, and not in the book
    seller.db.transact_now(must_read, [seller.cell(alpha)["listing_id"]], seller.now)

    with meanwhile(seller.db, "UPDATE cell", lambda: asyncio.run(seller.intake.drain())):
        await seller.publishers["alpha"].step()

    cell = seller.cell(alpha)
    assert (cell["anchor_value"], cell["sold_hi"], cell["sold_lo"]) == (9, 0, 0)
    assert seller.holds() == []
    await beta.sells()
    await seller.works()
    assert alpha.written() == [(9, 8)]
    assert both(seller) == (8, 8)


@ON_POSTGRESQL
async def test_a_hold_that_ends_while_its_order_is_taken_in_ends_once(seller: Seller, alpha: Shop) -> None:
    await alpha.falls_silent()
    await alpha.sells()
    await seller.passes(10.0)
    seller.db.transact_now(must_read, [seller.cell(alpha)["listing_id"]], seller.now)
    await seller.publishes()
    assert seller.holds() == [("alpha", 1)]
    await seller.passes(620.0)
    await alpha.speaks_again()
    await seller.passes(1.0)
    seller.does("UPDATE cursor SET horizon_at = (SELECT max(expires_at) FROM hold)")

    with meanwhile(seller.db, "UPDATE cell", lambda: asyncio.run(seller.intake.drain())):
        await seller.db.transact(expire_holds, 10, STALENESS_S, seller.now)

    assert seller.holds() == []
    await seller.rests()
    assert both(seller) == (9, 9)
