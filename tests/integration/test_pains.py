"""Pains that sellers have reported of other systems, each by the number of the survey that lists them.

Real sandboxes, the real adapters, the real way in.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, RowMapping, text

from adapters.contract import Channel
from allocation import Policy
from syncd.accounts.store import AccountSetup, WarehouseSetup, sync_parties
from syncd.catalogue.listings import import_listings
from syncd.clock import real_now
from syncd.db.database import Database
from syncd.db.lease import Lease, acquire
from syncd.db.rows import insert_rows
from syncd.db.tables import sku
from syncd.insight.status import read_status
from syncd.leases import account_lease
from syncd.orders.book import AccountView, PoolWarehouse, Rate
from syncd.orders.inbox import Arrived
from syncd.orders.intake import InboxWriter, Intake
from syncd.orders.poll import Poller
from syncd.stock.count_store import book_counts
from syncd.stock.counts import Count
from tests.contract.suite.rigs import CHANNELS, channel_rig
from tests.contract.suite.rigs.channel_rig import HOOK, ChannelRig
from tests.integration.conftest import ON_SQLITE
from tests.support.shop import Seller, a_seller_with_shops
from tests.support.specs.exchange import Recorder

ON_EVERY_CHANNEL = pytest.mark.parametrize("channel", CHANNELS)
Orders = list[Any]


# --- a seller with one account of any kind -----------------------------------------------------------------------


@dataclass
class Office:
    """One account's way in: poller, inbox and intake around one book, each at work only when a test says so."""

    db: Database
    rig: ChannelRig
    account_id: int
    poller: Poller
    inbox: InboxWriter
    intake: Intake

    async def polls(self) -> None:
        await self.poller.poll(lambda: None)
        await self.takes_in()

    async def hears(self) -> None:
        """Take in what the channel has told by webhook or queue, and look up what it only hinted at."""
        for headers, body in self.rig.mail.got:
            event = await self.rig.channel.verify_webhook(headers, body)
            await self.inbox.add(Arrived(self.account_id, event.event_key, event.topic, "webhook", event.body))
        queue = self.rig.channel.queue
        for queued in await queue.receive() if queue is not None else ():
            event = queued.event
            await self.inbox.add(Arrived(self.account_id, event.event_key, event.topic, "queue", event.body))
        await self.takes_in()
        await self.poller.look_up_hints(lambda: None)
        await self.takes_in()

    async def takes_in(self) -> None:
        while await self.intake.drain():
            pass

    def orders(self) -> set[str]:
        return {row["channel_order_id"] for row in self.rows("SELECT channel_order_id FROM sales_order")}

    def rows(self, statement: str) -> list[RowMapping]:
        return self.db.read_now(lambda connection: list(connection.execute(text(statement)).mappings()))

    def alerts(self) -> list[str]:
        return [row["kind"] for row in self.rows("SELECT kind FROM alert WHERE closed_at IS NULL ORDER BY kind")]


@asynccontextmanager
async def an_office(
    db: Database,
    channel: str,
    *,
    codes: Sequence[str] = ("RED", "BLUE"),
    unknown: Sequence[str] = (),
    lagging: bool = False,
    recorder: Recorder | None = None,
) -> AsyncIterator[Office]:
    """500 of each code in hamburg and on sale; `unknown` are on sale too, but no SKU of ours."""
    rig = channel_rig(channel)
    rig.recorder = recorder or rig.recorder
    async with AsyncExitStack() as stack:
        await rig.open(stack, [*codes, *unknown], 500, lagging=lagging)
        setup = AccountSetup(key="shop", channel=channel, policy="priority", buffer=0, cap=None, pool=("hamburg",))
        hamburg = WarehouseSetup("hamburg", "Hamburg", "own", "DE", "20095", "Europe/Berlin")
        ids = db.transact_now(sync_parties, [setup], [hamburg], rig.now)
        account_id, warehouse_id = ids.accounts["shop"], ids.warehouses["hamburg"]
        for sku_id in db.transact_now(_add_skus, codes):
            db.transact_now(book_counts, (Count(1, (sku_id, warehouse_id), 500, 0, rig.now),), rig.now)
        await import_listings(db, rig.channel, account_id, rig.clock)
        place = PoolWarehouse(warehouse_id, "hamburg", 0, True, "DE", "20095", (Rate("world", 500, 50),))
        view = AccountView(account_id, "shop", False, Policy.PRIORITY, 1.0, 2.0, 60.0, (place,))
        lease = db.transact_now(_take_lease)
        inbox = InboxWriter(db, rig.clock, lambda: None)
        channels: dict[int, Channel] = {account_id: rig.channel}
        yield Office(
            db,
            rig,
            account_id,
            Poller(account_id, "shop", rig.channel, db, inbox, rig.clock, lambda: lease),
            inbox,
            Intake(db, channels, {account_id: view}, rig.clock, lambda: None),
        )


def _add_skus(connection: Connection, codes: Sequence[str]) -> list[int]:
    insert_rows(connection, sku, [("code", str)], [(code,) for code in codes])
    return [row.id for row in connection.execute(sku.select())]


def _take_lease(connection: Connection) -> Lease:
    taken = acquire(connection, account_lease("shop"), "this test", real_now(), 3600.0)
    assert isinstance(taken, Lease)
    return taken


@dataclass
class Tampering(Recorder):
    """A connection on which the vendor's search of orders says something else than the sandbox."""

    change: Callable[[Orders], Orders] = field(default=list)

    def __post_init__(self) -> None:
        super().__init__()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        told = _object(response.content)
        holder, name = _orders_in(told)
        if holder is None or b"orderIds" in request.url.query:
            return response
        holder[name] = self.change(holder[name])
        headers = {"content-type": "application/json"}
        return httpx.Response(response.status_code, headers=headers, content=json.dumps(told).encode())


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _orders_in(told: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The object that holds a page of orders, and the name of the page in it."""
    if isinstance(told.get("orders"), list):
        return told, "orders"
    found = (told.get("data") or {}).get("orders")
    return (found, "nodes") if isinstance(found, dict) else (None, "")


# --- 12 ----------------------------------------------------------------------------------------------------------


@ON_SQLITE
async def test_pain_12_one_bundle_parent_in_a_batch_stops_no_other(db: Database) -> None:
    stock = {f"CLOCK-{number:02}": 10 for number in range(20)}
    async with a_seller_with_shops(db, stock, shops=("alpha",)) as seller:
        alpha = seller.shops["alpha"]
        bundle = alpha.sandbox.shop.item_by_sku("CLOCK-07")
        assert bundle is not None
        bundle.requires_components = True  # since we imported it: only the write meets the refusal
        for number, code in enumerate(stock):
            seller.counts(20 + number, code)

        await _publishes_until_quiet(seller)

        shown = {code: alpha.shows(code) for code in stock}
        assert shown == {code: 10 if code == "CLOCK-07" else 20 + n for n, code in enumerate(stock)}
        assert len(alpha.wire.writes) <= 2
        assert seller.open_alerts() == ["listing_refused"]


async def _publishes_until_quiet(seller: Seller) -> None:
    for _ in range(4):
        await seller.minute()


# --- 14 ----------------------------------------------------------------------------------------------------------


TROUBLES = {"channel_down": {"down_s": 1_000_000}, "auth_expired": {"token_expiry": 1.0}}


@ON_SQLITE
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_pain_14_an_account_never_dies_silently_and_recovers_by_itself(db: Database, trouble: str) -> None:
    async with a_seller_with_shops(db, {"RED-CLOCK": 50}) as seller:
        alpha, beta = seller.shops["alpha"], seller.shops["beta"]
        await alpha.falls_silent()
        await alpha.http.post("/_control/faults", json=TROUBLES[trouble])
        await alpha.sells(quantity=2)
        for _ in range(30):
            await seller.minute()
        await beta.sells(quantity=3)
        for _ in range(3):
            await seller.minute()

        lag_s = {each["key"]: each["polled_to_age_s"] for each in _status(seller)["accounts"]}
        assert seller.open_alerts() == [trouble]
        assert lag_s["alpha"] > 30 * 60
        assert lag_s["beta"] < 120
        assert beta.shows() == 47  # whose orders came in, and whose number is right but for what nobody can know

        await alpha.recovers()
        await alpha.speaks_again()
        await seller.rests()

        assert seller.open_alerts() == []
        assert {each["polled_to_age_s"] < 120 for each in _status(seller)["accounts"]} == {True}
        assert (alpha.shows(), beta.shows()) == (45, 45)


def _status(seller: Seller) -> dict[str, Any]:
    return seller.db.read_now(read_status, seller.now).to_json()


# --- 15 ----------------------------------------------------------------------------------------------------------

IN_1995 = "1995-01-01T00:00:00Z"


def _dated_1995(value: Any) -> Any:
    """The same with every instant in 1995."""
    if isinstance(value, dict):
        return {key: _dated_1995(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_dated_1995(inner) for inner in value]
    return IN_1995 if isinstance(value, str) and value[:2] == "20" and "T" in value else value


def _removal(order: Any) -> Any:
    """How an FBA removal order looks: shipped in 1995, of nothing that we list."""
    item = {**order["orderItems"][0], "product": {"asin": "B000000000"}}
    fulfilment = {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "AMAZON"}
    parcel = {"packageReferenceId": "1", "shipTime": IN_1995}
    return {**_dated_1995(order), "fulfillment": fulfilment, "orderItems": [item], "packages": [parcel]}


ABSURD: Mapping[str, Callable[[Any], Any]] = {
    "dated 1995": _dated_1995,
    "a word": lambda order: "nonsense",
    "nothing": lambda order: None,
    "an empty object": lambda order: {},
    "every field null": dict.fromkeys,
    "every field a list": lambda order: {key: [[[]]] for key in order},
    "only its id": lambda order: {key: value for key, value in order.items() if key in ("id", "orderId")},
}


async def absurdity(db: Database, channel: str, absurd: Callable[[Any], Any]) -> tuple[Office, set[str], str]:
    """Twelve orders of which the fifth comes as `absurd` makes it: the office, the ids of the others, and its id."""
    wire, made = Tampering(), list[Any]()
    async with an_office(db, channel, recorder=wire) as office:
        placed = [office.rig.order_id(await office.rig.buys("RED")) for _ in range(12)]
        bad = placed[4]

        def with_one_absurd(orders: Orders) -> Orders:
            told = [absurd(each) if _id(each) == bad else each for each in orders]
            made.extend(each for each, true in zip(told, orders, strict=True) if each != true)
            return told

        wire.change = with_one_absurd
        await office.rig.settles()
        await office.polls()
        assert len(made) == 1
        return office, set(placed) - {bad}, bad


def _id(order: Any) -> object:
    return order.get("orderId") or order.get("id") if isinstance(order, dict) else None


@ON_SQLITE
@ON_EVERY_CHANNEL
@pytest.mark.parametrize("absurd", ABSURD)
async def test_pain_15_one_absurd_order_never_stops_the_others(db: Database, channel: str, absurd: str) -> None:
    office, others, bad = await absurdity(db, channel, ABSURD[absurd])

    assert office.orders() >= others
    reserved = "SELECT coalesce(sum(quantity), 0) AS n FROM reservation WHERE stage <> 'shipped'"
    assert office.rows(reserved)[0]["n"] >= 11
    assert office.rows("SELECT polled_to FROM cursor") != []
    assert "channel_down" not in office.alerts()
    # It is kept, or set aside with a word to a person: never dropped in silence.
    parked = office.rows("SELECT reason FROM inbox WHERE state = 'parked'")
    assert bad in office.orders() or (len(parked) == 1 and office.alerts())


@ON_SQLITE
async def test_pain_15_a_removal_order_of_1995_never_stops_the_others(db: Database) -> None:
    office, others, bad = await absurdity(db, "amazon", _removal)

    assert office.orders() == others | {bad}
    lines = office.rows(
        "SELECT l.by_channel FROM order_line l JOIN sales_order o ON o.id = l.order_id"
        " LEFT JOIN reservation r ON r.order_line_id = l.id WHERE r.quantity IS NULL"
    )
    assert [bool(line["by_channel"]) for line in lines] == [True]


# --- 16 ----------------------------------------------------------------------------------------------------------


@ON_SQLITE
@ON_EVERY_CHANNEL
async def test_pain_16_an_order_that_a_search_shows_late_is_found_by_the_overlap(db: Database, channel: str) -> None:
    async with an_office(db, channel, lagging=True) as office:
        await office.polls()
        late = office.rig.order_id(await office.rig.buys("RED"))
        await office.rig.passes(0.5)
        await office.polls()
        assert office.orders() == set()

        await office.rig.passes(200)
        await office.polls()

        assert office.orders() == {late}


@ON_SQLITE
@ON_EVERY_CHANNEL
async def test_pain_16_an_order_that_no_search_ever_shows_is_found_by_its_news(db: Database, channel: str) -> None:
    async with an_office(db, channel, recorder=Tampering(change=lambda orders: [])) as office:
        await office.rig.channel.ensure_webhooks(HOOK)
        hidden = office.rig.order_id(await office.rig.buys("RED", 2))
        await office.rig.settles()
        await office.polls()
        assert office.orders() == set()

        await office.hears()

        assert office.orders() == {hidden}
        assert [row["quantity"] for row in office.rows("SELECT quantity FROM reservation")] == [2]


# --- 17 ----------------------------------------------------------------------------------------------------------

Seen = tuple[list[tuple[str, bytes]], list[tuple[Any, ...]]]


@ON_EVERY_CHANNEL
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns"])
async def test_pain_17_windows_are_utc_whatever_the_servers_time_zone(
    tmp_path_factory: pytest.TempPathFactory, channel: str, zone: str, request: pytest.FixtureRequest
) -> None:
    there = await _two_days(_fresh_database(request, tmp_path_factory), channel, zone)
    here = await _two_days(_fresh_database(request, tmp_path_factory), channel, "UTC")

    assert len(there[0]) >= 3
    assert len(there[1]) == 3
    assert there == here


def _fresh_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Database:
    file = tmp_path_factory.mktemp("zone") / "syncd.db"
    file.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
    return Database(f"sqlite:///{file}")


async def _two_days(db: Database, channel: str, zone: str) -> Seen:
    """What goes over the wire and into the book while orders come in around midnights, on a server in that zone."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TZ", zone)
        time.tzset()
        try:
            async with an_office(db, channel) as office:
                for hours in (1, 11, 26):
                    await office.rig.buys("RED")
                    await office.rig.passes(timedelta(hours=hours).total_seconds())
                    await office.polls()
                asked = [(each.what, each.request_body) for each in office.rig.requests()]
                book = "SELECT channel_order_id, placed_at, version_at FROM sales_order ORDER BY id"
                return asked, [tuple(row.values()) for row in office.rows(book)]
        finally:
            db.close()
            environment.undo()
            time.tzset()


# --- 18 ----------------------------------------------------------------------------------------------------------


@ON_SQLITE
@ON_EVERY_CHANNEL
async def test_pain_18_an_unmapped_sku_on_one_line_keeps_the_order_and_tells(db: Database, channel: str) -> None:
    async with an_office(db, channel, codes=("RED",), unknown=("MYSTERY",)) as office:
        told = await office.rig.counter.post(
            "orders", lines=[{"sku": "RED", "quantity": 2}, {"sku": "MYSTERY", "quantity": 3}]
        )
        await office.rig.settles()

        await office.polls()

        assert office.orders() == {office.rig.order_id(str(told["id"]))}
        assert [row["quantity"] for row in office.rows("SELECT quantity FROM order_line ORDER BY quantity")] == [2, 3]
        assert [row["quantity"] for row in office.rows("SELECT quantity FROM reservation")] == [2]
        short = office.rows("SELECT quantity, reason, sku_id FROM shortage WHERE closed_at IS NULL")
        assert [(row["quantity"], row["reason"], row["sku_id"]) for row in short] == [(3, "unmapped", None)]
        assert "unmapped" in office.alerts()
        await office.polls()
        assert len(office.orders()) == 1
