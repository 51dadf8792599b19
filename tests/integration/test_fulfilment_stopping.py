"""What nobody wants any more is kept from leaving an outside warehouse, on both engines."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.contract import OrderLine, OutcomeUnknown, Transient
from syncd.db.database import Database
from tests.support.builders import NOW, a_line, a_seller, an_order
from tests.support.fake_warehouse import FakeWarehouse, HandClock
from tests.support.outside import PLACE, accepted, shipping, working_with


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
