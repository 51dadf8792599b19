"""What is only hinted at is fetched together, and read only when nothing explains it."""

from __future__ import annotations

import pytest

from adapters.contract import ListingHint, OrderHint, OrderNews, Page, Transient
from syncd.orders.hints import HINT_DELAY_S, TRIES_AFTER_S
from tests.integration.conftest import ON_SQLITE
from tests.integration.intake.desk import Desk, order_news
from tests.support.builders import an_order


async def test_hinted_orders_are_fetched_together_and_once_each(desk: Desk) -> None:
    desk.channel.has = {each: an_order(order_id=each) for each in ("1001", "1002", "1003")}
    await desk.hears(*(OrderHint(each) for each in ("1003", "1001", "1002", "1001")))
    await desk.takes_all_in()
    assert desk.states() == ["hinted"] * 4

    await desk.poller.look_up_hints(desk._arrived)
    await desk.takes_all_in()

    assert desk.channel.fetched == [("1001", "1002", "1003")]
    assert desk.states() == ["applied"] * 7
    assert {row["way"] for row in desk.seller.rows("SELECT way FROM inbox WHERE id > 4")} == {"fetch"}
    assert desk.seller.level().reserved == 3

    await desk.poller.look_up_hints(desk._arrived)
    assert len(desk.channel.fetched) == 1, "what was looked up is not looked up again"


async def test_hints_wait_while_the_channel_cannot_be_asked(desk: Desk) -> None:
    desk.channel.has = {"1001": an_order()}
    desk.channel.broken = Transient("maintenance")
    await desk.hears(OrderHint("1001"))
    await desk.takes_all_in()

    await desk.poller.look_up_hints(desk._arrived)
    assert (desk.states(), desk.seller.open_alerts()) == (["hinted"], ["channel_down"])

    desk.channel.broken = None
    asked = len(desk.channel.fetched)
    await desk.poller.look_up_hints(desk._arrived)
    assert len(desk.channel.fetched) == asked, "after a failure it is not asked again at once"
    await desk.clock.sleep(3.0)
    await desk.poller.look_up_hints(desk._arrived)
    await desk.takes_all_in()
    assert desk.seller.level().reserved == 1


async def test_an_order_the_channel_does_not_know_yet_is_asked_for_again_and_then_given_up(desk: Desk) -> None:
    await desk.hears(OrderHint("1001"), OrderHint("1002"))
    await desk.takes_all_in()
    for _ in range(3):  # at once, and not again within seconds
        await desk.poller.look_up_hints(desk._arrived)
    assert len(desk.channel.fetched) == 1

    desk.channel.has = {"1001": an_order(order_id="1001")}
    for _ in range(40):
        await desk.clock.sleep(30.0)
        await desk.poller.look_up_hints(desk._arrived)
        await desk.takes_all_in()

    assert desk.seller.level().reserved == 1
    assert [row["state"] for row in desk.seller.rows("SELECT state FROM inbox ORDER BY id")][:2] == [
        "applied",
        "ignored",
    ]
    assert len(desk.channel.fetched) == len(TRIES_AFTER_S)


async def test_an_order_listed_after_every_overlap_is_found_by_the_wide_sweep(desk: Desk) -> None:
    await desk.poller.poll(desk._arrived)
    await desk.takes_all_in()
    assert not await desk.poller.sweep(3600.0, 86_400.0, desk._arrived), "the first poll reached back further"
    horizon = desk.horizon()
    await desk.clock.sleep(1800.0)
    assert not await desk.poller.sweep(3600.0, 86_400.0, desk._arrived), "it is not due yet"

    desk.channel.pages = [Page((desk.channel.event(OrderNews(an_order(order_id="1001"))),), None)]
    await desk.clock.sleep(1801.0)
    assert await desk.poller.sweep(3600.0, 86_400.0, desk._arrived)
    await desk.takes_all_in()

    assert desk.seller.level().reserved == 1
    assert desk.horizon() == horizon, "a sweep proves nothing about what came since"


def number(quantity: int | None) -> ListingHint:
    return ListingHint("RED-CLOCK", "main", quantity)


async def test_a_hinted_number_is_weighed_only_after_its_order_had_time_to_come(desk: Desk) -> None:
    await desk.hears(number(99))
    await desk.takes_all_in()

    await desk.clock.sleep(HINT_DELAY_S - 0.1)
    await desk.poller.look_up_hints(desk._arrived)
    assert (desk.states(), desk.must_read()) == (["hinted"], False)

    await desk.clock.sleep(0.1)
    await desk.poller.look_up_hints(desk._arrived)
    assert (desk.states(), desk.must_read()) == (["applied"], True)


async def test_a_number_that_an_order_explains_meanwhile_is_not_read(desk: Desk) -> None:
    await desk.hears(number(99))
    await desk.takes_all_in()
    await desk.clock.sleep(HINT_DELAY_S / 2)
    await desk.hears(order_news("1001", quantity=1))
    await desk.takes_all_in()

    await desk.clock.sleep(HINT_DELAY_S)
    await desk.poller.look_up_hints(desk._arrived)

    assert (desk.states(), desk.must_read()) == (["applied", "applied"], False)


@pytest.mark.parametrize(
    ("quantity", "read"), [(100, False), (7, False), (99, True), (101, True), (0, True), (None, True)]
)
@ON_SQLITE
async def test_only_a_number_that_nothing_explains_is_read(desk: Desk, quantity: int | None, read: bool) -> None:
    desk.seller.does("UPDATE cell SET in_flight_value = 7")
    await desk.hears(number(quantity))
    await desk.takes_all_in()

    await desk.clock.sleep(HINT_DELAY_S)
    await desk.poller.look_up_hints(desk._arrived)

    assert desk.must_read() is read


@pytest.mark.parametrize("told", [(42, 100), (100, 42)])
async def test_of_several_numbers_of_a_listing_each_must_be_explained_for_news_overtake_each_other(
    desk: Desk, told: tuple[int, int]
) -> None:
    await desk.hears(*map(number, told))
    await desk.takes_all_in()

    await desk.clock.sleep(HINT_DELAY_S)
    await desk.poller.look_up_hints(desk._arrived)

    assert (desk.states(), desk.must_read()) == (["applied", "applied"], True)


async def test_numbers_passed_through_on_the_way_to_the_expected_one_are_not_read(desk: Desk) -> None:
    await desk.hears(order_news("1001", quantity=3), number(99), number(97), number(98))
    await desk.takes_all_in()

    await desk.clock.sleep(HINT_DELAY_S)
    await desk.poller.look_up_hints(desk._arrived)

    assert (set(desk.states()), desk.must_read()) == ({"applied"}, False)


async def test_a_number_of_a_listing_we_do_not_have_is_settled(desk: Desk) -> None:
    await desk.hears(ListingHint("SOMEBODY-ELSES", "main", 3))
    await desk.takes_all_in()

    await desk.clock.sleep(HINT_DELAY_S)
    await desk.poller.look_up_hints(desk._arrived)

    assert (desk.states(), desk.must_read()) == (["applied"], False)
