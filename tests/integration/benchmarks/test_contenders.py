"""Each contender for a moment: it takes orders, and what it leaves behind is whole; a run that left less is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from benchmarks.book.contenders import CONTENDERS
from benchmarks.book.core import Pace, run_core
from benchmarks.book.ground import Ground
from benchmarks.book.peers import saleor
from benchmarks.book.runs import Run
from benchmarks.book.seller import Size
from benchmarks.book.shoppers import Demand, shoppers
from benchmarks.book.soundness import Kept, check
from benchmarks.book.stop import Unsound
from benchmarks.book.workers import dsn_of
from tests.support.postgres import server

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
SIZE = Size(skus=60, depth=3)
IN_THIS_PROCESS = (
    "function an order, spread",
    "function an order, hot",
    "batch in the server, spread",
    "batch in the server, hot",
)
APART = (
    "core, spread, 16 producers",
    "core, hot, 256 producers",
    "core, spread, 200 orders/s by chance",
    "sqlite core, spread, 256 producers",
    "sqlite, awaited, 256 producers",
    "sqlite, raw two rows",
    "webhook in memory",
    "webhook, durable on postgresql",
    "webhook, durable on sqlite",
    "planning",
)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    made = Ground(server(), tmp_path_factory.mktemp("book"), seconds=0.3, size=SIZE)
    yield made
    made.close()


@pytest.mark.parametrize("name", IN_THIS_PROCESS + APART)
def test_a_contender_takes_orders_and_leaves_nothing_wrong(ground: Ground, name: str) -> None:
    assert CONTENDERS[name](ground).rate > 0


@pytest.mark.parametrize("name", ["saleor, spread", "saleor, hot", "medusa, spread", "medusa, hot"])
def test_the_peers_lose_nothing_where_their_workers_meet(ground: Ground, name: str) -> None:
    run = CONTENDERS[name](ground)

    assert len({key.split("-")[0] for key in run.acknowledged}) > 1, "several workers took part"


def lost(ground: Ground, statement: str) -> None:
    """Take a few orders, break something, and check."""

    def run(url: str) -> Run:
        done = run_core(url, Demand.SPREAD, SIZE.skus, 1, 0.2, Pace(4))
        with psycopg.connect(dsn_of(url), autocommit=True) as connection:
            connection.execute(statement)
        return done

    ground.on_postgresql(run)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE level SET on_hand = on_hand + 1 WHERE sku_id = 1", "fold of their movements"),
        ("UPDATE level SET seq = seq + 1 WHERE sku_id = 1 AND warehouse_id = 1", "gap-free"),
        ("UPDATE reservation SET quantity = quantity + 1", "sum of what lines hold"),
        ("DELETE FROM decision", "without exactly one decision"),
        ("DELETE FROM dirty_listing", "not marked dirty"),
        ("UPDATE cell SET sold_hi = 0", "sales are not counted"),
        ("UPDATE sales_order SET channel_order_id = 'another-' || id", "acknowledged orders missing"),
    ],
)
def test_a_fast_run_that_is_wrong_fails(ground: Ground, statement: str, told: str) -> None:
    with pytest.raises(Unsound, match=told):
        lost(ground, statement)


def test_a_peer_that_oversold_fails(ground: Ground) -> None:
    def run(url: str) -> Run:
        with psycopg.connect(dsn_of(url), autocommit=True) as connection:
            order = next(shoppers(Demand.HOT, SIZE.skus, 1, "one"))
            saleor.take_order(connection, order)
            connection.execute("UPDATE saleor.stock SET quantity = 0 WHERE quantity_allocated > 0")
        return Run(1.0, acknowledged=(order.key,))

    with pytest.raises(Unsound, match="reserved above on hand"):
        ground.on_postgresql(run, Kept(saleor.STOCK, saleor.HELD))


def test_a_peer_refuses_an_order_that_it_has(ground: Ground) -> None:
    url = ground.server.create_database(ground.furnished(SIZE))
    order = next(shoppers(Demand.SPREAD, SIZE.skus, 1, "one"))

    with psycopg.connect(dsn_of(url), autocommit=True) as connection:
        saleor.take_order(connection, order)
        with pytest.raises(LookupError, match="known already"):
            saleor.take_order(connection, order)

    run = Run(1.0, acknowledged=(order.key,))
    assert check(url, run, Kept(saleor.STOCK, saleor.HELD)) == run
    with pytest.raises(Unsound, match="acknowledged orders missing"):
        check(url, replace(run, acknowledged=(order.key, "one-2")), Kept(saleor.STOCK, saleor.HELD))
    ground.server.drop_database(url)
