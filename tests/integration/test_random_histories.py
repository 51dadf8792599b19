"""Random histories from seeds: whatever happens in whatever order, the audit proves the book after every step."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from adapters.contract import OrderState
from syncd.db.database import Database
from syncd.fulfilment.ship import NothingToShip, OrderNotFound, ship_order
from syncd.orders.cover import cover_shortages
from syncd.reconcile.audit import audit
from tests.support.builders import NOW, Seller, a_line, a_seller, an_order

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
    orders: dict[tuple[str, str], dict[str, Told]] = field(default_factory=dict)
    minute: int = 0

    @property
    def now(self) -> datetime:
        return NOW + timedelta(minutes=self.minute)

    def step(self) -> None:
        self.minute += 1
        doings: list[tuple[float, Callable[[], None]]] = [
            (0.65, self.channel_tells),
            (0.75, self.shelf_is_counted),
            (0.90, self.shortages_are_covered),
            (0.95, self.listing_is_mapped),
            (1.00, self.order_is_shipped_by_hand),
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


@pytest.mark.parametrize("seed", range(4))
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
        warehouses={"hamburg": "own", "berlin": chance.choice(["own", "3pl"])},
        live=chance.random() < 0.7,
        back_orderable=chance.random() < 0.2,
        accounts=ACCOUNTS,
    )
    history = History(seller, chance)

    for step in range(25):
        history.step()

        report = audit(db)
        assert report.clean, f"seed {seed}, step {step}: {report.violations[:3]}"
