"""Now and then one channel's API answers nobody for some minutes, while its shoppers go on buying."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from adapters.contract import Clock
from syncd.chance import SeededRng
from syncd.simulation.happenings import Happenings, Outage
from syncd.simulation.shop_control import ShopCounter
from syncd.simulation.world import World

FIRST_AFTER_S = 720.0
_EVERY_S = 3600.0
_LASTS_S = 240.0


async def break_down(
    world: World, shops: Mapping[str, ShopCounter], clock: Clock, happenings: Happenings, shopping_s: float | None
) -> None:
    """One channel after the other goes down, for ever: first in the middle of a short run of `shopping_s`."""
    rng = SeededRng(world.seed, "outages")
    first_after_s = FIRST_AFTER_S if shopping_s is None else min(FIRST_AFTER_S, 0.4 * shopping_s)
    lasts_s = _LASTS_S if shopping_s is None else min(_LASTS_S, 0.3 * shopping_s)
    await clock.sleep(first_after_s)
    turn = rng.randrange(len(world.channels))
    while True:
        key = world.channels[turn % len(world.channels)].key
        await shops[key].faults({"down_s": lasts_s})
        now = clock.now()
        happenings.outages.append(Outage(key, now, now + timedelta(seconds=lasts_s)))
        turn += 1
        await clock.sleep(_EVERY_S)
