"""The way in: news is durable before it is acknowledged, lands in batches, and one bad apple never stops the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from structlog.testing import capture_logs

from adapters.contract import (
    AuthExpired,
    Ignored,
    ListingHint,
    Malformed,
    News,
    OrderHint,
    OrderNews,
    OrderState,
    Page,
    Problem,
    RawEvent,
    Transient,
)
from syncd.db.database import Database
from syncd.db.lease import Fenced, Lease, acquire
from syncd.db.types import from_micros
from syncd.orders import intake as intake_module
from syncd.orders.book import Incoming
from syncd.orders.hints import HINT_DELAY_S, TRIES_AFTER_S
from syncd.orders.inbox import HORIZON_TOPIC, Arrived, insert_arrived, load_new
from syncd.orders.intake import InboxWriter, Intake
from syncd.orders.poll import Poller
from syncd.orders.take_in import apply_batch
from syncd.reconcile.audit import audit
from tests.integration.conftest import ON_SQLITE
from tests.support.builders import NOW, Seller, a_line, a_seller, an_order
from tests.support.fake_channel import FakeChannel

GONE = OperationalError("SELECT", None, Exception("server closed the connection unexpectedly"))


class Watch:
    """The seller's time, moved by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Teller(FakeChannel):
    """A channel whose news a test writes: a body names what it means."""

    means: dict[str, News | Exception] = field(default_factory=dict)
    has: dict[str, OrderState] = field(default_factory=dict)
    fetched: list[tuple[str, ...]] = field(default_factory=list)
    pages: list[Page | Exception] = field(default_factory=list)
    asked_since: list[datetime] = field(default_factory=list)
    broken: Exception | None = None

    def resolve(self, event: RawEvent) -> News:
        found = self.means.get(event.body.decode(), Ignored(f"topic {event.topic}"))
        if isinstance(found, Exception):
            raise found
        return found

    def event(self, news: News | Exception, key: str | None = None, topic: str = "orders/updated") -> RawEvent:
        """An event that means `news`, under a key of its own."""
        key = key or f"event-{len(self.means)}"
        self.means[key] = news
        return RawEvent(key, topic, key.encode())

    async def fetch_orders(self, channel_order_ids: Sequence[str]) -> tuple[RawEvent, ...]:
        self.fetched.append(tuple(channel_order_ids))
        if self.broken is not None:
            raise self.broken
        return tuple(
            self.event(OrderNews(self.has[each]), f"fetch/{each}") for each in channel_order_ids if each in self.has
        )

    async def poll_orders(self, since: datetime) -> AsyncIterator[Page]:
        self.asked_since.append(since)
        for page in self.pages:
            if isinstance(page, Exception):
                raise page
            yield page


class Watched:
    """The database, with every call counted; `trouble` may raise before a call gets through."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.calls: list[str] = []
        self.trouble: Callable[..., None] = lambda *_: None
        self.gate: asyncio.Event | None = None

    async def transact(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.calls.append(function.__name__)
        if self.gate is not None:
            await self.gate.wait()
        self.trouble(function, *args)
        return await self._db.transact(function, *args, **kwargs)

    async def read(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await self._db.read(function, *args, **kwargs)


class Desk:
    """One account's way in, moved step by step."""

    def __init__(self, db: Database, stock: int = 100) -> None:
        self.seller: Seller = a_seller(db, {"RED-CLOCK": stock})
        self.account = self.seller.accounts["shop"]
        self.db = Watched(db)
        self.channel = Teller()
        self.clock = Watch()
        self.arrived = 0
        self.changed = 0
        self.lease = lease_of(db)
        self.inbox = InboxWriter(self.db, self.clock, self._arrived)
        views = {self.account.account_id: self.account}
        self.intake = Intake(self.db, {self.account.account_id: self.channel}, views, self.clock, self._changed)
        self.poller = Poller(
            self.account.account_id, "shop", self.channel, self.db, self.inbox, self.clock, lambda: self.lease
        )

    def _arrived(self) -> None:
        self.arrived += 1

    def _changed(self) -> None:
        self.changed += 1

    def row(self, event: RawEvent, way: str = "webhook") -> Arrived:
        return Arrived(self.account.account_id, event.event_key, event.topic, way, event.body)

    async def hears(self, *news: News | Exception, way: str = "webhook") -> None:
        """Let the channel tell this, durably in the inbox."""
        await self.inbox.add(*(self.row(self.channel.event(each), way) for each in news))

    async def takes_all_in(self) -> int:
        taken = 0
        while count := await self.intake.drain():
            taken += count
        return taken

    def states(self) -> list[str]:
        return [row["state"] for row in self.seller.rows("SELECT state FROM inbox ORDER BY id")]

    def horizon(self) -> datetime | None:
        found = self.seller.rows("SELECT horizon_at FROM cursor WHERE stream = 'orders'")
        return from_micros(found[0]["horizon_at"]) if found and found[0]["horizon_at"] is not None else None

    def must_read(self) -> bool:
        return bool(self.seller.rows("SELECT must_read FROM cell")[0]["must_read"])


def lease_of(db: Database) -> Lease:
    lease = db.transact_now(acquire, "account:shop", "this test", NOW)
    assert isinstance(lease, Lease)
    return lease


@pytest.fixture
def desk(db: Database) -> Desk:
    return Desk(db)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Nothing is printed: tracebacks with every variable take seconds."""
    with capture_logs():
        yield


def order_news(order_id: str, **more: Any) -> OrderNews:
    return OrderNews(an_order(order_id=order_id, **more))


def poison(order_id: str = "poison") -> OrderNews:
    """An order that no check of ours foresees and that the database refuses."""
    return OrderNews(an_order(replace(a_line(), quantity=-1), order_id=order_id))


def some_rows(desk: Desk, count: int, prefix: str = "row") -> list[Arrived]:
    return [desk.row(desk.channel.event(Ignored("nothing"), f"{prefix}-{n}")) for n in range(count)]


# --- the inbox ------------------------------------------------------------------------------------------------


async def test_news_that_comes_at_once_shares_few_commits(desk: Desk) -> None:
    await asyncio.gather(*(desk.inbox.add(each) for each in some_rows(desk, 200)))

    assert len(desk.db.calls) <= 2
    assert desk.states() == ["new"] * 200


async def test_what_gathers_while_a_commit_runs_is_the_next_one(desk: Desk) -> None:
    first, *others = some_rows(desk, 41)
    desk.db.gate = asyncio.Event()
    adding = [asyncio.create_task(desk.inbox.add(first))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert desk.db.calls == ["insert_arrived"]

    adding += [asyncio.create_task(desk.inbox.add(each)) for each in others]
    await asyncio.sleep(0)
    desk.db.gate.set()
    await asyncio.gather(*adding)

    assert desk.db.calls == ["insert_arrived"] * 2
    assert len(desk.states()) == 41


async def test_a_flood_goes_in_by_commits_of_bounded_size(desk: Desk) -> None:
    pages = [some_rows(desk, 250, f"page-{n}") for n in range(8)]

    await asyncio.gather(*(desk.inbox.add(*page) for page in pages))

    assert 2 <= len(desk.db.calls) <= 8
    assert len(desk.states()) == 2000


async def test_an_addition_returns_only_when_its_rows_are_durable(desk: Desk) -> None:
    await desk.inbox.add(*some_rows(desk, 3))

    assert desk.states() == ["new"] * 3
    assert desk.arrived == 1


async def test_nothing_to_add_is_no_commit(desk: Desk) -> None:
    await desk.inbox.add()

    assert (desk.db.calls, desk.arrived) == ([], 0)


async def test_a_caller_that_goes_away_harms_nobody_elses_rows(desk: Desk) -> None:
    rows = some_rows(desk, 5)
    desk.db.gate = asyncio.Event()
    adding = [asyncio.create_task(desk.inbox.add(row)) for row in rows]
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    adding[0].cancel()
    adding[3].cancel()
    desk.db.gate.set()
    done = await asyncio.gather(*adding, return_exceptions=True)

    assert [type(each) for each in done if each is not None] == [asyncio.CancelledError] * 2
    assert len(desk.states()) == 5, "what was handed over is written, whoever still waits for it"


async def test_an_error_reaches_everybody_whose_rows_were_not_written(desk: Desk) -> None:
    good = some_rows(desk, 3)
    orphan = replace(good[0], account_id=9999)

    done = await asyncio.gather(*(desk.inbox.add(row) for row in (*good, orphan)), return_exceptions=True)

    assert [type(each) for each in done] == [IntegrityError] * 4
    assert desk.states() == []
    assert desk.arrived == 0


async def test_an_addition_after_an_error_works(desk: Desk) -> None:
    rows = some_rows(desk, 2)
    with pytest.raises(IntegrityError):
        await desk.inbox.add(replace(rows[0], account_id=9999))

    await desk.inbox.add(*rows)

    assert desk.states() == ["new", "new"]


async def test_an_error_with_callers_gone_is_still_told_to_the_rest(desk: Desk) -> None:
    rows = [replace(row, account_id=9999) for row in some_rows(desk, 3)]
    desk.db.gate = asyncio.Event()
    adding = [asyncio.create_task(desk.inbox.add(row)) for row in rows]
    await asyncio.sleep(0)
    adding[1].cancel()
    desk.db.gate.set()

    done = await asyncio.gather(*adding, return_exceptions=True)

    assert [type(each) for each in done] == [IntegrityError, asyncio.CancelledError, IntegrityError]


async def test_nobody_waits_for_ever_when_everything_ends(desk: Desk) -> None:
    desk.db.gate = asyncio.Event()
    adding = [asyncio.create_task(desk.inbox.add(row)) for row in some_rows(desk, 600)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    (committing,) = [task for task in asyncio.all_tasks() if task.get_name() == "inbox"]
    committing.cancel()

    async with asyncio.timeout(30.0):
        done = await asyncio.gather(*adding, return_exceptions=True)
    assert {type(each) for each in done} == {asyncio.CancelledError}


async def test_news_with_a_key_we_know_is_stored_once(desk: Desk) -> None:
    first, second, third = some_rows(desk, 3)

    await desk.inbox.add(first, second, first)
    await desk.inbox.add(second, third)

    assert len(desk.states()) == 3


async def test_the_same_key_says_nothing_across_accounts(db: Database) -> None:
    seller = a_seller(db, accounts=("shop", "outlet"))
    both = [
        Arrived(seller.accounts[key].account_id, "event-1", "orders/create", "webhook", b"{}")
        for key in ("shop", "outlet")
    ]

    assert db.transact_now(insert_arrived, both, NOW) == 2
    assert db.transact_now(insert_arrived, both, NOW) == 0


def test_a_body_comes_back_byte_for_byte(db: Database) -> None:
    seller = a_seller(db)
    body = bytes(range(256)) * 3

    db.transact_now(
        insert_arrived, [Arrived(seller.accounts["shop"].account_id, "k", "ünï 'topic' %s ?", "poll", body)], NOW
    )

    (found,) = db.read_now(load_new, 10)
    assert (found.body, found.topic, found.way) == (body, "ünï 'topic' %s ?", "poll")


# --- taking in ------------------------------------------------------------------------------------------------


async def test_an_order_is_taken_into_the_book(desk: Desk) -> None:
    await desk.hears(order_news("1001", quantity=2))

    assert await desk.intake.drain() == 1
    assert await desk.intake.drain() == 0

    assert desk.states() == ["applied"]
    assert desk.seller.level().reserved == 2
    assert desk.changed == 1, "an empty round wakes nobody"


async def test_a_batch_of_orders_is_one_transaction(desk: Desk) -> None:
    await desk.hears(*(order_news(str(n)) for n in range(50)))
    desk.db.calls.clear()

    assert await desk.intake.drain() == 50

    assert desk.db.calls == ["apply_batch"]
    assert desk.seller.level().reserved == 50


async def test_news_without_effect_is_settled_with_its_reason(desk: Desk) -> None:
    await desk.hears(Ignored("a test webhook"))

    await desk.intake.drain()

    (row,) = desk.seller.rows("SELECT state, reason FROM inbox")
    assert (row["state"], row["reason"]) == ("ignored", "a test webhook")


async def test_a_poison_order_is_parked_and_told_while_all_others_land(desk: Desk) -> None:
    orders = [poison() if n == 37 else order_news(str(n)) for n in range(64)]
    await desk.hears(*orders)
    desk.db.calls.clear()

    with capture_logs() as logs:
        assert await desk.intake.drain() == 64

    assert desk.states() == ["parked" if n == 37 else "applied" for n in range(64)]
    assert desk.seller.level().reserved == 63
    assert desk.db.calls.count("apply_batch") == 13, "found by halving: two tries for each of six halvings, and one"
    assert desk.seller.open_alerts() == ["parked_event"]
    (alert,) = desk.seller.rows("SELECT message FROM alert")
    assert "shop" in alert["message"]
    assert "IntegrityError" in alert["message"]
    (told,) = [line for line in logs if line["log_level"] == "error"]
    assert (told["event"], told["channel_order_id"], told["account"]) == ("order.parked", "poison", "shop")


async def test_several_poison_orders_are_parked_one_by_one(desk: Desk) -> None:
    bad = {0, 1, 31, 63}
    await desk.hears(*(poison(f"poison-{n}") if n in bad else order_news(str(n)) for n in range(64)))

    await desk.takes_all_in()

    assert [n for n, state in enumerate(desk.states()) if state == "parked"] == sorted(bad)
    assert desk.seller.level().reserved == 60
    assert desk.seller.open_alerts() == ["parked_event"] * 4
    (total,) = desk.seller.rows("SELECT n FROM tally WHERE name = 'parked_events'")
    assert total["n"] == 4


async def test_a_parked_order_is_not_tried_again_and_its_next_state_is_taken_in(desk: Desk) -> None:
    await desk.hears(poison("1001"))
    await desk.takes_all_in()
    desk.db.calls.clear()

    assert await desk.intake.drain() == 0
    await desk.hears(order_news("1001", quantity=3, minute=1))
    await desk.takes_all_in()

    assert desk.states() == ["parked", "applied"]
    assert desk.seller.level().reserved == 3


async def test_what_fails_while_it_is_read_is_parked_too(desk: Desk) -> None:
    await desk.hears(order_news("1"), RuntimeError("a bug in an adapter"), order_news("2"))

    with capture_logs() as logs:
        await desk.takes_all_in()

    assert desk.states() == ["applied", "parked", "applied"]
    assert desk.seller.open_alerts() == ["parked_event"]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["event.parked"]


async def test_news_that_cannot_be_read_is_parked_and_told(desk: Desk) -> None:
    await desk.hears(Malformed(Problem("line_items", "is missing")), order_news("1001"))

    await desk.takes_all_in()

    assert desk.states() == ["parked", "applied"]
    (alert,) = desk.seller.rows("SELECT message, impact FROM alert")
    assert "(orders/updated) of shop cannot be read: line_items: is missing" in alert["message"]


async def test_news_of_an_account_no_longer_configured_is_kept_and_told(desk: Desk) -> None:
    retired = Intake(desk.db, {}, {}, desk.clock, lambda: None)
    await desk.hears(order_news("1001"))

    await retired.drain()

    assert desk.states() == ["parked"]
    (alert,) = desk.seller.rows("SELECT message FROM alert")
    assert "no longer in the configuration" in alert["message"]


async def test_trouble_with_the_database_leaves_everything_as_it_was(desk: Desk) -> None:
    await desk.hears(*(order_news(str(n)) for n in range(8)))

    def down(function: Callable[..., Any], *_: Any) -> None:
        if function is apply_batch:
            raise GONE

    desk.db.trouble = down
    with pytest.raises(OperationalError):
        await desk.intake.drain()
    assert desk.states() == ["new"] * 8
    assert desk.seller.open_alerts() == []
    assert desk.db.calls.count("apply_batch") == 1, "no order is to blame, so none is looked for"

    desk.db.trouble = lambda *_: None
    assert await desk.takes_all_in() == 8
    assert desk.seller.level().reserved == 8


async def test_trouble_in_the_middle_of_a_search_keeps_what_has_landed(desk: Desk) -> None:
    await desk.hears(*(order_news(str(n)) for n in range(7)), poison())

    def down_when_parking(function: Callable[..., Any], *_: Any) -> None:
        if function.__name__ == "park_row":
            raise GONE

    desk.db.trouble = down_when_parking
    with pytest.raises(OperationalError):
        await desk.intake.drain()
    assert desk.states() == ["applied"] * 7 + ["new"]

    desk.db.trouble = lambda *_: None
    await desk.takes_all_in()
    assert desk.states() == ["applied"] * 7 + ["parked"]
    assert desk.seller.level().reserved == 7


async def test_a_crash_between_commit_and_answer_applies_nothing_twice(desk: Desk) -> None:
    await desk.hears(order_news("1001", quantity=2))
    (row,) = await desk.db.read(load_new, 10)

    incoming = Incoming(desk.account.account_id, row.inbox_id, row.way, "digest", an_order(order_id="1001", quantity=2))
    views = {desk.account.account_id: desk.account}
    for _ in range(2):
        await desk.db.transact(apply_batch, (incoming,), views, NOW)

    assert desk.seller.level().reserved == 2


async def test_two_states_of_one_second_a_webhook_is_ignored_and_a_poll_believed(desk: Desk) -> None:
    await desk.hears(order_news("1001", quantity=1))
    await desk.takes_all_in()

    await desk.hears(order_news("1001", quantity=4), way="webhook")
    await desk.takes_all_in()
    after_webhook = desk.seller.level().reserved
    await desk.hears(order_news("1001", quantity=2), way="poll")
    await desk.takes_all_in()
    after_poll = desk.seller.level().reserved
    await desk.hears(order_news("1001", quantity=3), way="fetch")
    await desk.takes_all_in()

    assert (after_webhook, after_poll, desk.seller.level().reserved) == (1, 2, 3)
    assert desk.states() == ["applied", "ignored", "applied", "applied"]


async def test_the_same_state_by_poll_and_webhook_is_applied_once(desk: Desk) -> None:
    await desk.hears(order_news("1001", quantity=2), way="webhook")
    await desk.hears(order_news("1001", quantity=2), way="poll")

    await desk.takes_all_in()

    assert desk.seller.level().reserved == 2
    assert desk.seller.order()["applications"] == 1


async def test_an_older_state_that_comes_last_changes_nothing(desk: Desk) -> None:
    await desk.hears(order_news("1001", quantity=3, minute=5))
    await desk.hears(order_news("1001", quantity=1, minute=1), way="poll")

    await desk.takes_all_in()

    assert desk.seller.level().reserved == 3


async def test_an_oversold_order_is_told_after_its_commit(db: Database) -> None:
    desk = Desk(db, stock=1)
    await desk.hears(order_news("1001", quantity=3))

    with capture_logs() as logs:
        await desk.takes_all_in()

    (told,) = [line for line in logs if line["event"] == "order.oversold"]
    assert (told["account"], told["channel_order_id"], told["units"]) == ("shop", "1001", 2)
    assert desk.seller.open_alerts() == ["oversold"]


async def test_after_all_that_the_book_is_right(desk: Desk, db: Database) -> None:
    await desk.hears(*(order_news(str(n), quantity=n % 3) for n in range(20)), poison(), order_news("3", minute=2))
    await desk.hears(*(order_news(str(n), quantity=1, minute=3) for n in range(0, 20, 2)), way="poll")

    await desk.takes_all_in()

    assert audit(db).violations == ()


# --- the horizon ----------------------------------------------------------------------------------------------


async def test_a_poll_certifies_only_once_its_orders_are_in_the_book(desk: Desk) -> None:
    desk.channel.pages = [Page((desk.channel.event(order_news("1001")),), None)]

    await desk.poller.poll(desk._arrived)
    before = desk.horizon()
    await desk.takes_all_in()

    assert (before, desk.horizon()) == (None, NOW)
    assert desk.seller.level().reserved == 1
    assert desk.states() == ["applied", "applied"]


async def test_the_marker_waits_for_every_batch_before_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "BATCH", 4)
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


# --- hints ----------------------------------------------------------------------------------------------------


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
