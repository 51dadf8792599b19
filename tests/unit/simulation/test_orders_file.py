"""The shoppers' orders as a file: read, refused row by row, and written from what happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncd.csv_rows import ImportFileError
from syncd.simulation.happenings import Purchase
from syncd.simulation.orders_file import OrdersRefused, read_orders
from syncd.simulation.saved_orders import write_orders
from syncd.simulation.wanted import WantedOrder, channels_by_sku
from syncd.simulation.world import EVERY_VENDOR, make_world

VENDORS = {"shop": "shopify", "amazon-us": "amazon", "ebay-us": "ebay"}
HEAD = "placed_at,channel,order,sku,quantity,country,postcode,city,unpaid,cancelled_at"


def a_file(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "orders.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def test_lines_of_an_order_belong_together_and_instants_count_from_the_first(tmp_path: Path) -> None:
    path = a_file(
        tmp_path,
        "2026-11-27T09:30:00-05:00,shop,7,CLOCK,1,us,10001,New York,,",
        "2026-11-27T09:30:00-05:00,shop,7,LAMP,2,us,10001,New York,,",
        "2026-11-27T09:30:00-05:00,shop,7,CLOCK,1,us,10001,New York,no,",
        "2026-11-27T14:00:00Z,ebay-us,7,CLOCK,1,,,,yes,2026-11-27T15:00:00Z",
    )

    read = read_orders(path, VENDORS, "DE")

    assert read.orders == (
        WantedOrder(0.0, "ebay-us", "7", (("CLOCK", 1),), "DE", unpaid=True, cancelled_after_s=3600.0),
        WantedOrder(1800.0, "shop", "7", (("CLOCK", 2), ("LAMP", 2)), "US", "10001", "New York"),
    )
    assert read.days == pytest.approx(1 / 24)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (",shop,1,A,1,,,,,", "line 2, column placed_at: it is empty"),
        ("soon,shop,1,A,1,,,,,", "line 2, column placed_at: 'soon' is not an instant"),
        ("2026-11-27T09:30:00,shop,1,A,1,,,,,", "line 2, column placed_at: 2026-11-27T09:30:00 has no offset"),
        ("2026-11-27T09:30Z,shpo,1,A,1,,,,,", "line 2, column channel: 'shpo' is no account here. Did you mean shop?"),
        ("2026-11-27T09:30Z,shop,,A,1,,,,,", "line 2, column order: it is empty"),
        ("2026-11-27T09:30Z,shop,1,,1,,,,,", "line 2, column sku: it is empty"),
        (f"2026-11-27T09:30Z,ebay-us,1,{'A' * 51},1,,,,,", "line 2, column sku: it has 51 characters. ebay takes 50"),
        ("2026-11-27T09:30Z,shop,1,A,0,,,,,", "line 2, column quantity: 0 is out of range"),
        ("2026-11-27T09:30Z,shop,1,A,1.5,,,,,", "line 2, column quantity: '1.5' is not a whole number"),
        ("2026-11-27T09:30Z,shop,1,A,1,UK,,,,", "line 2, column country: 'UK' is no country"),
        ("2026-11-27T09:30Z,ebay-us,1,A,1,,,,maybe,", "line 2, column unpaid: 'maybe' is neither yes nor no"),
        ("2026-11-27T09:30Z,shop,1,A,1,,,,yes,", "line 2, column unpaid: orders of shopify are paid at once"),
        ("2026-11-27T09:30Z,shop,1,A,1,,,,,2026-11-27T09:29Z", "column cancelled_at: it lies before placed_at"),
    ],
)
def test_a_row_that_is_wrong_is_told_by_line_column_and_remedy(tmp_path: Path, row: str, told: str) -> None:
    with pytest.raises(OrdersRefused) as refused:
        read_orders(a_file(tmp_path, row), VENDORS, "US")

    assert told in str(refused.value)
    assert all(each.remedy for each in refused.value.errors)


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = a_file(tmp_path, "soon,nowhere,1,A,x,,,,,", "2026-11-27T09:30Z,shop,2,A,1,,,,,", "later,shop,3,A,1,,,,,")

    with pytest.raises(OrdersRefused) as refused:
        read_orders(path, VENDORS, "US")

    found = [(each.line, each.column) for each in refused.value.errors]
    assert found == [(2, "placed_at"), (2, "channel"), (2, "quantity"), (4, "placed_at")]


def test_lines_of_one_order_may_not_disagree_about_it(tmp_path: Path) -> None:
    path = a_file(tmp_path, "2026-11-27T09:30Z,shop,1,A,1,US,,,,", "2026-11-27T09:31Z,shop,1,B,1,CA,,,,")

    with pytest.raises(OrdersRefused) as refused:
        read_orders(path, VENDORS, "US")

    assert [(each.line, each.column) for each in refused.value.errors] == [(3, "placed_at"), (3, "country")]
    assert "it differs from line 2 of the same order" in str(refused.value)


def test_skus_that_the_book_takes_for_one_are_told(tmp_path: Path) -> None:
    path = a_file(tmp_path, "2026-11-27T09:30Z,shop,1,Clock,1,,,,,", "2026-11-27T09:31Z,shop,2,CLOCK,1,,,,,")

    with pytest.raises(OrdersRefused, match="line 3, column sku: 'CLOCK' and 'Clock' count as the same SKU"):
        read_orders(path, VENDORS, "US")


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("placed_at,channel,order,sku", "column quantity is missing"),
        (HEAD + ",wrapping_paper", "column wrapping_paper is not known. Remove it, or rename it to one of placed_at"),
        (HEAD.replace("postcode", "post_code"), "column post_code is not known. Did you mean postcode?"),
    ],
)
def test_a_header_that_cannot_be_used_is_told_with_a_remedy(tmp_path: Path, head: str, told: str) -> None:
    with pytest.raises(ImportFileError) as refused:
        read_orders(a_file(tmp_path, "x", head=head), VENDORS, "US")

    assert told in str(refused.value)


def test_a_file_without_orders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="it has no orders"):
        read_orders(a_file(tmp_path), VENDORS, "US")


def test_what_shoppers_wanted_comes_back_from_a_file(tmp_path: Path) -> None:
    at = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
    address = {"country": "US", "zip": "10001", "city": "New York"}
    refused = Purchase("shop", at, {"CLOCK": 2}, address, unpaid=False, by_channel=False, name=None, free=True)
    edited = Purchase(
        "ebay-us", at, {"CLOCK": 1, "LAMP": 3}, address, unpaid=True, by_channel=False, name="1", free=True
    )
    edited.lines["LAMP"] = 1
    edited.cancelled_at = at + timedelta(minutes=9)
    by_amazon = Purchase("amazon-us", at, {"FBA-X": 1}, address, unpaid=False, by_channel=True, name="2", free=False)

    assert write_orders(tmp_path / "saved.csv", [refused, edited, by_amazon]) == (2, 1)

    told = read_orders(tmp_path / "saved.csv", VENDORS, "DE").orders
    assert [order.lines for order in told] == [(("CLOCK", 2),), (("CLOCK", 1), ("LAMP", 3))]
    assert [(order.unpaid, order.cancelled_after_s) for order in told] == [(False, None), (True, 540.0)]


def test_what_the_seller_had_to_cancel_is_no_wish_of_the_buyers(tmp_path: Path) -> None:
    at = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
    short = Purchase("shop", at, {"CLOCK": 2}, {}, unpaid=False, by_channel=False, name="1", free=False)
    short.cancelled_at, short.out_of_stock = at, True

    write_orders(tmp_path / "saved.csv", [short])

    assert read_orders(tmp_path / "saved.csv", VENDORS, "US").orders[0].cancelled_after_s is None


def test_the_orders_make_the_catalogue_and_some_of_it_runs_out() -> None:
    orders = [
        WantedOrder(float(n), "main-shop" if n % 3 else "ebay-us", str(n), ((f"SKU-{n % 20}", 2),), "US")
        for n in range(200)
    ]

    world = make_world(7, EVERY_VENDOR, {}, orders=orders)

    assert {article.sku: article.channels for article in world.articles} == channels_by_sku(orders)
    there = {
        article.sku: sum(n for (sku, _), n in world.stock.items() if sku == article.sku) for article in world.plain
    }
    assert any(pieces < 20 for pieces in there.values())
    assert any(pieces > 20 for pieces in there.values())
    assert {warehouse for _, warehouse in world.stock} == {"east", "west", "bob"}
