"""What a warehouse does not answer, or refuses, is neither lost nor done twice, on both engines."""

from __future__ import annotations

import pytest

from adapters.contract import AuthExpired, OutcomeUnknown, RateLimited, Rejected, Transient
from adapters.warehouse import ShipmentOrder, ShipmentState
from syncd.db.database import Database
from syncd.db.lease import Fenced, acquire
from tests.support.builders import NOW, a_line, an_order
from tests.support.outside import PLACE, accepted, shipping, working_with

# --- answers that do not come ------------------------------------------------------------------------------------


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


# --- orders that change while nobody knows whether the request has arrived ---------------------------------------


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


# --- refusals and delays that are over ---------------------------------------------------------------------------


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
