"""inventorySetQuantities as the vendor answers it."""

from __future__ import annotations

import pytest

from adapters.shopify.sandbox import ItemSeed, LocationSeed
from tests.unit.shopify_sandbox.documents import SET
from tests.unit.shopify_sandbox.kit import App, Opened, a_seed, write_of

UNKNOWN_ITEM = "gid://shopify/InventoryItem/1"


UNKNOWN_LOCATION = "gid://shopify/Location/1"


async def test_a_write_that_expects_the_right_number_sets_available_and_on_hand_alike(app: App) -> None:
    await app.buy("RED-CLOCK", 2)

    payload = await app.set(await app.row("RED-CLOCK", 5, change_from=8), referenceDocumentUri="gid://syncd/Push/42")

    assert payload["userErrors"] == []
    group = payload["inventoryAdjustmentGroup"]
    assert group["reason"] == "correction"
    assert group["referenceDocumentUri"] == "gid://syncd/Push/42"
    shown = [(one["name"], one["delta"], one["quantityAfterChange"]) for one in group["changes"]]
    assert shown == [("available", -3, None), ("on_hand", -3, None)]
    assert await app.numbers("RED-CLOCK") == (5, 2, 7)


async def test_a_write_that_changes_nothing_has_no_group_and_no_error(app: App) -> None:
    payload = await app.set(await app.row("RED-CLOCK", 10, change_from=10))

    assert payload == {"inventoryAdjustmentGroup": None, "userErrors": []}


async def test_a_stale_row_fails_the_whole_call(app: App) -> None:
    await app.buy("RED-CLOCK")
    rows = [await app.row("BLUE-CLOCK", 1, change_from=5), await app.row("RED-CLOCK", 4, change_from=10)]

    payload = await app.set(*rows)

    assert payload["inventoryAdjustmentGroup"] is None
    assert payload["userErrors"] == [
        {
            "field": ["input", "quantities", "1", "changeFromQuantity"],
            "message": "The changeFromQuantity value does not match persisted value.",
            "code": "CHANGE_FROM_QUANTITY_STALE",
        }
    ]
    assert await app.numbers("RED-CLOCK") == (9, 1, 10)
    assert await app.numbers("BLUE-CLOCK") == (5, 0, 5)
    assert (await app.stats())["stale"] == 1


async def test_a_shop_may_keep_to_itself_which_row_is_stale(opened: Opened) -> None:
    app = await opened.app(a_seed(stale_names_row=False))

    payload = await app.set(await app.row("RED-CLOCK", 4, change_from=9))

    assert [(one["field"], one["code"]) for one in payload["userErrors"]] == [(None, "CHANGE_FROM_QUANTITY_STALE")]


async def test_an_explicit_null_skips_the_comparison(app: App) -> None:
    payload = await app.set(await app.row("RED-CLOCK", 3, change_from=None))

    assert payload["userErrors"] == []
    assert await app.numbers("RED-CLOCK") == (3, 0, 3)


async def test_on_hand_moves_available_by_the_same_delta(app: App) -> None:
    await app.buy("RED-CLOCK", 4)

    payload = await app.set(await app.row("RED-CLOCK", 12, change_from=10), name="on_hand")

    assert payload["userErrors"] == []
    assert await app.numbers("RED-CLOCK") == (8, 4, 12)


async def test_without_the_directive_the_request_is_refused(app: App) -> None:
    query = """mutation Set($input: InventorySetQuantitiesInput!) {
      inventorySetQuantities(input: $input) { userErrors { code } }
    }"""

    answer = await app.ask(query, input=write_of(await app.row("RED-CLOCK", 3, change_from=10)))

    assert answer["errors"] == [
        {
            "message": "The @idempotent directive is required for this mutation but was not provided.",
            "locations": [{"line": 2, "column": 7}],
            "extensions": {"code": "BAD_REQUEST"},
            "path": ["inventorySetQuantities"],
        }
    ]
    assert answer["data"] == {"inventorySetQuantities": None}
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 10
    assert answer["extensions"]["cost"]["actualQueryCost"] == 10
    assert answer["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 1990


async def test_a_row_without_the_compared_value_is_refused(app: App) -> None:
    row = await app.row("RED-CLOCK", 3, change_from=10)
    del row["changeFromQuantity"]

    answer = await app.ask(SET, input=write_of(row), key="k")

    (error,) = answer["errors"]
    assert error["message"] == "InventoryQuantityInput must include the following argument: changeFromQuantity."
    assert error["extensions"] == {"code": "INVALID_FIELD_ARGUMENTS"}
    assert answer["data"] == {"inventorySetQuantities": None}


async def test_a_directive_is_looked_for_before_the_compared_value(app: App) -> None:
    row = await app.row("RED-CLOCK", 3, change_from=10)
    del row["changeFromQuantity"]
    query = """mutation Set($input: InventorySetQuantitiesInput!) {
      inventorySetQuantities(input: $input) { userErrors { code } }
    }"""

    answer = await app.ask(query, input=write_of(*[row] * 251))

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_REQUEST"]


async def test_more_than_250_rows_are_refused(app: App) -> None:
    rows = [await app.row("RED-CLOCK", 3, change_from=10)] * 251

    answer = await app.ask(SET, input=write_of(*rows), key="k")

    (error,) = answer["errors"]
    assert error["message"] == "The input array size of 251 is greater than the maximum allowed of 250."
    assert error["path"] == ["inventorySetQuantities", "input", "quantities"]
    assert error["extensions"] == {"code": "MAX_INPUT_SIZE_EXCEEDED"}
    assert "data" not in answer
    assert answer["extensions"]["cost"]["actualQueryCost"] is None


async def test_a_field_of_an_older_version_is_an_invalid_variable(app: App) -> None:
    request = write_of(await app.row("RED-CLOCK", 3, change_from=10), ignoreCompareQuantity=True)

    answer = await app.ask(SET, input=request, key="k")

    (error,) = answer["errors"]
    assert error["message"] == (
        "Variable $input of type InventorySetQuantitiesInput! was provided invalid value for "
        "ignoreCompareQuantity (Field is not defined on InventorySetQuantitiesInput)"
    )
    assert error["extensions"] == {
        "code": "INVALID_VARIABLE",
        "value": request,
        "problems": [
            {
                "path": ["ignoreCompareQuantity"],
                "explanation": "Field is not defined on InventorySetQuantitiesInput",
            }
        ],
    }
    assert "data" not in answer


async def test_problems_inside_a_row_are_named_with_their_path(app: App) -> None:
    row = await app.row("RED-CLOCK", 3, change_from=10)

    answer = await app.ask(SET, input=write_of({**row, "quantity": "3", "locationId": "7"}), key="k")

    problems = answer["errors"][0]["extensions"]["problems"]
    assert problems == [
        {"path": ["quantities", 0, "locationId"], "explanation": "Invalid global id '7'"},
        {"path": ["quantities", 0, "quantity"], "explanation": "Could not coerce value '3' to Int"},
    ]


async def test_unknown_item_and_location_are_both_reported(app: App) -> None:
    row = await app.row("RED-CLOCK", 3, change_from=10)

    payload = await app.set({**row, "inventoryItemId": UNKNOWN_ITEM, "locationId": UNKNOWN_LOCATION})

    assert payload["userErrors"] == [
        {
            "field": ["input", "quantities", "0", "inventoryItemId"],
            "message": "The specified inventory item could not be found.",
            "code": "INVALID_INVENTORY_ITEM",
        },
        {
            "field": ["input", "quantities", "0", "locationId"],
            "message": "The specified location could not be found.",
            "code": "INVALID_LOCATION",
        },
    ]


@pytest.mark.parametrize(
    ("change", "field", "message", "code"),
    [
        (
            {"name": "incoming"},
            ["input", "name"],
            "The quantity name must be either 'available' or 'on_hand'.",
            "INVALID_NAME",
        ),
        (
            {"referenceDocumentUri": "no-scheme"},
            ["input", "referenceDocumentUri"],
            "The specified reference document is invalid.",
            "INVALID_REFERENCE_DOCUMENT",
        ),
    ],
)
async def test_a_wrong_request_field_is_named(
    app: App, change: dict[str, str], field: list[str], message: str, code: str
) -> None:
    payload = await app.set(await app.row("RED-CLOCK", 3, change_from=10), **change)

    assert payload["userErrors"] == [{"field": field, "message": message, "code": code}]


async def test_an_unknown_reason_is_answered_with_the_known_ones(app: App) -> None:
    payload = await app.set(await app.row("RED-CLOCK", 3, change_from=10), reason="because")

    (error,) = payload["userErrors"]
    assert (error["field"], error["code"]) == (["input", "reason"], "INVALID_REASON")
    assert "cycle_count_available" in error["message"]


@pytest.mark.parametrize(
    ("quantity", "name", "message", "code"),
    [
        (1_000_000_001, "available", "The quantity can't be higher than 1,000,000,000.", "INVALID_QUANTITY_TOO_HIGH"),
        (-1_000_000_001, "available", "The quantity can't be lower than -1,000,000,000.", "INVALID_QUANTITY_TOO_LOW"),
        (-1, "on_hand", "The quantity can't be negative.", "INVALID_QUANTITY_NEGATIVE"),
    ],
)
async def test_a_quantity_out_of_bounds_is_refused(app: App, quantity: int, name: str, message: str, code: str) -> None:
    payload = await app.set(await app.row("RED-CLOCK", quantity, change_from=10), name=name)

    assert payload["userErrors"] == [
        {"field": ["input", "quantities", "0", "quantity"], "message": message, "code": code}
    ]


async def test_available_may_be_set_below_zero(app: App) -> None:
    payload = await app.set(await app.row("RED-CLOCK", -2, change_from=10))

    assert payload["userErrors"] == []
    assert await app.numbers("RED-CLOCK") == (-2, 0, -2)


async def test_every_duplicated_row_is_reported(app: App) -> None:
    row = await app.row("RED-CLOCK", 3, change_from=10)

    payload = await app.set(row, await app.row("BLUE-CLOCK", 1, change_from=5), {**row, "quantity": 4})

    assert [(one["field"], one["code"]) for one in payload["userErrors"]] == [
        (["input", "quantities", at, "locationId"], "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR") for at in ("0", "2")
    ]


async def test_a_bundle_cannot_be_written(opened: Opened) -> None:
    app = await opened.app(a_seed(items=(ItemSeed("KIT", requires_components=True),)))

    payload = await app.set(await app.row("KIT", 3, change_from=0))

    assert [one["code"] for one in payload["userErrors"]] == ["NON_MUTABLE_INVENTORY_ITEM"]


async def test_a_place_that_does_not_stock_the_item_takes_the_write_and_ignores_it(opened: Opened) -> None:
    app = await opened.app(a_seed(locations=(LocationSeed("Here"), LocationSeed("There"))))
    there = next(one["id"] for one in await _locations(app) if one["name"] == "There")

    payload = await app.set({**await app.row("RED-CLOCK", 3, change_from=None), "locationId": there})

    assert payload == {"inventoryAdjustmentGroup": None, "userErrors": []}
    assert await app.numbers("RED-CLOCK") == (10, 0, 10)


async def _locations(app: App) -> list[dict[str, str]]:
    query = "{ locations(first: 10, includeInactive: true, includeLegacy: true) { nodes { id name } } }"
    found: list[dict[str, str]] = (await app.data(query))["locations"]["nodes"]
    return found
