"""The table of jobs: name, how often in the seller's seconds, and what it does. Each is safe to miss or to repeat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from adapters.contract import AdapterError, Channel
from adapters.warehouse import Fulfiller, StockSource
from syncd.bootstrap import World
from syncd.db.lease import Lease, guard
from syncd.fulfilment.outside import Fulfilment
from syncd.fulfilment.stock_reader import StockReader
from syncd.insight.store import add_tallies
from syncd.loops import Job
from syncd.orders.book import AccountView
from syncd.orders.cover import START, Covered, Progress, cover_shortages
from syncd.orders.poll import Poller
from syncd.orders.replan import replan_short
from syncd.publishing.publisher import Publisher
from syncd.publishing.store.holds import expire_holds
from syncd.reconcile.tidy import sweep_cells, sweep_held, tidy
from syncd.stock.replenished import note_all_free

log = structlog.get_logger(__name__)

_CHUNK = 500
_HELD_EVERY_S = 120.0
_LONG_HOLD_S = 3600.0
_HAND_OVER_EVERY_S = 10.0
_SWEEP_LOOK_S = 900.0  # whether one is due is in the database, so that a restart neither repeats nor skips it


@dataclass(frozen=True, slots=True)
class AccountWork:
    """What works for one account."""

    account_id: int
    key: str
    channel: Channel
    poller: Poller
    publisher: Publisher


@dataclass(frozen=True, slots=True)
class WarehouseWork:
    """What works for one outside warehouse; `fulfilment` where it ships for us."""

    key: str
    source: StockSource
    reader: StockReader | Fulfilment
    fulfilment: Fulfilment | None
    fulfiller: Fulfiller | None


class Jobs:
    """The daemon's timetable. What concerns all accounts runs under the scheduler's lease."""

    def __init__(
        self,
        world: World,
        accounts: Mapping[str, AccountWork],
        warehouses: Mapping[str, WarehouseWork],
        lease: Callable[[], Lease],
        arrived: Callable[[], None],
        book_changed: Callable[[], None],
        flush_counts: Callable[[], Awaitable[None]],
    ) -> None:
        self._world = world
        self._accounts = accounts
        self._lease = lease
        self._arrived = arrived
        self._book_changed = book_changed
        self._flush_counts = flush_counts
        self._warehouses = warehouses
        self._throttles: Mapping[str, int] = {}

    def table(self) -> tuple[Job, ...]:
        jobs = [
            Job("cover_shortages", 30.0, self._cover_shortages),
            Job("replan_short", 60.0, self._replan_short),
            Job("look_at_all_short", 600.0, self._look_at_all_short, at_start=True),
            Job("expire_holds", 30.0, self._expire_holds),
            Job("tidy", 3600.0, self._tidy),
            Job("forged_counts", 60.0, self._flush_counts),
            Job("throttles", 60.0, self._count_throttles),
        ]
        for work in self._accounts.values():
            jobs.append(self._poll(work))
            jobs.append(self._sweep(work))
            jobs += self._order_sweeps(work)
            if work.channel.traits.hold_window_s > _LONG_HOLD_S:
                jobs.append(self._look_at_held(work))
            jobs += self._webhooks(work.key, f"/webhooks/{work.key}", work.channel.ensure_webhooks)
        for outside in self._warehouses.values():
            jobs += self._warehouse(outside)
        return tuple(jobs)

    def _warehouse(self, work: WarehouseWork) -> list[Job]:
        traits = work.source.traits
        jobs = [self._round(f"stock:{work.key}", traits.poll_every_s, work.reader.read_stock)]
        if work.fulfilment is not None:
            jobs += [
                self._round(f"submit:{work.key}", _HAND_OVER_EVERY_S, work.fulfilment.submit_due),
                self._round(f"cancel:{work.key}", _HAND_OVER_EVERY_S, work.fulfilment.cancel_due),
                self._round(f"shipments:{work.key}", traits.shipments_poll_every_s, work.fulfilment.poll),
            ]
        if work.fulfiller is not None:
            jobs += self._webhooks(work.key, f"/webhooks/warehouses/{work.key}", work.fulfiller.ensure_webhooks)
        return jobs

    def _round(self, name: str, every_s: float, step: Callable[[], Awaitable[bool]]) -> Job:
        """Work that says whether the book changed."""

        async def run() -> None:
            if await step():
                self._book_changed()

        return Job(name, every_s, run, at_start=True)

    async def _cover_shortages(self) -> None:
        """Page through all that can be covered, so that no order ever waits behind ones that cannot."""
        after: Progress | None = START
        while after is not None:
            now = self._world.clock.now()
            done = await self._world.db.transact(_cover, self._lease(), self._world.views, _CHUNK, after, now)
            after = done.after
            if done.orders:
                self._book_changed()

    async def _replan_short(self) -> None:
        """Move reservations whose goods are not there to warehouses that have them."""
        now = self._world.clock.now()
        if await self._world.db.transact(_replan, self._lease(), self._world.views, _CHUNK, now):
            self._book_changed()

    async def _look_at_all_short(self) -> None:
        """Have everything covered that can be, also where no piece has moved: a pool may be another since the start."""
        after: int | None = 0
        while after is not None:
            after = await self._world.db.transact(_note_all_free, self._lease(), after, _CHUNK)

    async def _expire_holds(self) -> None:
        slowest = max((work.channel.traits.staleness_s for work in self._accounts.values()), default=0.0)
        if await self._world.db.transact(_expire, self._lease(), _CHUNK, slowest, self._world.clock.now()):
            self._book_changed()

    async def _tidy(self) -> None:
        days = self._world.config.buyers.recipient_days
        done = await self._world.db.transact(_tidy, self._lease(), _CHUNK, self._world.clock.now(), days)
        while any(count >= _CHUNK for count in done.values()):
            done = await self._world.db.transact(_tidy, self._lease(), _CHUNK, self._world.clock.now(), days)

    def _poll(self, work: AccountWork) -> Job:
        async def run() -> None:
            await work.poller.poll(self._arrived)

        return Job(f"poll:{work.key}", work.channel.traits.poll_every_s, run, at_start=True)

    def _order_sweeps(self, work: AccountWork) -> list[Job]:
        """Orders that a channel listed so late that no overlap of the polls has found them."""

        def sweep(every_s: float, back_s: float) -> Callable[[], Awaitable[None]]:
            async def run() -> None:
                await work.poller.sweep(every_s, back_s, self._arrived)

            return run

        return [
            Job(f"orders:{work.key}:{back_s:.0f}", min(every_s, _SWEEP_LOOK_S), sweep(every_s, back_s))
            for every_s, back_s in work.channel.traits.sweeps
        ]

    def _sweep(self, work: AccountWork) -> Job:
        after_s = work.channel.traits.reread_after_s

        async def run() -> None:
            now = self._world.clock.now()
            before = now - timedelta(seconds=after_s)
            if await self._world.db.transact(sweep_cells, work.account_id, before, _CHUNK, now):
                work.publisher.wake.set()

        return Job(f"sweep:{work.key}", min(900.0, after_s / 3), run)

    def _look_at_held(self, work: AccountWork) -> Job:
        """Where purchases may wait for days to be paid, a hold must not outlive one that was dropped."""

        async def run() -> None:
            now = self._world.clock.now()
            before = now - timedelta(seconds=_HELD_EVERY_S)
            if await self._world.db.transact(sweep_held, work.account_id, before, _CHUNK, now):
                work.publisher.wake.set()

        return Job(f"held:{work.key}", _HELD_EVERY_S, run)

    async def _count_throttles(self) -> None:
        """Add to the tallies how often vendors told us to wait since the last time."""
        seen = {f"account:{key}": work.channel.throttled for key, work in self._accounts.items()}
        seen |= {f"warehouse:{key}": work.source.throttled for key, work in self._warehouses.items()}
        new = {(scope, "throttled"): count - self._throttles.get(scope, 0) for scope, count in seen.items()}
        if any(new.values()):
            await self._world.db.transact(add_tallies, new)
        self._throttles = seen

    def _webhooks(self, key: str, path: str, ensure: Callable[[str], Awaitable[Sequence[object]]]) -> list[Job]:
        """Have a vendor's news sent to us, where it can reach us."""
        public_url = self._world.config.http.public_url
        if public_url is None:
            return []

        async def run() -> None:
            try:
                done = await ensure(f"{public_url}{path}")
            except AdapterError as err:
                log.warning("webhooks.not_ensured", key=key, error=type(err).__name__, detail=str(err))
                return
            log.info("webhooks.ensured", key=key, subscriptions=[str(each) for each in done])

        return [Job(f"webhooks:{key}", 3600.0, run, at_start=True)]


def _cover(
    connection: Connection,
    lease: Lease,
    views: Mapping[int, AccountView],
    limit: int,
    after: Progress,
    now: datetime,
) -> Covered:
    guard(connection, lease)
    return cover_shortages(connection, views, limit, now, after)


def _replan(connection: Connection, lease: Lease, views: Mapping[int, AccountView], limit: int, now: datetime) -> int:
    guard(connection, lease)
    return replan_short(connection, views, limit, now)


def _note_all_free(connection: Connection, lease: Lease, after: int, limit: int) -> int | None:
    guard(connection, lease)
    return note_all_free(connection, after, limit)


def _expire(connection: Connection, lease: Lease, limit: int, staleness_s: float, now: datetime) -> int:
    guard(connection, lease)
    return expire_holds(connection, limit, staleness_s, now)


def _tidy(connection: Connection, lease: Lease, limit: int, now: datetime, recipient_days: float) -> dict[str, int]:
    guard(connection, lease)
    return tidy(connection, limit, now, recipient_days)
