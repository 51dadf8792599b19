"""What the machine stands on: a seller in a real database, the model beside it, and how each step is done.

Every write goes through `_does`, which may cut it off; every step is a minute later than the one before.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy import Connection, select

from adapters.contract import OrderState
from syncd.db.database import Database
from syncd.db.tables import inbox
from syncd.orders.apply import Applied
from syncd.orders.book import Incoming
from syncd.orders.inbox import Arrived, insert_arrived
from syncd.orders.intake import digest_of
from syncd.orders.take_in import apply_batch
from syncd.reconcile.audit import audit
from syncd.stock.count_store import book_counts
from syncd.stock.counts import Count
from syncd.stock.entries import Entry, EntryKind, EntryRefused, book_entry
from syncd.stock.ledger import Level
from tests.integration.book_machine.crashes import does
from tests.integration.book_machine.model import Model, Order, Place
from tests.support.builders import NOW, Seller, a_database, a_line, an_order
from tests.support.memory import folder_in_memory

SKUS = ("A", "B")
PLACES = ("hamburg", "berlin")
LISTINGS = ("A", "B", "KIT", "NEST", "PACK")
KIT_PARTS = {"A": 1, "B": 2}
PACK_PARTS = {"A": 3}


class Stand(RuleBasedStateMachine):
    """A seller of two SKUs, a pack, a kit and a kit of kits, with two accounts and two warehouses."""

    engine = "sqlite"
    seller: Seller

    def __init__(self) -> None:
        super().__init__()
        self.ends = ExitStack()
        self.folder = Path(mkdtemp(prefix="book-", dir=folder_in_memory()))
        self.ends.callback(shutil.rmtree, self.folder)
        self.db: Database = self.ends.enter_context(a_database(self.engine, self.folder))
        self.model = Model()
        self.minute = 0
        self.told: list[tuple[str, OrderState, str]] = []  # (account, state, way) of everything a channel has said
        self.names = 0
        self.gone: Counter[Place] = Counter()  # pieces that have left, by the ledger
        self.kit = dict(KIT_PARTS)
        self.short_allowed, self.shorts = False, 0

    def teardown(self) -> None:
        try:
            self._is_proved()
        finally:
            self.db.close()
            self.ends.close()

    def _is_proved(self) -> None:
        report = audit(self.db)
        assert report.clean, report.violations[:3]

    @property
    def now(self) -> datetime:
        return NOW + timedelta(minutes=self.minute)

    def _does(self, cut: int | None, function: Any, *args: Any) -> Any:
        answer, self.db = does(self.db, self.folder, cut, function, *args)
        self.seller.db = self.db
        return answer

    def _channel_tells(self, names: Sequence[str], way: str, cut: int | None) -> None:
        """One batch of what these orders, all of one account, look like now."""
        self.minute += 1
        states = [self._state(name) for name in names]
        if states:
            account = names[0].partition("/")[0]
            applied = self._apply(account, states, way, cut)
            assert all(each.news for each in applied)
            self.told += [(account, state, way) for state in states]

    def _apply(self, account: str, states: Sequence[OrderState], way: str, cut: int | None) -> tuple[Applied, ...]:
        """Into the inbox, and from there into the book; after a cut with no answer, the same batch once more."""
        view = self.seller.accounts[account]
        self.names += 1
        keys = [f"{self.names}/{n}" for n in range(len(states))]
        rows = [Arrived(view.account_id, key, "orders/updated", way, b"{}") for key in keys]
        self._does(cut, insert_arrived, rows, self.now)
        ids = self.db.read_now(_inbox_ids, keys)
        batch = tuple(
            Incoming(view.account_id, ids[key], way, digest_of(state), state)
            for key, state in zip(keys, states, strict=True)
        )
        applied = self._does(cut, apply_batch, batch, self.seller.views(), self.now)
        if cut is not None and cut % 2:  # the answer to the commit was lost
            again = self.db.transact_now(apply_batch, batch, self.seller.views(), self.now)
            assert not any(each.news for each in again)
        return applied  # type: ignore[no-any-return]

    def _state(self, name: str) -> OrderState:
        order = self.model.orders[name]
        lines = [
            a_line(line.listing, line.quantity, line_id=key, fulfilled=line.told_gone)
            for key, line in order.lines.items()
        ]
        times = {"minute": self.minute, "placed_minute": order.placed_minute}
        return an_order(*lines, order_id=name, cancelled=order.cancelled, **times)  # type: ignore[arg-type]

    def _counts(self, place: Place, found: int, broken: int, ago: int, cut: int | None) -> None:
        self.minute += 1
        as_of = self.now - timedelta(minutes=ago, seconds=30) + timedelta(microseconds=self.minute)
        key = (self.seller.skus[place[0]], self.seller.warehouses[place[1]].warehouse_id)
        self.short_allowed = True
        self._does(cut, book_counts, [Count(1, key, found, broken, as_of)], self.now)
        self.model.counted(as_of, place, found, broken)

    def _enters(
        self,
        kind: EntryKind,
        place: Place,
        pieces: int,
        cut: int | None,
        *,
        damaged: bool = False,
        to: str | None = None,
        is_done: bool = False,
    ) -> bool:
        """Whether it was booked; the same entry again never is."""
        self.minute += 1
        warehouses = self.seller.warehouses
        entry = Entry(
            f"entry {self.minute}",
            kind,
            self.seller.skus[place[0]],
            warehouses[place[1]].warehouse_id,
            pieces,
            "a test",
            "tester",
            warehouses[to].warehouse_id if to else None,
            damaged,
            is_done,
        )
        try:
            entered = self._does(cut, book_entry, entry, self.now)
        except EntryRefused:
            return False
        assert not entered.repeated
        assert self.db.transact_now(book_entry, entry, self.now).repeated
        return True

    def _stands(self, place: Place, pieces: int, broken: int) -> bool:
        """Whether so many can be taken away there."""
        return 0 <= self.model.unavailable[place] + broken <= self.model.on_hand[place] + pieces

    def _goods_left(self, left: Counter[str]) -> None:
        """So much has left; from which warehouse is not the model's to say."""
        rows = self.seller.rows(
            "SELECT s.code, w.key, sum(m.d_on_hand) AS pieces FROM movement m JOIN sku s ON s.id = m.sku_id"
            " JOIN warehouse w ON w.id = m.warehouse_id WHERE m.kind = 'shipment' GROUP BY s.code, w.key"
        )
        total = {(row["code"], row["key"]): -int(row["pieces"]) for row in rows}
        now = Counter(total)
        now.subtract(self.gone)
        by_sku: Counter[str] = Counter()
        for (sku, place), pieces in now.items():
            by_sku[sku] += pieces
            if pieces:
                self.model.moved(self.now, (sku, place), -pieces)
        assert +by_sku == left
        self.gone = Counter(total)

    def _order(self, which: int) -> tuple[str, Order]:
        names = list(self.model.orders)
        return names[which % len(names)], self.model.orders[names[which % len(names)]]

    def _parts(self, listing: str) -> Mapping[str, int]:
        nest = {"A": self.kit.get("A", 0), "B": self.kit["B"] + 1}
        made = {"KIT": self.kit, "NEST": nest, "PACK": PACK_PARTS}
        return {sku: n for sku, n in made.get(listing, {listing: 1}).items() if n}

    def _bills(self) -> dict[int, dict[int, int]]:
        bills = {"KIT": self.kit, "NEST": {"KIT": 1, "B": 1}, "PACK": PACK_PARTS}
        ids = self.seller.skus
        return {ids[kit]: {ids[sku]: units for sku, units in parts.items()} for kit, parts in bills.items()}

    def _levels(self) -> dict[Place, Level]:
        rows = self.seller.rows(
            "SELECT s.code, w.key, l.on_hand, l.unavailable, l.reserved, l.short, l.seq FROM level l"
            " JOIN sku s ON s.id = l.sku_id JOIN warehouse w ON w.id = l.warehouse_id"
        )
        return {(r["code"], r["key"]): Level(*(r[n] for n in Level.__struct_fields__[:5])) for r in rows}

    def _covers(self) -> tuple[Counter[str], Counter[str]]:
        """Pieces of each SKU that are promised to lines, and that lines miss."""
        return self._sums("reservation", "stage != 'shipped'"), self._sums("shortage", "closed_at IS NULL")

    def _sums(self, table: str, where: str) -> Counter[str]:
        rows = self.seller.rows(
            f"SELECT s.code, sum(x.quantity) AS n FROM {table} x JOIN sku s ON s.id = x.sku_id WHERE {where}"
            " GROUP BY s.code"
        )
        return Counter({row["code"]: int(row["n"]) for row in rows if row["n"]})

    def _lines(self, name: str) -> list[Any]:
        return self.seller.rows(
            "SELECT l.channel_line_id, l.shipped, (SELECT count(*) FROM shortage h WHERE h.order_line_id = l.id"
            " AND h.closed_at IS NULL) AS short FROM order_line l JOIN sales_order o ON o.id = l.order_id"
            " WHERE o.channel_order_id = :name",
            name=name,
        )


def _inbox_ids(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    found = connection.execute(select(inbox.c.event_key, inbox.c.id).where(inbox.c.event_key.in_(keys)))
    return {row.event_key: row.id for row in found}
