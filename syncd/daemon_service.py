"""`syncd run`: one daemon after another on the same database, leases and port, each by a newer configuration.

A reload builds all of the next daemon beside the one that works. What is wrong with its configuration refuses it as a
whole; what is right takes the other's place in one step, and the port answers all the while.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from syncd import config as settings
from syncd import sd_notify
from syncd.accounts.store import sync_parties
from syncd.alerts.opening import topics_of
from syncd.alerts.refused_reload import Problem, note_reloaded, problems_of
from syncd.bootstrap import World, account_setups, account_views, warehouse_setups
from syncd.config.reload import fixed_that_differ
from syncd.config.told import keep_last_good, state_folder
from syncd.daemon import GRACE_S, Daemon
from syncd.daemon_adapters import Adapters, open_adapters
from syncd.daemon_standing import Answer, Standing, write_answer, write_answer_file
from syncd.db.database import TOPICS_OPTION, Database
from syncd.db.lease import Fenced, Lease
from syncd.errors import ConfigError, SyncdError
from syncd.garbage import keep_what_is_there
from syncd.host import ThisMachine
from syncd.last_resort import end_surely
from syncd.leases import SCHEDULER
from syncd.logging import configure
from syncd.turns import take_short_turns

log = structlog.get_logger(__name__)


class Service:
    """A process that runs until it is asked to end, and takes the configuration anew when it is asked to."""

    def __init__(self, path: Path, world: World, db: Database) -> None:
        """`path` is the file that `world` was made of, `db` its database."""
        self._path = path
        self._world = world
        self._db = db
        self._host = ThisMachine()
        self._standing = Standing(self._host.real_now())
        self._started_at = world.clock.now()
        self._asked = asyncio.Event()
        self._to_end = asyncio.Event()
        self._last_resort: threading.Timer | None = None
        self._leases: frozenset[str] = frozenset()
        self._daemon = Daemon(world, self._host, standing=self._standing.to_json, started_at=self._started_at)

    async def run(self, *, standby: bool = False) -> None:
        """Run until a signal, or until a lease is lost."""
        self._host.on_signal(self._end, self._asked.set)
        if not await self._acquire(standby=standby):
            return
        ended = self._daemon.begin()
        await self._daemon.open_door()
        self._daemon.start()
        self._keep_last_good()
        keep_what_is_there()
        take_short_turns()
        sd_notify.ready()
        grace_s = 0.0  # without its leases it must not act any more
        try:
            await self._forget_refusals()
            while await self._reload_is_next(ended):
                ended = await self._reload(ended)
            grace_s = GRACE_S
        finally:
            sd_notify.stopping()
            await self._daemon.stop(grace_s)
            await self._daemon.release()

    async def _acquire(self, *, standby: bool) -> bool:
        """Take the leases; False when the process is asked to end before. Raises AlreadyRunning."""
        acquiring = asyncio.create_task(self._daemon.keeper.acquire(standby=standby))
        to_end = asyncio.create_task(self._to_end.wait())
        await asyncio.wait((acquiring, to_end), return_when=asyncio.FIRST_COMPLETED)
        to_end.cancel()
        if acquiring.done():
            acquiring.result()
            return True
        acquiring.cancel()
        return False

    def _end(self) -> None:
        if self._last_resort is None:
            self._last_resort = end_surely()
        self._to_end.set()

    async def _reload_is_next(self, ended: asyncio.Future[None]) -> bool:
        """Wait for what is next: a reload, or the end. Raises why the daemon must end."""
        to_end = asyncio.create_task(self._to_end.wait())
        asked = asyncio.create_task(self._asked.wait())
        await asyncio.wait((ended, to_end, asked), return_when=asyncio.FIRST_COMPLETED)
        to_end.cancel()
        asked.cancel()
        if ended.done():
            ended.result()
        return not self._to_end.is_set()

    async def _reload(self, ended: asyncio.Future[None]) -> asyncio.Future[None]:
        """Take the file as it is now, or refuse all of it. Returns what is done when the daemon must end."""
        self._asked.clear()
        sd_notify.reloading()
        try:
            following = await self._prepare()
        except Exception as err:  # noqa: BLE001 - whatever it is, the configuration in force must stay in force
            await self._refuse(err)
        else:
            if ended.done():  # a lease was lost meanwhile
                ended.result()
            ended = await self._hand_over(following)
            keep_what_is_there()
            self._keep_last_good()
            await self._answer(())
            log.info("reload.taken", file=str(self._path))
        sd_notify.ready()
        return ended

    async def _prepare(self) -> Daemon:
        """All of the next daemon, its place in the database included; whatever fails leaves everything as it is."""
        config = settings.load(self._path, with_secrets=True)
        if fixed := list(fixed_that_differ(self._world.config, config)):
            raise ConfigError(self._path, fixed)
        keeper = self._daemon.keeper
        candidate = replace(self._world, config=config)
        adapters = open_adapters(candidate, self._host, keeper.lease)
        taken: tuple[str, ...] = ()
        try:
            taken = await keeper.take(adapters.leases)
            return await self._settle(candidate, adapters)
        except BaseException:
            await adapters.close()
            await keeper.drop(taken)
            raise

    async def _settle(self, candidate: World, adapters: Adapters) -> Daemon:
        """Bring the configuration into the database: from here on it is in force, after a crash too."""
        config, now = candidate.config, candidate.clock.now()
        ids = await self._db.transact(sync_parties, account_setups(config), warehouse_setups(config), now)
        world = replace(candidate, ids=ids, views=account_views(config, ids))
        self._leases, self._world = frozenset(adapters.leases), world
        return Daemon(
            world,
            self._host,
            adapters=adapters,
            keeper=self._daemon.keeper,
            standing=self._standing.to_json,
            started_at=self._started_at,
        )

    async def _hand_over(self, following: Daemon) -> asyncio.Future[None]:
        """Let the next daemon answer, the one before it finish, and the next begin to work."""
        before, self._daemon = self._daemon, following
        ended = following.begin()
        sockets = before.served.handed_on()
        await following.open_door(lambda app, _host, _port: self._host.serve_on(app, sockets))
        await before.stop(GRACE_S)
        await following.keeper.drop(following.keeper.names - self._leases)
        await following.keeper.retake()
        config = self._world.config
        configure(config.log.level, config.log.format)
        self._db.writer.update_execution_options(**{TOPICS_OPTION: topics_of(config)})
        following.start()
        return ended

    def _keep_last_good(self) -> None:
        try:
            keep_last_good(self._path)
        except OSError as err:
            log.warning("configuration.not_kept", error=err.strerror)

    async def _forget_refusals(self) -> None:
        """What an earlier process refused to take in between is over: this one began with the file as it was."""
        try:
            await self._db.transact(note_reloaded, self._daemon.keeper.lease(SCHEDULER), (), self._world.clock.now())
        except (SQLAlchemyError, Fenced) as err:
            log.warning("reload.refusals_left_open", error=type(err).__name__)

    async def _refuse(self, err: Exception) -> None:
        if not isinstance(err, SyncdError):
            log.error("reload.failed", error=type(err).__name__, exc_info=err)
        problems = problems_of(err)
        told = tuple(map(str, problems))
        log.error("reload.refused", file=str(self._path), problems=told, in_force="the configuration from before")
        await self._answer(problems)

    async def _answer(self, problems: tuple[Problem, ...]) -> None:
        """Let everybody know what came of it: the page, people, the service manager, and whoever asked."""
        answer = Answer(self._host.real_now(), tuple(map(str, problems)))
        self._standing.note(answer)
        sd_notify.status(
            f"reload refused: {'; '.join(answer.problems)}" if problems else "the newest configuration is in force"
        )
        try:
            if (folder := state_folder()) is not None:
                write_answer_file(folder, answer)
            lease = self._daemon.keeper.lease(SCHEDULER)
            await self._db.transact(_note, lease, answer, problems, self._world.clock.now())
        except (OSError, SQLAlchemyError, Fenced) as err:
            log.warning("reload.answer_lost", error=type(err).__name__)


def _note(connection: Connection, lease: Lease, answer: Answer, problems: tuple[Problem, ...], now: datetime) -> None:
    """`now` is the seller's time, as in every alert; the answer has the real one."""
    write_answer(connection, answer)
    note_reloaded(connection, lease, problems, now)
