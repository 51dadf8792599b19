"""Units that are found and units that leave change no number wrongly."""

from __future__ import annotations

import pytest

from syncd.db.database import Database
from syncd.fulfilment.ship import NothingToShip, ship_order
from tests.integration.publishing.shown import both
from tests.support.shop import Seller, Shop, a_seller_with_shops


async def test_units_that_are_found_go_to_the_oldest_order_first(db: Database) -> None:
    async with a_seller_with_shops(db, {"RED-CLOCK": 1}, shops=("alpha", "beta", "gamma")) as seller:
        alpha, beta, gamma = seller.shops.values()
        for shop in seller.shops.values():
            await shop.falls_silent()
            await seller.passes(5.0)
            await shop.sells()
        for shop in (gamma, alpha, beta):  # the newest order's news comes first
            await shop.speaks_again()
            await seller.works()
        assert short_of(seller) == ["alpha", "beta"]
        assert seller.open_alerts() == ["oversold", "oversold"]

        seller.counts(2)
        await seller.covers()
        assert short_of(seller) == ["beta"]
        seller.counts(3)
        await seller.covers()

        assert short_of(seller) == []
        assert seller.open_alerts() == []
        assert seller.tally(alpha, "oversold_units") + seller.tally(beta, "oversold_units") == 2
        await seller.rests()
        assert both(seller) == (0, 0, 0)


def short_of(seller: Seller) -> list[str]:
    """The shops with an open shortage."""
    found = seller.rows(
        "SELECT a.key FROM shortage s JOIN order_line l ON l.id = s.order_line_id"
        " JOIN sales_order o ON o.id = l.order_id JOIN account a ON a.id = o.account_id"
        " WHERE s.closed_at IS NULL ORDER BY a.key"
    )
    return [row["key"] for row in found]


async def test_an_order_shipped_by_hand_leaves_the_warehouse_once_and_changes_no_number(
    seller: Seller, alpha: Shop
) -> None:
    order = await alpha.sells(quantity=3)
    await seller.works()

    shipped = seller.db.transact_now(ship_order, "#1001", "alpha", seller.views, seller.now)
    await seller.passes(60.0)
    await alpha.fulfils(order)  # the channel hears of it later
    await seller.rests()

    assert (shipped.units, shipped.left) == ({"hamburg": 3}, 0)
    (level,) = seller.rows("SELECT on_hand, reserved FROM level")
    assert (level["on_hand"], level["reserved"]) == (7, 0)
    assert both(seller) == (7, 7)
    with pytest.raises(NothingToShip):
        seller.db.transact_now(ship_order, "#1001", "alpha", seller.views, seller.now)
