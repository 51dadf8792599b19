"""Set the stage: a made-up seller's folder, sandboxes and daemon, imported, live, and comparable with the truth."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from adapters.contract import Channel, RateLimited, Transient
from syncd import config as settings
from syncd.accounts.go_live import go_live_when_ready
from syncd.bootstrap import World as Setup
from syncd.bootstrap import open_channels, open_world
from syncd.catalogue.items import import_items
from syncd.catalogue.listings import import_listings
from syncd.clock import ScaledClock, start_record
from syncd.db.migrate import migrate
from syncd.db.tables import listing
from syncd.publishing.load import load_stock
from syncd.simulation.files import secrets_of, settle_terms, write_config, write_items, write_stock
from syncd.simulation.happenings import Happenings
from syncd.simulation.processes import Process, free_ports
from syncd.simulation.shop_control import DockCounter, ShopCounter
from syncd.simulation.stands import save_stands
from syncd.simulation.world import TWO_SHOPS, Cast, World, make_world, stands
from syncd.stock.import_stock import import_stock

SELLER_START = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)  # a Black Friday morning in New York
_LIVE_PATIENCE_S = 1800.0
_IMPORTS = 6  # at most, before a vendor who fails is given up
_IMPORT_AGAIN_S = 120.0


@dataclass(slots=True)
class Stage:
    """Everything of a run: its folder, its processes, its counters (of channels, and of warehouses with a vendor)."""

    folder: Path
    world: World
    clock: ScaledClock
    port: int
    database_url: str
    sandbox: Process
    counters: list[ShopCounter]
    docks: dict[str, DockCounter]
    config_file: Path
    secrets: dict[str, str]
    setup: Setup
    happenings: Happenings = field(default_factory=Happenings)
    daemon: Process | None = None
    restarts: int = 0
    peaks_mib: list[float] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def shops(self) -> dict[str, ShopCounter]:
        return {counter.key: counter for counter in self.counters}

    async def start_daemon(self) -> None:
        self.daemon = Process(["run", "-c", str(self.config_file)], self.folder / "daemon.log", env=self.secrets)
        await self.daemon.answers(f"{self.address}/readyz")

    async def kill_daemon(self) -> None:
        """Power cut and start again."""
        assert self.daemon is not None, "there is a daemon to kill"
        self.note_peak()
        self.daemon.kill()
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
    stage = Stage(folder, world, clock, port, url, sandbox, counters, docks, config_file, secrets, setup)
    try:
        say("starting the daemon")
        starting = asyncio.create_task(stage.start_daemon())
        _import_book(stage)
        await starting
        await _import_listings(stage)
        say("going live")
        await _go_live(stage)
    except BaseException:
        await stage.close()
        raise
    return stage


def _import_book(stage: Stage) -> None:
    """What the seller knows: the items, and what stands in own warehouses. Others tell what they have themselves."""
    now = stage.clock.now()
    import_items(stage.setup.db, write_items(stage.world, stage.folder / "items.csv"), now)
    own = {warehouse.key for warehouse in stage.world.warehouses("own")}
    counted = {(sku, key): pieces for (sku, key), pieces in stage.world.stock.items() if key in own}
    import_stock(stage.setup.db, write_stock(counted, now, stage.folder / "stock.csv"), now)


async def _import_listings(stage: Stage) -> None:
    os.environ.update(stage.secrets)
    channels = open_channels(stage.setup)
    try:
        for key, channel in channels.items():
            await _import_account(stage, channel, stage.setup.ids.accounts[key])
    finally:
        for channel in channels.values():
            await channel.close()


async def _import_account(stage: Stage, channel: Channel, account_id: int) -> None:
    """Import an account's listings, again after a while where the vendor fails, as a person would."""
    again = AsyncRetrying(
        sleep=stage.clock.sleep,
        wait=wait_fixed(_IMPORT_AGAIN_S),
        stop=stop_after_attempt(_IMPORTS),
        retry=retry_if_exception_type((Transient, RateLimited)),
        reraise=True,
    )
    await again(import_listings, stage.setup.db, channel, account_id, stage.clock)


async def _go_live(stage: Stage) -> None:
    max_age = timedelta(hours=stage.setup.config.stock.stock_max_age_hours)
    for channel in stage.world.channels:
        account_id = stage.setup.ids.accounts[channel.key]
        await go_live_when_ready(stage.setup.db, stage.clock, account_id, channel.key, max_age, _LIVE_PATIENCE_S)


async def truths(stage: Stage) -> dict[str, dict[str, Any]]:
    """Every channel as it really is, by account key."""
    return {counter.key: await counter.truth() for counter in stage.counters}


def differing(stage: Stage, truth: dict[str, dict[str, Any]]) -> list[tuple[str, str, int, int]]:
    """(account, sku, shown, sellable) of every listing of ours to write that does not show its sellable quantity."""
    found: list[tuple[str, str, int, int]] = []
    for key, told in sorted(truth.items()):
        shown = {(level["channel_sku"], level["channel_location"]): level for level in told["levels"]}
        account_id = stage.setup.ids.accounts[key]
        for ref, sellable in stage.setup.db.read_now(_sellable, account_id).items():
            level = shown[ref]
            if max(0, level["available"]) != sellable:  # a negative number is never raised to 0
                found.append((key, level["sku"], level["available"], sellable))
    return found


def _sellable(connection: Connection, account_id: int) -> dict[tuple[str, str], int]:
    heads = connection.execute(select(listing.c.id).where(listing.c.account_id == account_id)).scalars()
    return {
        (found.channel_sku, found.channel_location): found.number.quantity
        for found in load_stock(connection, list(heads)).values()
        if found.unwritable is None
    }
