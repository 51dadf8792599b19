"""Items and offers as the Inventory API shows them; its offset counts pages."""

from __future__ import annotations

from adapters.ebay.sandbox import Format, ItemSeed
from tests.contract.ebay_sandbox.kit import INVENTORY, App, Opened, error_id

ITEMS = f"{INVENTORY}/inventory_item"
FIVE = tuple(ItemSeed(f"CLOCK-{at}", quantity=at) for at in range(5))


async def test_offset_is_the_number_of_a_page(opened: Opened) -> None:
    app = await opened.app(items=FIVE)

    pages = [await app.get(ITEMS, limit=2, offset=number) for number in range(3)]

    assert [[item["sku"] for item in page["inventoryItems"]] for page in pages] == [
        ["CLOCK-0", "CLOCK-1"],
        ["CLOCK-2", "CLOCK-3"],
        ["CLOCK-4"],
    ]
    assert {(page["total"], page["size"], page["limit"]) for page in pages} == {(5, 3, 2)}
    assert [("prev" in page, "next" in page) for page in pages] == [(False, True), (True, True), (True, False)]


async def test_next_is_a_path_that_leads_on(opened: Opened) -> None:
    app = await opened.app(items=FIVE)

    first = await app.get(ITEMS, limit=3)
    assert first["next"].startswith(ITEMS)
    second = await app.get(first["next"])

    assert [item["sku"] for item in second["inventoryItems"]] == ["CLOCK-3", "CLOCK-4"]


async def test_items_need_an_accept_language(app: App) -> None:
    answer = await app.http.get(ITEMS, headers={"Authorization": f"Bearer {app.token}", "Accept-Language": "*"})

    assert error_id(answer) == (400, 25709)
    assert "Accept-Language" in answer.json()["errors"][0]["message"]


async def test_a_page_holds_1_to_200(app: App) -> None:
    answers = [await app.call("GET", ITEMS, limit=limit) for limit in ("0", "201", "-1", "ten")]
    most = await app.call("GET", ITEMS, limit=200)

    assert {error_id(answer) for answer in answers} == {(400, 25706)}
    assert most.status_code == 200


async def test_an_item_tells_its_total_and_how_formats_share_it(opened: Opened) -> None:
    auction = ItemSeed("OLD-CLOCK", quantity=3, format=Format.AUCTION, gtin="4006381333931")
    app = await opened.app(items=(auction,))

    item = await app.get(f"{ITEMS}/OLD-CLOCK")

    shipped = item["availability"]["shipToLocationAvailability"]
    assert shipped == {"quantity": 3, "allocationByFormat": {"auction": 1, "fixedPrice": 2}}
    assert item["product"]["ean"] == ["4006381333931"]
    assert item["locale"] == "en_US"


async def test_an_unknown_item_is_not_found(app: App) -> None:
    assert error_id(await app.call("GET", f"{ITEMS}/GREEN-CLOCK")) == (404, 25710)


async def test_many_items_are_read_at_once_and_a_missing_one_makes_it_207(app: App) -> None:
    known = await app.call("POST", f"{INVENTORY}/bulk_get_inventory_item", {"requests": [{"sku": "RED-CLOCK"}]})
    mixed = await app.call(
        "POST",
        f"{INVENTORY}/bulk_get_inventory_item",
        {"requests": [{"sku": "RED-CLOCK"}, {"sku": "GREEN-CLOCK"}]},
    )

    assert known.status_code == 200
    assert known.json()["responses"][0]["inventoryItem"]["sku"] == "RED-CLOCK"
    assert mixed.status_code == 207
    assert [row["statusCode"] for row in mixed.json()["responses"]] == [200, 404]
    assert mixed.json()["responses"][1]["errors"][0]["errorId"] == 25710


async def test_26_items_and_one_item_twice_are_too_many(app: App) -> None:
    path = f"{INVENTORY}/bulk_get_inventory_item"
    many = await app.call("POST", path, {"requests": [{"sku": f"SKU-{at}"} for at in range(26)]})
    twice = await app.call("POST", path, {"requests": [{"sku": "RED-CLOCK"}] * 2})

    assert error_id(many) == (400, 25727)
    assert error_id(twice) == (400, 25734)


async def test_offers_are_read_by_sku_and_only_so(app: App) -> None:
    found = await app.get(f"{INVENTORY}/offer", sku="RED-CLOCK")
    without = await app.call("GET", f"{INVENTORY}/offer")
    unknown = await app.call("GET", f"{INVENTORY}/offer", sku="GREEN-CLOCK")

    (offer,) = found["offers"]
    assert (offer["sku"], offer["marketplaceId"], offer["format"]) == ("RED-CLOCK", "EBAY_US", "FIXED_PRICE")
    assert (offer["availableQuantity"], offer["status"]) == (10, "PUBLISHED")
    assert offer["pricingSummary"]["price"] == {"value": "19.90", "currency": "USD"}
    assert offer["listing"]["listingStatus"] == "ACTIVE"
    assert error_id(without) == (400, 25709)
    assert error_id(unknown) == (404, 25713)


async def test_an_offer_is_read_by_its_id(app: App) -> None:
    known = await app.offer("RED-CLOCK")

    assert await app.get(f"{INVENTORY}/offer/{known['offerId']}") == known
    assert error_id(await app.call("GET", f"{INVENTORY}/offer/1")) == (404, 25713)


async def test_an_offer_that_never_had_a_number_shows_none(opened: Opened) -> None:
    app = await opened.app(items=(ItemSeed("RED-CLOCK", quantity=4, capped=False),))

    offer = await app.offer("RED-CLOCK")

    assert "availableQuantity" not in offer
    assert await app.numbers("RED-CLOCK") == (4, 4, None)


async def test_listings_made_elsewhere_are_unknown_here(opened: Opened) -> None:
    app = await opened.app(items=(ItemSeed("OLD-CLOCK", quantity=4, in_inventory=False),))

    assert (await app.get(ITEMS))["total"] == 0
    assert error_id(await app.call("GET", f"{ITEMS}/OLD-CLOCK")) == (404, 25710)


async def test_a_stale_read_shows_the_number_of_a_moment_ago(opened: Opened) -> None:
    app = await opened.app()
    await app.control("faults", stale_read_s=60)
    await app.buy("RED-CLOCK", 4)
    await app.meet("stale_read", "get_inventory_item")

    stale = await app.get(f"{ITEMS}/RED-CLOCK")
    fresh = await app.get(f"{ITEMS}/RED-CLOCK")

    read = [one["availability"]["shipToLocationAvailability"]["quantity"] for one in (stale, fresh)]
    assert read == [10, 6]
