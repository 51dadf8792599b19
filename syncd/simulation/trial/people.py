"""Who is about in a trial: shoppers, the seller's staff, and somebody who writes down what truly happens."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import OperationalError

from syncd.chance import SeededRng
from syncd.simulation.clerk import Clerk
from syncd.simulation.docks import docks_of
from syncd.simulation.listed_shoppers import ListedShoppers
from syncd.simulation.packing import PackingTable
from syncd.simulation.shelves import Shelves
from syncd.simulation.shoppers import Shoppers, Taken
from syncd.simulation.staff import Receiving, Typist
from syncd.simulation.stocktaking import Stocktaking
from syncd.simulation.till import Till
from syncd.simulation.trial.lab import Lab
from syncd.simulation.trial.plan import Plan
from syncd.simulation.true_stock import TrueStock

_REFUND_AFTER_S = (600.0, 10_800.0)
_COME_BACK_S = 5.0
_REFUNDS = "shopify"  # the one vendor whose counter knows money back for what was shipped


class People:
    """Everybody who does something while the shop is open."""

    def __init__(self, lab: Lab, plan: Plan) -> None:
        self._lab = lab
        self._plan = plan
        self._rng = SeededRng(plan.seed, "refunds")
        world, clock = lab.world, lab.clock
        self.opened_at = clock.now()
        self.closed_at: datetime | None = None
        self.stock = TrueStock(world, self.opened_at, lab.happenings.arrivals)
        self.tills = {
            each.key: Till(each.key, world.address(each.key), clock, self.stock, lab.happenings)
            for each in world.channels
        }
        self._shelves = Shelves(world)
        self._stocktaking = Stocktaking(
            world,
            lab.setup.db,
            clock,
            lab.folder,
            lab.happenings,
            self._shelves,
            self._patiently,
            miscount_every_s=plan.miscounts_every_s,
            damage_every_s=plan.damage_every_s,
        )
        self.shoppers = (
            ListedShoppers(world, self.tills, clock, lab.happenings, plan.orders)
            if plan.orders
            else Shoppers(world, self.tills, clock, lab.happenings, plan.habits)
        )

    def begin(self) -> list[Coroutine[Any, Any, None]]:
        """Everything that they do beside each other, until they are sent home."""
        lab, plan, shoppers = self._lab, self._plan, self.shoppers
        shelves = self._shelves
        packing = PackingTable(
            lab.setup.db,
            lab.clock,
            shoppers.parcels,
            lab.setup.ids.accounts,
            shelves,
            self._lines_of,
            shipped=self._shipped,
            given_up=self._given_up,
        )
        receiving = Receiving(
            lab.world,
            lab.setup.db,
            lab.clock,
            lab.folder,
            docks_of(lab),
            lab.happenings,
            shelves,
            self._patiently,
            plan.deliveries_every_s,
        )
        clerk = Clerk(
            lab.world,
            lab.setup.db,
            lab.clock,
            lab.happenings,
            shelves,
            self._patiently,
            every_s=plan.entries_every_s,
        )
        return [
            shoppers.shop(),
            shoppers.payments.settle_due(),
            shoppers.regrets.come_due(),
            packing.pack(),
            receiving.receive(),
            clerk.enter(),
            self._stocktaking.miscount(),
            self._stocktaking.damage(),
            Typist(lab.world, lab.shops, lab.clock, lab.happenings, plan.typing_every_s).type_numbers(),
        ]

    async def go_home(self) -> None:
        """The shop closes: what is unpaid is settled, and what was counted wrongly is counted again."""
        self.closed_at = self._lab.clock.now()
        await self.shoppers.payments.settle_all()
        for till in self.tills.values():
            await till.close()
        await self._stocktaking.correct_all()

    def _lines_of(self, taken: Taken) -> list[tuple[str, int]]:
        return self.tills[taken.shop.key].lines_of(taken.order_id)

    def _shipped(self, taken: Taken) -> None:
        """Some buyers get their money back for a unit that they have, and keep it."""
        vendor = next(each.vendor for each in self._lab.world.channels if each.key == taken.shop.key)
        if vendor != _REFUNDS or self._rng.random() >= self._plan.habits.refund_share:
            return
        at = self._lab.clock.now() + timedelta(seconds=self._rng.uniform(*_REFUND_AFTER_S))
        sku, _ = taken.lines[0]

        async def refund() -> bool:
            return await taken.shop.refund(taken.order_id, sku, 1)

        self.shoppers.regrets.expect(at, refund)

    def _given_up(self, taken: Taken) -> None:
        self.tills[taken.shop.key].out_of_stock(taken.order_id)

    async def _patiently(self, function: Callable[..., Any], *args: Any) -> Any:
        """Do it at once; who finds the database locked, or its disk full, comes back in a while."""
        while True:
            try:
                return function(*args)
            except OperationalError:
                await self._lab.clock.sleep(_COME_BACK_S)
