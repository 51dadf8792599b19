"""Why units were oversold, as far as a run can tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.simulation.happenings import HandEdit, Happenings, Outage, Unpaid
from syncd.simulation.oversells import Cause, Sale, cause_of, oversells_by_cause

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
LAG = timedelta(seconds=60)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_sale(account: str = "ebay-us", placed: float = 0, seen: float | None = None, **more: Any) -> Sale:
    fields: dict[str, Any] = {
        "order": f"{account}/{placed}",
        "code": "RED-CLOCK",
        "skus": frozenset({"RED-CLOCK"}),
        "oversold": 0,
    }
    return Sale(account, placed_at=at(placed), seen_at=at(placed + 10 if seen is None else seen), **(fields | more))


def test_a_sale_that_another_channel_made_within_the_lag_is_the_cause() -> None:
    sale, rival = a_sale(), a_sale("amazon-us", placed=-50)

    assert cause_of(sale, [sale, rival], Happenings(), LAG) is Cause.ELSEWHERE


def test_a_sale_that_every_channel_had_time_to_show_is_not() -> None:
    sale, rival = a_sale(), a_sale("amazon-us", placed=-600)

    assert cause_of(sale, [sale, rival], Happenings(), LAG) is Cause.OTHER


def test_a_sale_that_the_book_learnt_of_late_is_the_cause_however_long_ago() -> None:
    sale, rival = a_sale(), a_sale("amazon-us", placed=-600, seen=5)

    assert cause_of(sale, [sale, rival], Happenings(), LAG) is Cause.ELSEWHERE


def test_another_sku_is_no_rival() -> None:
    sale, other = a_sale(), a_sale("amazon-us", placed=-5, skus=frozenset({"BLUE-LAMP"}))

    assert cause_of(sale, [sale, other], Happenings(), LAG) is Cause.OTHER


def test_a_sale_of_the_same_channel_is_told_apart() -> None:
    sale, rival = a_sale(), a_sale(placed=-5)

    assert cause_of(sale, [sale, rival], Happenings(), LAG) is Cause.SAME


@pytest.mark.parametrize("seconds_after", [-50, 10])
def test_a_channel_that_was_down_when_it_sold_or_just_before_is_the_cause(seconds_after: float) -> None:
    sale, rival = a_sale(placed=seconds_after), a_sale("amazon-us", placed=seconds_after - 1)
    down = Happenings(outages=[Outage("ebay-us", at(-100), at(0))])

    assert cause_of(sale, [sale, rival], down, LAG) is Cause.DOWN


def test_a_rival_whose_channel_was_down_is_the_cause_too() -> None:
    sale, rival = a_sale(), a_sale("amazon-us", placed=-200, seen=20)
    down = Happenings(outages=[Outage("amazon-us", at(-300), at(-10))])

    assert cause_of(sale, [sale, rival], down, LAG) is Cause.DOWN


def test_an_outage_long_before_is_none() -> None:
    sale = a_sale(placed=3600)
    down = Happenings(outages=[Outage("ebay-us", at(-300), at(-10))])

    assert cause_of(sale, [sale], down, LAG) is Cause.OTHER


@pytest.mark.parametrize(
    ("account", "sku", "cause"), [("ebay-us", "RED-CLOCK", Cause.TYPED), ("x", "RED-CLOCK", Cause.OTHER)]
)
def test_a_number_typed_over_this_very_listing_is_the_cause(account: str, sku: str, cause: Cause) -> None:
    sale = a_sale()

    assert cause_of(sale, [sale], Happenings(hand_edits=[HandEdit(account, sku, 9, at(-20))]), LAG) is cause


@pytest.mark.parametrize(("settled", "cause"), [(None, Cause.UNPAID), (30, Cause.UNPAID), (-30, Cause.OTHER)])
def test_a_purchase_of_the_same_goods_is_the_cause_while_it_is_unpaid(settled: float | None, cause: Cause) -> None:
    sale = a_sale()
    purchase = Unpaid("ebay-us", "1", frozenset({"RED-CLOCK"}), at(-900), None if settled is None else at(settled))

    assert cause_of(sale, [sale], Happenings(unpaid=[purchase]), LAG) is cause


def test_a_purchase_that_was_itself_unpaid_at_first_is_its_own_cause() -> None:
    sale = a_sale(seen=900)
    purchase = Unpaid(sale.account, sale.order, frozenset({"RED-CLOCK"}), at(1), at(800))

    assert cause_of(sale, [sale], Happenings(unpaid=[purchase]), LAG) is Cause.UNPAID


def test_units_are_added_up_by_account_and_cause() -> None:
    sales = [
        a_sale(placed=0, oversold=2),
        a_sale(placed=1, oversold=1),
        a_sale("amazon-us", placed=9000, oversold=3),
        a_sale("main-shop", placed=9500),
    ]

    assert oversells_by_cause(sales, Happenings(), 60.0) == {
        "ebay-us": {Cause.SAME: 3},
        "amazon-us": {Cause.OTHER: 3},
    }
