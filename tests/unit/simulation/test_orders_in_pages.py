"""A channel tells its orders in pages, and what was placed, what it has and what the book has are compared on disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from syncd.clock import ScaledClock, start_record
from syncd.simulation.marketplace import open_stands
from syncd.simulation.processes import free_ports
from syncd.simulation.replay import stage
from syncd.simulation.replay.scratch import Scratch
from syncd.simulation.replay.sift import Line
from syncd.simulation.replay.stage import ReplayCounter
from syncd.simulation.shop_control import Placed
from syncd.simulation.stands import stands_of
from syncd.simulation.world import EVERY_VENDOR, make_world, stands

SHIP_TO = {"name": "A Shopper", "address1": "1 Main Street", "city": "Denver", "zip": "80202", "country": "US"}
VENDORS = {"main-shop": "shopify", "amazon-us": "amazon", "ebay-us": "ebay"}
SKUS = [("RED-CLOCK-000", 1), ("BLUE-CLOCK-001", 2)]


@pytest.fixture(params=VENDORS)
async def counter(request: pytest.FixtureRequest) -> AsyncIterator[ReplayCounter]:
    """A channel with seven orders of three units: one of them cancelled."""
    keys = [key for key, _ in stands(EVERY_VENDOR)]
    world = make_world(7, EVERY_VENDOR, dict(zip(keys, free_ports(len(keys)), strict=True)), 20, faults=False)
    async with open_stands(stands_of(world, [VENDORS[request.param]]), 7, ScaledClock(start_record(1.0))):
        counter = ReplayCounter(request.param, world.address(request.param))
        for sku, _ in SKUS:
            await counter.set_level(sku, 50)
        placed = [await counter.buy(SKUS, SHIP_TO) for _ in range(7)]
        assert isinstance(placed[3], Placed)
        assert await counter.cancel(placed[3].order_id)
        yield counter
        await counter.close()


async def told(counter: ReplayCounter, path: str, **query: int) -> Any:
    async with httpx.AsyncClient() as http:
        return (await http.get(f"{counter._http.base_url}{path}", params=query)).raise_for_status().json()


async def test_pages_are_bounded_and_together_they_are_every_order(counter: ReplayCounter) -> None:
    every = (await told(counter, "truth"))["orders"]

    pages = [await told(counter, "truth/orders", after=after, limit=3) for after in (0, 3, 6)]

    assert [(len(page["orders"]), page["more"]) for page in pages] == [(3, True), (3, True), (1, False)]
    assert [order for page in pages for order in page["orders"]] == every
    assert await told(counter, "truth/orders") == {"orders": every, "more": False}
    assert await told(counter, "truth/orders", after=7) == {"orders": [], "more": False}


async def test_a_truth_without_orders_is_the_truth_but_for_the_orders(counter: ReplayCounter) -> None:
    whole = await told(counter, "truth")

    assert list(whole)[:2] == ["orders_accepted", "orders"]
    assert await told(counter, "truth", orders=1) == whole
    assert await told(counter, "truth", orders=0) == {name: what for name, what in whole.items() if name != "orders"}
    assert await counter.truth() == await told(counter, "truth", orders=0)


async def test_the_replay_reads_what_buyers_have_page_by_page(
    counter: ReplayCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_ORDERS_AT_ONCE", 3)

    pages = [page async for page in counter.orders()]

    assert [[units for _, units in page] for page in pages] == [[3, 3, 3], [0, 3, 3], [3]]
    names = [name for page in pages for name, _ in page]
    assert names == [order["name"] for order in (await told(counter, "truth"))["orders"]]


@pytest.mark.parametrize("counter", ["ebay-us"], indirect=True)
@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("truth", {"orders": 2}, "orders"),
        ("truth/orders", {"after": -1}, "after"),
        ("truth/orders", {"limit": 0}, "limit"),
        ("truth/orders", {"limit": 2001}, "limit"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(
    counter: ReplayCounter, path: str, query: dict[str, int], field: str
) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{counter._http.base_url}{path}", params=query)

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


def placed_orders(path: Path, orders: int) -> Scratch:
    """Orders "1", "2", ... of two units each, which main-shop took as #1, #2, ..."""
    scratch = Scratch(path)
    at = datetime(2011, 1, 1, tzinfo=UTC)
    for number in range(1, orders + 1):
        line = Line(order=str(number), sku="RED-CLOCK", quantity=2, at=at, customer="", country="", channel="")
        scratch.add(number, line, [str(number)])
    scratch.arrange(lambda order, channel: "main-shop")
    for number in range(1, orders + 1):
        scratch.note_placed(str(number), f"id-{number}", f"#{number}", {"RED-CLOCK": 2})
    return scratch


def test_what_was_placed_what_the_channel_has_and_what_the_book_has_are_one(tmp_path: Path) -> None:
    scratch = placed_orders(tmp_path / "scratch.db", 4)
    for side in (scratch.take_channel, scratch.take_book):
        side("main-shop", [("#1", 2), ("#2", 2)])
        side("main-shop", [("#3", 2), ("#4", 2)])

    assert list(scratch.wrong_orders()) == []
    scratch.close()


def test_every_difference_is_told_once(tmp_path: Path) -> None:
    scratch = placed_orders(tmp_path / "scratch.db", 6)
    scratch.take_channel("main-shop", [("#1", 2), ("#2", 1), ("#3", 2), ("#4", 2), ("#6", 2), ("#9", 2)])
    scratch.take_book("main-shop", [("#1", 2), ("#2", 1), ("#3", 1), ("#5", 2), ("#6", 2), ("#6", 2), ("#8", 2)])

    assert sorted(scratch.wrong_orders()) == [
        "main-shop: of order #2 the buyer was left 2 units, and the channel has 1",
        "main-shop: of order #3 the buyer has 2 units, and the book 1",
        "main-shop: of order #5 the buyer was left 2 units, and the channel does not have it",
        "main-shop: order #4 is in the book 0 times",
        "main-shop: order #6 is in the book 2 times",
        "main-shop: order #8 is in the book, and nobody placed it",
        "main-shop: the channel has order #9, and nobody placed it",
    ]
    scratch.close()
