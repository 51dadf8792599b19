"""One process of several that want the same few units: `python -m ...fighter PLAN NUMBER`, as a daemon's intake would.

It ends with a traceback on whatever its database does not settle by itself, else prints what it told of its orders.
"""

from __future__ import annotations

import json
import pickle
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select

from adapters.contract import OrderState
from syncd.db.database import Database
from syncd.db.tables import inbox
from syncd.fulfilment.ship import NothingToShip, ship_order
from syncd.orders.book import AccountView, Incoming
from syncd.orders.cover import START, cover_shortages
from syncd.orders.inbox import Arrived, insert_arrived
from syncd.orders.intake import digest_of
from syncd.orders.replan import replan_short
from syncd.orders.take_in import apply_batch
from syncd.stock.count_store import book_counts
from syncd.stock.counts import Count
from syncd.stock.entries import Entry, EntryKind, EntryRefused, book_entry
from tests.support.builders import NOW, a_line, an_order

LISTINGS = ("A", "B", "C", "KIT", "TRIO")
ROUNDS = 25


@dataclass(frozen=True)
class Plan:
    """What every process is given."""

    url: str
    views: dict[int, AccountView]
    account_id: int
    skus: tuple[int, ...]
    warehouses: tuple[int, ...]


@dataclass
class Fighter:
    plan: Plan
    number: int
    chance: random.Random = field(init=False)
    db: Database = field(init=False)
    orders: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    minute: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.number)
        self.db = Database(self.plan.url)

    def fights(self) -> None:
        for _ in range(ROUNDS):
            self.minute += 1
            draw = self.chance.random()
            self.takes_in(self.news())
            if draw < 0.3:
                self.counts()
            elif draw < 0.5:
                self.moves_goods()
            elif draw < 0.7:
                self.db.transact_now(cover_shortages, self.plan.views, 10, self.now, START)
            elif draw < 0.8:
                self.ships()
            elif draw < 0.95:
                self.db.transact_now(replan_short, self.plan.views, 10, self.now + timedelta(minutes=11))
        self.db.close()

    @property
    def now(self) -> datetime:
        return NOW + timedelta(minutes=self.minute, microseconds=self.number)

    def news(self) -> list[OrderState]:
        """Some new orders, lines in any order, and some cancellations."""
        told = []
        for _ in range(self.chance.randrange(1, 7)):
            name = f"{self.number}/{len(self.orders)}"
            wanted = self.chance.sample(LISTINGS, self.chance.randrange(1, 4))
            self.orders[name] = [(listing, self.chance.randrange(1, 4)) for listing in wanted]
            told.append(self.state(name))
        open_ones = sorted(self.orders.keys() - self.cancelled - {each.channel_order_id for each in told})
        for name in self.chance.sample(open_ones, min(len(open_ones), self.chance.randrange(4))):
            self.cancelled.add(name)
            told.append(self.state(name))
        self.chance.shuffle(told)
        return told

    def state(self, name: str) -> OrderState:
        gone = name in self.cancelled
        lines = [
            a_line(listing, 0 if gone else units, line_id=str(n))
            for n, (listing, units) in enumerate(self.orders[name])
        ]
        return an_order(*lines, order_id=name, cancelled=gone, minute=self.minute)

    def takes_in(self, told: Sequence[OrderState]) -> None:
        account = self.plan.account_id
        keys = [f"{self.number}/{self.minute}/{n}" for n in range(len(told))]
        rows = [Arrived(account, key, "orders/updated", "webhook", b"{}") for key in keys]
        self.db.transact_now(insert_arrived, rows, self.now)
        ids = self.db.read_now(_inbox_ids, keys)
        batch = tuple(
            Incoming(account, ids[key], "webhook", digest_of(state), state)
            for key, state in zip(keys, told, strict=True)
        )
        applied = self.db.transact_now(apply_batch, batch, self.plan.views, self.now)
        assert all(each.news for each in applied)

    def counts(self) -> None:
        keys = [(sku, place) for sku in self.plan.skus for place in self.plan.warehouses]
        self.chance.shuffle(keys)
        found = [Count(n, key, self.chance.randrange(15), 0, self.now) for n, key in enumerate(keys[:3])]
        self.db.transact_now(book_counts, found, self.now)

    def moves_goods(self) -> None:
        sku, (here, there) = self.chance.choice(self.plan.skus), self.chance.sample(self.plan.warehouses, 2)
        entry = Entry(f"{self.number}/{self.minute}", EntryKind.TRANSFER, sku, here, 1, "a fight", "fighter", there)
        try:
            self.db.transact_now(book_entry, entry, self.now)
        except EntryRefused:
            return  # nothing was free there

    def ships(self) -> None:
        name = self.chance.choice(sorted(self.orders))
        try:
            self.db.transact_now(ship_order, f"#{name}", None, self.plan.views, self.now)
        except NothingToShip:
            return


def _inbox_ids(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    found = connection.execute(select(inbox.c.event_key, inbox.c.id).where(inbox.c.event_key.in_(keys)))
    return {row.event_key: row.id for row in found}


def main() -> None:
    fighter = Fighter(pickle.loads(Path(sys.argv[1]).read_bytes()), int(sys.argv[2]))
    fighter.fights()
    print(json.dumps({"orders": fighter.orders, "cancelled": sorted(fighter.cancelled)}))


if __name__ == "__main__":
    main()
