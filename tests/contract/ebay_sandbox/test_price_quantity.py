"""The one way to set a number: plain, absolute, item and offer apart, row by row."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.ebay.sandbox import Format, ItemSeed
from tests.contract.ebay_sandbox.kit import BULK, INVENTORY, App, Opened, error_id


async def test_item_and_offer_are_written_together(app: App) -> None:
    offer = await app.offer("RED-CLOCK")

    answer = await app.write(await app.entry("RED-CLOCK", 7, 7))

    assert answer.status_code == 200
    row = {"statusCode": 200, "sku": "RED-CLOCK", "offerId": offer["offerId"], "errors": [], "warnings": []}
    assert answer.json() == {"responses": [row]}
    assert await app.numbers("RED-CLOCK") == (7, 7, 7)


async def test_buyers_can_have_the_smaller_number(app: App) -> None:
    await app.write(await app.entry("RED-CLOCK", None, 20))
    raised_offer = await app.numbers("RED-CLOCK")
    await app.write(await app.entry("RED-CLOCK", 3))
    lowered_item = await app.numbers("RED-CLOCK")

    assert raised_offer == (10, 10, 20)
    assert lowered_item == (3, 3, 20)


async def test_a_row_of_an_item_alone_has_no_offer_id(app: App) -> None:
    answer = await app.write(await app.entry("RED-CLOCK", 7))

    assert answer.json()["responses"] == [{"statusCode": 200, "sku": "RED-CLOCK", "errors": [], "warnings": []}]
    assert await app.numbers("RED-CLOCK") == (7, 7, 10)


async def test_item_rows_can_come_apart(opened: Opened) -> None:
    app = await opened.app(item_row_apart=True)
    offer = (await app.offer("RED-CLOCK"))["offerId"]

    rows = await app.rows(await app.entry("RED-CLOCK", 7, 7))

    assert rows == [(None, 200, None), (offer, 200, None)]


async def test_an_offer_that_had_no_number_gets_one(opened: Opened) -> None:
    app = await opened.app(items=(ItemSeed("RED-CLOCK", quantity=4, capped=False),))

    await app.write(await app.entry("RED-CLOCK", None, 2))

    assert await app.numbers("RED-CLOCK") == (2, 4, 2)


async def test_zero_keeps_the_listing_out_of_stock_and_a_number_wakes_it(app: App) -> None:
    await app.write(await app.entry("RED-CLOCK", 0, 0))
    asleep = (await app.offer("RED-CLOCK"))["listing"]
    await app.write(await app.entry("RED-CLOCK", 2, 2))
    awake = (await app.offer("RED-CLOCK"))["listing"]

    assert (asleep["listingStatus"], awake["listingStatus"]) == ("OUT_OF_STOCK", "ACTIVE")
    assert asleep["listingId"] == awake["listingId"]


async def test_a_bad_row_makes_a_207_and_stops_no_other(app: App) -> None:
    good, bad = await app.entry("RED-CLOCK", 7, 7), await app.entry("BLUE-CLOCK", -1, 4)
    red, blue = (await app.offer("RED-CLOCK"))["offerId"], (await app.offer("BLUE-CLOCK"))["offerId"]

    rows = await app.rows(good, bad)

    assert rows == [(red, 200, None), (blue, 400, 25004)]
    assert await app.numbers("RED-CLOCK") == (7, 7, 7)
    assert await app.numbers("BLUE-CLOCK") == (5, 5, 5)


@pytest.mark.parametrize(
    ("entry", "row"),
    [
        ({"sku": "GREEN-CLOCK", "shipToLocationAvailability": {"quantity": 1}}, (None, 404, 25702)),
        ({"sku": "RED-CLOCK", "shipToLocationAvailability": {"quantity": -1}}, (None, 400, 25004)),
        ({"sku": "RED-CLOCK", "shipToLocationAvailability": {}}, (None, 400, 25004)),
        ({"sku": "RED-CLOCK"}, (None, 400, 25709)),
        ({"shipToLocationAvailability": {"quantity": 1}}, (None, 400, 25709)),
        ({"sku": "RED-CLOCK", "offers": [{"offerId": "1", "availableQuantity": 1}]}, ("1", 404, 25713)),
        ({"sku": "GREEN-CLOCK", "offers": [{"offerId": "1", "availableQuantity": 1}]}, ("1", 404, 25710)),
    ],
)
async def test_each_fault_of_a_row_has_its_error(
    app: App, entry: dict[str, Any], row: tuple[str | None, int, int]
) -> None:
    assert await app.rows(entry) == [row]


async def test_an_offer_named_twice_is_written_not_at_all(app: App) -> None:
    entry = await app.entry("RED-CLOCK", None, 7)
    offer = entry["offers"][0]

    rows = await app.rows({**entry, "offers": [offer, {**offer, "availableQuantity": 3}]})

    assert rows == [(offer["offerId"], 400, 25709)] * 2
    assert await app.numbers("RED-CLOCK") == (10, 10, 10)


async def test_an_offer_of_another_sku_is_refused(app: App) -> None:
    stranger = await app.entry("BLUE-CLOCK", None, 7)

    rows = await app.rows({**stranger, "sku": "RED-CLOCK"})

    assert rows == [(stranger["offers"][0]["offerId"], 400, 25709)]
    assert await app.numbers("BLUE-CLOCK") == (5, 5, 5)


async def test_an_auction_holds_its_unit_back_and_takes_no_number(opened: Opened) -> None:
    app = await opened.app(items=(ItemSeed("OLD-CLOCK", quantity=3, format=Format.AUCTION),))

    below = await app.rows(await app.entry("OLD-CLOCK", 0))
    numbered = await app.rows(await app.entry("OLD-CLOCK", None, 2))

    assert [row[1:] for row in below + numbered] == [(400, 25759), (400, 25762)]


async def test_a_price_is_written_too(app: App) -> None:
    offer = (await app.offer("RED-CLOCK"))["offerId"]
    entry = {"offers": [{"offerId": offer, "price": {"value": "21.50", "currency": "USD"}}]}
    euros = {"offers": [{"offerId": offer, "price": {"value": "21.50", "currency": "EUR"}}]}

    rows = await app.rows(entry, euros)

    assert [row[1:] for row in rows] == [(200, None), (400, 25709)]
    assert (await app.offer("RED-CLOCK"))["pricingSummary"]["price"]["value"] == "21.50"


async def test_25_entries_are_taken_and_26_refused_whole(opened: Opened) -> None:
    app = await opened.app(items=tuple(ItemSeed(f"CLOCK-{at}", quantity=1) for at in range(26)))
    entries = [await app.entry(f"CLOCK-{at}", 9, 9) for at in range(26)]

    most, more, none = await app.write(*entries[:25]), await app.write(*entries), await app.write()

    assert (most.status_code, len(most.json()["responses"])) == (200, 25)
    assert error_id(more) == error_id(none) == (400, 25709)
    assert await app.numbers("CLOCK-25") == (1, 1, 1)


@pytest.mark.parametrize("body", [{"requests": [{"sku": 7}]}, {"requests": {}}, [], None])
async def test_what_cannot_be_read_is_refused_whole(app: App, body: object) -> None:
    assert error_id(await app.call("POST", BULK, body)) == (400, 2004)


async def test_a_listing_is_revised_250_times_a_day_no_ops_included(opened: Opened) -> None:
    app = await opened.app(revisions_a_day=3)
    entry = await app.entry("RED-CLOCK", 7, 7)

    rows = [await app.rows(entry) for _ in range(4)]
    blue = await app.rows(await app.entry("BLUE-CLOCK", 1, 1))
    await app.clock.advance(20 * 3600)
    await app.sign_in()
    tomorrow = await app.rows(entry)

    assert [row[0][2] for row in rows] == [None, None, None, 25019]
    assert blue[0][2] is None
    assert tomorrow[0][2] is None


async def test_variations_share_the_budget_of_their_listing(opened: Opened) -> None:
    items = (ItemSeed("CLOCK-S", quantity=1, group="CLOCKS"), ItemSeed("CLOCK-L", quantity=1, group="CLOCKS"))
    app = await opened.app(items=items, revisions_a_day=1)

    rows = await app.rows(await app.entry("CLOCK-S", 5, 5), await app.entry("CLOCK-L", 5, 5))

    assert [row[2] for row in rows] == [None, 25019]
    item = await app.get(f"{INVENTORY}/inventory_item/CLOCK-S")
    assert item["inventoryItemGroupKeys"] == ["CLOCKS"]


async def test_two_writes_of_one_item_at_once_meet_25025(opened: Opened) -> None:
    app = await opened.app(write_latency_s=1.0)
    first, second = await app.entry("RED-CLOCK", 7, 7), await app.entry("RED-CLOCK", 3, 3)

    both = asyncio.gather(app.rows(first), app.rows(second))
    while len(app.clock._sleepers) < 2:  # noqa: ASYNC110  until both are in flight
        await asyncio.sleep(0.01)
    await app.clock.advance(1)

    assert sorted((row[1], row[2]) for rows in await both for row in rows) == [(200, None), (500, 25025)]
