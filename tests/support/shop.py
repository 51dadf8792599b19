"""A seller whose shops syncd keeps in step: its real parts against real sandboxes over loopback HTTP.

Nothing here runs by itself. A test moves the time, and says when news is delivered, taken in, polled and published.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

import httpx
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import Connection, RowMapping, func, select, text

from adapters.contract import Channel
from adapters.shopify import ShopifyChannel, ShopifySettings
from adapters.shopify.sandbox import FaultMix, ItemSeed, ShopifySandbox, ShopSeed
from adapters.shopify.sandbox.deliveries import Patience, sign
from adapters.shopify.sandbox.records import Item
from allocation import Policy
from syncd.accounts.go_live import go_live
from syncd.accounts.store import AccountSetup, WarehouseSetup, sync_parties
from syncd.catalogue.listings import import_listings
from syncd.chance import SeededRng
from syncd.clock import real_now
from syncd.db.database import Database, Transactor
from syncd.db.lease import Lease, acquire
from syncd.db.rows import insert_rows
from syncd.db.tables import bill_of_materials, dirty_listing, hold, inbox, listing, push_batch, sku
from syncd.leases import account_lease
from syncd.orders.book import AccountView, PoolWarehouse, Rate
from syncd.orders.cover import cover_shortages
from syncd.orders.intake import InboxWriter, Intake
from syncd.orders.poll import Poller
from syncd.publishing.load import load_stock
from syncd.publishing.publisher import Publisher
from syncd.publishing.store.holds import expire_holds
from syncd.reconcile.tidy import tidy
from syncd.stock.count_store import book_counts
from syncd.stock.counts import Count
from syncd.web.deps import WebDeps
from syncd.web.webhooks import Webhooks
from tests.unit.shopify_sandbox.kit import SteppingClock

P = ParamSpec("P")
T = TypeVar("T")
PATIENT = Patience(connect_within_s=30.0, answer_within_s=30.0)
TOPICS = (
    "orders/create",
    "orders/updated",
    "orders/cancelled",
    "orders/edited",
    "refunds/create",
    "inventory_levels/update",
)
WRITE = "inventorySetQuantities"
POLL = "orders"
STALENESS_S = 2.0
DELAY_S = 1.0  # of every webhook
_CALM = replace(FaultMix.none(), webhook_delay_min_s=DELAY_S, webhook_delay_max_s=DELAY_S)
_FRESH = timedelta(hours=24)
_FOR_EVER = ("unmapped",)  # what listings wait for until a person does something


class PatientClock:
    """syncd's side of a stepping clock: whoever sleeps moves the time on."""

    def __init__(self, stepping: SteppingClock) -> None:
        self._stepping = stepping

    def now(self) -> datetime:
        return self._stepping.now()

    async def sleep(self, seconds: float) -> None:
        await self._stepping.advance(seconds)


@dataclass(frozen=True)
class Write:
    """A write as it went over the wire: `rows` are (expected, quantity) by the channel's item id."""

    key: str
    input: str
    rows: dict[str, tuple[int, int]]


class Post(httpx.AsyncHTTPTransport):
    """What carries a shop's webhooks; `garble` changes a body before it is signed."""

    def __init__(self, secret: str) -> None:
        super().__init__(verify=False)
        self._secret = secret
        self.garble: Callable[[dict[str, Any]], None] | None = None
        self.lost: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.headers["X-Shopify-Topic"] in self.lost:
            return httpx.Response(200)
        if self.garble is not None and request.headers["X-Shopify-Topic"].startswith("orders/"):
            told = msgspec.json.decode(await request.aread())
            self.garble(told)
            body = msgspec.json.encode(told)
            headers = {name: value for name, value in request.headers.items() if name.startswith("x-shopify")}
            headers["x-shopify-hmac-sha256"] = sign(self._secret, body)
            request = httpx.Request("POST", request.url, headers=headers, content=body, extensions=request.extensions)
        return await super().handle_async_request(request)


class Wire(httpx.AsyncHTTPTransport):
    """A real connection that remembers what was asked over it."""

    def __init__(self) -> None:
        super().__init__(verify=False)  # plain HTTP: no certificates to load
        self.writes: list[Write] = []
        self.reads: list[list[str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked: dict[str, Any] = msgspec.json.decode(await request.aread())
        variables = asked.get("variables", {})
        if asked.get("operationName") == "SyncdSetQuantities":
            rows = variables["input"]["quantities"]
            told = {row["inventoryItemId"]: (row["changeFromQuantity"], row["quantity"]) for row in rows}
            self.writes.append(Write(variables["key"], msgspec.json.encode(variables["input"]).decode(), told))
        elif asked.get("operationName") == "SyncdLevels":
            self.reads.append(variables["ids"])
        return await super().handle_async_request(request)


@dataclass
class Shop:
    """One marketplace: what buyers and staff do there, and what it shows."""

    key: str
    account_id: int
    sandbox: ShopifySandbox
    channel: ShopifyChannel
    wire: Wire
    post: Post
    http: httpx.AsyncClient
    silent: bool = False

    async def sells(self, code: str = "RED-CLOCK", quantity: int = 1, **more: Any) -> str:
        """A buyer buys; the id of the order."""
        told = await self._does("orders", lines=[{"sku": code, "quantity": quantity}], **more)
        return str(told["id"])

    async def cancels(self, order_id: str, *, restock: bool = True) -> None:
        await self._does(f"orders/{order_id}/cancel", restock=restock)

    async def edits(self, order_id: str, quantity: int, code: str = "RED-CLOCK", *, restock: bool = True) -> None:
        await self._does(f"orders/{order_id}/edit", sku=code, quantity=quantity, restock=restock)

    async def fulfils(self, order_id: str) -> None:
        await self._does(f"orders/{order_id}/fulfil")

    async def types(self, available: int, code: str = "RED-CLOCK") -> None:
        """A person types a number into the shop's admin."""
        await self._does("levels", sku=code, available=available)

    async def meets(self, fault: str, operation: str, times: int = 1) -> None:
        """The next requests of that kind meet this fault for certain."""
        await self._does("faults", next=[{"fault": fault, "operation": operation, "times": times}])

    async def tells(self, address: str) -> None:
        """Send every kind of news to this address."""
        for topic in TOPICS:
            await self._does("webhooks", topic=topic, uri=address)

    async def recovers(self) -> None:
        """Nothing goes wrong any more, planned or not."""
        await self._does("faults", clear=True, webhook_delay_min_s=DELAY_S, webhook_delay_max_s=DELAY_S)

    async def falls_silent(self) -> None:
        """No webhook arrives until `speaks_again`."""
        self.silent = True
        await self._does("webhooks/pause")

    async def speaks_again(self) -> None:
        self.silent = False
        await self._does("webhooks/resume")

    async def loses_news_of(self, *topics: str) -> None:
        """Webhooks of these topics are lost, also those that are on their way."""
        self.post.lost.update(topics)

    async def loses_news(self, *, lost: bool = True) -> None:
        """Every webhook from now on is lost."""
        await self._does("faults", webhook_drop=1.0 if lost else 0.0)

    async def stats(self) -> dict[str, Any]:
        return _told(await self.http.get("/_control/stats"))

    def shows(self, code: str = "RED-CLOCK") -> int:
        """What buyers see now."""
        (level,) = self._item(code).levels.values()
        return level.now.available

    def delivering(self) -> bool:
        """Whether webhooks are on their way."""
        return not self.silent and self.sandbox._deliveries.pending > 0  # asked often: not over HTTP

    def item(self, code: str = "RED-CLOCK") -> str:
        """How the channel names the number of this code."""
        return f"gid://shopify/InventoryItem/{self._item(code).id}"

    def _item(self, code: str) -> Item:
        found = self.sandbox.shop.item_by_sku(code)
        assert found is not None
        return found

    def written(self, code: str = "RED-CLOCK") -> list[tuple[int, int]]:
        """(expected, quantity) of every write of this code that went over the wire."""
        return [write.rows[self.item(code)] for write in self.wire.writes if self.item(code) in write.rows]

    async def _does(self, path: str, **body: Any) -> dict[str, Any]:
        return _told(await self.http.post(f"/_control/{path}", json=body))


def _told(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_success, answer.text
    told: dict[str, Any] = answer.json()
    return told


@dataclass
class Seller:
    """The daemon's parts around one book, each at work only when a test says so."""

    db: Database
    stepping: SteppingClock
    shops: dict[str, Shop] = field(default_factory=dict)
    views: dict[int, AccountView] = field(default_factory=dict)
    warehouses: dict[str, int] = field(default_factory=dict)
    skus: dict[str, int] = field(default_factory=dict)
    publishers: dict[str, Publisher] = field(default_factory=dict)
    pollers: dict[str, Poller] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = PatientClock(self.stepping)
        self.inbox = InboxWriter(self.db, self.clock, lambda: None)
        self.intake = Intake(self.db, {}, {}, self.clock, lambda: None)

    @property
    def now(self) -> datetime:
        return self.stepping.now()

    # --- what time brings -------------------------------------------------------------------------------------

    async def passes(self, seconds: float) -> None:
        """Time goes by, and the webhooks that are due meanwhile are delivered when they are."""
        for part in (min(seconds, DELAY_S), seconds - DELAY_S):
            if part > 0:
                await self.stepping.advance(part)
                await self._delivered()

    async def _delivered(self) -> None:
        """However slow this machine is: a delivery given up would be tried again only when time goes by."""
        for _ in range(60_000):
            if not any(shop.delivering() for shop in self.shops.values()):
                return
            await asyncio.sleep(0.001)
        raise AssertionError("webhooks are still on their way")

    async def hears(self) -> None:
        """Webhooks arrive and are taken in; what they hint at is looked up."""
        await self.passes(DELAY_S)
        await self.takes_in()

    async def takes_in(self) -> None:
        while await self.intake.drain():
            pass
        for poller in self.pollers.values():
            await poller.look_up_hints(lambda: None)
        while await self.intake.drain():
            pass

    async def polls(self, *keys: str) -> None:
        """Poll these shops, or all, and take in what comes."""
        for key in keys or self.pollers:
            await self.pollers[key].poll(lambda: None)
        await self.takes_in()

    async def publishes(self, *keys: str) -> None:
        """Let the publishers do all that is due now."""
        for key in keys or self.publishers:
            for _ in range(100):
                if not await self.publishers[key].step():
                    break
            else:
                raise AssertionError(f"the publisher of {key} does not come to an end")

    async def works(self) -> None:
        """Everything but polling, once."""
        await self.hears()
        await self.publishes()

    async def minute(self) -> None:
        """A minute of the daemon's life, timetable included."""
        await self.passes(59.0)
        await self.polls()
        await self.covers()
        await self.db.transact(expire_holds, 500, STALENESS_S, self.now)
        await self.works()

    async def covers(self) -> None:
        """Give what has been found to the orders that wait for it."""
        await self.db.transact(cover_shortages, self.views, 500, self.now)

    async def tidies(self) -> tuple[bool, bool]:
        """Tidy, and whether a recipient and a body of an event are still there."""
        gone = None
        while gone is None or any(gone.values()):
            gone = await self.db.transact(tidy, 100, self.now)
            gone.pop("recipients_looked_at")
        recipients = self.rows("SELECT 1 FROM recipient WHERE name IS NOT NULL OR postcode IS NOT NULL")
        bodies = self.rows("SELECT 1 FROM inbox WHERE body IS NOT NULL")
        return bool(recipients), bool(bodies)

    async def rests(self, minutes: int = 20) -> None:
        """Let minutes pass until nothing is on its way, nothing is held and every listing shows its number."""
        for _ in range(minutes):
            await self.minute()
            if not any(self.waiting().values()) and not self.differing():
                return
        raise AssertionError(f"after {minutes} minutes: {self.waiting()}, wrong numbers {self.differing()}")

    # --- what is true -----------------------------------------------------------------------------------------

    def waiting(self) -> dict[str, int]:
        """What is still on its way."""
        return self.db.read_now(_waiting)

    def differing(self) -> list[tuple[str, str, int, int]]:
        """(shop, code, shown, sellable) of every listing that does not show its sellable quantity."""
        found = []
        for shop in self.shops.values():
            sellable = self.db.read_now(_sellable, shop.account_id)
            for code in (item.sku for item in shop.sandbox.shop.items.values()):
                number, shown = sellable.get(shop.item(code)), shop.shows(code)
                if number is not None and number != max(0, shown):
                    found.append((shop.key, code, shown, number))
        return found

    def holds(self) -> list[tuple[str, int]]:
        """(shop, units) of every open hold."""
        found = self.rows(
            "SELECT a.key, h.quantity FROM hold h JOIN listing l ON l.id = h.listing_id"
            " JOIN account a ON a.id = l.account_id WHERE h.closed_at IS NULL ORDER BY h.id"
        )
        return [(row["key"], row["quantity"]) for row in found]

    def cell(self, shop: Shop, code: str = "RED-CLOCK") -> RowMapping:
        (found,) = self.rows(
            "SELECT c.* FROM cell c JOIN listing l ON l.id = c.listing_id"
            " WHERE l.account_id = :account_id AND l.channel_sku = :item",
            account_id=shop.account_id,
            item=shop.item(code),
        )
        return found

    def open_alerts(self) -> list[str]:
        return [row["kind"] for row in self.rows("SELECT kind FROM alert WHERE closed_at IS NULL ORDER BY kind")]

    def tally(self, shop: Shop, name: str) -> int:
        found = self.rows("SELECT n FROM tally WHERE scope = :s AND name = :n", s=f"account:{shop.key}", n=name)
        return int(found[0]["n"]) if found else 0

    def rows(self, statement: str, **values: Any) -> list[RowMapping]:
        return self.db.read_now(lambda connection: list(connection.execute(text(statement), values).mappings()))

    def does(self, statement: str, **values: Any) -> None:
        """Run raw SQL: what no code of ours would do."""
        self.db.transact_now(lambda connection: connection.execute(text(statement), values))

    # --- what the seller does ---------------------------------------------------------------------------------

    def counts(self, pieces: int, code: str = "RED-CLOCK", warehouse: str = "hamburg") -> None:
        """Goods are counted now."""
        key = (self.skus[code], self.warehouses[warehouse])
        self.db.transact_now(book_counts, (Count(1, key, pieces, 0, self.now),), self.now)

    def takes(self, key: str, lease_s: float = 3600.0) -> None:
        """Another process takes the account's lease: its token grows."""
        self.leases[key] = self.db.transact_now(_take, key, lease_s)

    def restarts(self, key: str, db: Transactor | None = None, lease_s: float = 3600.0) -> Publisher:
        """A new process publishes the account from now on, and polls it."""
        self.takes(key, lease_s)
        self._begin(self.shops[key], db or self.db)
        return self.publishers[key]

    def _begin(self, shop: Shop, db: Transactor) -> None:
        held = self.leases[shop.key]
        rng = SeededRng(held.token, f"publisher/{shop.key}")
        self.publishers[shop.key] = Publisher(
            shop.account_id, shop.key, shop.channel, db, self.clock, rng, lambda: held
        )
        self.pollers[shop.key] = Poller(
            shop.account_id, shop.key, shop.channel, self.db, self.inbox, self.clock, lambda: held
        )

    def opens(self, shop: Shop) -> None:
        """Put a shop under syncd's care."""
        self.shops[shop.key] = shop
        self.takes(shop.key)
        self._begin(shop, self.db)
        channels = {each.account_id: each.channel for each in self.shops.values()}
        self.intake = Intake(self.db, dict(channels), self.views, self.clock, lambda: None)


def _take(connection: Connection, key: str, lease_s: float) -> Lease:
    taken = acquire(connection, account_lease(key), "this test", real_now(), lease_s)
    assert isinstance(taken, Lease)
    return taken


def _waiting(connection: Connection) -> dict[str, int]:
    def number(statement: Any) -> int:
        return int(connection.execute(select(func.count()).select_from(statement.subquery())).scalar_one())

    return {
        "events": number(select(inbox.c.id).where(inbox.c.state.in_(("new", "hinted")))),
        "writes": number(select(push_batch.c.key).where(push_batch.c.state == "in_flight")),
        "holds": number(select(hold.c.id).where(hold.c.closed_at.is_(None))),
        "listings": number(
            select(dirty_listing.c.listing_id).where(func.coalesce(dirty_listing.c.waits_for, "").not_in(_FOR_EVER))
        ),
    }


def _sellable(connection: Connection, account_id: int) -> dict[str, int]:
    ids = list(connection.execute(select(listing.c.id).where(listing.c.account_id == account_id)).scalars())
    return {each.channel_sku: each.number.quantity for each in load_stock(connection, ids).values() if each.mapped}


# --- power cuts -----------------------------------------------------------------------------------------------


class PowerCut(Exception):
    """The process ended here."""


class Interrupted:
    """A database at which something happens once, `when` (before, or after the commit of) a named transaction."""

    def __init__(self, db: Database, name: str, when: str, happens: Callable[[], None]) -> None:
        self._db = db
        self._at = (name, when)
        self._happens: Callable[[], None] | None = happens

    async def transact(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._meet(function.__name__, "before")
        done = await self._db.transact(function, *args, **kwargs)
        self._meet(function.__name__, "after")
        return done

    transact_ahead = transact

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._db.read(function, *args, **kwargs)

    def _meet(self, name: str, when: str) -> None:
        if (name, when) == self._at and self._happens is not None:
            happens, self._happens = self._happens, None
            happens()


class Repeating:
    """A database that loses the answer to its first COMMIT of a named transaction, and so runs it again."""

    def __init__(self, db: Database, name: str) -> None:
        self._db = db
        self._name: str | None = name

    async def transact(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        if function.__name__ == self._name:
            self._name = None
            await self._db.transact(function, *args, **kwargs)
        return await self._db.transact(function, *args, **kwargs)

    transact_ahead = transact

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._db.read(function, *args, **kwargs)


# --- setting the stage ----------------------------------------------------------------------------------------


@asynccontextmanager
async def a_seller_with_shops(
    db: Database,
    stock: Mapping[str, int] | None = None,
    *,
    shops: Sequence[str] = ("alpha", "beta"),
    kits: Mapping[str, Mapping[str, int]] | None = None,
    shown: Mapping[str, int] | None = None,
    live: bool = True,
    more: Callable[[ShopSeed], ShopSeed] = lambda seed: seed,
) -> AsyncIterator[Seller]:
    """A seller whose stock in hamburg is counted, with every SKU and kit on sale in every shop, and all at rest.

    `shown` is what the shops show at first; what it leaves out shows its stock.
    """
    stock = stock if stock is not None else {"RED-CLOCK": 10}
    seller = Seller(db, SteppingClock())
    accounts = [
        AccountSetup(key=key, channel="shopify", policy="priority", buffer=0, cap=None, pool=("hamburg",))
        for key in shops
    ]
    hamburg = WarehouseSetup("hamburg", "Hamburg", "own", "DE", "20095", "Europe/Berlin")
    ids = db.transact_now(sync_parties, accounts, [hamburg], seller.now)
    place = PoolWarehouse(ids.warehouses["hamburg"], "hamburg", 0, True, "DE", "20095", (Rate("world", 500, 50),))
    seller.warehouses = dict(ids.warehouses)
    seller.skus = db.transact_now(_insert_skus, stock, kits or {})
    for code, pieces in stock.items():
        seller.counts(pieces, code)
    items = tuple(
        ItemSeed(code, quantity=(shown or {}).get(code, stock.get(code, 0))) for code in [*stock, *(kits or {})]
    )
    async with AsyncExitStack() as stack:
        deps_accounts: dict[str, tuple[int, Channel]] = {}
        hooks = TestServer(_hooks(seller, deps_accounts))
        await hooks.start_server()
        stack.push_async_callback(hooks.close)
        for key in shops:
            account_id = ids.accounts[key]
            seller.views[account_id] = AccountView(account_id, key, False, Policy.PRIORITY, 1.0, 2.0, 60.0, (place,))
            seed = more(ShopSeed(items=items, index_lag_s=0.0, write_latency_s=0.0, faults=_CALM))
            shop = await _open_shop(stack, seller, key, account_id, seed)
            deps_accounts[key] = (account_id, shop.channel)
            await import_listings(db, shop.channel, account_id, seller.clock)
            await shop.tells(str(hooks.make_url(f"/webhooks/{key}")))
            seller.opens(shop)
        if live:
            await goes_live(seller, *shops)
        yield seller


async def goes_live(seller: Seller, *keys: str) -> None:
    """Let these accounts go live, and come to rest."""
    await seller.polls()
    for key in keys:
        shop = seller.shops[key]
        seller.db.transact_now(go_live, shop.account_id, key, _FRESH, False, seller.now)
    await seller.publishes()
    await seller.passes(61.0)
    await seller.polls()
    await seller.works()


async def _open_shop(stack: AsyncExitStack, seller: Seller, key: str, account_id: int, seed: ShopSeed) -> Shop:
    post = Post(seed.client_secret)
    sandbox = ShopifySandbox(seed, seller.stepping, SeededRng(7, f"sandbox/{key}"), post, PATIENT)
    server = TestServer(sandbox.app)
    await server.start_server()
    stack.push_async_callback(server.close)
    address = str(server.make_url("/"))
    http = httpx.AsyncClient(base_url=address, trust_env=False, verify=False)
    stack.push_async_callback(http.aclose)
    location = next(iter(sandbox.shop.locations))
    settings = ShopifySettings(address, seed.client_id, seed.client_secret, None, f"gid://shopify/Location/{location}")
    wire = Wire()
    channel = ShopifyChannel(settings, seller.clock, SeededRng(7, f"channel/{key}"), wire)
    stack.push_async_callback(channel.close)
    return Shop(key, account_id, sandbox, channel, wire, post, http)


def _hooks(seller: Seller, accounts: Mapping[str, tuple[int, Channel]]) -> web.Application:
    """Where the shops' webhooks arrive."""

    async def ready() -> list[str]:
        return []

    app = web.Application()
    deps = WebDeps(seller.db, seller.clock, seller.inbox, accounts, "test", seller.now, ready)
    app.router.add_post("/webhooks/{account}", Webhooks(deps).receive)
    return app


def _insert_skus(
    connection: Connection, stock: Mapping[str, int], kits: Mapping[str, Mapping[str, int]]
) -> dict[str, int]:
    insert_rows(connection, sku, [("code", str)], [(code,) for code in [*stock, *kits]])
    ids = {row.code: row.id for row in connection.execute(select(sku.c.code, sku.c.id))}
    columns = [("sku_id", int), ("component_sku_id", int), ("units", int)]
    parts = [(ids[kit], ids[code], units) for kit, made in kits.items() for code, units in made.items()]
    insert_rows(connection, bill_of_materials, columns, parts)
    return ids
