"""From open alerts to messages that arrive, on both engines, with a real receiver on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from itertools import count
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import text

from syncd.accounts.pause import pause_account
from syncd.accounts.store import AccountSetup, Identities, WarehouseSetup, sync_parties
from syncd.alerts.compose import Voice
from syncd.alerts.courier import BROKEN_AFTER_S, Courier, CourierTools
from syncd.alerts.digest import DailyReport
from syncd.alerts.gathering import SEVERE_NEWS_S
from syncd.alerts.kinds import Severity
from syncd.alerts.messenger import LEASE, Messenger, Plan
from syncd.alerts.overdue import Known
from syncd.alerts.senders.slack import Slack
from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.alerts.tell import RouteRule
from syncd.alerts.upkeep import Upkeep
from syncd.chance import SeededRng
from syncd.db.database import Database
from syncd.db.lease import Fenced, Lease, acquire
from syncd.insight.store import add_lags, add_tallies
from tests.support.builders import NOW

ACCOUNTS = tuple(AccountSetup(key, "shopify", "priority", 0, None, ("own",)) for key in ("shop", "outlet"))
WAREHOUSES = (WarehouseSetup("own", "Back room", "own", "DE", "20095", "UTC"),)
SEEDS = count(1)
PLAIN = Voice("en", "UTC", "https://stock.example.com/status")


@dataclass
class Chat:
    """A chat service: keeps what it was sent, and answers as it is told."""

    posts: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    address: str = ""

    async def take(self, request: web.Request) -> web.Response:
        if self.status == 200:
            self.posts.append(msgspec.json.decode(await request.read()))
            return web.Response(text="ok")
        return web.Response(status=self.status, headers=self.headers, text="no")

    @property
    def titles(self) -> list[str]:
        return [post["blocks"][0]["text"]["text"] for post in self.posts]

    def words(self, number: int = -1) -> str:
        return str(msgspec.json.encode(self.posts[number]["blocks"]).decode())


@dataclass
class Time:
    """The seller's and the real time, which a test moves together."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
async def chats() -> AsyncIterator[list[Chat]]:
    """Two chat services on loopback."""
    found, servers = [Chat(), Chat()], []
    for chat in found:
        app = web.Application()
        app.router.add_post("/hook", chat.take)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        chat.address = str(server.make_url("/hook"))
    yield found
    for server in servers:
        await server.close()


@pytest.fixture
def ids(db: Database) -> Identities:
    return db.transact_now(sync_parties, ACCOUNTS, WAREHOUSES, NOW - timedelta(days=3))


@dataclass
class Office:
    """A messenger at work on one database, whose time stands still unless it is moved."""

    db: Database
    time: Time
    messenger: Messenger
    ids: Identities
    upkeep: Upkeep

    def opens(self, *alerts: Alert) -> None:
        self.db.transact_now(open_alerts, alerts, self.time.at)

    def closes(self, *keys: str) -> None:
        self.db.transact_now(close_alerts, keys, self.time.at)

    async def works_for(self, seconds: float, every_s: float = 1.0) -> None:
        end = self.time.at + timedelta(seconds=seconds)
        while self.time.at < end:
            await self.works_once()
            self.time.at += timedelta(seconds=every_s)

    async def works_once(self) -> None:
        while await self.messenger.step():
            continue
        for courier in self.messenger.couriers:
            while await courier.step():
                continue

    def rows(self, query: str, **values: Any) -> list[Any]:
        return list(self.db.read_now(lambda connection: connection.execute(text(query), values).all()))

    def oversold(self, number: int, units: int = 1, account: str = "shop") -> Alert:
        account_id = self.ids.accounts[account]
        key = f"oversold:{account_id}:{number}"
        return Alert(key, "oversold", f"{units} units", "", account_id, subject=f"#{number}", units=units, orders=1)

    def unmapped(self, number: int, account: str = "shop") -> Alert:
        account_id = self.ids.accounts[account]
        key = f"unmapped:{account_id}:{number}:1"
        return Alert(key, "unmapped", "1 unit", "", account_id, subject=f"SKU-{number}", units=1, orders=1)

    def down(self, account: str = "shop") -> Alert:
        account_id = self.ids.accounts[account]
        return Alert(
            f"channel_down:{account_id}", "channel_down", "", "", account_id, subject=account, detail="HTTP 503"
        )


def a_rule(
    name: str, *, at_least: Severity = Severity.INFO, facts: Sequence[str] = (), voice: Voice = PLAIN
) -> RouteRule:
    return RouteRule(name, at_least, frozenset(facts), voice)


def an_office(
    db: Database,
    ids: Identities,
    chats: Sequence[Chat],
    rules: Sequence[RouteRule],
    *,
    fallback: dict[str, str] | None = None,
    digest_at: time | None = None,
    configured: frozenset[str] | None = None,
    at: datetime = NOW,
    holder: str = "one",
) -> Office:
    moment = Time(at)
    lease: Lease = db.transact_now(acquire, LEASE, holder, NOW, 10**9)  # type: ignore[assignment]
    tools = CourierTools(db, lambda: lease, moment, SeededRng(next(SEEDS), holder), moment.now)
    couriers = [
        Courier(rule.name, Slack(chat.address), tools, (fallback or {}).get(rule.name))
        for rule, chat in zip(rules, chats, strict=False)
    ]
    known = Known(
        frozenset(rule.name for rule in rules), frozenset(), frozenset(ids.accounts.values()), frozenset((1,))
    )
    upkeep = Upkeep(db, moment, lambda: lease, moment.now, known)
    daily = None if digest_at is None else DailyReport(digest_at, "UTC", configured or frozenset(ids.accounts))
    return Office(db, moment, Messenger(Plan(tuple(rules), (), daily), couriers, tools), ids, upkeep)


Opened = Callable[..., Office]


@pytest.fixture
async def opened(db: Database, ids: Identities, chats: list[Chat]) -> AsyncIterator[Opened]:
    """Makes offices on one database, and closes them at the end."""
    made: list[Office] = []

    def make(rules: Sequence[RouteRule], **more: Any) -> Office:
        made.append(an_office(db, ids, chats, rules, **more))
        return made[-1]

    yield make
    for office in made:
        await office.messenger.close()


@pytest.fixture
def office(opened: Opened) -> Office:
    return opened([a_rule("ops")])


async def test_an_alert_is_told_once_and_once_more_when_it_is_over(office: Office, chats: list[Chat]) -> None:
    office.opens(office.down())
    await office.works_for(60)

    assert chats[0].titles == ["🔴 Account failing · shop"]
    assert "HTTP 503" in chats[0].words()
    assert "docs/runbook.md#channel_down" in chats[0].words()

    office.closes(office.down().key)
    await office.works_for(60)

    assert chats[0].titles[1:] == ["✅ Recovered: Account failing · shop"]
    await office.works_for(600, every_s=20)
    assert len(chats[0].posts) == 2


async def test_severe_alerts_are_told_within_seconds_and_others_are_collected(
    office: Office, chats: list[Chat]
) -> None:
    for number in range(30):
        office.opens(office.unmapped(number))
    office.opens(office.oversold(1, units=3))

    await office.works_for(5)
    assert chats[0].titles == ["🔴 Oversold · shop"]
    assert "1 order, 3 units" in chats[0].words()
    assert "#1: 3 units" in chats[0].words()

    office.opens(office.unmapped(99))
    await office.works_for(40)

    assert chats[0].titles[1:] == ["🟠 Sold without a SKU · shop"]
    assert "31 orders, 31 units" in chats[0].words()
    assert "and 26 more" in chats[0].words()


async def test_what_is_over_before_it_is_told_gets_no_message(office: Office, chats: list[Chat]) -> None:
    office.opens(office.unmapped(1))
    await office.works_for(10)
    office.closes(office.unmapped(1).key)
    await office.works_for(200, every_s=5)

    assert chats[0].posts == []


async def test_more_of_the_same_is_told_later_and_only_what_is_new(office: Office, chats: list[Chat]) -> None:
    office.opens(office.oversold(1))
    await office.works_for(10)
    office.opens(office.oversold(2, units=5), office.oversold(3))
    await office.works_for(40, every_s=5)
    assert len(chats[0].posts) == 1

    await office.works_for(30, every_s=5)

    assert chats[0].titles[1:] == ["🔴 Oversold · shop: 2 more"]
    assert "2 orders, 6 units" in chats[0].words()
    assert "#1:" not in chats[0].words()
    office.closes(*(office.oversold(n).key for n in (1, 2, 3)))
    await office.works_for(60)
    assert chats[0].titles[2:] == ["✅ Recovered: Oversold · shop"]


async def test_more_of_what_can_wait_is_told_after_five_minutes(office: Office, chats: list[Chat]) -> None:
    office.opens(office.unmapped(1))
    await office.works_for(40, every_s=5)
    office.opens(office.unmapped(2))
    await office.works_for(120, every_s=5)
    assert chats[0].titles == ["🟠 Sold without a SKU · shop"]

    await office.works_for(240, every_s=5)

    assert chats[0].titles[1:] == ["🟠 Sold without a SKU · shop: 1 more"]


async def test_flapping_is_damped(office: Office, chats: list[Chat]) -> None:
    """An account that fails and recovers every minute for two hours."""
    for _ in range(60):
        office.opens(office.down())
        await office.works_for(60, every_s=5)
        office.closes(office.down().key)
        await office.works_for(60, every_s=5)

    told = len(chats[0].posts)
    assert 2 <= told <= 14, chats[0].titles
    assert any("again, time" in title for title in chats[0].titles)
    await office.works_for(3600, every_s=30)
    assert chats[0].titles[-1].startswith("✅"), "the last word is that it is well"


async def seconds_until(office: Office, chats: list[Chat], words: str) -> float:
    """How long people wait until a message says so."""
    begun = office.time.at
    while not any(words in chats[0].words(n) for n in range(len(chats[0].posts))):
        assert office.time.at - begun < timedelta(hours=2), f"nobody was told of {words}"
        await office.works_for(1)
    return (office.time.at - begun).total_seconds()


async def test_a_new_oversell_is_told_within_a_minute_however_often_there_were_others(
    office: Office, chats: list[Chat]
) -> None:
    for number in range(10):
        office.opens(office.oversold(number))
        await office.works_for(180, every_s=3)

    office.opens(office.oversold(77, units=7))

    assert await seconds_until(office, chats, "#77: 7 units") <= SEVERE_NEWS_S + 5


async def test_a_new_oversell_is_told_within_a_minute_also_where_an_old_one_comes_and_goes(
    office: Office, chats: list[Chat]
) -> None:
    for _ in range(20):
        office.opens(office.oversold(1))
        await office.works_for(60, every_s=3)
        office.closes(office.oversold(1).key)
        await office.works_for(60, every_s=3)
    told = len(chats[0].posts)
    assert told <= 12, "what people know already is damped"

    office.opens(office.oversold(1), office.oversold(77, units=7))

    assert await seconds_until(office, chats, "#77: 7 units") <= SEVERE_NEWS_S + 5


async def test_a_new_oversell_in_a_storm_is_told_within_a_minute(office: Office, chats: list[Chat]) -> None:
    storm, _ = a_storm(office)
    office.opens(*storm)
    await office.works_for(100)

    office.opens(office.oversold(77, units=7))

    assert await seconds_until(office, chats, "#77: 7 units") <= SEVERE_NEWS_S + 5
    assert len(chats[0].posts) <= 10


async def test_a_route_hears_only_what_it_wants_and_in_its_language(opened: Opened, chats: list[Chat]) -> None:
    zh = replace(PLAIN, language="zh", time_zone="Asia/Shanghai")
    rules = [a_rule("boss", at_least=Severity.CRITICAL), a_rule("仓", facts=["unmapped"], voice=zh)]
    office = opened(rules)

    office.opens(office.unmapped(1), office.oversold(1), office.down())
    await office.works_for(60)

    assert sorted(chats[0].titles) == ["🔴 Account failing · shop", "🔴 Oversold · shop"]
    assert chats[1].titles == ["🟠 售出的商品没有对应 SKU · shop"]
    assert "2026-11-27 18:00 CST" in chats[1].words()
    assert "1 个订单，1 件" in chats[1].words()


# --- a storm --------------------------------------------------------------------------------------------------


def a_storm(office: Office) -> tuple[list[Alert], list[str]]:
    """10,000 causes of many kinds, and the subjects of those that are severe."""
    severe = [office.oversold(n, 1 + n % 3, ("shop", "outlet")[n % 2]) for n in range(90_000, 90_040)]
    severe += [office.down("shop"), office.down("outlet")]
    kinds = ("unmapped", "parked_line", "parked_event", "order_in_review", "listing_refused", "shipment_refused")
    lesser = [
        Alert(
            f"{kinds[n % 6]}:{ids}:{n}",
            kinds[n % 6],
            "",
            "",
            ids,
            warehouse_id=office.ids.warehouses["own"] if kinds[n % 6] == "shipment_refused" else None,
            subject=f"#{n}",
            units=1,
            orders=1,
        )
        for n in range(10_000 - len(severe))
        for ids in [list(office.ids.accounts.values())[n % 2]]
    ]
    storm = [*lesser[:6000], *severe, *lesser[6000:]]
    return storm, [each.subject for each in severe if each.kind == "oversold"]


@pytest.mark.parametrize("over_s", [0, 90])
async def test_ten_thousand_causes_make_few_messages_and_lose_no_severe_one(
    office: Office, chats: list[Chat], over_s: int
) -> None:
    storm, severe = a_storm(office)
    assert len(storm) == 10_000
    for at in range(0, len(storm), 250):
        office.opens(*storm[at : at + 250])
        await office.works_for(over_s / 40, every_s=1.0)

    await office.works_for(270 - over_s)

    assert 2 <= len(chats[0].posts) <= 10
    words = "".join(chats[0].words(n) for n in range(len(chats[0].posts)))
    assert [subject for subject in severe if f"{subject}:" not in words] == []
    for account in ("shop", "outlet"):
        assert f"Account failing · {account}" in words
    assert office.rows("SELECT count(*) FROM alert WHERE incident_id IS NULL")[0][0] == 0
    await office.works_for(600, every_s=3)
    assert office.rows("SELECT count(*) FROM alert WHERE told_at IS NULL")[0][0] == 0
    assert len(chats[0].posts) <= 10


async def test_a_storm_that_passes_is_over_in_few_messages(office: Office, chats: list[Chat]) -> None:
    storm, _ = a_storm(office)
    office.opens(*storm)
    await office.works_for(400, every_s=5)
    before = len(chats[0].posts)

    office.closes(*(each.key for each in storm))
    await office.works_for(600, every_s=5)

    assert 1 <= len(chats[0].posts) - before <= 4
    assert office.rows("SELECT count(*) FROM incident WHERE closed_at IS NULL")[0][0] == 0


# --- chat services that fail ---------------------------------------------------------------------------------


@pytest.fixture
def two(opened: Opened) -> Office:
    """Two routes: the second hears of the disk alone, and takes over for the first."""
    return opened([a_rule("ops"), a_rule("mail", facts=["disk_low"])], fallback={"ops": "mail"})


async def test_a_route_that_is_gone_gives_its_messages_to_its_fallback_at_once(two: Office, chats: list[Chat]) -> None:
    chats[0].status = 404
    two.opens(two.oversold(1))

    await two.works_for(60)

    assert chats[1].titles[0] == "🔴 Oversold · shop"
    assert "🟠 A way to tell you is broken" in chats[1].titles
    assert [row.subject for row in two.rows("SELECT subject FROM alert WHERE kind = 'route_down'")] == ["ops"]

    chats[0].status = 200
    await two.works_for(660, every_s=5)
    two.opens(two.down())
    await two.works_for(60, every_s=2)

    assert "🔴 Account failing · shop" in chats[0].titles, "the route is tried again"
    assert two.rows("SELECT 1 FROM alert WHERE kind = 'route_down' AND closed_at IS NULL") == []


async def test_a_service_that_fails_for_long_is_replaced_by_its_fallback(two: Office, chats: list[Chat]) -> None:
    chats[0].status = 503
    two.opens(two.oversold(1))
    await two.works_for(BROKEN_AFTER_S - 60, every_s=1)
    assert chats[1].posts == [], "for a short while it is only tried again"

    await two.works_for(600, every_s=1)

    assert chats[1].titles[0] == "🔴 Oversold · shop"
    two.opens(two.down())
    await two.works_for(30, every_s=1)
    assert "🔴 Account failing · shop" in chats[1].titles, "a broken route costs no more waiting"


async def test_without_a_fallback_messages_wait_for_their_service(office: Office, chats: list[Chat]) -> None:
    chats[0].status = 503
    office.opens(office.oversold(1))
    await office.works_for(3600, every_s=5)
    [(attempts, state)] = office.rows("SELECT attempts, state FROM delivery WHERE topic = 'down' ORDER BY id LIMIT 1")
    assert state == "waiting"
    assert 8 <= attempts <= 16, "tried again ever more slowly"

    chats[0].status = 200
    await office.works_for(800, every_s=5)

    assert chats[0].titles[0] == "🔴 Oversold · shop"


async def test_a_service_that_says_when_is_not_asked_before(office: Office, chats: list[Chat]) -> None:
    chats[0].status, chats[0].headers = 429, {"Retry-After": "120"}
    office.opens(office.oversold(1))
    await office.works_for(10)
    chats[0].status = 200

    await office.works_for(100)
    assert chats[0].posts == []
    await office.works_for(60)
    assert len(chats[0].posts) == 1


async def test_messages_leave_at_the_pace_that_the_service_allows(office: Office, chats: list[Chat]) -> None:
    office.opens(office.oversold(1), office.down(), office.down("outlet"))
    await office.works_for(3, every_s=1.0)
    assert len(chats[0].posts) <= 2

    await office.works_for(10, every_s=1.0)

    assert len(chats[0].posts) == 3


async def test_a_message_that_is_never_taken_stops_no_other(office: Office, chats: list[Chat]) -> None:
    chats[0].status = 400
    office.opens(office.oversold(1))
    await office.works_for(5)
    chats[0].status = 200
    office.opens(office.down())
    await office.works_for(10)

    assert chats[0].titles == ["🔴 Account failing · shop"]
    assert office.rows("SELECT state, reason FROM delivery WHERE state = 'failed'") == [("failed", "HTTP 400: no")]


# --- restarts and nodes --------------------------------------------------------------------------------------


async def test_what_a_dead_process_left_is_sent_by_the_next(opened: Opened, chats: list[Chat]) -> None:
    first = opened([a_rule("ops")], holder="one")
    first.opens(first.oversold(1))
    await first.messenger.step()
    first.time.at += timedelta(seconds=3)
    await first.messenger.step()
    assert first.rows("SELECT count(*) FROM delivery WHERE state = 'waiting'") == [(1,)]

    second = opened([a_rule("ops")], at=first.time.at, holder="one")
    await second.works_for(60)

    assert chats[0].titles == ["🔴 Oversold · shop"]
    second.closes(second.oversold(1).key)
    await second.works_for(60)
    assert len(chats[0].posts) == 2, "the next process tells that it is over"


async def test_who_has_lost_the_lease_tells_nobody(opened: Opened, chats: list[Chat]) -> None:
    first = opened([a_rule("ops")], holder="one")
    await first.works_once()
    opened([a_rule("ops")], holder="one")  # takes the lease anew: a larger token
    first.opens(first.oversold(1))

    with pytest.raises(Fenced):
        await first.works_once()

    assert chats[0].posts == []


async def test_alerts_from_before_there_was_a_route_are_told_together(opened: Opened, chats: list[Chat]) -> None:
    office = opened([a_rule("ops")])
    for number in range(200):
        office.opens(office.oversold(number))
    await office.works_for(20)

    assert chats[0].titles == ["🔴 Oversold · shop"]
    assert "200 orders, 200 units" in chats[0].words()
    assert "and 140 more" in chats[0].words()


async def test_deliveries_of_routes_that_are_gone_are_given_up(opened: Opened, chats: list[Chat]) -> None:
    before = opened([a_rule("old")])
    chats[0].status = 503
    before.opens(before.oversold(1))
    await before.works_for(10)

    after = opened([a_rule("new")], at=before.time.at)
    await after.upkeep.run()

    assert after.rows("SELECT state FROM delivery WHERE route = 'old'") == [("failed",)]


async def test_settled_deliveries_are_forgotten_after_a_week(office: Office, chats: list[Chat]) -> None:
    office.opens(office.oversold(1))
    await office.works_for(10)
    office.time.at += timedelta(days=8)
    await office.upkeep.run()

    assert office.rows("SELECT count(*) FROM delivery") == [(0,)]


# --- the day -------------------------------------------------------------------------------------------------


async def test_the_daily_report_comes_once_a_day_also_when_all_is_well(
    db: Database, ids: Identities, opened: Opened, chats: list[Chat]
) -> None:
    office = opened([a_rule("ops")], digest_at=time(18, 0))
    await office.works_for(60, every_s=30)
    db.transact_now(
        add_tallies,
        {
            ("account:shop", "orders_in.poll"): 41,
            ("account:outlet", "orders_in.webhook"): 1,
            ("warehouse:own", "units_reserved"): 97,
            ("account:shop", "oversold_units"): 2,
        },
    )
    db.transact_now(add_lags, [(ids.accounts["shop"], "placed_to_shown", seconds) for seconds in (2.0, 3.0, 4.0)])
    await office.works_for(8.5 * 3600, every_s=600)

    assert chats[0].titles == ["✅ Daily report: all is well"]
    words = chats[0].words()
    assert "Orders taken in: 42; units reserved: 97; units shipped: 0" in words
    assert "Units oversold: 2" in words
    assert "shop: from order to shown number 3 s" in words
    assert "outlet: never polled completely" in words

    assert "PAUSED" not in words
    again = opened([a_rule("ops")], digest_at=time(18, 0), at=office.time.at)
    await again.works_for(12 * 3600, every_s=1800)
    assert len(chats[0].posts) == 1, "a restart repeats none"
    again.opens(again.oversold(1))
    await again.works_for(12 * 3600, every_s=600)
    assert chats[0].titles[1:] == ["🔴 Oversold · shop", "🔴 Daily report: 1 open"]
    assert "Orders taken in: 0" in chats[0].words()
    assert "Open: Oversold 1" in chats[0].words()


async def test_the_daily_report_names_each_paused_account(
    db: Database, ids: Identities, opened: Opened, chats: list[Chat]
) -> None:
    office = opened([a_rule("ops")], digest_at=time(18, 0))
    await office.works_for(60, every_s=30)
    db.transact_now(pause_account, ids.accounts["outlet"], office.time.at - timedelta(hours=1))

    await office.works_for(8.5 * 3600, every_s=600)

    assert chats[0].titles == ["🔵 Daily report: no alert is open, accounts paused: 1"]
    assert "outlet: PAUSED for 9 h" in chats[0].words()
    assert "shop: PAUSED" not in chats[0].words()


async def test_the_daily_report_leaves_out_accounts_that_were_taken_out(
    db: Database, ids: Identities, opened: Opened, chats: list[Chat]
) -> None:
    office = opened([a_rule("ops")], digest_at=time(18, 0), configured=frozenset(("shop",)))
    await office.works_for(60, every_s=30)
    db.transact_now(pause_account, ids.accounts["outlet"], office.time.at - timedelta(hours=1))
    db.transact_now(add_lags, [(ids.accounts["outlet"], "placed_to_shown", 2.0)])

    await office.works_for(8.5 * 3600, every_s=600)

    assert chats[0].titles == ["✅ Daily report: all is well"]
    assert "shop: never polled completely" in chats[0].words()
    assert "outlet" not in chats[0].words()
