"""A poll certifies only what is in the book."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from adapters.contract import AuthExpired, Page, Transient
from syncd.db.database import Database
from syncd.db.lease import Fenced
from syncd.orders import batch_size
from syncd.orders.inbox import HORIZON_TOPIC, Arrived
from syncd.orders.take_in import apply_batch
from tests.integration.intake.desk import GONE, Desk, lease_of, order_news
from tests.support.builders import NOW


async def test_a_poll_certifies_only_once_its_orders_are_in_the_book(desk: Desk) -> None:
    desk.channel.pages = [Page((desk.channel.event(order_news("1001")),), None)]

    await desk.poller.poll(desk._arrived)
    before = desk.horizon()
    await desk.takes_all_in()

    assert (before, desk.horizon()) == (None, NOW)
    assert desk.seller.level().reserved == 1
    assert desk.states() == ["applied", "applied"]


async def test_the_marker_waits_for_every_batch_before_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_size, "MOST", 4)
    monkeypatch.setattr(batch_size, "_LEAST", 4)
    orders = [desk.channel.event(order_news(str(n))) for n in range(9)]
    desk.channel.pages = [Page(tuple(orders[:5]), "more"), Page(tuple(orders[5:]), None)]
    await desk.poller.poll(desk._arrived)

    seen = []
    while await desk.intake.drain():
        seen.append((desk.seller.level().reserved, desk.horizon()))

    assert seen == [(4, None), (8, None), (9, NOW)]


async def test_the_marker_waits_while_its_orders_cannot_be_written(desk: Desk) -> None:
    desk.channel.pages = [Page((desk.channel.event(order_news("1001")),), None)]
    await desk.poller.poll(desk._arrived)

    def down(function: Callable[..., Any], *_: Any) -> None:
        if function is apply_batch:
            raise GONE

    desk.db.trouble = down
    with pytest.raises(OperationalError):
        await desk.intake.drain()

    assert desk.horizon() is None
    assert desk.states() == ["new", "new"]


async def test_the_newest_of_several_markers_counts(desk: Desk) -> None:
    for _ in range(3):
        await desk.poller.poll(desk._arrived)
        desk.clock.at += timedelta(minutes=1)

    await desk.takes_all_in()

    assert desk.horizon() == NOW + timedelta(minutes=2)


async def test_a_poll_that_breaks_off_certifies_nothing_and_is_repeated_whole(desk: Desk) -> None:
    first = desk.channel.event(order_news("1001"))
    desk.channel.pages = [Page((first,), "more"), Transient("connection reset")]

    await desk.poller.poll(desk._arrived)
    await desk.takes_all_in()

    assert desk.horizon() is None
    assert desk.seller.level().reserved == 1, "what came is taken in all the same"
    assert desk.seller.open_alerts() == ["channel_down"]

    desk.channel.pages = [Page((first, desk.channel.event(order_news("1002"))), None)]
    desk.clock.at += timedelta(minutes=1)
    await desk.poller.poll(desk._arrived)
    await desk.takes_all_in()

    assert desk.channel.asked_since[0] < NOW - timedelta(days=59)
    assert NOW - desk.channel.asked_since[1] > timedelta(days=59), "from where the broken one began"
    assert desk.horizon() == NOW + timedelta(minutes=1)
    assert (desk.seller.level().reserved, desk.seller.open_alerts()) == (2, [])


async def test_the_next_poll_begins_where_the_last_complete_one_did(desk: Desk) -> None:
    await desk.poller.poll(desk._arrived)
    desk.clock.at += timedelta(minutes=1)

    await desk.poller.poll(desk._arrived)

    assert desk.channel.asked_since[1] == NOW - timedelta(seconds=desk.channel.traits.poll_overlap_s)


async def test_refused_credentials_have_an_alert_of_their_own(desk: Desk) -> None:
    desk.channel.pages = [AuthExpired("the app was uninstalled")]

    await desk.poller.poll(desk._arrived)

    assert desk.seller.open_alerts() == ["auth_expired"]


async def test_a_process_that_lost_its_lease_finishes_no_poll(desk: Desk, db: Database) -> None:
    lease_of(db)

    with pytest.raises(Fenced):
        await desk.poller.poll(desk._arrived)

    assert desk.seller.rows("SELECT * FROM cursor") == []


async def test_only_our_own_marker_moves_the_horizon(desk: Desk) -> None:
    """A topic is a header, which no signature covers."""
    await desk.poller.poll(desk._arrived)
    await desk.takes_all_in()
    for body in (b"9999999999999999", b'{"order": 1001}'):
        await desk.inbox.add(Arrived(desk.account.account_id, body.hex(), HORIZON_TOPIC, "webhook", body))

    await desk.takes_all_in()

    assert desk.horizon() == NOW
    assert desk.states() == ["applied", "ignored", "ignored"]
