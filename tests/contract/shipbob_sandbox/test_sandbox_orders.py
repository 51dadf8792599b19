"""What the vendor takes and refuses, and what its lists show."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.shipbob_sandbox.kit import PICK_S, SHIP_S, Account, Opened, order_form


async def test_a_reference_is_taken_once(account: Account) -> None:
    first = await account.place()

    again = await account.place(quantity=5)

    assert (first.status_code, again.status_code) == (201, 422)
    assert "reference_id" in again.json()
    assert await account.numbers("RED") == (10, 1, 9)
    assert (await account.report("stats"))["duplicates_refused"] == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reference_id": ""}, "reference_id"),
        ({"reference_id": "x" * 301}, "reference_id"),
        ({"type": "Gift"}, "type"),
        ({"shipping_method": None}, "shipping_method"),
        ({"recipient": None}, "recipient.name"),
        ({"recipient": {"name": "A", "address": {"address1": "x", "city": "y"}}}, "recipient.address.country"),
        (
            {"recipient": {"name": "A", "address": {"address1": "x", "city": "y", "country": "USA"}}},
            "recipient.address.country",
        ),
        ({"products": []}, "products"),
        ({"products": [{"reference_id": "RED", "quantity": 1}]}, "products[0].name"),
        ({"products": [{"reference_id": "RED", "name": "x", "quantity": 0}]}, "products[0].quantity"),
        ({"products": [{"reference_id": "GREEN", "name": "x", "quantity": 1}]}, "products[0].reference_id"),
        ({"location_id": 77}, "location_id"),
    ],
)
async def test_what_cannot_be_shipped_is_a_422_that_names_the_field(
    account: Account, changes: dict[str, Any], field: str
) -> None:
    answer = await account.post("order", {**order_form(), **changes})

    assert answer.status_code == 422
    assert field in answer.json()
    assert (await account.report("truth"))["shipments"] == []


@pytest.mark.parametrize("body", [None, [], "x", 7])
async def test_a_body_that_is_no_order_is_a_422(account: Account, body: object) -> None:
    assert (await account.post("order", body)).status_code == 422


async def test_an_unknown_order_is_a_404(account: Account) -> None:
    answers = [await account.get("order/7"), await account.post("order/7:cancel"), await account.get("shipment/7")]

    assert {answer.status_code for answer in answers} == {404}


async def test_an_order_that_was_cancelled_cannot_be_cancelled_again(account: Account) -> None:
    order = await account.placed()
    await account.post(f"order/{order}:cancel")

    assert (await account.post(f"order/{order}:cancel")).status_code == 422


# --- lists ---------------------------------------------------------------------------------------------------------


async def references(account: Account, **params: str) -> list[str]:
    answer = await account.get("order", **params)
    assert answer.status_code == 200, answer.text
    return [order["reference_id"] for order in answer.json()]


async def three_orders(account: Account) -> None:
    """a, b and c, a minute apart."""
    for reference in "abc":
        await account.placed(reference)
        await account.clock.advance(60)


async def test_a_list_is_newest_first_unless_asked_otherwise(account: Account) -> None:
    await three_orders(account)

    assert await references(account) == ["c", "b", "a"]
    assert await references(account, SortOrder="Oldest") == ["a", "b", "c"]


async def test_a_list_has_pages(account: Account) -> None:
    await three_orders(account)

    pages = [await references(account, SortOrder="Oldest", Limit="2", Page=page) for page in ("1", "2", "3")]

    assert pages == [["a", "b"], ["c"], []]


async def test_a_list_is_filtered_by_reference_id_and_date(account: Account) -> None:
    await three_orders(account)
    ids = {order["reference"]: order["id"] for order in (await account.report("truth"))["shipments"]}

    assert await references(account, ReferenceIds="a,c,x") == ["c", "a"]
    assert await references(account, IDs=f"{ids['b']},1") == ["b"]
    assert await references(account, StartDate="2026-11-22T12:00:30Z") == ["c", "b"]
    assert await references(account, EndDate="2026-11-22T12:00:30") == ["a"]


async def test_a_list_of_what_changed_shows_what_shipped_since(account: Account) -> None:
    await three_orders(account)
    await account.clock.advance(PICK_S - 180)
    assert await references(account, LastUpdateStartDate="2026-11-22T12:05:00Z") == ["a"]

    await account.clock.advance(SHIP_S)

    assert await references(account, HasTracking="true") == ["a"]
    assert await references(account, HasTracking="false") == ["c", "b"]
    assert await references(account, LastUpdateEndDate="2026-11-22T12:05:00Z") == []


@pytest.mark.parametrize(
    "params", [{"Limit": "251"}, {"Limit": "0"}, {"Page": "0"}, {"StartDate": "yesterday"}, {"Page": "x"}]
)
async def test_a_parameter_that_cannot_be_used_is_a_400(account: Account, params: dict[str, str]) -> None:
    await account.placed()

    assert (await account.get("order", **params)).status_code == 400


async def test_a_new_order_may_show_late_in_lists(opened: Opened) -> None:
    account = await opened.account(index_lag_s=30.0)
    order = await account.placed()

    early = await references(account)
    await account.clock.advance(30)

    assert (early, await references(account)) == ([], ["syncd-1"])
    assert (await account.get(f"order/{order}")).status_code == 200
