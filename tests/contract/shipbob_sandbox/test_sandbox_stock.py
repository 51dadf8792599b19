"""How pieces move between what is there, what is committed and what can still be promised."""

from __future__ import annotations

from collections import Counter

import httpx
import pytest

from adapters.shipbob.sandbox import ItemSeed, LocationSeed
from tests.contract.shipbob_sandbox.kit import PICK_S, SHIP_S, Account, Opened

EAST = LocationSeed(9, "Moreno Valley (CA)")


async def test_an_order_commits_its_pieces_at_once(account: Account) -> None:
    await account.placed(quantity=3)

    assert await account.numbers("RED") == (10, 3, 7)


async def test_a_shipment_takes_its_pieces_out_of_the_door(account: Account) -> None:
    order = await account.placed(quantity=3)

    await account.clock.advance(PICK_S + SHIP_S)

    (shipment,) = await account.shipments(order)
    assert await account.numbers("RED") == (7, 0, 7)
    assert shipment["status"] == "Completed"
    assert shipment["tracking"]["tracking_number"].startswith("1Z")


async def test_a_shipment_goes_from_processing_over_its_label_to_completed(account: Account) -> None:
    order = await account.placed()
    seen = []

    for seconds in (0, PICK_S, SHIP_S / 2, SHIP_S / 2):
        await account.clock.advance(seconds)
        (shipment,) = await account.shipments(order)
        seen.append((shipment["status"], [detail["name"] for detail in shipment["status_details"]]))

    assert seen == [
        ("Processing", []),
        ("Processing", ["PickInProgress"]),
        ("LabeledCreated", ["Labeled"]),
        ("Completed", ["Processing"]),
    ]


async def test_a_cancelled_order_frees_its_pieces(account: Account) -> None:
    order = await account.placed(quantity=3)

    answer = await account.post(f"order/{order}:cancel")

    assert answer.json()["status"] == "Success"
    assert [one["is_success"] for one in answer.json()["canceled_shipment_results"]] == [True]
    assert await account.numbers("RED") == (10, 0, 10)
    await account.clock.advance(PICK_S + SHIP_S)
    assert await account.numbers("RED") == (10, 0, 10)


@pytest.mark.parametrize("seconds", [PICK_S, PICK_S + SHIP_S / 2, PICK_S + SHIP_S])
async def test_from_the_picking_on_a_cancellation_answers_200_and_is_refused(account: Account, seconds: float) -> None:
    order = await account.placed(quantity=3)
    await account.clock.advance(seconds)
    before = await account.numbers("RED")

    answer = await account.post(f"order/{order}:cancel")

    (result,) = answer.json()["canceled_shipment_results"]
    assert (answer.status_code, answer.json()["status"], result["is_success"]) == (200, "Failure", False)
    assert result["reason"]
    assert await account.numbers("RED") == before


async def test_an_order_that_stock_does_not_cover_waits_in_exception_and_commits_nothing(account: Account) -> None:
    order = await account.placed(quantity=11)

    (shipment,) = await account.shipments(order)

    assert (shipment["status"], shipment["status_details"][0]["name"]) == ("Exception", "OutOfStock")
    assert await account.numbers("RED") == (10, 0, 10)


async def test_goods_that_arrive_go_first_to_the_order_that_waits(account: Account) -> None:
    waiting = await account.placed("syncd-1", quantity=11)
    later = await account.placed("syncd-2", quantity=10)
    await account.control("receive", sku="RED", quantity=11)

    assert [one["status"] for one in await account.shipments(waiting)] == ["Processing"]
    assert await account.numbers("RED") == (21, 21, 0)
    await account.clock.advance(PICK_S + SHIP_S)
    assert [one["status"] for one in await account.shipments(later)] == ["Completed"]
    assert await account.numbers("RED") == (0, 0, 0)


async def test_a_count_sets_what_is_there_and_never_shows_less_than_nothing(account: Account) -> None:
    await account.placed(quantity=3)

    await account.control("levels", sku="RED", on_hand=2)

    assert await account.numbers("RED") == (2, 3, 0)


async def test_pieces_that_are_missing_at_the_picking_make_an_exception(account: Account) -> None:
    order = await account.placed(quantity=3)
    await account.control("levels", sku="RED", on_hand=2)

    await account.clock.advance(PICK_S)

    (shipment,) = await account.shipments(order)
    assert shipment["status"] == "Exception"
    assert await account.numbers("RED") == (2, 0, 2)


# --- several locations ---------------------------------------------------------------------------------------------


async def two_locations(opened: Opened) -> Account:
    return await opened.account(
        more_locations=(EAST,),
        items=(ItemSeed("RED", on_hand=2, elsewhere={EAST.name: 5}), ItemSeed("BLUE", on_hand=5)),
    )


async def test_the_location_that_is_asked_for_ships(opened: Opened) -> None:
    account = await two_locations(opened)

    await account.placed(quantity=2, location_id=EAST.id)

    assert await account.numbers("RED", EAST.id) == (5, 2, 3)


async def test_the_first_location_that_has_everything_ships(opened: Opened) -> None:
    account = await two_locations(opened)

    await account.placed(quantity=4)

    assert await account.numbers("RED", EAST.id) == (5, 4, 1)


async def test_an_order_that_no_location_covers_alone_is_split(opened: Opened) -> None:
    account = await two_locations(opened)

    order = await account.placed(quantity=6)

    shipments = await account.shipments(order)
    inside = [one["products"][0]["inventory_items"][0]["quantity"] for one in shipments]
    assert [(one["location"]["id"], one["status"]) for one in shipments] == [(8, "Processing"), (9, "Processing")]
    assert inside == [2, 4]


async def test_a_split_order_is_partly_shipped_and_then_partly_cancelled(opened: Opened) -> None:
    account = await two_locations(opened)
    order = await account.placed(quantity=6)
    await account.control("levels", sku="RED", on_hand=0, location_id=EAST.id)

    await account.clock.advance(PICK_S + SHIP_S)
    answer = (await account.post(f"order/{order}:cancel")).json()

    assert answer["status"] == "PartialSuccess"
    assert [one["is_success"] for one in answer["canceled_shipment_results"]] == [False, True]
    assert answer["order"]["status"] == "Fulfilled"
    (line,) = (await account.report("truth"))["shipments"][0]["lines"]
    assert (line["quantity"], line["shipped"]) == (6, 2)


async def test_pieces_are_never_made_nor_lost(opened: Opened) -> None:
    account = await opened.account(pick_after_s=(10, 900), ship_after_s=(10, 900))
    for number in range(6):
        await account.placed(f"syncd-{number}", quantity=2)
        called_back = await account.placed(f"syncd-x{number}", sku="BLUE")
        await account.post(f"order/{called_back}:cancel")
        await account.clock.advance(100)
    await account.clock.advance(1800)

    statuses = Counter(one["status"] for one in (await account.report("truth"))["shipments"])
    assert statuses == {"Fulfilled": 5, "Exception": 1, "Cancelled": 6}
    assert (await account.numbers("RED"), await account.numbers("BLUE")) == ((0, 0, 0), (5, 0, 5))


# --- levels as they are read ---------------------------------------------------------------------------------------


async def test_levels_are_read_page_by_page_behind_a_cursor(account: Account) -> None:
    await account.control("items", items=[{"sku": f"SKU-{number}", "quantity": number} for number in range(5)])
    found: dict[str, int] = {}
    path = "/2026-01/inventory-level/locations?PageSize=3"

    while path:
        page = (await account.http.get(path, headers=account.headers)).json()
        found |= {item["sku"]: item["locations"][0]["fulfillable_quantity"] for item in page["items"]}
        path = page["next"]

    assert found == {"RED": 10, "BLUE": 5, **{f"SKU-{number}": number for number in range(5)}}
    assert (await account.report("stats"))["requests"]["levels"] == 3


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"SearchBy": "bl"}, ["BLUE"]),
        ({"LocationId": "9"}, []),
        ({"LocationId": "8"}, ["RED", "BLUE"]),
        ({"InventoryIds": "1"}, []),
    ],
)
async def test_levels_are_filtered(account: Account, params: dict[str, str], found: list[str]) -> None:
    page = (await account.get("inventory-level/locations", **params)).json()

    assert [item["sku"] for item in page["items"]] == found


@pytest.mark.parametrize("params", [{"PageSize": "0"}, {"PageSize": "x"}, {"Cursor": "!"}, {"LocationId": "-1"}])
async def test_a_parameter_that_cannot_be_used_is_a_400(account: Account, params: dict[str, str]) -> None:
    answer = await account.get("inventory-level/locations", **params)

    assert (answer.status_code, list(answer.json())) == (400, list(params))


async def test_a_stale_read_shows_levels_as_they_were(account: Account) -> None:
    await account.clock.advance(100)
    await account.placed(quantity=4)
    await account.control("faults", stale_read=1.0, stale_read_s=50)

    async def shown(answer: httpx.Response) -> int:
        number: int = answer.json()["items"][0]["locations"][0]["fulfillable_quantity"]
        return number

    stale = {await shown(await account.get("inventory-level/locations")) for _ in range(10)}
    await account.clock.advance(50)
    fresh = {await shown(await account.get("inventory-level/locations")) for _ in range(10)}

    assert (stale, fresh) == ({10}, {6})
