"""What an outside warehouse ships for us, from the order's reservation to its parcels, on both engines."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from adapters.contract import Address, AuthExpired, OrderLine, OutcomeUnknown, RateLimited, Rejected, Transient
from adapters.warehouse import ShipmentLine, ShipmentOrder, ShipmentState, ShipmentStatus
from syncd.db.database import Database
from syncd.db.lease import Fenced, acquire
from tests.support.builders import NOW, a_line, a_seller, an_order
from tests.support.fake_warehouse import FakeWarehouse, HandClock
from tests.support.outside import Shipping, shipping, working_with

PLACE = ("1", "RED-CLOCK", "3pl")


async def accepted(db: Database, quantity: int = 1, **more: object) -> Shipping:
    """An order whose goods the warehouse has accepted to ship."""
    it = shipping(db, **more)  # type: ignore[arg-type]
    it.takes_in(an_order(quantity=quantity))
    await it.sends()
    assert it.states() == ["accepted"]
    return it


# --- asking -------------------------------------------------------------------------------------------------------


async def test_an_order_is_sent_to_the_warehouse_that_holds_its_goods(db: Database) -> None:
    it = shipping(db)
    it.takes_in(an_order(quantity=2))

    await it.sends()

    (asked,) = it.warehouse.asked
    assert (asked.reference, asked.order_name, asked.placed_at) == (it.reference, "#1001", NOW)
    assert [(line.warehouse_sku, line.quantity) for line in asked.lines] == [("RED-CLOCK", 2)]
    assert (asked.ship_to.name, asked.ship_to.lines, asked.ship_to.country) == ("Ada Buyer", ("Main Street 1",), "DE")
    assert it.seller.reserved(stage="accepted") == {PLACE: 2}
    assert it.seller.reserved(stage="held") == {}
    assert it.available() == 8
    it.proves()


async def test_a_request_is_never_named_as_that_of_another_database_was(db: Database) -> None:
    it = shipping(db)
    before = it.reference
    it.seller.does("UPDATE account SET added_at = added_at + 1")
    it.warehouse.take_in(ShipmentOrder(before, "#old", Address(), (ShipmentLine("1", "RED-CLOCK", 1),), NOW))
    it.warehouse.ships(before)
    it.takes_in(an_order())

    await it.sends()
    await it.works.poll()

    assert re.fullmatch(r"syncd-[0-9a-f]{6}-1-1", it.warehouse.asked[0].reference)
    assert it.warehouse.asked[0].reference != before
    assert (it.states(), it.seller.order()["state"]) == (["accepted"], "open")


async def test_a_kit_is_sent_as_its_components_and_the_same_goods_as_one_line(db: Database) -> None:
    it = shipping(db, {"RED-CLOCK": 9, "STAND": 9}, listings={"KIT": {"RED-CLOCK": 1, "STAND": 2}})
    it.takes_in(an_order(a_line("KIT", 2), a_line("RED-CLOCK", 3, line_id="2")))

    await it.sends()

    (asked,) = it.warehouse.asked
    assert [(line.warehouse_sku, line.quantity) for line in asked.lines] == [("RED-CLOCK", 5), ("STAND", 4)]
    it.proves()


async def test_an_order_waits_for_its_grace_period(db: Database) -> None:
    it = shipping(db)
    it.takes_in(an_order())
    it.later(59)

    await it.works.submit_due()
    assert it.states() == []
    it.later(1)
    await it.works.submit_due()

    assert it.states() == ["accepted"]


@pytest.mark.parametrize(
    "why",
    ["state = 'cancelled'", "review = 'look'", "test = 1"],
)
async def test_an_order_that_nobody_should_send_is_not(db: Database, why: str) -> None:
    it = shipping(db)
    it.takes_in(an_order())
    it.seller.does(f"UPDATE sales_order SET {why}")

    await it.sends()

    assert it.states() == []


async def test_only_live_accounts_send(db: Database) -> None:
    it = shipping(db, live=False)
    it.takes_in(an_order())

    await it.sends()

    assert it.states() == []
    assert it.seller.reserved() == {PLACE: 1}


async def test_goods_on_own_shelves_are_not_sent_by_others(db: Database) -> None:
    it = shipping(db, {"RED-CLOCK": 1}, own={"STAND": 5})
    it.takes_in(an_order(a_line("STAND"), order_id="own"), an_order(a_line(), a_line("STAND", line_id="2")))

    await it.sends()

    assert [(line.warehouse_sku, line.quantity) for each in it.warehouse.asked for line in each.lines] == [
        ("RED-CLOCK", 1)
    ]
    assert it.seller.reserved(stage="held") == {("2", "STAND", "hamburg"): 1}


async def test_an_order_without_a_whole_address_waits_and_people_are_told_after_an_hour(db: Database) -> None:
    it = shipping(db)
    it.takes_in(replace(an_order(), ship_to=Address("Ada Buyer", (), "Hamburg", None, "20095", "DE")))

    await it.sends()
    assert (it.states(), it.seller.open_alerts()) == ([], [])
    it.later(3600)
    await it.works.submit_due()
    await it.works.submit_due()

    assert "has no name, street or country" in it.alert("shipment_waits")
    assert it.seller.rows("SELECT times FROM alert WHERE kind = 'shipment_waits'")[0]["times"] == 1
    it.takes_in(an_order(minute=1))
    await it.works.submit_due()
    assert it.states() == ["accepted"]
    assert it.seller.open_alerts() == []


@pytest.mark.parametrize("withheld", [None, Address(country="DE", postcode="20095")])
async def test_an_order_whose_address_is_withheld_may_not_be_paid_yet_and_is_told_after_a_day(
    db: Database, withheld: Address | None
) -> None:
    it = shipping(db)
    it.takes_in(replace(an_order(), ship_to=withheld))

    it.later(86_399)
    await it.works.submit_due()
    assert (it.states(), it.seller.open_alerts()) == ([], [])
    it.later(1)
    await it.works.submit_due()

    assert it.seller.open_alerts() == ["shipment_waits"]


async def test_a_test_order_is_never_sent_and_says_so_while_it_holds_goods_there(db: Database) -> None:
    it = shipping(db)
    it.takes_in(replace(an_order(), test=True))

    await it.sends()

    assert it.states() == []
    assert "no warehouse is asked to send it; cancel it at the channel" in it.alert("order_in_review")
    it.takes_in(replace(an_order(cancelled=True, quantity=0, minute=9), test=True))
    assert it.seller.open_alerts() == []


async def test_a_request_sent_again_and_again_is_counted_once(db: Database) -> None:
    it = shipping(db)
    it.warehouse.next_time("submit", Transient("maintenance"), Transient("maintenance"))
    it.takes_in(an_order())

    for _ in range(3):
        await it.sends()

    assert it.states() == ["accepted"]
    assert it.seller.rows("SELECT n FROM tally WHERE name = 'shipments_submitted'") == [{"n": 1}]


async def test_an_order_that_cannot_be_planned_stops_no_other_and_is_raised(db: Database) -> None:
    it = shipping(db)
    it.takes_in(an_order(order_id="bad"), an_order(order_id="good"))
    it.seller.does(  # its next reference is taken
        "INSERT INTO shipment_request (warehouse_id, order_id, reference, state, planned_at)"
        f" VALUES (2, 2, '{it.reference}', 'cancelled', 0)"
    )

    with pytest.raises(IntegrityError):
        await it.sends()

    assert it.states() == ["cancelled", "accepted"]
    assert [asked.order_name for asked in it.warehouse.asked] == ["#good"]


async def test_the_warehouse_is_asked_in_its_own_words(db: Database) -> None:
    it = shipping(db)
    it.seller.does("INSERT INTO sku_alias (normalised_code, sku_id) SELECT 'rc-1', id FROM sku")
    it.warehouse.free = {"RC-1": 10}
    await it.works.read_stock()
    it.takes_in(an_order())

    await it.sends()

    assert [line.warehouse_sku for line in it.warehouse.asked[0].lines] == ["RC-1"]
    it.warehouse.ships(it.reference)
    await it.works.poll()
    assert it.states() == ["shipped"]
    it.proves()


# --- answers that do not come ---------------------------------------------------------------------------------------


async def test_a_request_whose_answer_was_lost_is_looked_for_and_not_sent_again(db: Database) -> None:
    it = shipping(db)
    it.warehouse.next_time("submit", "lost")
    it.takes_in(an_order())

    await it.sends()
    assert it.states() == ["submitted"]
    await it.works.submit_due()

    assert it.states() == ["accepted"]
    assert len(it.warehouse.asked) == 1
    assert it.seller.open_alerts() == []
    it.proves()


async def test_a_request_that_is_not_there_is_sent_again_only_when_it_can_no_longer_arrive(db: Database) -> None:
    it = shipping(db)
    it.warehouse.next_time("submit", OutcomeUnknown("cut off"))
    it.takes_in(an_order())

    await it.sends()
    await it.works.submit_due()
    assert (it.states(), len(it.warehouse.asked)) == (["submitted"], 1)
    it.later(30)
    await it.works.submit_due()

    assert (it.states(), len(it.warehouse.asked)) == (["accepted"], 2)
    assert {each.reference for each in it.warehouse.asked} == {it.reference}


async def test_a_request_that_had_no_effect_is_sent_again_at_once(db: Database) -> None:
    it = shipping(db)
    it.warehouse.next_time("submit", Transient("maintenance"))
    it.takes_in(an_order())

    await it.sends()
    assert it.states() == ["planned"]
    await it.works.submit_due()

    assert (it.states(), it.seller.open_alerts()) == (["accepted"], [])


async def test_a_refused_request_gives_its_units_back_to_the_order_and_is_not_repeated(db: Database) -> None:
    it = shipping(db)
    it.warehouse.next_time("submit", Rejected("recipient.zip_code", "is not one"))
    it.takes_in(an_order())

    await it.sends()
    await it.sends()

    assert it.states() == ["refused"]
    assert len(it.warehouse.asked) == 1
    assert it.seller.reserved(stage="held") == {PLACE: 1}
    assert "recipient.zip_code: is not one" in it.alert("shipment_refused")
    it.proves()
    it.takes_in(an_order(cancelled=True, quantity=0, minute=9))
    await it.works.submit_due()
    assert it.seller.open_alerts() == []
    assert it.available() == 10


async def test_one_request_that_never_gets_through_stops_no_other_and_is_told(db: Database) -> None:
    it = shipping(db)
    it.warehouse.deaf_to = {it.reference}
    for number in range(7):
        it.takes_in(an_order(order_id=f"order-{number}"))
        await it.sends()

    assert it.states() == ["submitted"] + ["accepted"] * 6
    assert "it hangs up" in it.alert("shipment_exception")
    it.warehouse.deaf_to = set()
    await it.sends()
    assert it.states() == ["accepted"] * 7
    assert it.seller.open_alerts() == []


async def test_a_warehouse_that_asks_to_wait_is_left_alone_so_long(db: Database) -> None:
    it = shipping(db)
    it.warehouse.next_time("submit", RateLimited("slow down", 300.0))
    it.takes_in(an_order())

    await it.sends()
    await it.sends()
    assert len(it.warehouse.asked) == 1
    it.later(300)
    await it.works.submit_due()

    assert it.states() == ["accepted"]


async def test_refused_credentials_are_told_and_taken_back(db: Database) -> None:
    it = shipping(db)
    it.warehouse.next_time("read_stock", AuthExpired("the token is refused"))

    assert not await it.works.read_stock()
    assert "the token is refused" in it.alert("warehouse_auth")
    await it.works.read_stock()

    assert it.seller.open_alerts() == []


async def test_an_alert_stays_open_while_any_of_its_doings_fails(db: Database) -> None:
    it = await accepted(db)
    it.warehouse.next_time("read_stock", Transient("down"))
    await it.works.read_stock()

    await it.works.poll()
    assert it.seller.open_alerts() == ["warehouse_down"]
    await it.works.read_stock()

    assert it.seller.open_alerts() == []


async def test_a_lone_request_that_fails_after_a_restart_takes_no_alert_back(db: Database) -> None:
    it = shipping(db)
    it.takes_in(an_order())
    it.warehouse.next_time("read_stock", Transient("down"))
    await it.works.read_stock()

    restarted = working_with(it.seller, "3pl", it.warehouse)
    it.warehouse.next_time("submit", Transient("down"))
    await restarted.sends()
    assert it.seller.open_alerts() == ["warehouse_down"]

    await restarted.works.read_stock()
    assert it.seller.open_alerts() == []


async def test_a_process_that_lost_its_lease_books_nothing(db: Database) -> None:
    it = shipping(db)
    it.takes_in(an_order())
    db.transact_now(acquire, "warehouse:3pl", "this test", NOW)

    with pytest.raises(Fenced):
        await it.sends()
    with pytest.raises(Fenced):
        await it.works.read_stock()

    assert (it.states(), it.warehouse.asked) == ([], [])


# --- leaving ------------------------------------------------------------------------------------------------------


async def test_goods_that_left_are_booked_once_whatever_comes_twice(db: Database) -> None:
    it = await accepted(db, 2)
    it.warehouse.ships(it.reference)

    assert await it.works.poll()
    assert not await it.works.poll()
    it.seller.does("DELETE FROM warehouse_cursor")
    await it.works.poll()

    level = it.seller.level(warehouse="3pl")
    assert (level.on_hand, level.reserved, level.available) == (8, 0, 8)
    assert it.states() == ["shipped"]
    assert it.seller.order()["state"] == "fulfilled"
    assert it.seller.rows("SELECT shipped FROM order_line")[0]["shipped"] == 2
    (parcel,) = it.seller.rows("SELECT * FROM parcel JOIN parcel_content ON parcel_id = id")
    assert (parcel["carrier"], parcel["tracking_number"], parcel["pieces"]) == ("DHL", "T-1", 2)
    it.proves()


async def test_parts_of_an_order_leave_one_after_another(db: Database) -> None:
    it = await accepted(db, 3)

    it.warehouse.ships(it.reference, {"RED-CLOCK": 1})
    await it.works.poll()
    assert (it.states(), it.seller.reserved(stage="accepted")) == (["accepted"], {PLACE: 2})
    assert it.seller.order()["state"] == "open"
    it.proves()
    it.warehouse.ships(it.reference, number="T-2")
    await it.works.poll()

    assert it.states() == ["shipped"]
    assert it.seller.reserved(stage="shipped") == {PLACE: 3}
    assert len(it.seller.rows("SELECT * FROM parcel")) == 2
    it.proves()


async def test_a_kit_has_left_when_all_of_it_has(db: Database) -> None:
    it = shipping(db, {"RED-CLOCK": 9, "STAND": 9}, listings={"KIT": {"RED-CLOCK": 1, "STAND": 2}})
    it.takes_in(an_order(a_line("KIT", 2)))
    await it.sends()

    it.warehouse.ships(it.reference, {"RED-CLOCK": 2, "STAND": 3})
    await it.works.poll()
    assert it.seller.rows("SELECT shipped FROM order_line")[0]["shipped"] == 1
    it.proves()
    await it.works.read_stock()
    assert (it.available("RED-CLOCK"), it.available("STAND")) == (7, 5)
    it.warehouse.ships(it.reference, number="T-2")
    await it.works.poll()

    assert it.states() == ["shipped"]
    assert (it.available("RED-CLOCK"), it.available("STAND")) == (7, 5)
    it.proves()


async def test_what_the_channel_has_said_already_is_not_booked_again(db: Database) -> None:
    it = await accepted(db, 2)
    await it.works.read_stock()
    it.later()
    it.takes_in(an_order(quantity=2, fulfilled=1, minute=1, fulfilled_minute=1))
    assert it.seller.reserved(stage="accepted") == {PLACE: 1}
    assert (it.seller.level(warehouse="3pl").on_hand, it.available()) == (9, 8)
    it.proves()

    it.warehouse.ships(it.reference, {"RED-CLOCK": 1})
    await it.works.poll()
    assert it.seller.level(warehouse="3pl").on_hand == 9
    it.warehouse.ships(it.reference, number="T-2")
    await it.works.poll()
    it.takes_in(an_order(quantity=2, fulfilled=2, minute=2))

    level = it.seller.level(warehouse="3pl")
    assert (level.on_hand, level.reserved) == (8, 0)
    assert it.states() == ["shipped"]
    it.proves()


async def test_a_shipment_that_is_held_up_stays_reserved_and_is_told_until_it_goes_on(db: Database) -> None:
    it = await accepted(db)
    it.warehouse.says(it.reference, ShipmentStatus.EXCEPTION, "address not found")
    await it.works.poll()
    assert "address not found" in it.alert("shipment_exception")
    assert it.seller.reserved(stage="accepted") == {PLACE: 1}

    it.warehouse.says(it.reference, ShipmentStatus.PICKING)
    await it.works.poll()

    assert it.seller.open_alerts() == []
    it.proves()


async def test_what_a_warehouse_is_done_with_and_did_not_send_stays_with_the_order(db: Database) -> None:
    it = await accepted(db, 2)
    it.warehouse.ships(it.reference, {"RED-CLOCK": 1})
    it.warehouse.says(it.reference, ShipmentStatus.SHIPPED)

    await it.works.poll()

    assert "1 pieces are in no parcel" in it.alert("shipment_refused")
    assert it.states() == ["refused"]
    assert it.seller.reserved(stage="held") == {PLACE: 1}
    it.proves()
    it.later()
    it.takes_in(an_order(quantity=1, fulfilled=1, minute=3))
    await it.works.submit_due()
    assert it.seller.open_alerts() == []
    assert it.seller.level(warehouse="3pl").reserved == 0


async def test_what_it_sends_after_all_is_booked_from_what_the_order_still_holds_there(db: Database) -> None:
    it = await accepted(db, 2)
    it.warehouse.says(it.reference, ShipmentStatus.SHIPPED)
    await it.works.poll()
    assert it.states() == ["refused"]

    it.later()
    it.warehouse.ships(it.reference)
    await it.works.poll()

    assert it.seller.order()["state"] == "fulfilled"
    assert it.seller.level(warehouse="3pl").reserved == 0
    it.proves()
    it.later()
    await it.works.read_stock()
    assert it.available() == 8


async def test_tracking_that_comes_after_the_goods_have_left_is_kept(db: Database) -> None:
    it = await accepted(db)
    it.warehouse.ships(it.reference)
    state = it.warehouse.shipments[it.reference]
    bare = replace(state.parcels[0], tracking_number=None, tracking_url=None)
    it.warehouse.shipments[it.reference] = replace(state, parcels=(bare,))
    await it.works.poll()
    it.later()

    it.warehouse.shipments[it.reference] = state
    it.warehouse.changed_at[it.reference] = it.clock.now()
    await it.works.poll()

    assert "T-1" in {row["tracking_number"] for row in it.seller.rows("SELECT * FROM parcel")}


# --- stopping -----------------------------------------------------------------------------------------------------


async def test_a_request_that_was_not_sent_yet_is_dropped_with_its_order(db: Database) -> None:
    it = shipping(db)
    it.warehouse.next_time("submit", Transient("down"))
    it.takes_in(an_order())
    await it.sends()
    assert it.states() == ["planned"]

    it.takes_in(an_order(quantity=0, cancelled=True, minute=5))

    assert (it.states(), it.available()) == (["cancelled"], 10)
    it.proves()
    await it.works.submit_due()
    assert it.warehouse.shipments == {}


async def test_a_changed_order_is_planned_anew_when_its_request_was_not_sent(db: Database) -> None:
    it = shipping(db)
    it.warehouse.next_time("submit", Transient("down"))
    it.takes_in(an_order(quantity=2))
    await it.sends()

    it.takes_in(an_order(quantity=3, minute=5))
    it.proves()
    await it.works.submit_due()

    assert it.states() == ["cancelled", "accepted"]
    (shipment,) = it.warehouse.orders.values()
    assert (shipment.reference, shipment.lines[0].quantity) == (it.reference_of(1, 2), 3)


async def test_accepted_goods_of_a_cancelled_order_are_free_only_when_the_warehouse_says_so(db: Database) -> None:
    it = await accepted(db, 2)
    it.takes_in(an_order(quantity=0, cancelled=True, minute=5))
    assert (it.available(), it.seller.reserved(stage="accepted")) == (8, {PLACE: 2})
    it.proves()

    await it.works.cancel_due()

    assert (it.states(), it.available()) == (["cancelled"], 10)
    assert it.seller.order()["state"] == "cancelled"
    assert it.warehouse.free["RED-CLOCK"] == 10
    it.proves()


async def test_held_units_are_released_before_those_a_warehouse_was_asked_to_ship(db: Database) -> None:
    it = shipping(db, {"RED-CLOCK": 2}, own={"RED-CLOCK": 5})
    it.takes_in(an_order(quantity=4))
    await it.sends()

    it.takes_in(an_order(quantity=2, minute=5))

    assert it.seller.reserved(stage="accepted") == {PLACE: 2}
    assert it.seller.reserved(stage="held") == {}
    await it.works.cancel_due()
    assert it.states() == ["accepted"]
    it.proves()


async def test_an_order_that_shrinks_is_cancelled_whole_and_the_rest_is_sent_again(db: Database) -> None:
    it = await accepted(db, 3)
    it.takes_in(an_order(quantity=1, minute=5))
    it.proves()

    await it.works.cancel_due()
    assert (it.states(), it.available()) == (["cancelled"], 9)
    await it.works.submit_due()

    assert it.states() == ["cancelled", "accepted"]
    assert it.warehouse.orders[it.reference_of(1, 2)].lines[0].quantity == 1
    assert (it.available(), it.warehouse.free["RED-CLOCK"]) == (9, 9)
    it.proves()


async def test_an_order_that_grows_back_before_anyone_was_told_is_left_as_it_is(db: Database) -> None:
    it = await accepted(db, 3)
    it.takes_in(an_order(quantity=1, minute=5))
    it.takes_in(an_order(quantity=3, minute=6))

    await it.works.cancel_due()

    assert it.states() == ["accepted"]
    it.proves()


async def test_what_an_order_wants_beyond_what_was_sent_follows_when_that_is_over(db: Database) -> None:
    it = await accepted(db, 2)
    it.takes_in(an_order(quantity=3, minute=5))
    assert (it.seller.reserved(stage="accepted"), it.seller.reserved(stage="held")) == ({PLACE: 2}, {PLACE: 1})
    it.proves()

    await it.sends()
    assert it.states() == ["accepted"]
    it.warehouse.ships(it.reference)
    await it.works.poll()
    await it.sends()

    assert it.states() == ["shipped", "accepted"]
    assert it.warehouse.orders[it.reference_of(1, 2)].lines[0].quantity == 1
    it.proves()


async def test_goods_that_cannot_be_stopped_are_told_and_booked_when_they_leave(db: Database) -> None:
    it = await accepted(db)
    it.warehouse.too_late = True
    it.takes_in(an_order(quantity=0, cancelled=True, minute=5))

    await it.works.cancel_due()
    await it.works.cancel_due()
    assert "it is being picked" in it.alert("shipment_too_late")
    assert (it.states(), it.available()) == (["accepted"], 9)
    it.proves()
    await it.works.read_stock()
    assert it.available() == 9
    it.warehouse.ships(it.reference)
    await it.works.poll()

    level = it.seller.level(warehouse="3pl")
    assert (it.states(), level.on_hand, level.reserved) == (["shipped"], 9, 0)
    assert it.seller.order()["state"] == "cancelled"
    assert it.seller.open_alerts() == ["shipment_too_late"]
    it.proves()
    it.later(8 * 86_400)
    await it.works.submit_due()
    assert it.seller.open_alerts() == []


async def test_a_cancellation_whose_answer_was_lost_is_looked_for(db: Database) -> None:
    it = await accepted(db)
    it.warehouse.next_time("cancel", "lost")
    it.takes_in(an_order(quantity=0, cancelled=True, minute=5))

    await it.works.cancel_due()
    assert (it.states(), it.available()) == (["accepted"], 9)
    await it.works.cancel_due()

    assert (it.states(), it.available()) == (["cancelled"], 10)
    it.proves()


async def test_a_cancellation_that_never_arrived_is_sent_again(db: Database) -> None:
    it = await accepted(db)
    it.warehouse.next_time("cancel", OutcomeUnknown("cut off"))
    it.takes_in(an_order(quantity=0, cancelled=True, minute=5))

    await it.works.cancel_due()
    await it.works.cancel_due()
    assert it.states() == ["accepted"]
    it.later(30)
    await it.works.cancel_due()

    assert (it.states(), it.available()) == (["cancelled"], 10)


async def test_a_request_of_unknown_outcome_is_looked_for_before_it_is_cancelled(db: Database) -> None:
    it = shipping(db)
    it.warehouse.next_time("submit", "lost")
    it.takes_in(an_order())
    await it.sends()
    it.takes_in(an_order(quantity=0, cancelled=True, minute=5))
    assert it.available() == 9
    it.proves()

    await it.works.submit_due()
    assert it.states() == ["submitted"]
    await it.works.cancel_due()

    assert (it.states(), it.available(), it.warehouse.free["RED-CLOCK"]) == (["cancelled"], 10, 10)
    it.proves()


async def test_a_request_that_never_arrived_is_given_up_with_its_order(db: Database) -> None:
    it = shipping(db)
    it.warehouse.next_time("submit", OutcomeUnknown("cut off"))
    it.takes_in(an_order())
    await it.sends()
    it.takes_in(an_order(quantity=0, cancelled=True, minute=5))

    await it.works.cancel_due()
    assert (it.states(), it.available()) == (["submitted"], 9)
    it.later(30)
    await it.works.cancel_due()

    assert (it.states(), it.available(), len(it.warehouse.asked)) == (["cancelled"], 10, 1)
    it.proves()


async def test_a_warehouse_that_cancels_by_itself_leaves_the_order_to_a_person(db: Database) -> None:
    it = await accepted(db)
    it.later()
    it.warehouse.drops(it.reference, "not in stock")

    assert await it.works.read_stock()  # the unit is free again there, and the order still wants it

    assert it.states() == ["refused"]
    assert "not in stock" in it.alert("shipment_refused")
    assert it.seller.reserved(stage="held") == {PLACE: 1}
    assert it.available() == 9
    it.proves()
    await it.sends()
    assert it.states() == ["refused"]


async def test_levels_are_not_booked_while_nobody_knows_what_became_of_shipments(db: Database) -> None:
    it = await accepted(db)
    it.warehouse.free["RED-CLOCK"] = 3
    it.warehouse.next_time("poll_shipments", Transient("down"))

    assert not await it.works.read_stock()

    assert it.available() == 9


async def test_goods_that_leave_after_all_are_told(db: Database) -> None:
    it = await accepted(db)
    it.takes_in(an_order(quantity=0, cancelled=True, minute=5))
    await it.works.cancel_due()
    it.later()
    it.warehouse.ships(it.reference)

    await it.works.poll()

    assert "after all" in it.alert("shipment_too_late")
    it.proves()


@pytest.mark.parametrize("unread", [(a_line(parked="unreadable"),), (a_line("STAND", line_id="2"),)])
async def test_what_is_to_be_cancelled_stays_so_when_its_line_cannot_be_read(
    db: Database, unread: tuple[OrderLine, ...]
) -> None:
    it = await accepted(db, stock={"RED-CLOCK": 9, "STAND": 1}, quantity=2)
    it.takes_in(an_order(quantity=0, minute=5))
    assert it.request()["cancel_wanted_at"] is not None

    it.takes_in(an_order(*unread, minute=6))

    assert it.request()["cancel_wanted_at"] is not None
    await it.works.cancel_due()
    assert it.seller.reserved(stage="accepted") == {}


async def test_what_one_warehouse_has_cancelled_lets_no_other_forget_to(db: Database) -> None:
    places = {"east": "3pl", "west": "3pl"}
    seller = a_seller(db, {"east": {"RED-CLOCK": 5}, "west": {"STAND": 5}}, warehouses=places)
    clock = HandClock(NOW + timedelta(minutes=1))
    east, west = (
        working_with(seller, place, FakeWarehouse(clock, free))
        for place, free in (("east", {"RED-CLOCK": 5}), ("west", {"STAND": 5}))
    )
    east.takes_in(an_order(a_line(), a_line("STAND", line_id="2")))
    east.later()
    await east.works.submit_due()
    await west.works.submit_due()
    assert east.states() == ["accepted", "accepted"]
    nothing = (a_line(quantity=0), a_line("STAND", 0, line_id="2"))
    west.takes_in(an_order(*nothing, cancelled=True, minute=3))

    west.warehouse.next_time("find", Transient("down"))
    await west.works.cancel_due()
    await east.works.cancel_due()
    assert east.states() == ["cancelled", "accepted"]
    await west.works.cancel_due()

    assert east.states() == ["cancelled", "cancelled"]
    assert seller.reserved(stage="accepted") == {}
    east.proves()


# --- orders that change while nobody knows whether the request has arrived -------------------------------------------


@pytest.mark.parametrize(("quantity", "fulfilled", "sent_after"), [(2, 2, []), (2, 1, [1])])
async def test_what_left_from_elsewhere_meanwhile_is_not_sent_again(
    db: Database, quantity: int, fulfilled: int, sent_after: list[int]
) -> None:
    it = shipping(db)
    it.warehouse.next_time("submit", OutcomeUnknown("cut off"))
    it.takes_in(an_order(quantity=quantity))
    await it.sends()
    it.takes_in(an_order(quantity=quantity, fulfilled=fulfilled, minute=5, fulfilled_minute=5))

    assert await it.works.submit_due() is False
    await it.sends()
    it.proves()
    await it.sends()

    assert it.states() == ["cancelled"] + ["accepted"] * len(sent_after)
    assert [line.quantity for asked in it.warehouse.asked[1:] for line in asked.lines] == sent_after
    it.proves()


@pytest.mark.parametrize("answer", [OutcomeUnknown("cut off"), Transient("maintenance")])
@pytest.mark.parametrize(
    "meanwhile",
    [
        "UPDATE sales_order SET review = 'look'",
        "UPDATE sales_order SET test = 1",
        "UPDATE account SET state = 'paused'",
    ],
)
async def test_a_request_is_not_sent_again_when_its_order_is_no_longer_to_be_sent(
    db: Database, answer: Exception, meanwhile: str
) -> None:
    it = shipping(db)
    it.takes_in(an_order())
    submit = it.warehouse.submit

    async def changes_in_flight(order: ShipmentOrder) -> ShipmentState:
        it.warehouse.submit = submit  # type: ignore[method-assign]
        it.seller.does(meanwhile)
        raise answer

    it.warehouse.submit = changes_in_flight  # type: ignore[method-assign]
    await it.sends()
    await it.sends()

    assert (it.states(), it.warehouse.asked) == (["cancelled"], [])
    assert it.seller.reserved(stage="held") == {PLACE: 1}
    it.proves()


@pytest.mark.parametrize("wanted", [0, 2])
async def test_a_look_before_it_has_settled_says_nothing_however_late_its_answer(db: Database, wanted: int) -> None:
    it = shipping(db)
    it.warehouse.next_time("submit", OutcomeUnknown("cut off"))
    it.takes_in(an_order(quantity=2))
    await it.sends()
    it.takes_in(an_order(quantity=wanted, minute=3))
    it.later(29)
    look = it.warehouse.find

    async def arrives_just_after(reference: str) -> ShipmentState | None:
        it.warehouse.find = look  # type: ignore[method-assign]
        found = await look(reference)
        it.warehouse.take_in(it.warehouse.asked[0])
        it.later(2)
        return found

    it.warehouse.find = arrives_just_after  # type: ignore[method-assign]
    await (it.works.submit_due() if wanted else it.works.cancel_due())

    assert (it.states(), len(it.warehouse.asked)) == (["submitted"], 1)
    it.proves()


async def test_a_request_sent_again_meanwhile_is_not_taken_for_one_that_never_arrived(db: Database) -> None:
    it = shipping(db)
    it.warehouse.next_time("submit", OutcomeUnknown("cut off"), OutcomeUnknown("cut off"))
    it.takes_in(an_order())
    await it.sends()
    it.takes_in(an_order(quantity=0, minute=3))
    it.later()
    look = it.warehouse.find

    async def is_sent_again(reference: str) -> ShipmentState | None:
        it.warehouse.find = look  # type: ignore[method-assign]
        it.takes_in(an_order(minute=4))
        await it.works.submit_due()
        it.takes_in(an_order(quantity=0, minute=5))
        return await look(reference)

    it.warehouse.find = is_sent_again  # type: ignore[method-assign]
    await it.works.cancel_due()

    assert (it.states(), len(it.warehouse.asked)) == (["submitted"], 2)
    assert it.seller.reserved(stage="submitted") == {PLACE: 1}
    it.proves()


# --- refusals and delays that are over -------------------------------------------------------------------------------


async def test_what_was_refused_while_nobody_wanted_it_is_asked_for_when_it_is_wanted_again(db: Database) -> None:
    it = shipping(db)
    it.takes_in(an_order(quantity=2))
    submit = it.warehouse.submit

    async def shrinks_in_flight(order: ShipmentOrder) -> ShipmentState:
        it.warehouse.submit = submit  # type: ignore[method-assign]
        it.takes_in(an_order(quantity=0, minute=5))
        raise Rejected("lines", "is more than it has")

    it.warehouse.submit = shrinks_in_flight  # type: ignore[method-assign]
    await it.sends()
    assert (it.states(), it.seller.open_alerts()) == (["cancelled"], [])

    it.takes_in(an_order(quantity=1, minute=6))
    await it.sends()

    assert it.states() == ["cancelled", "accepted"]
    it.proves()


async def test_a_refusal_counts_while_what_was_refused_is_held(db: Database) -> None:
    it = shipping(db, {"RED-CLOCK": 10, "STAND": 10})
    it.warehouse.next_time("submit", Rejected("sku", "is not known"))
    it.takes_in(an_order())
    await it.sends()
    it.takes_in(an_order(quantity=0, minute=5))
    await it.sends()
    assert (it.states(), it.seller.open_alerts()) == (["refused"], [])

    it.takes_in(an_order(a_line(), a_line("STAND", line_id="2"), minute=6))
    await it.sends()
    assert (it.states(), it.seller.reserved(stage="accepted")) == (["refused"], {})
    assert "sku: is not known" in it.alert("shipment_refused")
    it.takes_in(an_order(a_line(quantity=0), a_line("STAND", line_id="2"), minute=7))
    await it.sends()

    assert it.states() == ["refused", "accepted"]
    assert it.seller.reserved(stage="accepted") == {("2", "STAND", "3pl"): 1}
    assert it.seller.open_alerts() == []
    it.proves()


async def test_nobody_is_told_of_a_delay_when_the_request_is_over(db: Database) -> None:
    it = shipping(db)
    it.takes_in(an_order(order_id="stuck"))
    submit = it.warehouse.submit

    async def fails_for_one(order: ShipmentOrder) -> ShipmentState:
        if order.order_name == "#stuck":
            raise Transient("it hangs up")
        return await submit(order)

    it.warehouse.submit = fails_for_one  # type: ignore[method-assign]
    for number in range(7):
        it.takes_in(an_order(order_id=f"order-{number}"))
        await it.sends()
    assert "it hangs up" in it.alert("shipment_exception")

    it.takes_in(an_order(order_id="stuck", quantity=0, cancelled=True, minute=5))
    await it.works.submit_due()

    assert sorted(it.states()) == ["accepted"] * 7 + ["cancelled"]
    assert it.seller.open_alerts() == []
