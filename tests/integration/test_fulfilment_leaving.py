"""Goods that leave an outside warehouse, up to their parcels, on both engines."""

from __future__ import annotations

from dataclasses import replace

from adapters.warehouse import ShipmentStatus
from syncd.db.database import Database
from tests.support.builders import a_line, an_order
from tests.support.outside import PLACE, accepted, shipping


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
