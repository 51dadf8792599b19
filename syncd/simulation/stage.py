"""Set the stage: a made-up seller's folder, sandboxes and daemon, imported, live, and comparable with the truth."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from syncd import config as settings
from syncd.bootstrap import open_channels, open_world
from syncd.clock import ScaledClock, start_record
from syncd.db.migrate import migrate
from syncd.simulation.files import secrets_of, settle_terms, write_config
from syncd.simulation.happenings import Lived
from syncd.simulation.processes import Process, free_ports
from syncd.simulation.scene import (
    SELLER_START,
    Scene,
    differing,
    go_live_everywhere,
    import_all_listings,
    import_book,
    truths,
)
from syncd.simulation.shop_control import DockCounter, ShopCounter
from syncd.simulation.stands import save_stands
from syncd.simulation.world import TWO_SHOPS, Cast, make_world, stands

__all__ = ["Stage", "differing", "set_stage", "truths"]


@dataclass(slots=True, kw_only=True)
class Stage(Scene):
    """A scene of real processes: the sandboxes' and the daemon's."""

    port: int
    database_url: str
    sandbox: Process
    config_file: Path
    secrets: dict[str, str]
    daemon: Process | None = None
    lived: Lived | None = None
    restarts: int = 0
    peaks_mib: list[float] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start_daemon(self) -> None:
        self.lived = self.happenings.begin_life(self.clock.now())
        self.daemon = Process(["run", "-c", str(self.config_file)], self.folder / "daemon.log", env=self.secrets)
        await self.daemon.answers(f"{self.address}/readyz")

    async def kill_daemon(self) -> None:
        """Power cut and start again."""
        assert self.daemon is not None, "there is a daemon to kill"
        self.note_peak()
        self.daemon.kill()
        if self.lived is not None:
            self.lived.end(self.clock.now())
        self.restarts += 1
        await self.start_daemon()

    def note_peak(self) -> None:
        peak = self.daemon.peak_rss_mib() if self.daemon else None
        if peak is not None:
            self.peaks_mib.append(peak)

    async def close(self) -> None:
        self.note_peak()
        if self.daemon is not None:
            await self.daemon.stop()
        for counter in [*self.counters, *self.docks.values()]:
            await counter.close()
        await self.sandbox.stop()
        self.setup.db.close()


async def set_stage(
    folder: Path,
    seed: int,
    speed: float,
    *,
    cast: Cast = TWO_SHOPS,
    database_url: str | None = None,
    faults: bool = True,
    ample: bool = False,
    skus: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Stage:
    """Create a seller from a seed, start everything, import everything, and go live."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    keys = [key for key, _ in stands(cast)]
    *ports, port = free_ports(len(keys) + 1)
    world = make_world(seed, cast, dict(zip(keys, ports, strict=True)), skus, faults=faults, ample=ample)
    record = start_record(speed, SELLER_START)
    record.save(folder / "clock.json")
    save_stands(world, folder / "shops.json")
    say("starting the marketplaces' sandboxes")
    arguments = ["sandbox", str(folder / "shops.json"), "--clock", str(folder / "clock.json")]
    sandbox = Process(arguments, folder / "sandbox.log")
    url = database_url or f"sqlite:///{folder / 'syncd.db'}"
    say("creating the database")
    await asyncio.to_thread(migrate, url)
    counters = [ShopCounter(channel.key, world.address(channel.key)) for channel in world.channels]
    docks = {each.key: DockCounter(each.key, world.address(each.key)) for each in cast.warehouses if each.vendor}
    for key in keys:
        await sandbox.answers(f"{world.address(key)}/_control/stats")
    terms = settle_terms(world, {each.key: await each.truth() for each in [*counters, *docks.values()]})
    config_file = write_config(world, terms, folder, url, port)
    setup = open_world(settings.load(config_file))
    clock = ScaledClock(record)
    secrets = secrets_of(terms)
    stage = Stage(
        folder=folder,
        world=world,
        clock=clock,
        port=port,
        database_url=url,
        sandbox=sandbox,
        counters=counters,
        docks=docks,
        config_file=config_file,
        secrets=secrets,
        setup=setup,
    )
    try:
        say("starting the daemon")
        starting = asyncio.create_task(stage.start_daemon())
        import_book(stage)
        await starting
        os.environ.update(stage.secrets)
        await import_all_listings(stage, open_channels(setup))
        say("going live")
        await go_live_everywhere(stage)
    except BaseException:
        await stage.close()
        raise
    return stage
