"""What is on sale, and the numbers shown."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from adapters.contract import ListedItem, ListingRef, QuantityRead, Transient
from adapters.ebay import EbayChannel
from tests.unit.ebay.doubles import (
    BULK_ITEMS,
    ITEMS,
    OFFERS,
    Json,
    ScriptedEbay,
    an_item,
    an_offer,
    bulk_items,
    error,
    items_page,
    offers_by_sku,
    ok,
    refused,
)


async def listed(channel: EbayChannel) -> list[ListedItem]:
    return [item async for page in channel.list_listings() for item in page.items]


async def only(channel: EbayChannel, ebay: ScriptedEbay, item: Json, *offers: Json) -> ListedItem | None:
    ebay.script("GET", ITEMS, items_page([item]))
    ebay.script("GET", OFFERS, offers_by_sku({item["sku"]: list(offers)}))
    found = await listed(channel)
    return found[0] if found else None


def ref(sku: str, marketplace: str = "EBAY_US") -> ListingRef:
    return ListingRef(sku, marketplace)


async def test_a_sku_on_sale_is_a_listing(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    item = an_item(quantity=9, ean=["4006381333931"])

    assert await only(channel, ebay, item, an_offer(quantity=7)) == ListedItem(
        ref=ref("RED-CLOCK"),
        line_key="110551000001/RED-CLOCK",
        code="RED-CLOCK",
        title="A RED-CLOCK",
        gtin="4006381333931",
        quantity=7,
        back_orderable=False,
        budget_key="110551000001",
    )


@pytest.mark.parametrize(("item", "offer", "shown"), [(9, 7, 7), (3, 7, 3), (9, None, 9), (0, 7, 0), (9, "odd", 9)])
async def test_the_lower_of_both_numbers_is_shown(
    channel: EbayChannel, ebay: ScriptedEbay, item: int, offer: Any, shown: int
) -> None:
    found = await only(channel, ebay, an_item(quantity=item), an_offer(quantity=offer))

    assert found is not None
    assert (found.quantity, found.unwritable) == (shown, None)


@pytest.mark.parametrize(
    "offer",
    [
        an_offer(status="UNPUBLISHED", listing_id=None),
        an_offer(marketplace="EBAY_DE"),
        an_offer(listing_status="ENDED"),
        an_offer(listing_status="EBAY_ENDED"),
        an_offer(listing_id=None),
        {"sku": "RED-CLOCK"},
    ],
)
async def test_what_is_not_on_sale_here_is_no_listing(channel: EbayChannel, ebay: ScriptedEbay, offer: Json) -> None:
    assert await only(channel, ebay, an_item(), offer) is None


@pytest.mark.parametrize(
    ("offers", "why"),
    [
        ([an_offer(format="AUCTION", quantity=None)], "auction"),
        ([an_offer(), an_offer(format="AUCTION", offer_id="a", listing_id="9")], "auction"),
        ([an_offer(on_hold=True)], "on hold"),
        ([an_offer(listing_status="INACTIVE")], "inactive"),
        ([an_offer(), an_offer(offer_id="other", listing_id="9")], "more than one"),
    ],
)
async def test_a_number_that_is_not_ours_to_set_says_why(
    channel: EbayChannel, ebay: ScriptedEbay, offers: list[Json], why: str
) -> None:
    found = await only(channel, ebay, an_item(), *offers)

    assert found is not None
    assert why in (found.unwritable or "")
    assert found.ref == ref("RED-CLOCK")


@pytest.mark.parametrize("availability", [..., None, {}, {"shipToLocationAvailability": {}}])
async def test_an_item_without_a_number_is_not_written(
    channel: EbayChannel, ebay: ScriptedEbay, availability: Any
) -> None:
    item = {**an_item(), "availability": availability}
    if availability is ...:
        del item["availability"]

    found = await only(channel, ebay, item, an_offer())

    assert found is not None
    assert (found.quantity, found.unwritable) == (None, "the item has no ship-to-home quantity")


@pytest.mark.parametrize(
    ("codes", "gtin"),
    [
        ({"ean": ["Does not apply"], "upc": ["012345678905"]}, "012345678905"),
        ({"isbn": ["020161622X"]}, "020161622X"),
        ({"ean": "4006381333931", "upc": [7]}, None),
        ({}, None),
    ],
)
async def test_the_first_real_barcode_counts(
    channel: EbayChannel, ebay: ScriptedEbay, codes: Json, gtin: str | None
) -> None:
    found = await only(channel, ebay, an_item(**codes), an_offer())

    assert found is not None
    assert found.gtin == gtin


async def test_pages_are_numbered_not_counted_in_records(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    skus = [f"S{number}" for number in range(450)]

    def page(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params["offset"]) * 200
        return items_page([an_item(sku) for sku in skus[start : start + 200]], len(skus))

    ebay.script("GET", ITEMS, page)
    ebay.script("GET", OFFERS, offers_by_sku({sku: [an_offer(sku)] for sku in skus}))

    assert [item.code for item in await listed(channel)] == skus
    assert [r.url.params["offset"] for r in ebay.to("GET", ITEMS)] == ["0", "1", "2"]


@pytest.mark.parametrize("items", [[], [an_item()]])
async def test_pages_that_do_not_advance_end_in_an_error(
    channel: EbayChannel, ebay: ScriptedEbay, items: list[Json]
) -> None:
    ebay.script("GET", ITEMS, items_page(items, 10**6))
    ebay.script("GET", OFFERS, offers_by_sku({"RED-CLOCK": [an_offer()]}))

    with pytest.raises(Transient, match="does not advance"):
        await listed(channel)


async def test_a_page_that_does_not_say_how_many_there_are_is_no_last_page(
    channel: EbayChannel, ebay: ScriptedEbay
) -> None:
    ebay.script("GET", ITEMS, ok({"inventoryItems": [an_item()]}))

    with pytest.raises(Transient):
        await listed(channel)


@pytest.mark.parametrize("told", [{}, {"total": 2}])
async def test_offers_that_did_not_all_come_are_not_judged(
    channel: EbayChannel, ebay: ScriptedEbay, told: Json
) -> None:
    ebay.script("GET", ITEMS, items_page([an_item()]))
    ebay.script("GET", OFFERS, ok({"offers": [an_offer()], **told}))

    with pytest.raises(Transient):
        await listed(channel)


async def test_one_bad_sku_does_not_hide_the_others(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", ITEMS, items_page([an_item("BAD"), {"sku": 7}, an_item("GOOD"), an_item("NEVER-LISTED")]))
    answers: dict[str, list[Json] | httpx.Response] = {
        "BAD": refused(400, error(25709, "Invalid value for sku")),
        "GOOD": [an_offer("GOOD")],
    }
    ebay.script("GET", OFFERS, offers_by_sku(answers))

    assert [item.code for item in await listed(channel)] == ["GOOD"]


async def test_trouble_while_reading_offers_ends_the_reading(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", ITEMS, items_page([an_item(f"S{number}") for number in range(9)]))
    ebay.script("GET", OFFERS, refused(500, error(25001)))

    with pytest.raises(Transient):
        await listed(channel)


async def test_offers_are_read_four_at_a_time(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    at_once = most = 0

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.001)
            at_once -= 1
            return await ebay.transport.handle_async_request(request)

    channel._rest._http._client._transport = Slow()  # the one place where concurrency shows
    skus = [f"S{number}" for number in range(30)]
    ebay.script("GET", ITEMS, items_page([an_item(sku) for sku in skus]))
    ebay.script("GET", OFFERS, offers_by_sku({sku: [an_offer(sku)] for sku in skus}))

    assert len(await listed(channel)) == 30
    assert most == 4


# --- reading numbers ---------------------------------------------------------------------------------------------


async def test_numbers_are_read_in_order_one_result_a_ref(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("POST", BULK_ITEMS, bulk_items({"A": an_item("A", 5), "B": an_item("B", 4), "C": an_item("C", 3)}))
    ebay.script("GET", OFFERS, offers_by_sku({"A": [an_offer("A", 2)], "B": [an_offer("B", None)]}))

    refs = [ref("B"), ref("GONE"), ref("A"), ref("C"), ref("A", "EBAY_DE"), ref("A")]
    found = await channel.read_quantities(refs)

    assert [read.ref for read in found] == refs
    assert [read.quantity for read in found] == [4, None, 2, None, None, 2]
    assert found[1].problem == "25710 not found"
    assert found[3].problem == "no published fixed-price offer on this marketplace"
    assert found[4].problem == "not a listing on EBAY_US"
    assert ebay.bodies(BULK_ITEMS) == [{"requests": [{"sku": "B"}, {"sku": "GONE"}, {"sku": "A"}, {"sku": "C"}]}]


async def test_a_bad_sku_that_refuses_the_whole_read_is_found(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    good = {f"S{number}": an_item(f"S{number}", number) for number in range(25)}
    answer = bulk_items(good)

    def picky(request: httpx.Request) -> httpx.Response:
        asked = [entry["sku"] for entry in msgspec.json.decode(request.content)["requests"]]
        assert callable(answer)
        return refused(400, error(25708, "Invalid SKU.")) if "S13" in asked else answer(request)

    ebay.script("POST", BULK_ITEMS, picky)
    ebay.script("GET", OFFERS, offers_by_sku({sku: [an_offer(sku, 99)] for sku in good}))

    found = await channel.read_quantities([ref(sku) for sku in good])

    assert [read.quantity for read in found] == [number if number != 13 else None for number in range(25)]
    assert "25708" in (found[13].problem or "")
    assert len(ebay.bodies(BULK_ITEMS)) < 12


@pytest.mark.parametrize("error_id", [25001, 25025])
async def test_a_row_that_ebay_itself_failed_at_is_asked_for_once_more(
    channel: EbayChannel, ebay: ScriptedEbay, error_id: int
) -> None:
    failed = {"sku": "A", "statusCode": 500, "errors": [error(error_id, "busy")]}
    row = {"sku": "A", "statusCode": 200, "inventoryItem": an_item("A", 5)}
    ebay.script(
        "POST", BULK_ITEMS, ok({"responses": [failed]}, 207), ok({"responses": [row]}), ok({"responses": [failed]})
    )
    ebay.script("GET", OFFERS, offers_by_sku({"A": [an_offer("A", 9)]}))

    assert await channel.read_quantities([ref("A")]) == (QuantityRead(ref("A"), 5),)
    assert await channel.read_quantities([ref("A")]) == (QuantityRead(ref("A"), None, f"{error_id} busy"),)


async def test_a_row_that_is_left_out_is_unknown(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("POST", BULK_ITEMS, ok({"responses": ["odd", {"statusCode": 200}]}))

    assert await channel.read_quantities([ref("A")]) == (
        QuantityRead(ref("A"), None, "eBay did not answer for this SKU"),
    )


async def test_an_offer_that_cannot_be_read_leaves_its_number_unknown(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("POST", BULK_ITEMS, bulk_items({"A": an_item("A", 5), "B": an_item("B", 5)}))
    ebay.script("GET", OFFERS, offers_by_sku({"A": refused(400, error(25709)), "B": [an_offer("B", 4)]}))

    first, second = await channel.read_quantities([ref("A"), ref("B")])

    assert (first.quantity, second.quantity) == (None, 4)


async def test_nothing_of_ours_is_read_without_asking(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    (read,) = await channel.read_quantities([ref("A", "EBAY_DE")])

    assert read.quantity is None
    assert ebay.requests == []

    with pytest.raises(ValueError, match="at most 25"):
        await channel.read_quantities([ref("A")] * 26)


async def test_a_read_that_lasts_too_long_is_broken_off(
    channel: EbayChannel, ebay: ScriptedEbay, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0.1 if request.url.path == OFFERS else 0)
            return await ebay.transport.handle_async_request(request)

    monkeypatch.setattr("adapters.ebay.inventory.CALL_REAL_S", 0.25)
    channel._rest._http._client._transport = Slow()
    skus = [f"S{number}" for number in range(25)]
    ebay.script("POST", BULK_ITEMS, bulk_items({sku: an_item(sku) for sku in skus}))
    ebay.script("GET", OFFERS, offers_by_sku({sku: [an_offer(sku)] for sku in skus}))

    with pytest.raises(Transient, match=r"no end within 0\.25 s"):
        await channel.read_quantities([ref(sku) for sku in skus])

    assert 4 <= len(ebay.to("GET", OFFERS)) < 25
    assert len(await channel.read_quantities([ref("S0")])) == 1  # what was broken off harms no later call
