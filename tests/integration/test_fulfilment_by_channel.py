"""Lines that a channel ships from stock of its own: recorded, and nothing of ours moves for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.contract import OrderLine, OrderState
from syncd.db.database import Database
from syncd.fulfilment.ship import NothingToShip, ship_order
from syncd.reconcile.audit import audit
from tests.support.builders import NOW, Seller, a_line, a_seller, an_order


def by_channel(sku: str = "RED-CLOCK", quantity: int = 1, *, line_id: str = "1", fulfilled: int = 0) -> OrderLine:
    return replace(a_line(sku, quantity, line_id=line_id, fulfilled=fulfilled), by_channel=True)


@pytest.fixture
def seller(db: Database) -> Seller:
    return a_seller(db, {"RED-CLOCK": 2})


def proves(seller: Seller) -> None:
    assert audit(seller.db).violations == ()


def test_such_a_line_is_recorded_and_reserves_nothing(seller: Seller) -> None:
    seller.does("DELETE FROM dirty_listing")
    seller.takes_in(an_order(by_channel(quantity=5)))

    (line,) = seller.rows("SELECT * FROM order_line")
    assert (line["quantity"], line["by_channel"], line["oversold"], line["shipped"]) == (5, 1, 0, 0)
    assert line["listing_id"] == seller.listings["RED-CLOCK"]
    assert (seller.reserved(), seller.shortages(), seller.open_alerts()) == ({}, [], [])
    assert seller.level().available == 2
    assert seller.rows("SELECT * FROM dirty_listing") == []
    assert seller.rows("SELECT sold_lo, sold_hi FROM cell")[0]["sold_lo"] == 0
    proves(seller)


def test_such_a_line_needs_no_mapping(seller: Seller) -> None:
    seller.takes_in(an_order(by_channel("FBA-ONLY", 3)))

    assert (seller.shortages(), seller.open_alerts()) == ([], [])
    proves(seller)


def test_the_channel_says_when_such_an_order_is_done(seller: Seller) -> None:
    seller.takes_in(an_order(by_channel(quantity=2)))
    assert seller.order()["state"] == "open"
    seller.takes_in(an_order(by_channel(quantity=2, fulfilled=1), minute=1))
    assert seller.order()["state"] == "open"

    seller.takes_in(an_order(by_channel(quantity=2, fulfilled=2), minute=2))

    assert seller.order()["state"] == "fulfilled"
    assert (seller.level().on_hand, seller.rows("SELECT * FROM movement WHERE kind = 'shipment'")) == (2, [])
    proves(seller)


def test_cancelling_such_an_order_moves_nothing(seller: Seller) -> None:
    seller.takes_in(an_order(by_channel(quantity=2)))
    before = seller.rows("SELECT count(*) AS n FROM movement")

    seller.takes_in(an_order(by_channel(quantity=0), cancelled=True, minute=1))

    assert seller.order()["state"] == "cancelled"
    assert seller.rows("SELECT count(*) AS n FROM movement") == before
    proves(seller)


def mixed(minute: int = 0, own: int = 0, channel: int = 0) -> OrderState:
    """An order of which we ship one clock and the channel the other; so many of each have left."""
    return an_order(a_line(fulfilled=own), by_channel(line_id="2", fulfilled=channel), minute=minute)


def test_of_a_mixed_order_only_our_lines_are_reserved(seller: Seller) -> None:
    seller.takes_in(mixed())

    assert seller.reserved() == {("1", "RED-CLOCK", "hamburg"): 1}
    proves(seller)


def test_a_mixed_order_is_done_when_both_have_left(seller: Seller) -> None:
    seller.takes_in(mixed())
    seller.db.transact_now(ship_order, "#1001", None, seller.views(), NOW)
    assert seller.order()["state"] == "open"

    seller.takes_in(mixed(minute=1, own=1, channel=1))

    assert seller.order()["state"] == "fulfilled"
    assert seller.level().on_hand == 1
    proves(seller)


def test_there_is_nothing_to_ship_by_hand_of_such_an_order(seller: Seller) -> None:
    seller.takes_in(an_order(by_channel()))

    with pytest.raises(NothingToShip):
        seller.db.transact_now(ship_order, "#1001", None, seller.views(), NOW)


def test_a_line_that_the_channel_takes_over_frees_its_units_and_back_again(seller: Seller) -> None:
    seller.takes_in(an_order(a_line(quantity=3)))
    assert (seller.level().available, seller.shortages()) == (0, [("RED-CLOCK", 1, "oversold")])

    seller.takes_in(an_order(by_channel(quantity=3), minute=1))
    assert (seller.level().available, seller.shortages(), seller.open_alerts()) == (2, [], [])
    proves(seller)
    seller.takes_in(an_order(a_line(quantity=2), minute=2))

    assert seller.reserved() == {("1", "RED-CLOCK", "hamburg"): 2}
    proves(seller)


@pytest.mark.parametrize(("way", "quantity"), [("webhook", 1), ("queue", 1), ("poll", 2), ("fetch", 2)])
def test_of_two_states_of_one_instant_only_one_that_was_read_later_is_believed(
    seller: Seller, way: str, quantity: int
) -> None:
    seller.takes_in(an_order(quantity=1))

    seller.takes_in(an_order(quantity=2), way=way)

    assert seller.rows("SELECT quantity FROM order_line")[0]["quantity"] == quantity
