"""Purchases that are not paid at once: most are in the end, some are dropped and their units given back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.contract import Clock, Rng
from syncd.simulation.happenings import Happenings, Unpaid
from syncd.simulation.shop_control import Placed, ShopCounter
from syncd.simulation.unbroken import unbroken
from syncd.simulation.world import World

_DROPPED_SHARE = 0.25
_EARLIEST_S, _LATEST_S = 60.0, 900.0
_LOOK_EVERY_S = 15.0


@dataclass(frozen=True, slots=True)
class _Expected:
    shop: ShopCounter
    order_id: str
    due_at: datetime
    pays: bool
    purchase: Unpaid


class Payments:
    """Settles each purchase after some minutes."""

    def __init__(self, rng: Rng, clock: Clock, happenings: Happenings, world: World) -> None:
        self._rng = rng
        self._clock = clock
        self._happenings = happenings
        self._parts = {article.sku: article.parts for article in world.articles}
        self._open: list[_Expected] = []
        self.paid = 0
        self.dropped = 0

    @property
    def open(self) -> int:
        return len(self._open)

    def expect(
        self,
        shop: ShopCounter,
        placed: Placed,
        skus: Sequence[str],
        pays: bool | None = None,
        due_at: datetime | None = None,
    ) -> None:
        """Remember a purchase that is to be paid or dropped; chance decides what is not told."""
        now = self._clock.now()
        due_at = due_at or now + timedelta(seconds=self._rng.uniform(_EARLIEST_S, _LATEST_S))
        pays = self._rng.random() >= _DROPPED_SHARE if pays is None else pays
        pieces = frozenset(part for sku in skus for part, _ in self._parts[sku])
        purchase = Unpaid(shop.key, placed.name, pieces, now)
        self._happenings.unpaid.append(purchase)
        self._open.append(_Expected(shop, placed.order_id, due_at, pays, purchase))

    async def settle_due(self) -> None:
        """Settle what is due, for ever."""
        while True:
            await self._clock.sleep(_LOOK_EVERY_S)
            await unbroken(self._settle([each for each in self._open if each.due_at <= self._clock.now()]))

    async def settle_all(self) -> None:
        """Settle everything at once: nothing may stay hidden when a run ends."""
        await self._settle(list(self._open))

    async def _settle(self, due: Sequence[_Expected]) -> None:
        for each in due:
            if each.pays:
                await each.shop.pay(each.order_id)
                self.paid += 1
            else:
                await each.shop.cancel(each.order_id, restock=True)
                self.dropped += 1
            each.purchase.settled_at = self._clock.now()
            self._open.remove(each)
