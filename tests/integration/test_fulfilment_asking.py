"""What an outside warehouse is asked to ship for us, from the order's reservation on, on both engines."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from adapters.contract import Address, Transient
from adapters.warehouse import ShipmentLine, ShipmentOrder
from syncd.db.database import Database
from tests.support.builders import NOW, a_line, an_order
from tests.support.outside import PLACE, shipping


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
