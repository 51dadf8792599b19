"""Publishing to channels that only set numbers: read before write, nothing sent twice, unknown outcomes read back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import RowMapping, text

from allocation import Policy
from syncd.accounts.store import AccountSetup, WarehouseSetup, set_state, sync_parties
from syncd.catalogue.listings import import_listings
from syncd.chance import SeededRng
from syncd.clock import real_now
from syncd.db.database import Database
from syncd.db.lease import Lease, acquire
from syncd.db.rows import insert_rows
from syncd.db.tables import sku, warehouse_item
from syncd.fulfilment.cursors import STOCK, move_cursor
from syncd.leases import account_lease
from syncd.orders.book import AccountView, PoolWarehouse
from syncd.orders.cover import cover_shortages
from syncd.orders.intake import InboxWriter, Intake
from syncd.orders.poll import Poller
from syncd.publishing.load import load_stock
from syncd.publishing.publisher import Publisher
from syncd.publishing.store.holds import expire_holds
from syncd.reconcile.audit import audit
from syncd.reconcile.tidy import sweep_cells, sweep_held
from syncd.stock.count_store import book_counts
from syncd.stock.counts import Count
from tests.support.builders import NOW, a_database
from tests.support.plain_market import INDEX_LAG_S, STALENESS_S, Market


class HandClock:
    """Time moves when a test says so, or when somebody sleeps."""

    def __init__(self) -> None:
        self._now = NOW

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.passes(seconds)

    def passes(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@dataclass
class Seller:
    """A seller of two plain-set markets over one warehouse, driven by hand."""

    db: Database
    clock: HandClock
    markets: dict[str, Market]
    accounts: dict[str, int]
    hamburg: int
    skus: dict[str, int]
    views: dict[int, AccountView]
    on_hand: dict[str, int]
    intake: Intake
    inbox: InboxWriter
    publishers: dict[str, Publisher] = field(default_factory=dict)
    pollers: dict[str, Poller] = field(default_factory=dict)

    def starts(self, key: str) -> None:
        """A process publishes and polls this account from now on; the one before may have died anywhere."""
        lease = self.db.transact_now(acquire, account_lease(key), "test", real_now(), 3600.0)
        assert isinstance(lease, Lease)
        rng, account_id, market = SeededRng(lease.token, key), self.accounts[key], self.markets[key]
        self.publishers[key] = Publisher(account_id, key, market, self.db, self.clock, rng, lambda: lease)
        self.pollers[key] = Poller(account_id, key, market, self.db, self.inbox, self.clock, lambda: lease)

    def counts(self, code: str, pieces: int) -> None:
        self.on_hand[code] = pieces
        count = Count(1, (self.skus[code], self.hamburg), pieces, 0, self.clock.now())
        self.db.transact_now(book_counts, (count,), self.clock.now())

    async def takes_in(self) -> None:
        while await self.intake.drain():
            pass

    async def polls(self, *keys: str) -> None:
        for key in keys or self.markets:
            await self.pollers[key].poll(lambda: None)
        await self.takes_in()

    async def publishes(self, *keys: str) -> None:
        for key in keys or self.markets:
            for _ in range(50):
                if not await self.publishers[key].step():
                    break
            else:
                raise AssertionError(f"the publisher of {key} does not come to an end")

    async def minute(self) -> None:
        for _ in range(4):
            self.clock.passes(15.0)
            await self.publishes()
        await self.polls()
        now = self.clock.now()
        self.db.transact_now(cover_shortages, self.views, 500, now)
        self.db.transact_now(expire_holds, 500, STALENESS_S, now)
        for account_id in self.accounts.values():
            self.db.transact_now(sweep_cells, account_id, now - timedelta(seconds=600), 500, now)
            self.db.transact_now(sweep_held, account_id, now - timedelta(seconds=120), 500, now)
        await self.publishes()

    async def rests(self, minutes: int = 60) -> None:
        """Let time pass until every listing shows its number and nothing is held any more."""
        for _ in range(minutes):
            await self.minute()
            if not self.differing() and not self.held() and not self.unfinished():
                return
        raise AssertionError(f"not at rest: {self.differing()}, held {self.held()}, {self.unfinished()}")

    def differing(self) -> list[tuple[str, str, int, int]]:
        """(market, code, shown, sellable) where these differ."""
        found = []
        for key, market in self.markets.items():
            market.lands()
            ids = [row["id"] for row in self.rows(f"SELECT id FROM listing WHERE account_id = {self.accounts[key]}")]
            for each in self.db.read_now(load_stock, ids).values():
                if market.shown[each.channel_sku] != each.number.quantity:
                    found.append((key, each.channel_sku, market.shown[each.channel_sku], each.number.quantity))
        return found

    def held(self) -> int:
        return int(self.rows("SELECT coalesce(sum(quantity), 0) AS n FROM hold WHERE closed_at IS NULL")[0]["n"])

    def unfinished(self) -> list[RowMapping]:
        return self.rows("SELECT listing_id, waits_for FROM dirty_listing")

    def open_alerts(self) -> list[str]:
        return [row["kind"] for row in self.rows("SELECT kind FROM alert WHERE closed_at IS NULL ORDER BY kind")]

    def tally(self, key: str, name: str) -> int:
        found = self.rows(f"SELECT n FROM tally WHERE scope = 'account:{key}' AND name = '{name}'")
        return int(found[0]["n"]) if found else 0

    def rows(self, statement: str) -> list[RowMapping]:
        return self.db.read_now(lambda connection: list(connection.execute(text(statement)).mappings()))


@contextmanager
def a_seller(folder: Path, stock: dict[str, int], seed: int = 1, **market: Any) -> Iterator[Seller]:
    with a_database("sqlite", folder) as db:
        clock = HandClock()
        setups = [AccountSetup(key, "ebay", "priority", 0, None, ("hamburg",)) for key in ("alpha", "beta")]
        place = WarehouseSetup("hamburg", "Hamburg", "own", "DE", "20095", "Europe/Berlin")
        ids = db.transact_now(sync_parties, setups, [place], clock.now())
        db.transact_now(insert_rows, sku, [("code", str)], [(code,) for code in stock])
        skus = db.read_now(lambda c: {row.code: row.id for row in c.execute(text("SELECT id, code FROM sku"))})
        hamburg = ids.warehouses["hamburg"]
        pool = (PoolWarehouse(hamburg, "hamburg", 0, True, "DE", "20095", ()),)
        markets = {key: Market(key, clock, Random(f"{seed}/{key}"), dict(stock), **market) for key in ids.accounts}
        views = {
            account_id: AccountView(account_id, key, False, Policy.PRIORITY, 1.0, STALENESS_S, INDEX_LAG_S, pool)
            for key, account_id in ids.accounts.items()
        }
        inbox = InboxWriter(db, clock, lambda: None)
        channels = {ids.accounts[key]: each for key, each in markets.items()}
        intake = Intake(db, dict(channels), views, clock, lambda: None)
        yield Seller(db, clock, markets, dict(ids.accounts), hamburg, skus, views, {}, intake, inbox)


@pytest.fixture
async def seller(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Seller]:
    with a_seller(tmp_path, {"RED": 10}, **getattr(request, "param", {})) as it:
        await begins(it)
        yield it


async def begins(seller: Seller, stock: dict[str, int] | None = None) -> None:
    for code, pieces in (stock or {"RED": 10}).items():
        seller.counts(code, pieces)
    for key, account_id in seller.accounts.items():
        await import_listings(seller.db, seller.markets[key], account_id, seller.clock)
        seller.db.transact_now(set_state, account_id, "live", seller.clock.now())
        seller.starts(key)
    await seller.rests()


LATE = pytest.mark.parametrize("seller", [{"applies_late": True}], indirect=True)
BOTH = pytest.mark.parametrize("seller", [{}, {"applies_late": True}], indirect=True, ids=["at once", "late"])


@BOTH
async def test_a_sale_lowers_the_other_market_and_all_comes_to_rest(seller: Seller) -> None:
    seller.markets["alpha"].sells("RED", 3, listed_after_s=0.0)
    await seller.polls()
    await seller.rests()

    assert [market.shown["RED"] for market in seller.markets.values()] == [7, 7]
    assert [each.value for each in seller.markets["beta"].applied] == [7]
    assert seller.markets["alpha"].applied == []  # it counted itself down


@BOTH
async def test_every_write_comes_right_after_a_read(seller: Seller) -> None:
    for number in range(5):
        seller.markets["alpha"].sells("RED")
        seller.counts("RED", 10 + number)
        await seller.minute()
    await seller.rests()

    written = [each for market in seller.markets.values() for each in market.applied]
    assert written
    slowest = 40.0 if seller.markets["alpha"].applies_late else 0.0
    assert all((each.at - each.read_at).total_seconds() <= slowest for each in written)


async def test_a_write_is_read_back(seller: Seller) -> None:
    reads = seller.tally("beta", "reads")
    seller.markets["alpha"].sells("RED", listed_after_s=0.0)
    await seller.polls()
    await seller.publishes()
    seller.clock.passes(STALENESS_S + 1.0)
    await seller.publishes()

    assert seller.markets["beta"].shown["RED"] == 9
    assert seller.tally("beta", "reads") == reads + 2  # before, and after
    assert seller.rows("SELECT must_read FROM cell WHERE must_read = 1") == []


@BOTH
async def test_a_lost_reply_is_never_repeated_but_read_back(seller: Seller) -> None:
    beta = seller.markets["beta"]
    beta.lost_reply = 1.0
    seller.markets["alpha"].sells("RED", 2, listed_after_s=0.0)
    await seller.polls()
    await seller.publishes()
    beta.lost_reply = 0.0
    await seller.rests()

    assert [each.value for each in beta.applied] == [8]
    assert seller.tally("beta", "writes_unconfirmed") == 1
    assert seller.tally("beta", "units_held") == 0


@BOTH
async def test_a_process_that_dies_behind_a_write_leaves_it_to_the_next_one_to_read(seller: Seller) -> None:
    beta = seller.markets["beta"]
    seller.markets["alpha"].sells("RED", 2, listed_after_s=0.0)
    await seller.polls()

    class PowerCut(BaseException):
        pass

    original = beta.send_write

    async def dies(key: str, body: str) -> Sequence[Any]:
        await original(key, body)
        raise PowerCut

    beta.send_write = dies  # type: ignore[assignment,method-assign]
    with pytest.raises(PowerCut):
        await seller.publishes("beta")
    beta.send_write = original  # type: ignore[method-assign]
    seller.starts("beta")
    await seller.rests()

    assert [each.value for each in beta.applied] == [8]
    assert seller.differing() == []


async def test_a_sale_the_write_erased_is_found_counted_and_mended(seller: Seller) -> None:
    alpha, beta = seller.markets["alpha"], seller.markets["beta"]
    alpha.sells("RED", 2, listed_after_s=0.0)
    await seller.polls()
    original = beta.send_write

    async def races(key: str, body: str) -> Any:
        beta.sells("RED", 3, listed_after_s=30.0)  # between the read and the write
        return await original(key, body)

    beta.send_write = races  # type: ignore[method-assign]
    await seller.publishes("beta")
    beta.send_write = original  # type: ignore[method-assign]
    assert beta.shown["RED"] == 8  # three units are on sale that are sold

    await seller.rests()

    assert seller.tally("beta", "units_relisted") == 3
    assert [market.shown["RED"] for market in seller.markets.values()] == [5, 5]


@pytest.mark.parametrize("seller", [{"hold_window_s": 432_000.0}], indirect=True)
async def test_a_sale_in_the_race_that_survived_it_is_not_held_for_days(seller: Seller) -> None:
    alpha, beta = seller.markets["alpha"], seller.markets["beta"]
    alpha.sells("RED", 2, listed_after_s=0.0)
    await seller.polls()
    original = beta.send_write

    async def races(key: str, body: str) -> Any:
        answer = await original(key, body)
        beta.sells("RED", 3, listed_after_s=30.0)  # behind the write, in the second of its answer
        return answer

    beta.send_write = races  # type: ignore[method-assign]
    await seller.publishes("beta")
    beta.send_write = original  # type: ignore[method-assign]
    await seller.rests(30)

    assert seller.tally("beta", "units_relisted") == 0
    assert [market.shown["RED"] for market in seller.markets.values()] == [5, 5]


@pytest.mark.parametrize("seller", [{"hold_window_s": 432_000.0}], indirect=True)
async def test_an_unpaid_purchase_is_held_back_everywhere_until_it_is_paid_or_given_back(seller: Seller) -> None:
    alpha, beta = seller.markets["alpha"], seller.markets["beta"]
    bought = alpha.sells("RED", 2, paid=False)
    dropped = alpha.sells("RED", 3, paid=False)
    assert bought is not None
    assert dropped is not None
    seller.clock.passes(700.0)
    await seller.minute()
    await seller.minute()
    assert (seller.held(), beta.shown["RED"]) == (5, 5)

    alpha.pays(bought)
    await seller.minute()
    assert (seller.held(), beta.shown["RED"]) == (3, 5)

    alpha.drops(dropped, give_back=True)
    await seller.rests()

    assert (seller.held(), alpha.shown["RED"], beta.shown["RED"]) == (0, 8, 8)


@pytest.mark.parametrize("seller", [{"hold_window_s": 432_000.0}], indirect=True)
async def test_a_give_back_taken_for_an_older_purchase_is_put_right_by_its_order(seller: Seller) -> None:
    alpha = seller.markets["alpha"]
    older = alpha.sells("RED", 1, paid=False)
    seller.clock.passes(700.0)
    for _ in range(2):
        await seller.minute()
    newer = alpha.sells("RED", 2, paid=False)
    seller.clock.passes(700.0)
    for _ in range(2):
        await seller.minute()
    assert older is not None
    assert newer is not None
    assert seller.held() == 3

    alpha.drops(newer, give_back=True)  # two units are back: one is taken for the older purchase's
    for _ in range(4):
        await seller.minute()
    assert seller.held() == 1
    alpha.pays(older)
    await seller.rests()

    assert [market.shown["RED"] for market in seller.markets.values()] == [9, 9]


@BOTH
async def test_a_raise_waits_for_a_poll_past_the_read_it_is_based_on(seller: Seller) -> None:
    seller.markets["beta"].sells("RED", 2, listed_after_s=50.0)
    seller.counts("RED", 15)
    await seller.publishes()
    seller.clock.passes(10.0)
    await seller.publishes()

    assert seller.markets["beta"].shown["RED"] == 8  # never back to 15

    await seller.rests()
    assert [market.shown["RED"] for market in seller.markets.values()] == [13, 13]


@BOTH
async def test_levels_that_a_warehouse_told_too_long_ago_raise_nothing_and_lower_all_the_same(seller: Seller) -> None:
    seller.db.transact_now(move_cursor, seller.hamburg, STOCK, seller.clock.now(), seller.clock.now())
    seller.clock.passes(1900.0)
    seller.counts("RED", 20)
    for _ in range(10):
        await seller.minute()
    assert [market.shown["RED"] for market in seller.markets.values()] == [10, 10]

    seller.markets["alpha"].sells("RED", 2, listed_after_s=0.0)
    seller.counts("RED", 5)
    for _ in range(10):
        await seller.minute()
    assert [market.shown["RED"] for market in seller.markets.values()] == [3, 3]

    seller.counts("RED", 20)
    seller.db.transact_now(move_cursor, seller.hamburg, STOCK, seller.clock.now(), seller.clock.now())
    await seller.rests()
    assert [market.shown["RED"] for market in seller.markets.values()] == [18, 18]


async def test_what_a_warehouse_no_longer_names_is_not_raised(seller: Seller) -> None:
    unnamed = [(seller.hamburg, seller.skus["RED"], "RED", seller.clock.now() - timedelta(seconds=1801))]
    columns = [("warehouse_id", int), ("sku_id", int), ("warehouse_sku", str), ("unnamed_since_at", datetime)]
    seller.db.transact_now(insert_rows, warehouse_item, columns, unnamed)
    seller.counts("RED", 20)
    for _ in range(10):
        await seller.minute()

    assert [market.shown["RED"] for market in seller.markets.values()] == [10, 10]
    assert {row["waits_for"] for row in seller.unfinished()} == {"a warehouse does not tell its level any more"}


# --- random days ----------------------------------------------------------------------------------------------


class Day:
    """A random day of a seller, and what its writes did wrong."""

    def __init__(self, seller: Seller, seed: int) -> None:
        self.seller = seller
        self.rng = Random(seed)
        self.unpaid: list[tuple[Market, str]] = []
        self.orders: list[tuple[Market, str]] = []
        self.checked: dict[str, int] = dict.fromkeys(seller.markets, 0)

    async def goes(self, steps: int) -> None:
        for _ in range(steps):
            await self._something()
            self.seller.clock.passes(self.rng.choice((0.0, 0.5, 2.0, 7.0, 20.0)))
            if self.rng.random() < 0.5:
                await self.seller.publishes()
            if self.rng.random() < 0.15:
                await self.seller.polls()
            self._check()
        for market, order in self.unpaid:
            market.pays(order)
        await self.seller.rests(240)
        self._check()

    async def _something(self) -> None:
        market = self.rng.choice(list(self.seller.markets.values()))
        code = self.rng.choice(list(market.shown))
        match self.rng.choices(("buy", "unpaid", "settle", "cancel", "count", "restart"), (10, 3, 4, 2, 2, 1))[0]:
            case "buy":
                if order := market.sells(code, self.rng.choice((1, 1, 2))):
                    self.orders.append((market, order))
            case "unpaid":
                if order := market.sells(code, 1, paid=False):
                    self.unpaid.append((market, order))
            case "settle" if self.unpaid:
                bought, order = self.unpaid.pop(self.rng.randrange(len(self.unpaid)))
                if self.rng.random() < 0.7:
                    bought.pays(order)
                else:
                    bought.drops(order, give_back=True)
            case "cancel" if self.orders:
                sold, order = self.orders.pop(self.rng.randrange(len(self.orders)))
                sold.cancels(order, give_back=self.rng.random() < 0.7)
            case "count":
                self.seller.counts(code, self.seller.on_hand[code] + self.rng.randrange(3))
            case "restart":
                self.seller.starts(market.key)

    def _check(self) -> None:
        """A write that put sold units back on sale had a sale of its own between its read and its effect."""
        for key, market in self.seller.markets.items():
            for each in market.applied[self.checked[key] :]:
                if each.value > each.met:
                    known = self._known(key, each.sku)
                    own = [
                        sold
                        for sold in market.orders.values()
                        if sold.wire.sku == each.sku and sold.wire.id not in known and not sold.wire.cancelled
                    ]
                    free = self.seller.on_hand[each.sku] - self._sold(each.sku)
                    since = each.read_at - timedelta(seconds=STALENESS_S + 1.0)
                    raced = any(since <= sold.wire.placed_at <= each.at for sold in own)
                    other = self._sold(each.sku) - self._sold(each.sku, key)
                    harmful = bool(own) and each.value > max(each.met, free + other)
                    assert not harmful or raced, (key, each, own, free)
            self.checked[key] = len(market.applied)

    def _sold(self, code: str, only: str | None = None) -> int:
        return sum(
            sold.wire.quantity
            for key, market in self.seller.markets.items()
            if only in (None, key)
            for sold in market.orders.values()
            if sold.wire.sku == code and not sold.wire.cancelled
        )

    def _known(self, key: str, code: str) -> set[str]:
        found = self.seller.rows(
            f"SELECT channel_order_id FROM sales_order WHERE account_id = {self.seller.accounts[key]}"
        )
        return {row["channel_order_id"] for row in found}


@pytest.mark.parametrize("applies_late", [False, True], ids=["at once", "late"])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 16))])
async def test_a_random_day_relists_nothing_but_in_the_race_and_comes_to_rest(
    tmp_path: Path, seed: int, applies_late: bool
) -> None:
    stock = {"RED": 8, "BLUE": 3}
    faults = {"lost_reply": 0.1, "not_sent": 0.1, "stale_read": 0.2, "hold_window_s": 900.0}
    with a_seller(tmp_path, stock, seed, applies_late=applies_late, **faults) as seller:
        await begins(seller, stock)
        await Day(seller, seed).goes(60)

        assert audit(seller.db).violations == ()
        assert seller.differing() == []
