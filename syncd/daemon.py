"""The daemon: starts every loop and job of one configuration, serves the web, and ends as a whole when it must."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol

import structlog
from aiohttp import web

from adapters.contract import Channel, NewsQueue
from syncd import __version__, sd_notify
from syncd.alerts.courier import Courier
from syncd.alerts.lateness import Lateness, Polled, Work
from syncd.alerts.opening import known_of
from syncd.alerts.upkeep import Upkeep
from syncd.alerts.watch import Watch
from syncd.bootstrap import OutsideWarehouses, World
from syncd.daemon_adapters import Adapters, open_adapters
from syncd.daemon_rounds import Rounds, within
from syncd.db.engine import is_sqlite
from syncd.db.lease import Lease
from syncd.fulfilment.outside import Fulfilment
from syncd.fulfilment.stock_reader import StockReader
from syncd.host import Host, Served, ThisMachine
from syncd.insight.job_log import JobLog
from syncd.jobs import AccountWork, Jobs, WarehouseWork
from syncd.leases import RENEW_EVERY_S, SCHEDULER, LeaseKeeper, account_lease, warehouse_lease
from syncd.loops import Job, Pulse, Step, Timetable, keep_running
from syncd.orders.intake import InboxWriter, Intake
from syncd.orders.poll import Poller
from syncd.orders.queue_in import QueueReader
from syncd.publishing.publisher import Publisher
from syncd.web.app import WEBHOOKS, WebDeps, make_app

log = structlog.get_logger(__name__)

_STUCK_S = 60.0
_SHORTEST_REST_S = 0.05
_LEASES = "leases"

# What a stop takes at most, in real seconds; together less than `last_resort.DRAIN_S`.
GRACE_S: Final = 4.0  # for rounds under way, asked vendors included
_CUT_S = 1.0  # for those that are cancelled then
_WEB_S = 5.0  # for requests under way
_CLOSE_S = 2.0  # for connections to vendors and chats
_RELEASE_S = 3.0  # for the leases, which end by themselves if need be


class Punctual(Protocol):
    """Whoever knows when there is something to do next; None: nothing it knows of."""

    @property
    def next_look_at(self) -> datetime | None: ...


class Daemon:
    """One process that keeps all accounts of a configuration in step."""

    def __init__(
        self,
        world: World,
        host: Host | None = None,
        *,
        adapters: Adapters | None = None,
        keeper: LeaseKeeper | None = None,
        standing: Callable[[], Mapping[str, Any]] = dict,
        started_at: datetime | None = None,
    ) -> None:
        """`adapters` and `keeper` are handed over by the one before it; `standing` and `started_at` are shown."""
        self._world = world
        self._db = world.db
        self._clock = world.clock
        self._host = host or ThisMachine()
        self._rng = self._host.rng
        self._standing = standing
        self._started_at = started_at
        self._adapters = adapters or open_adapters(world, self._host, lambda name: self.keeper.lease(name))
        self._channels = self._adapters.channels
        self._messenger = self._adapters.messenger
        self.keeper = keeper or LeaseKeeper(
            world.db, self._adapters.leases, holder=self._host.holder, now=self._host.real_now
        )
        self._fulfillers = self._adapters.outside.fulfillers
        self._warehouses = self._work_outside(self._adapters.outside)
        self._warehouse_wake = asyncio.Event()
        self._told_by: set[str] = set()  # warehouses that sent news since their last poll
        self._pulse = Pulse()
        self._rounds = Rounds()
        self._job_log = JobLog(world.clock)
        self._intake_wake = asyncio.Event()
        self._hints_wake = {key: asyncio.Event() for key in self._channels}
        self._inbox = InboxWriter(world.db, world.clock, self._intake_wake.set)
        self._ended: asyncio.Future[None] | None = None
        self._served: Served | None = None
        self._timetable: Timetable | None = None
        self._tasks: list[asyncio.Task[None]] = []
        by_id = {world.ids.accounts[key]: channel for key, channel in self._channels.items()}
        wakes = {world.ids.accounts[key]: wake for key, wake in self._hints_wake.items()}
        self._intake = Intake(
            world.db,
            by_id,
            world.views,
            world.clock,
            self._book_changed,
            lambda account_id: wakes[account_id].set(),
            others_wait=world.db.others_wait if is_sqlite(world.config.database.url) else None,
        )
        self._pollers = {key: self._poller(key, channel) for key, channel in self._channels.items()}
        self._publishers = {key: self._publisher(key, channel) for key, channel in self._channels.items()}
        self._queues = {
            key: self._queue_reader(key, channel.queue)
            for key, channel in self._channels.items()
            if channel.queue is not None
        }

    async def run(self, *, standby: bool = False, ready: Callable[[str], None] | None = None) -> None:
        """Run until a signal, or until a lease is lost. `ready` gets the address of the status page."""
        await self.keeper.acquire(standby=standby)
        ended = self.begin()
        self._host.on_signal(lambda: self._end(None))
        served = await self.open_door()
        self.start()
        sd_notify.ready()
        if ready is not None:
            ready(served.address)
        grace_s = 0.0  # without its leases it must not act any more
        try:
            await ended
            grace_s = GRACE_S
        finally:
            sd_notify.stopping()
            await self.stop(grace_s)
            await self.release()

    def begin(self) -> asyncio.Future[None]:
        """What is done when it must end, with the reason as its exception."""
        self._ended = asyncio.get_running_loop().create_future()
        return self._ended

    async def open_door(self, serve: Callable[[web.Application, str, int], Awaitable[Served]] | None = None) -> Served:
        """Answer the web. Raises OSError when the address cannot be had; the leases are given back then."""
        http = self._world.config.http
        self._app = self._web()
        try:
            self._served = await (serve or self._host.serve)(self._app, http.host, http.port)
        except OSError:
            await self.keeper.release()
            raise
        return self._served

    @property
    def served(self) -> Served:
        """How it answers, once its door is open."""
        assert self._served is not None, "its door is open"
        return self._served

    def start(self) -> None:
        """Begin to work."""
        jobs = self._rounds.jobs(self._job_log.watch(self._jobs(self._app[WEBHOOKS].flush_counts)))
        self._timetable = self._host.timetable(jobs, self._clock, self._end)
        self._tasks = self._start_loops()
        self._timetable.start()
        log.info("daemon.started", version=__version__, accounts=sorted(self._channels), url=self.served.address)

    async def stop(self, grace_s: float) -> None:
        """Stop working and answering: rounds under way have `grace_s`, and nothing that hangs keeps it for long.

        Whatever was acknowledged is committed, and every write that is under way can be settled by who comes next.
        """
        unfinished = await self._rounds.end(grace_s)
        if unfinished and grace_s:
            log.warning("stop.cut_short", unfinished=unfinished, after_s=grace_s)
        if self._timetable is not None:
            self._timetable.stop()
        cut: list[asyncio.Task[Any]] = list(dict.fromkeys((*self._tasks, *self._rounds.tasks)))
        for task in cut:
            task.cancel()
        if cut:
            _, stuck = await asyncio.wait(cut, timeout=_CUT_S)
            if stuck:
                log.warning("stop.left_behind", what=sorted(task.get_name() for task in stuck), after_s=_CUT_S)
        if self._served is not None:
            await within(_WEB_S, "web", self._served.stop())
        await within(_CLOSE_S, "adapters", self._adapters.close())

    async def release(self) -> None:
        """Give the leases back, at the very end."""
        await within(_RELEASE_S, "leases", self.keeper.release())
        log.info("daemon.stopped")

    def _end(self, why: BaseException | None) -> None:
        assert self._ended is not None, "only a running daemon ends"
        if self._ended.done():
            return
        if why is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(why)

    def _book_changed(self) -> None:
        for publisher in self._publishers.values():
            publisher.wake.set()

    def _poller(self, key: str, channel: Channel) -> Poller:
        name = account_lease(key)
        return Poller(
            self._world.ids.accounts[key],
            key,
            channel,
            self._db,
            self._inbox,
            self._clock,
            lambda: self.keeper.lease(name),
        )

    def _queue_reader(self, key: str, queue: NewsQueue) -> QueueReader:
        name = account_lease(key)
        return QueueReader(
            self._world.ids.accounts[key],
            key,
            queue,
            self._db,
            self._inbox,
            self._clock,
            lambda: self.keeper.lease(name),
        )

    def _publisher(self, key: str, channel: Channel) -> Publisher:
        name = account_lease(key)
        account_id = self._world.ids.accounts[key]
        return Publisher(
            account_id,
            key,
            channel,
            self._db,
            self._clock,
            self._rng,
            lambda: self.keeper.lease(name),
            self._host.real_now,
        )

    def _work_outside(self, outside: OutsideWarehouses) -> dict[str, WarehouseWork]:
        work = {}
        for key, source in outside.sources.items():
            reader = StockReader(self._warehouse_id(key), key, source, self._db, self._clock, self._lease_of(key))
            work[key] = WarehouseWork(key, source, reader, None, None)
        for key, fulfiller in outside.fulfillers.items():
            fulfilment = Fulfilment(
                self._warehouse_id(key),
                key,
                fulfiller,
                self._world.views,
                self._db,
                self._clock,
                self._lease_of(key),
            )
            work[key] = WarehouseWork(key, fulfiller, fulfilment, fulfilment, fulfiller)
        return work

    def _warehouse_id(self, key: str) -> int:
        return self._world.ids.warehouses[key]

    def _lease_of(self, key: str) -> Callable[[], Lease]:
        return lambda: self.keeper.lease(warehouse_lease(key))

    def _take_warehouse_news(self, key: str, headers: Mapping[str, str], body: bytes) -> None:
        """A warehouse's webhook brings its next poll forward. Raises Forged."""
        self._fulfillers[key].verify_webhook(headers, body)
        self._told_by.add(key)
        self._warehouse_wake.set()

    async def _poll_who_told(self) -> bool:
        told, self._told_by = self._told_by, set()
        for key in sorted(told):
            work = self._warehouses[key]
            if work.fulfilment is not None and await work.fulfilment.poll():
                self._book_changed()
        return bool(self._told_by)

    def _web(self) -> web.Application:
        return make_app(
            WebDeps(
                db=self._db,
                clock=self._clock,
                inbox=self._inbox,
                accounts={key: (self._world.ids.accounts[key], channel) for key, channel in self._channels.items()},
                version=__version__,
                started_at=self._started_at or self._clock.now(),
                ready=self._not_ready,
                public_url=self._world.config.http.public_url,
                warehouses={key: partial(self._take_warehouse_news, key) for key in self._fulfillers},
                api_token=self._adapters.api_token,
                jobs=self._job_log.runs,
                standing=self._standing,
            )
        )

    async def _not_ready(self) -> list[str]:
        """What keeps the daemon from doing its work: never the state of an account."""
        return [f"{name} has not got round for {_STUCK_S:.0f} s" for name in self._pulse.stuck(_STUCK_S)]

    def _start_loops(self) -> list[asyncio.Task[None]]:
        loops = [self._loop(_LEASES, self._renew, asyncio.Event(), lambda: RENEW_EVERY_S)]
        loops.append(self._loop("intake", self._drain, self._intake_wake))
        for key, publisher in self._publishers.items():
            loops.append(self._loop(f"publish:{key}", publisher.step, publisher.wake, self._until_due(publisher)))
        for key, poller in self._pollers.items():
            due = self._until_due(poller.hints)
            loops.append(self._loop(f"hints:{key}", self._hints(key), self._hints_wake[key], due))
        if self._fulfillers:
            loops.append(self._loop("warehouse_news", self._poll_who_told, self._warehouse_wake))
        for key, reader in self._queues.items():
            loops.append(self._loop(f"queue:{key}", reader.step, asyncio.Event()))
        if self._messenger is not None:
            due = self._until_due(self._messenger)
            loops.append(self._loop("messenger", self._messenger.step, self._messenger.wake, due))
            for each in self._messenger.couriers:
                loops.append(self._loop(f"route:{each.route}", each.step, each.wake, self._until_it_rests(each)))
        tasks = [asyncio.create_task(each) for each in loops]
        for task in tasks:
            task.add_done_callback(self._loop_ended)
        return tasks

    def _loop(
        self, name: str, step: Step, wake: asyncio.Event, idle_real_s: Callable[[], float] | None = None
    ) -> Coroutine[None, None, None]:
        # The leases are renewed until the end, as long as others finish their rounds.
        watched = step if name == _LEASES else self._rounds.step(name, step)
        return keep_running(name, watched, wake, self._pulse, idle_real_s or (lambda: self._host.idle_s))

    def _until_due(self, works: Punctual) -> Callable[[], float]:
        """How long a loop may rest: until it knows of something to do, and never longer than any other."""

        def rest_s() -> float:
            due_at = works.next_look_at
            if due_at is None:
                return self._host.idle_s
            left_s = self._clock.real_seconds((due_at - self._clock.now()).total_seconds())
            return min(self._host.idle_s, max(_SHORTEST_REST_S, left_s))

        return rest_s

    def _until_it_rests(self, courier: Courier) -> Callable[[], float]:
        """The same for what works in real time."""

        def rest_s() -> float:
            if courier.rest_until is None:
                return self._host.idle_s
            left_s = (courier.rest_until - self._host.real_now()).total_seconds()
            return min(self._host.idle_s, max(_SHORTEST_REST_S, left_s))

        return rest_s

    def _loop_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._end(task.exception())

    async def _renew(self) -> bool:
        await self.keeper.renew()
        if not self._pulse.stuck(_STUCK_S):
            sd_notify.alive()
        return False

    async def _drain(self) -> bool:
        await self._intake.drain()
        return self._intake.more  # what arrived meanwhile has woken the loop

    def _hints(self, key: str) -> Step:
        async def step() -> bool:
            if await self._pollers[key].look_up_hints(self._intake_wake.set):
                self._publishers[key].wake.set()
            return False

        return step

    def _jobs(self, flush_counts: Callable[[], Awaitable[None]]) -> tuple[Job, ...]:
        accounts = {
            key: AccountWork(self._world.ids.accounts[key], key, channel, self._pollers[key], self._publishers[key])
            for key, channel in self._channels.items()
        }
        jobs = Jobs(
            self._world,
            accounts,
            self._warehouses,
            self._scheduler,
            self._intake_wake.set,
            self._book_changed,
            flush_counts,
        ).table()
        return (*jobs, *self._watch_jobs())

    def _watch_jobs(self) -> tuple[Job, ...]:
        """What is looked after beside the work itself."""
        if not self._host.watched:
            return ()
        accounts = {key: self._world.ids.accounts[key] for key in self._channels}
        disks = self._host.disks(self._world.config.database.url)
        known = known_of(self._world.config, self._world.ids)
        watch = Watch(self._db, self._clock, self._scheduler, accounts, disks)
        upkeep = Upkeep(self._db, self._clock, self._scheduler, self._host.real_now, known)
        return (*watch.jobs(), *self._lateness().jobs(), *upkeep.jobs())

    def _lateness(self) -> Lateness:
        polled = [
            Polled(key, self._world.ids.accounts[key], channel.traits.poll_every_s, self._last_page_of(key))
            for key, channel in self._channels.items()
        ]
        work = Work(self._pulse.names, self._pulse.failing, self._pulse.well, self._job_log.runs)
        return Lateness(self._db, self._clock, self._scheduler, self._host.real_now, polled, work)

    def _last_page_of(self, key: str) -> Callable[[], datetime | None]:
        return lambda: self._pollers[key].last_page_at

    def _scheduler(self) -> Lease:
        return self.keeper.lease(SCHEDULER)
