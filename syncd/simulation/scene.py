"""A made-up seller at work: the world, its counters, its files and its book, whoever runs daemon and sandboxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from adapters.contract import Channel, RateLimited, Transient
from syncd.accounts.go_live import go_live_when_ready
from syncd.bootstrap import World as Setup
from syncd.catalogue.items import import_items
from syncd.catalogue.listings import import_listings
from syncd.clock import ScaledClock
from syncd.db.tables import listing
from syncd.publishing.load import load_stock
from syncd.simulation.files import write_items, write_stock
from syncd.simulation.happenings import Happenings
from syncd.simulation.shop_control import DockCounter, ShopCounter
from syncd.simulation.world import World
from syncd.stock.import_stock import import_stock

SELLER_START = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)  # a Black Friday morning in New York
_LIVE_PATIENCE_S = 1800.0
_IMPORTS = 6  # at most, before a vendor who fails is given up
_IMPORT_AGAIN_S = 120.0


@dataclass(slots=True, kw_only=True)
class Scene:
    """What a run is played with. Counters are of channels, docks of warehouses with a vendor."""

    folder: Path
    world: World
    clock: ScaledClock
    counters: list[ShopCounter]
    docks: dict[str, DockCounter]
    setup: Setup
    happenings: Happenings = field(default_factory=Happenings)

    @property
    def shops(self) -> dict[str, ShopCounter]:
        return {counter.key: counter for counter in self.counters}


def import_book(scene: Scene) -> None:
    """What the seller knows: the items, and what stands in own warehouses. Others tell what they have themselves."""
    now = scene.clock.now()
    import_items(scene.setup.db, write_items(scene.world, scene.folder / "items.csv"), now)
    counted = {(sku, key): pieces for (sku, key), pieces in scene.world.stock.items() if key in scene.world.by_hand}
    import_stock(scene.setup.db, write_stock(counted, now, scene.folder / "stock.csv"), now)


async def import_all_listings(scene: Scene, channels: Mapping[str, Channel]) -> None:
    """Import what every account lists, and close the channels."""
    try:
        for key, channel in channels.items():
            await _import_account(scene, channel, scene.setup.ids.accounts[key])
    finally:
        for channel in channels.values():
            await channel.close()


async def _import_account(scene: Scene, channel: Channel, account_id: int) -> None:
    """Import an account's listings, again after a while where the vendor fails, as a person would."""
    again = AsyncRetrying(
        sleep=scene.clock.sleep,
        wait=wait_fixed(_IMPORT_AGAIN_S),
        stop=stop_after_attempt(_IMPORTS),
        retry=retry_if_exception_type((Transient, RateLimited)),
        reraise=True,
    )
    await again(import_listings, scene.setup.db, channel, account_id, scene.clock)


async def go_live_everywhere(scene: Scene) -> None:
    """Let every account write, as soon as nothing stands against it."""
    max_age = timedelta(hours=scene.setup.config.stock.stock_max_age_hours)
    for channel in scene.world.channels:
        account_id = scene.setup.ids.accounts[channel.key]
        await go_live_when_ready(scene.setup.db, scene.clock, account_id, channel.key, max_age, _LIVE_PATIENCE_S)


async def truths(scene: Scene) -> dict[str, dict[str, Any]]:
    """Every channel as it really is, by account key."""
    return {counter.key: await counter.truth() for counter in scene.counters}


async def differing(scene: Scene, truth: dict[str, dict[str, Any]]) -> list[tuple[str, str, int, int]]:
    """(account, sku, shown, sellable) of every listing of ours to write that does not show its sellable quantity."""
    found: list[tuple[str, str, int, int]] = []
    for key, told in sorted(truth.items()):
        shown = {(level["channel_sku"], level["channel_location"]): level for level in told["levels"]}
        account_id = scene.setup.ids.accounts[key]
        for ref, sellable in (await scene.setup.db.read(_sellable, account_id)).items():
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
