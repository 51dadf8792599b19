"""Random histories from seeds: whatever happens in whatever order, the audit proves the book after every step."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.contract import OrderState, OutcomeUnknown
from adapters.warehouse import ShipmentStatus
from syncd.db.database import Database
from syncd.fulfilment.ship import NothingToShip, OrderNotFound, ship_order
from syncd.orders.cover import cover_shortages
from syncd.reconcile.audit import audit
from tests.support.builders import NOW, Seller, a_line, a_seller, an_order
from tests.support.fake_warehouse import FakeWarehouse, HandClock
from tests.support.outside import Shipping, working_with

ACCOUNTS = ("shop", "outlet")
KEYS = ("A", "B", "KIT", "PACK", "NEW", None)


@dataclass
class Told:
    """One line as its channel last told it."""

    key: str | None
    quantity: int
    fulfilled: int = 0


@dataclass
class History:
    """A seller and what its channels have told so far; every step is drawn from one seed."""

    seller: Seller
    chance: random.Random
    outside: Shipping
    orders: dict[tuple[str, str], dict[str, Told]] = field(default_factory=dict)
    minute: int = 0

    @property
    def now(self) -> datetime:
        return NOW + timedelta(minutes=self.minute)

    def step(self) -> None:
        self.minute += 1
        self.outside.clock.at = self.now
        doings: list[tuple[float, Callable[[], None]]] = [
            (0.45, self.channel_tells),
            (0.52, self.shelf_is_counted),
            (0.62, self.shortages_are_covered),
            (0.65, self.listing_is_mapped),
            (0.70, self.order_is_shipped_by_hand),
            (0.85, self.outside_is_asked),
            (1.00, self.outside_does_something),
        ]
        draw = self.chance.random()
        next(doing for limit, doing in doings if draw < limit)()

    def channel_tells(self) -> None:
        account = self.chance.choice(ACCOUNTS)
        news = [self.next_state(account) for _ in range(self.chance.randrange(1, 4))]
        self.seller.takes_in(*news, account=account, way=self.chance.choice(["webhook", "poll"]), now=self.now)

    def next_state(self, account: str) -> OrderState:
        order_id = str(self.chance.randrange(6))
        lines = self.orders.setdefault((account, order_id), self.new_lines())
        for line in lines.values():
            self.change(line)
        cancelled = self.chance.random() < 0.15
        if cancelled:
            for line in lines.values():
                line.quantity = line.fulfilled
        if self.chance.random() < 0.1:
            lines[str(len(lines))] = Told(self.chance.choice(["A", "KIT"]), 1)
        named = list(lines.items())
        if self.chance.random() < 0.1 and len(named) > 1:
            named.pop(0)  # the channel forgets a line
        minute = self.minute if self.chance.random() < 0.85 else self.minute - self.chance.randrange(3)
        told = [
            a_line(
                line.key,
                line.quantity,
                line_id=line_id,
                fulfilled=line.fulfilled,
                parked="bad" if self.chance.random() < 0.07 else None,
            )
            for line_id, line in named
        ]
        left = self.chance.choice([None, minute, minute - 2])
        return an_order(*told, order_id=order_id, cancelled=cancelled, minute=minute, fulfilled_minute=left)

    def outside_is_asked(self) -> None:
        """With whatever luck: an answer lost, a request that never arrives, a cancellation that comes too late."""
        self.outside.warehouse.too_late = self.chance.random() < 0.3
        for method in ("submit", "cancel"):
            trouble = self.chance.choice([None, None, "lost", OutcomeUnknown("cut off")])
            if trouble is not None:
                self.outside.warehouse.next_time(method, trouble)
        asked: list[Callable[[], Coroutine[Any, Any, bool]]] = [
            self.outside.works.submit_due,
            self.outside.works.cancel_due,
            self.outside.works.poll,
            self.outside.works.read_stock,
        ]
        for ask in self.chance.sample(asked, 2):
            asyncio.run(_awaited(ask))

    def outside_does_something(self) -> None:
        warehouse = self.outside.warehouse
        going = [
            reference
            for reference, state in warehouse.shipments.items()
            if state.status not in (ShipmentStatus.SHIPPED, ShipmentStatus.CANCELLED)
        ]
        if not going:
            return
        reference, draw = self.chance.choice(going), self.chance.random()
        if draw < 0.1:
            warehouse.drops(reference)
        elif draw < 0.2:
            warehouse.says(reference, self.chance.choice([ShipmentStatus.EXCEPTION, ShipmentStatus.SHIPPED]))
        else:
            state = warehouse.shipments[reference]
            lines = warehouse.orders[reference].lines
            left = {line.warehouse_sku: line.quantity - state.shipped.get(line.warehouse_sku, 0) for line in lines}
            warehouse.ships(reference, {sku: self.chance.randrange(n + 1) for sku, n in left.items()}, f"T-{draw}")

    def new_lines(self) -> dict[str, Told]:
        count = self.chance.randrange(1, 4)
        return {str(n): Told(self.chance.choice(KEYS), self.chance.randrange(1, 5)) for n in range(count)}

    def change(self, line: Told) -> None:
        draw = self.chance.random()
        if draw < 0.3:
            line.quantity = max(line.fulfilled, self.chance.randrange(6))
        elif draw < 0.5 and line.quantity > line.fulfilled:
            line.fulfilled = self.chance.randrange(line.fulfilled, line.quantity + 1)

    def shelf_is_counted(self) -> None:
        on_hand = self.chance.randrange(10)
        unavailable = min(on_hand, self.chance.choice([0, 0, 1]))
        place = (self.chance.choice("AB"), on_hand, self.chance.choice(["hamburg", "berlin"]))
        self.seller.counts(*place, unavailable=unavailable, at=self.now)

    def shortages_are_covered(self) -> None:
        self.seller.db.transact_now(cover_shortages, self.seller.views(), 100, self.now)

    def listing_is_mapped(self) -> None:
        if "NEW" not in self.seller.listings:
            self.seller.lists("NEW", {"B": 2})

    def order_is_shipped_by_hand(self) -> None:
        name, account = f"#{self.chance.randrange(6)}", self.chance.choice(ACCOUNTS)
        try:
            self.seller.db.transact_now(ship_order, name, account, self.seller.views(), self.now)
        except (NothingToShip, OrderNotFound):
            return


async def _awaited(ask: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    await ask()


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 30))])
def test_the_book_is_proved_after_every_step_of_a_random_history(db: Database, seed: int) -> None:
    chance = random.Random(seed)
    stock = {
        "hamburg": {"A": chance.randrange(12), "B": chance.randrange(12)},
        "berlin": {"A": chance.randrange(6), "B": chance.randrange(6)},
    }
    seller = a_seller(
        db,
        stock,
        listings={"KIT": {"A": 1, "B": 2}, "PACK": {"A": 3}},
        warehouses={"berlin": "3pl", "hamburg": "own"},
        live=chance.random() < 0.7,
        back_orderable=chance.random() < 0.2,
        accounts=ACCOUNTS,
    )
    there = FakeWarehouse(HandClock(NOW), dict(stock["berlin"]))
    history = History(seller, chance, working_with(seller, "berlin", there))

    for step in range(30):
        history.step()

        report = audit(db)
        assert report.clean, f"seed {seed}, step {step}: {report.violations[:3]}"
