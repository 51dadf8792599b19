"""Set up a trial: sandboxes, wires, database and daemon of a made-up seller, all in this process."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy.exc import DBAPIError

from syncd import config as settings
from syncd.bootstrap import furnish_world, open_channels
from syncd.chance import SeededRng
from syncd.clock import ScaledClock
from syncd.daemon import Daemon
from syncd.db.migrate import migrate
from syncd.simulation.files import secrets_of, settle_terms, write_config
from syncd.simulation.kit.database import InlineDatabase
from syncd.simulation.kit.disk import Disk
from syncd.simulation.kit.host import VirtualHost
from syncd.simulation.kit.life import Life
from syncd.simulation.kit.loop import VirtualWall
from syncd.simulation.kit.timetable import Rounds
from syncd.simulation.kit.trace import Trace
from syncd.simulation.kit.wire import Wire
from syncd.simulation.marketplace import make_sandbox
from syncd.simulation.scene import Scene, go_live_everywhere, import_all_listings, import_book
from syncd.simulation.shop_control import DockCounter, ShopCounter
from syncd.simulation.stands import Stand, stands_of
from syncd.simulation.trial.plan import Plan
from syncd.simulation.trial.power import Power, Supervisor
from syncd.simulation.world import World

DAEMON_PORT = 8000
FIRST_STAND_PORT = 8001


@dataclass(slots=True, kw_only=True)
class Lab(Scene):
    """A scene in virtual time."""

    seed: int
    wall: VirtualWall
    trace: Trace
    wire: Wire
    power: Power
    config: settings.Config
    sandboxes: dict[str, Any]
    eyes: InlineDatabase
    disk: Disk
    skew_s: float
    supervisor: Supervisor = field(init=False)
    machine: VirtualWall = field(init=False)  # the clock of the newest daemon
    rounds: Rounds = field(default_factory=Rounds)

    def __post_init__(self) -> None:
        self.machine = self.wall
        self.supervisor = Supervisor(self.start_daemon, self.power, SeededRng(self.seed, "supervisor"))

    def start_daemon(self, number: int) -> tuple[Life, asyncio.Task[None]]:
        """One more life of the daemon."""
        life = Life(f"daemon-{number}", mortal=True)
        lived = self.happenings.begin_life(self.clock.now())
        life.at_end(lambda: lived.end(self.clock.now()))
        return life, life.begin(self._live(life, number))

    async def _live(self, life: Life, number: int) -> None:
        db = InlineDatabase(
            self.config.database.url_with_password(),
            SeededRng(self.seed, f"daemon/{number}/db"),
            self.trace,
            life,
            self.power.reach,
            self.disk,
            self.eyes,
        )
        rng = SeededRng(self.seed, f"daemon/{number}")
        skew_s = rng.uniform(-self.skew_s, self.skew_s) if self.power.armed else 0.0
        wall = self.machine = self.wall.off_by(skew_s, self.happenings.misread)
        host = VirtualHost(life, self.wire, wall, rng, self.rounds)
        self.trace.note("daemon.started", number, f"{wall.skew_s:.6f}")
        try:
            world = furnish_world(self.config, db, ScaledClock(real=wall.now))
            await Daemon(world, host).run(standby=True)
        except DBAPIError as err:
            if host.serves:
                raise
            # Without a database nothing can begin: the service manager tries again.
            self.trace.note("daemon.not_started", number, type(err).__name__)
            self.power.cuts.false_starts += 1


def ports_of(world_keys: list[str]) -> dict[str, int]:
    """Addresses that nobody listens on in reality."""
    return {key: FIRST_STAND_PORT + index for index, key in enumerate(world_keys)}


async def set_up(
    folder: Path, world: World, plan: Plan, wall: VirtualWall, trace: Trace, wire: Wire, power: Power
) -> Lab:
    """Open the sandboxes and make the seller's configuration and database; no daemon runs yet."""
    seed = world.seed
    clock = ScaledClock(real=wall.now)
    sandboxes = {}
    for stand in stands_of(world):
        sandboxes[stand.key] = await _open(stand, seed, clock, wire)
    counters = [ShopCounter(channel.key, world.address(channel.key)) for channel in world.channels]
    docks = {each.key: DockCounter(each.key, world.address(each.key)) for each in world.cast.warehouses if each.vendor}
    terms = settle_terms(world, {each.key: await each.truth() for each in [*counters, *docks.values()]})
    if plan.poll_every_s is not None:
        terms = {key: {**settings, "poll_every_s": plan.poll_every_s} for key, settings in terms.items()}
    url = f"sqlite:///{folder / 'syncd.db'}"
    config = settings.load(write_config(world, terms, folder, url, DAEMON_PORT))
    os.environ.update(secrets_of(terms))
    eyes = InlineDatabase(url, SeededRng(seed, "world/db"), trace)
    return Lab(
        folder=folder,
        world=world,
        clock=clock,
        counters=counters,
        docks=docks,
        setup=furnish_world(config, eyes, clock),
        seed=seed,
        wall=wall,
        trace=trace,
        wire=wire,
        power=power,
        config=config,
        sandboxes=sandboxes,
        eyes=eyes,
        disk=Disk(folder / "syncd.db"),
        skew_s=plan.faults.skew_s,
    )


async def open_shop(lab: Lab) -> None:
    """The seller's first day, up to going live."""
    import_book(lab)
    await import_all_listings(lab, open_channels(lab.setup, SeededRng(lab.seed, "imports")))
    await go_live_everywhere(lab)


async def _open(stand: Stand, seed: int, clock: ScaledClock, wire: Wire) -> Any:
    life = Life(stand.key)
    sandbox = make_sandbox(stand, seed, clock)

    async def serve() -> None:
        runner = web.AppRunner(sandbox.app, access_log=None, handle_signals=False)
        await runner.setup()
        wire.listen(("127.0.0.1", stand.port), runner, life)

    await life.begin(serve())
    return sandbox


def new_database(folder: Path, template: Path | None) -> None:
    """An empty database of the newest schema; made once and copied where a template's place is named."""
    target = folder / "syncd.db"
    if template is None:
        migrate(f"sqlite:///{target}")
        return
    if not template.exists():
        migrate(f"sqlite:///{template}")
    shutil.copyfile(template, target)


@contextmanager
def environment_kept() -> Iterator[None]:
    """Secrets come by the environment; afterwards it is as it was."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
