"""Our adapter and the vendor's face over real HTTP, and every exchange against the vendor's own document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from adapters.contract import AuthExpired, OutcomeUnknown, RateLimited, Rejected, Transient
from adapters.shipbob.sandbox import ItemSeed, LocationSeed
from adapters.shipbob.stock import STALENESS_S
from adapters.warehouse import Cancelled, ShipmentState, ShipmentStatus
from tests.contract.shipbob_sandbox.kit import HOOK, PICK_S, SECRET, SHIP_S, Account, Opened, an_order
from tests.support.specs.exchange import Exchange
from tests.support.specs.shelf import at_hand
from tests.support.specs.shipbob import shipbob

EAST = LocationSeed(9, "Moreno Valley (CA)")


@pytest.fixture(autouse=True)
async def judged(opened: Opened) -> AsyncIterator[None]:
    """Whatever a test does, the vendor's document must allow it."""
    yield
    if at_hand("threepl/shipbob-openapi-2026-01.json"):
        whole = [each for one in opened.accounts for each in one.recorder.exchanges if not cut_short(each)]
        assert shipbob().violations(whole) == []


def cut_short(exchange: Exchange) -> bool:
    """Whether half of the answer is missing, as a fault of the sandbox leaves it."""
    try:
        msgspec.json.decode(exchange.response_body)
    except msgspec.DecodeError:
        return exchange.status in (200, 201)
    return False


async def states(account: Account, back_s: float = 600.0) -> dict[str, ShipmentState]:
    since = account.clock.now() - timedelta(seconds=back_s)
    return {one.reference: one async for page in account.warehouse.poll_shipments(since) for one in page}


async def test_the_account_is_who_it_says_and_nothing_stands_in_the_way(account: Account) -> None:
    identity = await account.warehouse.identify()

    assert (identity.name, identity.missing_scopes, identity.warnings) == ("syncd", (), ())


async def test_levels_are_read_whole_and_are_net_of_our_orders(account: Account) -> None:
    await account.control("items", items=[{"sku": f"SKU-{number}", "quantity": 1} for number in range(120)])
    await account.warehouse.submit(an_order(account.clock, "syncd-1", ("RED", 4)))

    free = await account.free()

    assert (len(free), free["RED"], free["BLUE"], free["SKU-119"]) == (122, 6, 5, 1)
    assert (await account.report("stats"))["requests"]["levels"] == 2


async def test_levels_stand_for_an_instant_before_the_stalest_read(account: Account) -> None:
    await account.clock.advance(100)
    await account.warehouse.submit(an_order(account.clock, "syncd-1", ("RED", 4)))
    await account.control("faults", stale_read=1.0)

    (page,) = [page async for page in account.warehouse.read_stock()]

    assert account.seed.faults.stale_read_s <= STALENESS_S
    assert page.as_of <= account.clock.now() - timedelta(seconds=account.seed.faults.stale_read_s)


async def test_an_order_travels_from_acceptance_to_its_parcel(account: Account) -> None:
    seen = [(await account.warehouse.submit(an_order(account.clock, "syncd-1", ("RED", 2), ("BLUE", 1)))).status]
    for seconds in (PICK_S, SHIP_S / 2, SHIP_S / 2):
        await account.clock.advance(seconds)
        seen.append((await states(account))["syncd-1"].status)

    state = (await states(account))["syncd-1"]
    assert seen == [
        ShipmentStatus.ACCEPTED,
        ShipmentStatus.PICKING,
        ShipmentStatus.PICKING,
        ShipmentStatus.SHIPPED,
    ]
    assert state.shipped == {"RED": 2, "BLUE": 1}
    (parcel,) = state.parcels
    assert (parcel.carrier, parcel.pieces) == ("UPS", {"RED": 2, "BLUE": 1})
    assert parcel.shipped_at == account.clock.now()
    assert parcel.tracking_url is not None


async def test_submitting_twice_ships_once(account: Account) -> None:
    first = await account.warehouse.submit(an_order(account.clock))
    again = await account.warehouse.submit(an_order(account.clock))

    assert first == again
    assert await account.numbers("RED") == (10, 1, 9)


@pytest.mark.parametrize("fault", ["lost_reply", "truncated_json"])
async def test_an_order_whose_answer_was_lost_is_unknown_and_then_found(account: Account, fault: str) -> None:
    await account.meets(fault, "order.create")

    with pytest.raises(OutcomeUnknown):
        await account.warehouse.submit(an_order(account.clock))

    found = await account.warehouse.find("syncd-1")
    assert found is not None
    assert found == await account.warehouse.submit(an_order(account.clock))
    assert await account.numbers("RED") == (10, 1, 9)


async def test_an_order_that_never_arrived_is_unknown_and_not_found(account: Account) -> None:
    await account.meets("server_error", "order.create")

    with pytest.raises(OutcomeUnknown):
        await account.warehouse.submit(an_order(account.clock))

    assert await account.warehouse.find("syncd-1") is None
    assert (await account.report("stats"))["requests"]["order.create"] == 1


async def test_an_order_that_lists_show_late_is_unknown_until_they_do(opened: Opened) -> None:
    account = await opened.account(index_lag_s=30.0)
    await account.meets("lost_reply", "order.create")
    with pytest.raises(OutcomeUnknown):
        await account.warehouse.submit(an_order(account.clock))

    with pytest.raises(OutcomeUnknown):
        await account.warehouse.submit(an_order(account.clock))
    await account.clock.advance(30)

    assert (await account.warehouse.submit(an_order(account.clock))).status is ShipmentStatus.ACCEPTED
    assert len((await account.report("truth"))["shipments"]) == 1


async def test_an_order_that_cannot_be_shipped_is_rejected_by_field(account: Account) -> None:
    with pytest.raises(Rejected) as caught:
        await account.warehouse.submit(an_order(account.clock, "syncd-1", ("GREEN", 1)))

    assert caught.value.field == "products[0].reference_id"


async def test_an_order_without_stock_is_an_exception_that_says_so(account: Account) -> None:
    state = await account.warehouse.submit(an_order(account.clock, "syncd-1", ("RED", 11)))

    assert (state.status, state.reason) == (ShipmentStatus.EXCEPTION, "Exception: OutOfStock")
    assert (await account.free())["RED"] == 10


async def test_a_cancellation_in_time_frees_the_goods(account: Account) -> None:
    placed = await account.warehouse.submit(an_order(account.clock, "syncd-1", ("RED", 4)))

    assert await account.warehouse.cancel(placed.warehouse_shipment_id) == Cancelled(True)
    assert await account.warehouse.cancel(placed.warehouse_shipment_id) == Cancelled(True)

    assert (await account.free())["RED"] == 10
    assert (await states(account))["syncd-1"].status is ShipmentStatus.CANCELLED


async def test_a_cancellation_too_late_frees_nothing(account: Account) -> None:
    placed = await account.warehouse.submit(an_order(account.clock, "syncd-1", ("RED", 4)))
    await account.clock.advance(PICK_S)

    outcome = await account.warehouse.cancel(placed.warehouse_shipment_id)

    assert not outcome.done
    assert outcome.reason is not None
    assert (await account.free())["RED"] == 6


async def test_a_lost_cancellation_is_unknown_and_then_found(account: Account) -> None:
    placed = await account.warehouse.submit(an_order(account.clock))
    await account.meets("lost_reply", "order.cancel")

    with pytest.raises(OutcomeUnknown):
        await account.warehouse.cancel(placed.warehouse_shipment_id)

    found = await account.warehouse.find("syncd-1")
    assert found is not None
    assert found.status is ShipmentStatus.CANCELLED


async def test_a_split_order_is_shipped_piece_by_piece(opened: Opened) -> None:
    items = (ItemSeed("RED", on_hand=2, elsewhere={EAST.name: 5}),)
    account = await opened.account(more_locations=(EAST,), items=items)
    await account.placed("syncd-1", quantity=6)
    await account.control("levels", sku="RED", on_hand=0, location_id=EAST.id)
    await account.clock.advance(PICK_S + SHIP_S)

    partly = (await states(account))["syncd-1"]
    cancelled = await account.warehouse.cancel(partly.warehouse_shipment_id)
    done = (await states(account))["syncd-1"]

    assert (partly.status, partly.shipped) == (ShipmentStatus.EXCEPTION, {"RED": 2})
    assert not cancelled.done
    assert (done.status, done.shipped) == (ShipmentStatus.SHIPPED, {"RED": 2})


async def test_a_poll_shows_only_what_changed_since(account: Account) -> None:
    await account.warehouse.submit(an_order(account.clock, "syncd-1"))
    await account.clock.advance(300)
    await account.warehouse.submit(an_order(account.clock, "syncd-2"))

    assert set(await states(account, 60)) == {"syncd-2"}
    assert set(await states(account, 600)) == {"syncd-1", "syncd-2"}


async def test_more_orders_than_a_page_are_all_polled(opened: Opened) -> None:
    account = await opened.account(items=(ItemSeed("RED", on_hand=1000),), calls_a_minute=10_000)
    for number in range(260):
        await account.placed(f"syncd-{number}")

    assert len(await states(account)) == 260


async def test_a_busy_adapter_stays_under_the_limit_by_itself(opened: Opened) -> None:
    account = await opened.account(items=(ItemSeed("RED", on_hand=1000),))

    for number in range(170):
        await account.warehouse.submit(an_order(account.clock, f"syncd-{number}"))

    report = await account.report("stats")
    assert (report["throttled"], account.warehouse.throttled) == (0, 0)
    assert report["writes_applied"] == 170


async def test_a_token_that_others_use_too_is_waited_for(account: Account) -> None:
    for _ in range(150):
        await account.get("location")

    assert (await account.free())["RED"] == 10
    assert account.warehouse.throttled == 1


async def test_each_failure_has_its_own_error(account: Account) -> None:
    await account.meets("server_error", "levels", times=4)
    with pytest.raises(Transient):
        await account.free()
    await account.meets("rate_limit", "levels", times=4)
    with pytest.raises(RateLimited):
        await account.free()
    await account.control("tokens/expire")
    with pytest.raises(AuthExpired):
        await account.free()
    await account.control("tokens/expire", refused=False)

    assert (await account.free())["RED"] == 10


async def test_the_webhook_is_subscribed_once_and_its_news_are_believed(account: Account) -> None:
    first = await account.warehouse.ensure_webhooks(HOOK)
    again = await account.warehouse.ensure_webhooks(HOOK)
    await account.warehouse.submit(an_order(account.clock))
    await account.control("orders/syncd-1/ship")
    await account.clock.advance(10)

    (request,) = account.mail.got
    assert {one.state for one in first} == {"created"}
    assert {one.state for one in again} == {"present"}
    assert len((await account.get("webhook")).json()["items"]) == 1
    assert SECRET not in (await account.get("webhook")).text
    assert account.warehouse.verify_webhook(dict(request.headers), request.content) == "order.shipped"


async def test_on_an_ordinary_bad_day_everything_ships_exactly_once(opened: Opened) -> None:
    account = await opened.account(items=(ItemSeed("RED", on_hand=100),))
    await account.control(
        "faults", lost_reply=0.1, truncated_json=0.05, server_error=0.1, unavailable=0.05, rate_limit=0.05
    )

    for number in range(60):
        order, placed = an_order(account.clock, f"syncd-{number}"), None
        while placed is None:
            try:
                placed = await account.warehouse.submit(order)
            except (OutcomeUnknown, Transient):
                await account.clock.advance(60)
    await account.control("faults", clear=True)
    await account.clock.advance(PICK_S + SHIP_S)

    found = await states(account, 86_400)
    assert {one.status for one in found.values()} == {ShipmentStatus.SHIPPED}
    assert len(found) == 60
    assert await account.numbers("RED") == (40, 0, 40)
