"""A counter where everything that happens is written down: who wanted what, who got it, what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.contract import Clock
from syncd.simulation.happenings import Happenings, Purchase
from syncd.simulation.shop_control import Placed, ShopCounter
from syncd.simulation.true_stock import TrueStock


class Till(ShopCounter):
    """One channel account's counter, watched."""

    def __init__(self, key: str, address: str, clock: Clock, stock: TrueStock, happenings: Happenings) -> None:
        super().__init__(key, address)
        self._clock = clock
        self._stock = stock
        self._happenings = happenings
        self._open: dict[str, Purchase] = {}

    async def place(
        self,
        lines: Sequence[tuple[str, int]],
        ship_to: Mapping[str, str],
        *,
        unpaid: bool = False,
        by_channel: bool = False,
    ) -> Placed | None:
        placed = await super().place(lines, ship_to, unpaid=unpaid, by_channel=by_channel)
        now = self._clock.now()
        free = not by_channel and self._stock.covers(self.key, lines)
        name = None if placed is None else placed.name
        purchase = Purchase(self.key, now, dict(lines), dict(ship_to), unpaid, by_channel, name, free)
        self._happenings.purchases.append(purchase)
        if placed is not None:
            self._open[placed.order_id] = purchase
            self._sell(purchase, lines)
        return placed

    async def pay(self, order_id: str) -> None:
        await super().pay(order_id)
        self._open[order_id].paid_at = self._clock.now()

    async def cancel(self, order_id: str, *, restock: bool = True) -> bool:
        done = await super().cancel(order_id, restock=restock)
        if done:
            purchase = self._open[order_id]
            purchase.cancelled_at = self._clock.now()
            self._sell(purchase, [(sku, -quantity) for sku, quantity in purchase.lines.items()])
        return done

    async def edit(self, order_id: str, sku: str, quantity: int) -> bool:
        done = await super().edit(order_id, sku, quantity)
        if done:
            purchase = self._open[order_id]
            purchase.edits += 1
            self._sell(purchase, [(sku, quantity - purchase.lines[sku])])
            purchase.lines[sku] = quantity
        return done

    async def refund(self, order_id: str, sku: str, quantity: int) -> bool:
        done = await super().refund(order_id, sku, quantity)
        if done:
            self._open[order_id].refunded += quantity
        return done

    def lines_of(self, order_id: str) -> list[tuple[str, int]]:
        """What the buyer wants of it by now; nothing once it is cancelled."""
        purchase = self._open[order_id]
        return [] if purchase.cancelled_at is not None else list(purchase.lines.items())

    def out_of_stock(self, order_id: str) -> None:
        """Note that the seller cancelled it because nothing was there to send."""
        self._open[order_id].out_of_stock = True

    def _sell(self, purchase: Purchase, lines: Sequence[tuple[str, int]]) -> None:
        if not purchase.by_channel:
            self._stock.sell(self.key, lines, self._clock.now())
