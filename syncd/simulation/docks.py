"""Goods that arrive at somebody else's warehouse: its own people book them, and we read of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from syncd.simulation.scene import Scene
from syncd.simulation.shop_control import DockCounter, ShopCounter

Dock = Callable[[Mapping[str, int]], Awaitable[None]]
"""Takes the pieces that arrived, by our SKU."""


def docks_of(scene: Scene) -> dict[str, Dock]:
    """The dock of every warehouse that is not the seller's own, by its key."""
    docks: dict[str, Dock] = {key: _third_party(counter) for key, counter in scene.docks.items()}
    fba_skus = {article.sku: article.fba_sku for article in scene.world.at_fba if article.fba_sku}
    for plan in scene.world.warehouses("fba"):
        assert plan.account is not None, "FBA belongs to an account"
        docks[plan.key] = _fba(scene.shops[plan.account], fba_skus)
    return docks


def _third_party(counter: DockCounter) -> Dock:
    async def receive(pieces: Mapping[str, int]) -> None:
        for sku, quantity in pieces.items():
            await counter.receive(sku, quantity)

    return receive


def _fba(shop: ShopCounter, fba_skus: Mapping[str, str]) -> Dock:
    async def receive(pieces: Mapping[str, int]) -> None:
        for sku, quantity in pieces.items():
            await shop.receive_at_fba(fba_skus[sku], quantity)

    return receive
