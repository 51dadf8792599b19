"""Units that were free and that nobody could buy: what hides them is lag, holds, buffers, caps and outages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from adapters.sandbox_kit.shown_log import ShownLog
from syncd.simulation.true_stock import Steps, TrueStock, units_hidden
from syncd.simulation.world import World


def hidden_unit_hours(
    account: str,
    world: World,
    stock: TrueStock,
    log: ShownLog,
    levels: Iterable[Mapping[str, Any]],
    from_at: datetime,
    to_at: datetime,
) -> float:
    """Unit-hours of all plain goods that an account lists. `levels` tell which listing is whose."""
    shown = shown_by_sku(log, {(each["channel_sku"], each["channel_location"]): str(each["sku"]) for each in levels})
    return sum(
        units_hidden(stock.history(account, article.sku), shown[article.sku], from_at, to_at)
        for article in world.listed_on(account)
        if not article.made_of and article.sku in shown
    )


def shown_by_sku(log: ShownLog, skus: Mapping[tuple[str, str], str]) -> dict[str, Steps]:
    """What shoppers were shown of each listing, in the order of its instants."""
    shown: dict[str, Steps] = {}
    for change in log.since(0):
        sku = skus.get((change.channel_sku, change.channel_location))
        if sku is not None:
            shown.setdefault(sku, []).append((change.at, change.after))
    for steps in shown.values():
        steps.sort(key=lambda step: step[0])
    return shown
