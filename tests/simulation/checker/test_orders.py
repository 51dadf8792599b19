"""Every order takes effect once, and is in the book as it is at its channel."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.simulation.checker import orders
from syncd.simulation.checker.bounds import Bounds
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import Happenings
from tests.simulation.checker.conftest import Spoilt, rules

BOUNDS = Bounds(Happenings())


def look(spoilt: Spoilt, verdict: Verdict, *, rest: bool = True) -> set[str]:
    book = spoilt.book()
    orders.every_order_took_effect_once(spoilt.rest.truth, book, BOUNDS, verdict, rest=rest)
    orders.every_order_is_as_its_channel_has_it(spoilt.rest.truth, book, BOUNDS, verdict, rest=rest)
    orders.nothing_is_parked(spoilt.rest.truth, book, Happenings(), verdict)
    return rules(verdict)


def rename(spoilt: Spoilt, name: str) -> None:
    spoilt.sql("UPDATE sales_order SET channel_order_id = ? WHERE id = 1", name)


def test_a_clean_book_is_not_blamed(spoilt: Spoilt, verdict: Verdict) -> None:
    assert look(spoilt, verdict) == set()


def test_an_order_that_is_not_in_the_book_is_found_and_so_is_one_that_no_channel_has(
    spoilt: Spoilt, verdict: Verdict
) -> None:
    rename(spoilt, "gid://shopify/Order/1")

    assert look(spoilt, verdict) == {"orders.missing", "orders.invented"}


def test_one_order_under_two_ids_is_found(spoilt: Spoilt, verdict: Verdict) -> None:
    other, account = spoilt.ask("SELECT channel_order_id, account_id FROM sales_order WHERE id = 1")
    taken = spoilt.ask("SELECT id FROM sales_order WHERE id > 1 AND account_id = ?", account)
    spoilt.sql("UPDATE sales_order SET channel_order_id = ? WHERE id = ?", f"another/{other}", taken[0])

    assert "orders.twice" in look(spoilt, verdict)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sales_order SET state = 'cancelled' WHERE state = 'open'",
        "UPDATE order_line SET quantity = quantity + 1 WHERE fulfilled = 0",
        "UPDATE order_line SET fulfilled = fulfilled + 1, quantity = quantity + 1",
        "UPDATE order_line SET by_channel = 1 - by_channel",
        "UPDATE order_line SET channel_line_id = 'another' WHERE id = (SELECT max(id) FROM order_line)",
    ],
)
def test_an_order_that_is_not_as_its_channel_has_it_is_found(spoilt: Spoilt, verdict: Verdict, change: str) -> None:
    spoilt.sql(change)

    assert look(spoilt, verdict) == {"orders.state"}


def test_a_parked_line_is_found(spoilt: Spoilt, verdict: Verdict) -> None:
    spoilt.sql("UPDATE order_line SET parked = 'quantity: it is not a number' WHERE id = 1")

    assert look(spoilt, verdict) == {"orders.parked"}


def test_while_it_storms_a_young_order_may_still_be_on_its_way(spoilt: Spoilt, verdict: Verdict) -> None:
    (name,) = spoilt.ask("SELECT name FROM sales_order WHERE id = 1")
    truth = spoilt.rest.truth
    (key,) = (key for key, order in truth.orders.items() if order.name == name)
    book = spoilt.book()
    del book.orders[key]
    for age_s, blamed in ((60, set()), (3600, {"orders.missing"})):
        now = truth.orders[key].updated_at + timedelta(seconds=age_s)
        found = Verdict()
        orders.every_order_took_effect_once(replace(truth, at=now), book, BOUNDS, found, rest=False)
        assert rules(found) == blamed


def test_news_that_were_made_unreadable_may_be_parked_and_no_others(spoilt: Spoilt, verdict: Verdict) -> None:
    book = spoilt.book()
    book.tallies = {("account:main-shop", "parked_events"): 2}
    happenings = Happenings()
    happenings.poisoned["main-shop"] = 2
    orders.nothing_is_parked(spoilt.rest.truth, book, happenings, verdict)
    assert verdict.findings == []

    book.tallies = {("account:main-shop", "parked_events"): 3}
    orders.nothing_is_parked(spoilt.rest.truth, book, happenings, verdict)

    assert rules(verdict) == {"orders.parked"}
