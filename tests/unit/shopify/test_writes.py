"""The body of a write, and what its answer says of each row."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import AdapterError, ListingRef, QuantityWrite, RateLimited, Rejected, RowOutcome, RowResult
from adapters.shopify import ShopifyChannel
from adapters.shopify.refusals import KeyConflict
from adapters.shopify.writes import PARTIAL, PREVIOUS_ATTEMPT_FAILED, UNNAMED, compose
from tests.unit.shopify.builders import LOCATION
from tests.unit.shopify.conftest import settings
from tests.unit.shopify.doubles import FakeClock, Json, ScriptedShop, SeededRng, data, errors


def rows(count: int) -> list[QuantityWrite]:
    return [
        QuantityWrite(ListingRef(f"gid://shopify/InventoryItem/{number}", LOCATION), number + 5, number)
        for number in range(count)
    ]


def user_error(code: str | None, index: int | None = None, leaf: str = "quantity") -> Json:
    field = None if index is None else ["input", "quantities", str(index), leaf]
    return {"field": field, "message": f"about {code}", "code": code}


def answered(*problems: Json, group: Json | None = None) -> Any:
    return data({"inventorySetQuantities": {"inventoryAdjustmentGroup": group, "userErrors": list(problems)}})


async def sent(channel: ShopifyChannel, count: int) -> tuple[RowResult, ...]:
    return await channel.send_write("key-1", channel.compose_write("p1", rows(count)))


def outcomes(results: tuple[RowResult, ...]) -> str:
    """One letter a row: applied, stale, rejected, not written."""
    return "".join(result.outcome.value[0] for result in results)


def test_a_body_is_canonical_and_always_carries_what_it_compares_with() -> None:
    body = compose("0190-a", rows(2))

    assert body == (
        '{"name":"available","quantities":['
        '{"changeFromQuantity":0,"inventoryItemId":"gid://shopify/InventoryItem/0",'
        '"locationId":"gid://shopify/Location/7001","quantity":5},'
        '{"changeFromQuantity":1,"inventoryItemId":"gid://shopify/InventoryItem/1",'
        '"locationId":"gid://shopify/Location/7001","quantity":6}],'
        '"reason":"correction","referenceDocumentUri":"gid://syncd/Push/0190-a"}'
    )
    assert body == compose("0190-a", rows(2))


@pytest.mark.parametrize("count", [0, 251])
def test_a_body_has_1_to_250_rows(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 250"):
        compose("p", rows(count))


async def test_exactly_the_body_is_sent_under_the_key(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdSetQuantities", answered())
    body = channel.compose_write("p1", rows(3))

    assert outcomes(await channel.send_write("key-1", body)) == "aaa"

    assert body.encode() in shop.requests[0].content
    assert shop.variables("SyncdSetQuantities") == [{"input": msgspec.json.decode(body), "key": "key-1"}]


async def test_success_means_applied_with_and_without_a_group(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    group = {"id": "g", "changes": [{"name": "available", "delta": 1, "item": None, "location": {"id": LOCATION}}]}
    shop.script("SyncdSetQuantities", answered(group=group), answered(group={"changes": "odd"}), answered())

    assert [outcomes(await sent(channel, 2)) for _ in range(3)] == ["aa", "aa", "aa"]


@pytest.mark.parametrize(
    ("problems", "expected"),
    [
        ([user_error("CHANGE_FROM_QUANTITY_STALE", 1)], "nsn"),
        ([user_error("COMPARE_QUANTITY_STALE", 0)], "snn"),
        ([user_error("INVALID_INVENTORY_ITEM", 2, "inventoryItemId")], "nnr"),
        ([user_error("ITEM_NOT_STOCKED_AT_LOCATION", 2)], "nnr"),
        ([user_error("BRAND_NEW", 0), user_error("CHANGE_FROM_QUANTITY_STALE", 1)], "rsn"),
        ([user_error("CHANGE_FROM_QUANTITY_STALE", 1), user_error("INVALID_LOCATION", 1)], "nrn"),
        ([user_error("INVALID_LOCATION", 1), user_error("CHANGE_FROM_QUANTITY_STALE", 1)], "nrn"),
        ([user_error("CHANGE_FROM_QUANTITY_STALE", 0), user_error("INVALID_LOCATION")], "snn"),
    ],
)
async def test_named_rows_have_their_fate_and_the_others_were_not_written(
    channel: ShopifyChannel, shop: ScriptedShop, problems: list[Json], expected: str
) -> None:
    shop.script("SyncdSetQuantities", answered(*problems))

    results = await sent(channel, 3)

    assert outcomes(results) == expected
    assert [result.ref for result in results] == [row.ref for row in rows(3)]
    assert UNNAMED not in {result.reason for result in results}


async def test_a_named_row_keeps_field_and_code(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdSetQuantities", answered(user_error("INVALID_INVENTORY_ITEM", 1, "inventoryItemId")))

    assert (await sent(channel, 2))[1] == RowResult(
        rows(2)[1].ref, RowOutcome.REJECTED, "inventoryItemId", "INVALID_INVENTORY_ITEM"
    )


@pytest.mark.parametrize(
    "field", [None, ["input"], ["input", "quantities", "9", "x"], ["input", "quantities", "²"], ["input", "quantities"]]
)
async def test_a_refusal_that_names_no_row_asks_for_halving(
    channel: ShopifyChannel, shop: ScriptedShop, field: list[str] | None
) -> None:
    shop.script("SyncdSetQuantities", answered(user_error("CHANGE_FROM_QUANTITY_STALE") | {"field": field}))

    many, one = await sent(channel, 2), await sent(channel, 1)

    assert outcomes(many) == "nn"
    assert {result.reason for result in many} == {UNNAMED}
    assert outcomes(one) == "s"


async def test_a_batch_that_changed_something_and_failed_is_to_be_read(
    channel: ShopifyChannel, shop: ScriptedShop
) -> None:
    changes = [
        {"name": "on_hand", "item": {"id": "gid://shopify/InventoryItem/1"}, "location": {"id": LOCATION}},
        {"name": "available", "item": {"id": "gid://shopify/InventoryItem/0"}, "location": {"id": LOCATION}},
    ]
    shop.script("SyncdSetQuantities", answered(user_error("INVALID_LOCATION", 2), group={"changes": changes}))

    results = await sent(channel, 3)

    assert outcomes(results) == "asr"
    assert results[1].reason == PARTIAL


@pytest.mark.parametrize("code", ["INVALID_NAME", "INVALID_REASON", "INVALID_REFERENCE_DOCUMENT"])
async def test_a_fault_of_the_whole_call_blames_no_row(channel: ShopifyChannel, shop: ScriptedShop, code: str) -> None:
    shop.script("SyncdSetQuantities", answered({"field": ["input", "name"], "message": "", "code": code}))

    with pytest.raises(Rejected) as caught:
        await sent(channel, 2)

    assert caught.value.field == "input.name"


async def test_a_key_still_in_flight_is_waited_for(
    channel: ShopifyChannel, shop: ScriptedShop, clock: FakeClock
) -> None:
    busy = answered(user_error("IDEMPOTENCY_CONCURRENT_REQUEST"))
    shop.script("SyncdSetQuantities", busy, errors("IDEMPOTENCY_CONCURRENT_REQUEST"), answered())

    assert outcomes(await sent(channel, 2)) == "aa"
    assert 4.0 <= sum(clock.slept) <= 4.4

    shop.script("SyncdSetQuantities", busy)
    with pytest.raises(RateLimited):
        await sent(channel, 2)


async def test_a_key_used_otherwise_before_is_refused(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdSetQuantities", answered(user_error("IDEMPOTENCY_KEY_PARAMETER_MISMATCH")))

    with pytest.raises(KeyConflict):
        await sent(channel, 2)


@pytest.mark.parametrize("top_level", [True, False])
async def test_a_key_whose_first_attempt_failed_wants_a_new_one(
    channel: ShopifyChannel, shop: ScriptedShop, top_level: bool
) -> None:
    code = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
    shop.script("SyncdSetQuantities", errors(code) if top_level else answered(user_error(code)))

    results = await sent(channel, 2)

    assert outcomes(results) == "nn"
    assert {result.reason for result in results} == {PREVIOUS_ATTEMPT_FAILED}


async def test_a_body_that_is_no_write_is_not_sent(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    for body in ("{}", "nonsense", '{"name":"available","quantities":[{"quantity":1}]}'):
        with pytest.raises(Rejected):
            await channel.send_write("key", body)

    assert shop.requests == []


FIELDS = ["userErrors", "inventoryAdjustmentGroup", "changes", "field", "code", "message", "item", "location", "id"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
async def test_no_answer_leaves_the_five_errors(payload: object) -> None:
    shop = ScriptedShop()
    shop.script("SyncdSetQuantities", data({"inventorySetQuantities": payload}))
    channel = ShopifyChannel(settings(), FakeClock(), SeededRng(), shop.transport)

    try:
        results = await sent(channel, 2)
    except AdapterError:
        pass
    else:
        assert len(results) == 2
    finally:
        await channel.close()
