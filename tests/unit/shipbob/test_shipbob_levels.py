"""Levels: what may be believed, from which instant on, and that paging stays where our token belongs."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Transient
from adapters.shipbob import ShipbobWarehouse
from adapters.shipbob.stock import STALENESS_S, stock_row
from adapters.shipbob.wire import ItemLevels
from adapters.warehouse import StockPage, StockRow
from tests.unit.shipbob.doubles import LOCATION, ScriptedAccount, item_json, level, levels_page, ok, settings
from tests.unit.shopify.doubles import NOW, FakeClock, SeededRng

LEVELS = "GET inventory-level/locations"
NEXT = "/2026-01/inventory-level/locations?Cursor=abc%3D%3D&PageSize=100"


async def pages(warehouse: ShipbobWarehouse) -> list[StockPage]:
    return [page async for page in warehouse.read_stock()]


async def rows(warehouse: ShipbobWarehouse) -> list[StockRow]:
    return [row for page in await pages(warehouse) for row in page.rows]


async def test_free_is_what_our_location_could_still_fulfil(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script(LEVELS, levels_page(item_json("RED", level(7), level(100, location_id=9))))

    assert await rows(warehouse) == [StockRow("RED", 7)]

    (request,) = account.requests
    assert dict(request.url.params) == {"PageSize": "100", "LocationId": str(LOCATION)}
    assert request.headers["Authorization"] == "Bearer pat-hush"


async def test_without_a_location_free_is_the_sum_of_all(account: ScriptedAccount, clock: FakeClock) -> None:
    warehouse = ShipbobWarehouse(settings(location_id=None), clock, SeededRng(), account.transport)
    account.script(LEVELS, levels_page(item_json("RED", level(7), level(100, location_id=9))))

    assert await rows(warehouse) == [StockRow("RED", 107)]
    assert "LocationId" not in account.requests[0].url.params
    await warehouse.close()


async def test_all_pages_are_read_and_bear_the_instant_before_the_first(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, clock: FakeClock
) -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        clock.pass_s(40)
        return levels_page(item_json("RED", level(7)), after=NEXT)

    account.script(LEVELS, slow, levels_page(item_json("BLUE", level(0), inventory_id=2)))

    as_of = NOW - timedelta(seconds=STALENESS_S)
    assert await pages(warehouse) == [
        StockPage(as_of, (StockRow("RED", 7),)),
        StockPage(as_of, (StockRow("BLUE", 0),)),
    ]
    assert account.requests[1].url.raw_path == NEXT.encode()


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        (f"https://shipbob.example{NEXT}", NEXT),
        (f"http://SHIPBOB.example{NEXT}", NEXT),
        ("?Cursor=z&x=1&x=2", "/?Cursor=z&x=1&x=2"),
    ],
)
async def test_the_next_page_is_asked_for_as_it_was_named_but_of_our_own_host(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, address: str, asked: str
) -> None:
    account.script(LEVELS, levels_page(after=address), levels_page())
    account.script("GET /", levels_page())

    await pages(warehouse)

    assert str(account.requests[1].url) == f"https://shipbob.example{asked}"


@pytest.mark.parametrize(
    "address", ["https://elsewhere.example/x", "//elsewhere.example/x", "https://shipbob.example.evil.example/x"]
)
async def test_a_next_page_elsewhere_is_never_asked_for(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, address: str
) -> None:
    account.script(LEVELS, levels_page(item_json("RED", level(7)), after=address))

    with pytest.raises(Transient, match="another host"):
        await pages(warehouse)

    assert len(account.requests) == 1


async def test_pages_that_lead_in_a_circle_are_no_complete_reading(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script(LEVELS, levels_page(after=NEXT))

    with pytest.raises(Transient, match="does not advance"):
        await pages(warehouse)

    assert len(account.requests) == 2


async def test_a_reading_that_fails_half_way_is_no_complete_reading(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script(LEVELS, levels_page(item_json("RED", level(7)), after=NEXT), httpx.Response(500))
    reading = warehouse.read_stock()

    assert (await anext(reading)).rows == (StockRow("RED", 7),)
    with pytest.raises(Transient):
        await anext(reading)


@pytest.mark.parametrize("body", [{}, [], {"items": 3}, {"items": [], "next": 7}, "x"])
async def test_a_page_of_another_shape_is_no_empty_account(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, body: object
) -> None:
    account.script(LEVELS, ok(body))

    with pytest.raises(Transient, match="unreadable"):
        await pages(warehouse)


@pytest.mark.parametrize("levels", [(), (level(5, location_id=9),)])
async def test_an_item_that_is_not_kept_at_our_location_is_unknown_and_not_zero(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, levels: tuple[dict[str, object], ...]
) -> None:
    account.script(LEVELS, levels_page(item_json("RED", *levels)))

    assert await rows(warehouse) == []


@pytest.mark.parametrize("number", [None, -1, "7", 7.5, True])
async def test_a_number_that_cannot_be_believed_is_a_problem_and_not_zero(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, number: object
) -> None:
    account.script(LEVELS, levels_page(item_json("RED", level(number)), item_json("BLUE", level(3), inventory_id=2)))

    red, blue = await rows(warehouse)

    assert (red.warehouse_sku, red.free) == ("RED", 0)
    assert red.problem is not None
    assert red.problem.startswith("fulfillable_quantity")
    assert blue == StockRow("BLUE", 3)


@pytest.mark.parametrize("broken", [[level(1, location_id=None)], ["x"], [level(1), level(2)]])
async def test_a_location_that_cannot_be_told_makes_the_item_a_problem(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, broken: list[object]
) -> None:
    account.script(LEVELS, levels_page({**item_json("RED"), "locations": broken}))

    (row,) = await rows(warehouse)

    assert row.problem is not None


@pytest.mark.parametrize("nameless", [{"inventory_id": 4, "locations": []}, item_json(None), item_json("  "), 7, None])
async def test_an_item_without_sku_stops_no_other(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, nameless: object
) -> None:
    account.script(LEVELS, levels_page(nameless, item_json("RED", level(7))))

    assert await rows(warehouse) == [StockRow("RED", 7)]


async def test_a_sku_that_two_inventory_items_share_is_a_problem_on_one_page(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script(LEVELS, levels_page(item_json("RED", level(7)), item_json("RED", level(9), inventory_id=2)))

    assert {row.problem for row in await rows(warehouse)} == {"several inventory items have this SKU"}


async def test_a_sku_that_two_inventory_items_share_is_a_problem_over_pages(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    first = levels_page(item_json("RED", level(7)), after=NEXT)
    account.script(LEVELS, first, levels_page(item_json("RED", level(9), inventory_id=2)))

    assert [row.problem for row in await rows(warehouse)] == [None, "several inventory items have this SKU"]


async def test_an_item_that_slid_onto_the_next_page_is_just_read_again(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script(LEVELS, levels_page(item_json("RED", level(7)), after=NEXT), levels_page(item_json("RED", level(6))))

    assert await rows(warehouse) == [StockRow("RED", 7), StockRow("RED", 6)]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(level(1))), inner, max_size=5),
)


@given(json_values, st.sampled_from([None, LOCATION]))
def test_no_shape_of_levels_makes_reading_fail(locations: object, location_id: int | None) -> None:
    row = stock_row("RED", ItemLevels(1, "RED", locations), location_id)

    assert row is None or row.free >= 0
