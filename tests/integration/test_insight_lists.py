"""What is read of stock, orders, listings and decisions: right, page by page, nothing of the buyer, on both engines."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import Connection

from syncd.db.database import Database
from syncd.insight.decisions import list_decisions
from syncd.insight.explain_listing import explain_listing
from syncd.insight.explain_order import explain_order
from syncd.insight.listings import find_listing, list_listings
from syncd.insight.order_filter import OrderFilter
from syncd.insight.orders import find_order, list_orders
from syncd.insight.slices import LOOKED_AT
from syncd.insight.stock import find_sku, list_stock
from syncd.insight.stock_detail import read_stock_detail
from syncd.insight.unknown import Ambiguous, Unknown
from tests.support.builders import NOW, Seller, a_line, a_seller, an_order


def orders_of(seller: Seller, which: OrderFilter | None = None, account: str | None = None) -> list[str]:
    account_id = seller.accounts[account].account_id if account else None
    found = seller.db.read_now(list_orders, None, 50, which, account_id)
    return [each.channel_order_id for each in found.rows]


# --- stock ----------------------------------------------------------------------------------------------------


def test_a_skus_stock_names_its_levels_listings_and_open_orders(db: Database) -> None:
    seller = a_seller(
        db,
        {"hamburg": {"RED-CLOCK": 5}, "bremen": {"RED-CLOCK": 2}},
        warehouses={"hamburg": "own", "bremen": "own"},
        listings={"THREE-CLOCKS": {"RED-CLOCK": 3}},
    )
    seller.takes_in(an_order(quantity=2), an_order(order_id="1002", sku="UNHEARD-OF"))

    detail = db.read_now(read_stock_detail, db.read_now(find_sku, "RED-CLOCK"))

    assert [(each.warehouse, each.on_hand, each.reserved, each.available) for each in detail.stock.levels] == [
        ("bremen", 2, 0, 2),
        ("hamburg", 5, 2, 3),
    ]
    assert (detail.stock.on_hand, detail.stock.reserved, detail.stock.available) == (7, 2, 5)
    assert {each.code: each.sellable for each in detail.listings} == {"RED-CLOCK": 5, "THREE-CLOCKS": 1}
    assert {each.code: each.shown.at_most for each in detail.listings} == {"RED-CLOCK": 98, "THREE-CLOCKS": 100}
    assert [each.order for each in detail.orders] == ["#1001"]
    assert (detail.listings_in_all, detail.more_orders) == (2, False)


def test_a_sku_that_nobody_knows_is_told_with_those_like_it(db: Database) -> None:
    a_seller(db, {"RED-CLOCK": 1, "RED-CLOCK-XL": 1, "BLUE-VASE": 1})

    with pytest.raises(Unknown, match=r"'RED-CLOK'\. Did you mean RED-CLOCK or RED-CLOCK-XL\?") as caught:
        db.read_now(find_sku, "RED-CLOK")

    assert caught.value.nearest == ("RED-CLOCK", "RED-CLOCK-XL")


def test_stock_is_paged_and_what_comes_in_meanwhile_is_neither_lost_nor_told_twice(db: Database) -> None:
    seller = a_seller(db, {f"SKU-{number}": number for number in range(1, 6)})
    first = db.read_now(list_stock, 0, 2)
    assert first.after is not None

    seller.does("INSERT INTO sku (code) VALUES ('AAA-NEW')")
    second = db.read_now(list_stock, first.after, 2)
    assert second.after is not None
    third = db.read_now(list_stock, second.after, 2)

    told = [each.sku for page in (first, second, third) for each in page.rows]
    assert told == ["SKU-1", "SKU-2", "SKU-3", "SKU-4", "SKU-5", "AAA-NEW"]
    assert third.after is None


# --- orders ---------------------------------------------------------------------------------------------------


def test_orders_are_listed_by_state_and_by_what_is_wrong_with_them(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 3}, accounts=("shop", "outlet"))
    seller.takes_in(
        an_order(order_id="open"),
        an_order(order_id="gone", cancelled=True),
        an_order(order_id="sent", fulfilled=1, fulfilled_minute=1),
        an_order(order_id="short", quantity=9),
    )
    seller.takes_in(an_order(order_id="elsewhere"), account="outlet")
    seller.does("UPDATE sales_order SET review = 'odd' WHERE channel_order_id = 'open'")

    assert orders_of(seller) == ["elsewhere", "short", "sent", "gone", "open"]
    assert orders_of(seller, OrderFilter.OPEN) == ["elsewhere", "short", "open"]
    assert orders_of(seller, OrderFilter.CANCELLED) == ["gone"]
    assert orders_of(seller, OrderFilter.FULFILLED) == ["sent"]
    assert orders_of(seller, OrderFilter.SHORT) == ["elsewhere", "short"]
    assert orders_of(seller, OrderFilter.SHORT, "shop") == ["short"]
    assert orders_of(seller, OrderFilter.IN_REVIEW) == ["open"]
    assert orders_of(seller, None, "outlet") == ["elsewhere"]


def test_an_orders_lines_tell_what_is_reserved_and_what_is_missing(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 3})
    seller.takes_in(an_order(a_line(quantity=5), a_line("UNHEARD-OF", line_id="2")))

    (order,) = db.read_now(list_orders, None, 10).rows

    first, second = order.lines
    assert [(each.sku, each.warehouse, each.stage, each.pieces) for each in first.reserved] == [
        ("RED-CLOCK", "hamburg", "held", 3)
    ]
    assert [(each.sku, each.pieces, each.reason) for each in first.missing] == [("RED-CLOCK", 2, "oversold")]
    assert [(each.sku, each.reason) for each in second.missing] == [(None, "unmapped")]


def test_only_orders_placed_since_an_instant_are_listed_and_the_search_ends_there(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 50})
    for number in range(6):
        at = NOW + timedelta(hours=number)
        seller.takes_in(an_order(order_id=str(number), placed_minute=60 * number, minute=60 * number), now=at)

    page = db.read_now(list_orders, None, 2, None, None, NOW + timedelta(hours=3))
    assert [each.channel_order_id for each in page.rows] == ["5", "4"]
    rest = db.read_now(list_orders, page.after, 2, None, None, NOW + timedelta(hours=3))

    assert [each.channel_order_id for each in rest.rows] == ["3"]
    assert rest.after is None


def test_orders_that_come_in_between_two_pages_are_not_told_twice(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 50})
    seller.takes_in(*(an_order(order_id=str(number)) for number in range(5)))
    first = db.read_now(list_orders, None, 2)

    seller.takes_in(*(an_order(order_id=f"new-{number}") for number in range(5)))
    second = db.read_now(list_orders, first.after, 2)
    third = db.read_now(list_orders, second.after, 2)

    told = [each.channel_order_id for page in (first, second, third) for each in page.rows]
    assert told == ["4", "3", "2", "1", "0"]
    assert third.after is None


def test_a_page_that_looks_for_the_rare_ends_after_so_many_rows_and_says_where_to_go_on(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncd.insight.slices.LOOKED_AT", 3)
    seller = a_seller(db, {"RED-CLOCK": 50}, accounts=("shop", "outlet"))
    seller.takes_in(an_order(order_id="rare"), account="outlet")
    seller.takes_in(*(an_order(order_id=str(number)) for number in range(5)))
    outlet = seller.accounts["outlet"].account_id

    pages = [db.read_now(list_orders, None, 10, None, outlet)]
    while (after := pages[-1].after) is not None:
        pages.append(db.read_now(list_orders, after, 10, None, outlet))

    assert LOOKED_AT == 10_000
    assert [[each.channel_order_id for each in page.rows] for page in pages] == [[], ["rare"], []]


def test_an_order_is_found_by_any_name_it_has(db: Database) -> None:
    seller = a_seller(db, accounts=("shop", "outlet"))
    seller.takes_in(an_order(order_id="7001"))
    seller.takes_in(an_order(order_id="7002"), account="outlet")
    seller.does("UPDATE sales_order SET name = '#1' WHERE channel_order_id = '7001'")
    first, second = (seller.order(number)["id"] for number in ("7001", "7002"))

    assert [db.read_now(find_order, name) for name in ("#1", "1", "7001")] == [first] * 3
    assert db.read_now(find_order, str(second)) == second
    with pytest.raises(Unknown, match=r"no order goes by '#7003'\. Did you mean #7002\?"):
        db.read_now(find_order, "#7003")
    seller.does("UPDATE sales_order SET name = '#1'")
    with pytest.raises(Ambiguous, match=r"2 orders go by '#1' \(shop: 7001, outlet: 7002\)"):
        db.read_now(find_order, "#1")
    assert db.read_now(find_order, "#1", seller.accounts["outlet"].account_id) == second


# --- listings -------------------------------------------------------------------------------------------------


def test_listings_are_listed_by_account_and_by_sku(db: Database) -> None:
    seller = a_seller(
        db, {"RED-CLOCK": 4, "BLUE-VASE": 1}, listings={"SET": {"RED-CLOCK": 2}}, accounts=("shop", "outlet")
    )
    outlet, clock = seller.accounts["outlet"].account_id, seller.skus["RED-CLOCK"]

    everything = db.read_now(list_listings, 0, 50).rows
    of_outlet = db.read_now(list_listings, 0, 50, outlet).rows
    of_clock = db.read_now(list_listings, 0, 50, outlet, clock)

    assert len(everything) == 6
    assert {each.account for each in of_outlet} == {"outlet"}
    assert [(each.code, each.sellable) for each in of_clock.rows] == [("RED-CLOCK", 4), ("SET", 2)]
    assert of_clock.after is None


def test_a_listing_is_found_by_its_number_and_by_its_account_and_code(db: Database) -> None:
    seller = a_seller(db)
    seller.does("UPDATE listing SET channel_sku = 'gid://item/7'")
    wanted = seller.listings["RED-CLOCK"]

    for name in (str(wanted), "shop:RED-CLOCK", "shop:gid://item/7"):
        assert db.read_now(find_listing, name) == wanted
    with pytest.raises(Unknown, match="Did you mean shop:RED-CLOCK"):
        db.read_now(find_listing, "shop:RED-CLACK")
    with pytest.raises(Unknown, match="Did you mean shop:RED-CLOCK"):
        db.read_now(find_listing, "shopp:RED-CLOCK")
    with pytest.raises(Unknown, match="or ACCOUNT:SKU with one of shop"):
        db.read_now(find_listing, "4711")


def test_a_number_is_explained_term_by_term(db: Database) -> None:
    seller = a_seller(
        db,
        {"hamburg": {"RED-CLOCK": 11, "BLUE-VASE": 20}, "bremen": {"RED-CLOCK": 3}},
        warehouses={"hamburg": "own", "bremen": "own"},
        listings={"SET": {"RED-CLOCK": 2, "BLUE-VASE": 1}},
    )
    seller.takes_in(an_order(quantity=1))
    hold = ", ".join(str(each) for each in (seller.listings["RED-CLOCK"], "'available'", 1, "'shortfall'", 0, 0, 0, 0))
    seller.does(
        "UPDATE sku SET safety_stock = 2 WHERE code = 'RED-CLOCK'",
        "UPDATE account SET buffer = 1, cap = 3",
        f"INSERT INTO hold (listing_id, cell, quantity, kind, from_at, to_at, expires_at, opened_at) VALUES ({hold})",
    )

    told = db.read_now(explain_listing, seller.listings["SET"])

    vase, clock = told.components
    assert (clock.available, clock.safety_stock, clock.shortage, clock.held, clock.free, clock.units) == (
        13,
        2,
        0,
        1,
        10,
        5,
    )
    assert [(each.account, each.listing, each.pieces) for each in clock.holds] == [("shop", "RED-CLOCK", 1)]
    assert [(each.warehouse, each.available) for each in clock.levels] == [("bremen", 3), ("hamburg", 10)]
    assert (vase.free, vase.units) == (20, 20)
    assert [(each.warehouse, each.units) for each in told.makeable] == [("hamburg", 5), ("bremen", 0)]
    assert (told.makeable_units, told.tightest, told.free_units) == (5, "RED-CLOCK", 5)
    assert (told.buffer, told.buffer_from, told.cap, told.cap_from) == (1, "account", 3, "account")
    assert told.sellable == min(3, min(5, 5) - 1) == told.listing.sellable


def test_a_listing_tells_who_waits_for_its_goods_and_what_it_waits_for(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 1})
    seller.takes_in(an_order(quantity=3))

    told = db.read_now(explain_listing, seller.listings["RED-CLOCK"])

    (clock,) = told.components
    assert [(each.order, each.pieces, each.reason) for each in clock.orders] == [("#1001", 2, "oversold")]
    assert (clock.free, told.sellable) == (-2, 0)
    assert (told.listing.dirty, told.listing.waits_for) == (True, None)


def test_a_listing_without_a_sku_has_no_number(db: Database) -> None:
    seller = a_seller(db)
    seller.lists("LOST", {})

    told = db.read_now(explain_listing, seller.listings["LOST"])

    assert (told.sellable, told.components, told.tightest) == (None, (), None)


# --- decisions ------------------------------------------------------------------------------------------------


def test_an_orders_decision_names_every_candidate_and_why_it_was_turned_down(db: Database) -> None:
    seller = a_seller(
        db,
        {"hamburg": {"RED-CLOCK": 5}, "bremen": {"RED-CLOCK": 5}, "essen": {"BLUE-VASE": 1}},
        warehouses={"hamburg": "own", "bremen": "own", "essen": "own"},
    )
    seller.takes_in(an_order(quantity=2))

    told = db.read_now(explain_order, db.read_now(find_order, "#1001"))

    (made,) = told.allocations
    assert (made.policy, made.to_country, made.to_postcode_prefix) == ("priority", "DE", "20")
    assert [(each.units, each.pieces_a_unit) for each in made.wanted] == [(2, {"RED-CLOCK": 1})]
    assert [(each.warehouse, each.units, each.why, each.free) for each in made.candidates] == [
        ("hamburg", 2, "used", {"RED-CLOCK": 5}),
        ("bremen", 0, "lower rank", {"RED-CLOCK": 5}),
        ("essen", 0, "holds none of it", {}),
    ]
    assert [(each.channel_line_id, each.warehouse, each.units) for each in made.served] == [("1", "hamburg", 2)]
    assert made.derives_again
    assert told.recipient_erased_at is None


def test_an_order_that_was_never_allocated_is_explained_all_the_same(db: Database) -> None:
    seller = a_seller(db)
    seller.takes_in(an_order(sku="UNHEARD-OF"))

    told = db.read_now(explain_order, db.read_now(find_order, "#1001"))

    assert told.allocations == ()
    assert told.order.lines[0].missing[0].reason == "unmapped"


def test_decisions_are_listed_the_newest_first_and_by_what_they_are_about(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 50})
    seller.takes_in(*(an_order(order_id=str(number)) for number in range(3)))
    (wanted,) = (seller.order(number)["id"] for number in ("1",))

    everything = db.read_now(list_decisions, None, 2)
    rest = db.read_now(list_decisions, everything.after, 2)
    of_one = db.read_now(list_decisions, None, 10, "allocation", wanted)

    ids = [each.id for page in (everything, rest) for each in page.rows]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 3
    assert [each.order_id for each in of_one.rows] == [wanted]
    assert db.read_now(list_decisions, None, 10, "publication", wanted).rows == ()


# --- nothing of the buyer -------------------------------------------------------------------------------------


def test_nothing_that_is_read_tells_of_the_buyer(db: Database) -> None:
    seller = a_seller(db)
    seller.takes_in(an_order(quantity=9))

    def everything(connection: Connection) -> list[object]:
        return [
            list_orders(connection, None, 10),
            list_stock(connection, 0, 10),
            list_listings(connection, 0, 10),
            list_decisions(connection, None, 10),
            explain_order(connection, find_order(connection, "#1001")),
            explain_listing(connection, seller.listings["RED-CLOCK"]),
            read_stock_detail(connection, seller.skus["RED-CLOCK"]),
        ]

    told = msgspec.json.encode(db.read_now(everything)).decode()

    for private in ("Ada", "Buyer", "Main Street", "Hamburg", "20095"):
        assert private not in told
    assert "hamburg" in told
