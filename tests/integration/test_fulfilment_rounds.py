"""What fails at an outside warehouse stops nothing else, on both engines."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.contract import OutcomeUnknown, RateLimited, Transient
from adapters.warehouse import ShipmentState
from syncd.db.database import Database
from syncd.fulfilment import desk
from syncd.fulfilment.settle import note_shipment
from tests.support.builders import a_line, an_order
from tests.support.outside import Shipping, shipping


async def test_a_cancelled_order_is_recalled_also_when_its_channel_had_called_it_sent(db: Database) -> None:
    it = shipping(db)
    it.takes_in(an_order(quantity=2))
    it.warehouse.next_time("submit", OutcomeUnknown("no answer"))
    await it.sends()
    it.takes_in(an_order(quantity=2, fulfilled=2, minute=4, fulfilled_minute=2))
    assert it.request()["cancel_wanted_at"] is None

    it.takes_in(an_order(quantity=0, cancelled=True, minute=6))

    assert it.request()["cancel_wanted_at"] is not None
    it.later(300)
    await it.works.cancel_due()
    assert it.states() == ["cancelled"]
    it.proves()


async def test_shipments_that_cannot_be_looked_for_stop_no_other_for_ever(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = shipping(db, {"RED-CLOCK": 50})
    for number in range(6):
        it.takes_in(an_order(order_id=f"order-{number}"))
    await it.sends()
    for number in range(6):
        it.takes_in(an_order(order_id=f"order-{number}", quantity=0, cancelled=True, minute=5))
    find, bad = it.warehouse.find, {each.reference for each in it.warehouse.asked[:3]}

    async def find_some(reference: str) -> ShipmentState | None:
        if reference in bad:
            raise Transient("it stumbles")
        return await find(reference)

    monkeypatch.setattr(it.warehouse, "find", find_some)
    await it.works.cancel_due()
    assert it.states() == ["accepted"] * 6

    await it.works.cancel_due()

    assert it.states() == ["accepted"] * 3 + ["cancelled"] * 3
    assert it.seller.open_alerts() == []


async def one_to_cancel(db: Database, trouble: Transient, times: int) -> Shipping:
    """An order that its buyer cancelled after it was sent, and a warehouse that fails so often to look for it."""
    it = shipping(db)
    it.takes_in(an_order())
    await it.sends()
    it.takes_in(an_order(quantity=0, cancelled=True, minute=5))
    it.warehouse.next_time("find", *[trouble] * times)
    return it


async def test_one_cancellation_that_fails_on_a_quiet_day_is_told_by_itself(db: Database) -> None:
    it = await one_to_cancel(db, Transient("it stumbles"), times=5)

    for _ in range(4):
        await it.works.cancel_due()
        it.later(60.0)
    assert it.seller.open_alerts() == []
    await it.works.cancel_due()

    assert "it stumbles" in it.alert("shipment_exception")
    it.later(60.0)
    await it.works.cancel_due()
    assert (it.states(), it.seller.open_alerts()) == (["cancelled"], [])


async def test_a_warehouse_where_nothing_works_is_asked_ever_less_often(db: Database) -> None:
    it = await one_to_cancel(db, Transient("down"), times=50)

    for _ in range(60):
        await it.works.cancel_due()
        it.later(10.0)

    asked = 50 - len(it.warehouse.troubles["find"])
    assert 10 <= asked <= 14, "in ten minutes"


async def test_a_warehouse_that_asks_to_wait_is_not_down(db: Database) -> None:
    it = shipping(db)
    it.warehouse.next_time("submit", RateLimited("slow down", 300.0))
    it.takes_in(an_order())

    await it.sends()

    assert it.seller.open_alerts() == []


def unbookable(reference: str) -> Callable[..., bool]:
    """Booking news of shipments, but for one, of which it fails."""
    book = note_shipment

    def note(connection: object, lease: object, place: object, told: ShipmentState, *more: object) -> bool:
        if told.reference == reference:
            raise ValueError("unbookable")
        return book(connection, lease, place, told, *more)  # type: ignore[arg-type]

    return note


async def two_accepted(db: Database) -> Shipping:
    it = shipping(db, {"RED-CLOCK": 50, "STAND": 9})
    it.takes_in(an_order())
    it.takes_in(an_order(a_line("STAND", 1), order_id="1002"))
    await it.sends()
    return it


async def test_a_shipment_that_cannot_be_booked_is_told_and_only_its_own_skus_wait_with_raises(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = await two_accepted(db)
    reference = it.warehouse.asked[0].reference
    it.warehouse.ships(reference)
    it.warehouse.free |= {"RED-CLOCK": 60, "STAND": 20}
    it.later()
    with monkeypatch.context() as patched:
        patched.setattr(desk, "note_shipment", unbookable(reference))
        await it.works.read_stock()
        assert (it.available("RED-CLOCK"), it.available("STAND")) == (49, 20)
        assert "cannot be booked (ValueError)" in it.alert("shipment_exception")
        it.warehouse.free["RED-CLOCK"] = 3
        it.later()
        await it.works.read_stock()
        assert it.available("RED-CLOCK") == 3

    it.later()
    await it.works.read_stock()

    assert (it.states(), it.seller.open_alerts()) == (["shipped", "accepted"], [])
    assert it.available("RED-CLOCK") == 3
    it.proves()


async def test_levels_only_fall_while_shipments_cannot_be_heard_of(db: Database) -> None:
    it = await two_accepted(db)
    it.warehouse.free |= {"RED-CLOCK": 3, "STAND": 20}
    it.warehouse.next_time("poll_shipments", Transient("down"), Transient("down"))

    for _ in range(2):
        it.later()
        await it.works.read_stock()

    assert (it.available("RED-CLOCK"), it.available("STAND")) == (3, 8)
    it.later()
    await it.works.read_stock()
    assert (it.available("STAND"), it.seller.open_alerts()) == (20, [])


async def test_a_tracking_number_that_no_database_stores_is_cleaned(db: Database) -> None:
    it = shipping(db)
    it.takes_in(an_order())
    await it.sends()
    it.later()
    it.warehouse.ships(it.reference, number="T\x001")

    await it.works.poll()

    assert [row["tracking_number"] for row in it.seller.rows("SELECT tracking_number FROM parcel")] == ["T1"]
    assert it.states() == ["shipped"]


async def test_pieces_whose_cancellation_is_unanswered_are_no_shortage(db: Database) -> None:
    it = shipping(db, {"RED-CLOCK": 2})
    it.takes_in(an_order(quantity=2))
    await it.sends()
    it.takes_in(an_order(quantity=1, minute=5))
    it.later()
    it.warehouse.next_time("cancel", OutcomeUnknown("no answer"))
    await it.works.cancel_due()
    it.later(10)

    await it.works.read_stock()

    assert (it.seller.level(warehouse="3pl").short, it.seller.open_alerts()) == (2, [])
