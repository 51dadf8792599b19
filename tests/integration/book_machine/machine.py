"""Whatever a seller, shoppers and channels do in whatever order, and wherever it is cut off: the book is right.

Each rule calls what the daemon and the commands call, and tells the model what has happened in the world.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from allocation import Policy
from syncd.catalogue.item_file import Item
from syncd.catalogue.item_store import record_items
from syncd.catalogue.kits import record_kits
from syncd.fulfilment.ship import NothingToShip, ship_order
from syncd.orders.cover import START, cover_shortages
from syncd.orders.replan import replan_short
from syncd.stock.entries import EntryKind
from syncd.stock.ledger import Level
from tests.integration.book_machine.crashes import reopened
from tests.integration.book_machine.model import Line, Order, Place
from tests.integration.book_machine.stand import LISTINGS, PLACES, SKUS, Stand
from tests.support.builders import NOW, a_seller, insert_listing

places = st.tuples(st.sampled_from(SKUS), st.sampled_from(PLACES))
few = st.integers(1, 4)
wishes = st.lists(st.tuples(st.sampled_from(LISTINGS), few), min_size=1, max_size=3)
numbers = st.integers(0, 9)
ways = st.sampled_from(("webhook", "poll"))
cuts = st.one_of(st.none(), st.none(), st.none(), st.integers(0, 30))
"""The statement at which the transaction breaks off; mostly none."""


_FOLD = """
SELECT l.seq, l.on_hand, l.unavailable, l.reserved, count(*) AS movements, max(m.seq) AS last,
  sum(m.d_on_hand) AS d_on_hand, sum(m.d_unavailable) AS d_unavailable, sum(m.d_reserved) AS d_reserved
FROM level l JOIN movement m ON m.sku_id = l.sku_id AND m.warehouse_id = l.warehouse_id
GROUP BY l.sku_id, l.warehouse_id, l.seq, l.on_hand, l.unavailable, l.reserved
"""


class BookMachine(Stand):
    """Two accounts' orders for two SKUs, a pack, a kit and a kit of kits, in two warehouses."""

    @initialize(policy=st.sampled_from(Policy), stock=st.lists(st.integers(0, 9), min_size=4, max_size=4), wish=wishes)
    def begins(self, policy: Policy, stock: list[int], wish: list[tuple[str, int]]) -> None:
        found = dict(zip([(sku, place) for place in PLACES for sku in SKUS], stock, strict=True))
        counted = {place: {sku: found[(sku, place)] for sku in SKUS} for place in PLACES}
        own = dict.fromkeys(PLACES, "own")
        self.seller = a_seller(self.db, counted, warehouses=own, accounts=("shop", "outlet"))
        self.model.on_hand.update(found)
        for key, view in self.seller.accounts.items():
            self.seller.accounts[key] = replace(view, policy=policy)
        items = [Item(1, "KIT"), Item(2, "NEST"), Item(3, "PACK")]
        self.db.transact_now(record_items, items, NOW)
        ids = {row["code"]: row["id"] for row in self.seller.rows("SELECT id, code FROM sku")}
        self.seller.skus |= ids
        self.db.transact_now(record_kits, self._bills(), NOW)
        for account in self.seller.accounts:
            for name in ("KIT", "NEST", "PACK"):
                self.db.transact_now(insert_listing, self.seller, account, name, self._parts(name))
        for account in self.seller.accounts:  # something to change, to cancel and to ship from the first step on
            self.buyers_order([wish, [("NEST", 2)]], account, None)

    # --- what channels say -------------------------------------------------------------------------------------------

    @rule(wanted=st.lists(wishes, min_size=1, max_size=4), account=st.sampled_from(("shop", "outlet")), cut=cuts)
    def buyers_order(self, wanted: list[list[tuple[str, int]]], account: str, cut: int | None) -> None:
        batch = []
        for wish in wanted:
            name = f"{account}/{len(self.model.orders)}"
            lines = {str(n): Line(code, self._parts(code), units) for n, (code, units) in enumerate(wish)}
            self.model.orders[name] = Order(lines, self.minute + 1)
            batch.append(name)
        self._channel_tells(batch, "webhook", cut)
        self._nothing_free_is_refused(batch)

    @precondition(lambda self: self.model.orders)
    @rule(which=numbers, line=numbers, units=st.integers(0, 6), way=ways, cut=cuts)
    def a_buyer_changes_a_line(self, which: int, line: int, units: int, way: str, cut: int | None) -> None:
        name, order = self._order(which)
        if not order.cancelled:
            chosen = list(order.lines.values())[line % len(order.lines)]
            chosen.quantity = max(units, chosen.told_gone)
            self._channel_tells([name], way, cut)

    @precondition(lambda self: self.model.orders)
    @rule(which=numbers, listing=st.sampled_from(LISTINGS), units=few, cut=cuts)
    def a_buyer_adds_a_line(self, which: int, listing: str, units: int, cut: int | None) -> None:
        name, order = self._order(which)
        if not order.cancelled:
            order.lines[str(len(order.lines))] = Line(listing, self._parts(listing), units)
            self._channel_tells([name], "webhook", cut)

    @precondition(lambda self: self.model.orders)
    @rule(which=st.lists(numbers, min_size=1, max_size=3), cut=cuts)
    def orders_are_cancelled(self, which: list[int], cut: int | None) -> None:
        names = {self._order(each)[0] for each in which}
        for name in names:
            self.model.orders[name].cancelled = True
            for line in self.model.orders[name].lines.values():
                line.quantity = line.told_gone
        for account in ("shop", "outlet"):
            self._channel_tells(sorted(n for n in names if n.startswith(account)), "poll", cut)

    @precondition(lambda self: self.model.orders)
    @rule(which=numbers, units=few, cut=cuts)
    def a_channel_says_that_goods_have_left(self, which: int, units: int, cut: int | None) -> None:
        name, order = self._order(which)
        left: Counter[str] = Counter()
        for line in order.lines.values():
            line.told_gone = min(line.quantity, line.told_gone + units)
            for sku, each in line.parts.items():
                left[sku] += each * max(0, line.told_gone - line.gone)
            line.gone = max(line.gone, line.told_gone)
        self.short_allowed = True
        self._channel_tells([name], "webhook", cut)
        self._goods_left(+left)

    @precondition(lambda self: self.told)
    @rule(which=numbers, way=ways, cut=cuts)
    def old_news_comes_again(self, which: int, way: str, cut: int | None) -> None:
        account, state, _ = self.told[which % len(self.told)]
        same = [each for _, each, _ in self.told if each.channel_order_id == state.channel_order_id]
        newest = max(same, key=lambda each: each.version_at)
        self.minute += 1
        before = self._levels()
        self._apply(account, [state] if state is newest else [state, newest], way, cut)
        assert self._levels() == before

    # --- what happens in the warehouses ------------------------------------------------------------------------------

    @precondition(lambda self: self.model.orders)
    @rule(which=numbers, cut=cuts)
    def an_order_is_shipped_by_hand(self, which: int, cut: int | None) -> None:
        name, order = self._order(which)
        self.minute += 1
        try:
            shipped = self._does(cut, ship_order, f"#{name}", None, self.seller.views(), self.now)
        except NothingToShip:
            assert not self.seller.reserved(name)
            return
        assert shipped.left == sum(line.wanted for line in order.lines.values()) - sum(shipped.units.values())
        left: Counter[str] = Counter()
        for row in self._lines(name):
            line = order.lines[row["channel_line_id"]]
            for sku, each in line.parts.items():
                left[sku] += each * (row["shipped"] - line.gone)
            line.gone = row["shipped"]
        self._goods_left(+left)

    @rule(place=places, found=st.integers(0, 12), broken=st.sampled_from((0, 0, 1, 2)), ago=st.integers(0, 4), cut=cuts)
    def a_shelf_is_counted(self, place: Place, found: int, broken: int, ago: int, cut: int | None) -> None:
        self._counts(place, found, min(broken, found), ago, cut)

    @rule(place=places, less=few, cut=cuts)
    def a_shelf_has_less_than_is_promised(self, place: Place, less: int, cut: int | None) -> None:
        level = self._levels()[place]
        self._counts(place, max(0, level.reserved + level.unavailable - less), min(level.unavailable, 1), 0, cut)

    @rule(place=places, pieces=few, returned=st.booleans(), broken=st.booleans(), cut=cuts)
    def goods_arrive(self, place: Place, pieces: int, returned: bool, broken: bool, cut: int | None) -> None:
        kind = EntryKind.RETURN if returned else EntryKind.RECEIPT
        assert self._enters(kind, place, pieces, cut, damaged=broken)
        self.model.moved(self.now, place, pieces, pieces if broken else 0)

    @rule(place=places, pieces=st.integers(-4, 4).filter(bool), broken=st.booleans(), cut=cuts)
    def goods_are_lost_or_found(self, place: Place, pieces: int, broken: bool, cut: int | None) -> None:
        there = self._stands(place, pieces, pieces if broken else 0) or pieces > 0
        self.short_allowed = True
        assert self._enters(EntryKind.ADJUSTMENT, place, pieces, cut, damaged=broken) == there
        if there:
            self.model.moved(self.now, place, pieces, pieces if broken else 0)

    @rule(place=places, pieces=st.integers(-3, 3).filter(bool), cut=cuts)
    def goods_break_or_are_mended(self, place: Place, pieces: int, cut: int | None) -> None:
        there = self._stands(place, 0, pieces)
        self.short_allowed = True
        assert self._enters(EntryKind.DAMAGE, place, pieces, cut) == there
        if there:
            self.model.moved(self.now, place, 0, pieces)

    @rule(place=places, pieces=few, broken=st.booleans(), moved=st.booleans(), cut=cuts)
    def goods_are_transferred(self, place: Place, pieces: int, broken: bool, moved: bool, cut: int | None) -> None:
        to = (place[0], next(each for each in PLACES if each != place[1]))
        gone = pieces if broken else 0
        there = self._stands(place, -pieces, -gone) and (moved or broken or self._levels()[place].available >= pieces)
        self.short_allowed = moved
        assert self._enters(EntryKind.TRANSFER, place, pieces, cut, damaged=broken, to=to[1], is_done=moved) == there
        if there:
            self.model.moved(self.now, place, -pieces, -gone)
            self.model.moved(self.now, to, pieces, gone)

    # --- what happens here -------------------------------------------------------------------------------------------

    @rule(cut=cuts)
    def shortages_are_covered(self, cut: int | None) -> None:
        self.minute += 1
        after = START
        while True:
            covered = self._does(cut, cover_shortages, self.seller.views(), 3, self.now, after)
            if covered.after is None:
                break
            after = covered.after
        self._nothing_free_is_refused(list(self.model.orders))

    @rule(cut=cuts)
    def what_is_short_is_moved_to_where_it_can_be_had(self, cut: int | None) -> None:
        self.minute += 11
        self._does(cut, replan_short, self.seller.views(), 10, self.now)

    @rule(a=st.integers(0, 2), b=st.integers(1, 2), cut=cuts)
    def a_kit_is_made_of_something_else(self, a: int, b: int, cut: int | None) -> None:
        """What lines were made of stays; new lines of the kit, and of what contains it, are made of the new parts."""
        self.minute += 1
        self.kit = {"A": a, "B": b} if a else {"B": b}
        self._does(cut, record_kits, self._bills(), self.now)

    @rule()
    def the_daemon_ends_and_starts_again(self) -> None:
        self.db = self.seller.db = reopened(self.db)

    # --- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def every_piece_is_where_the_model_has_it(self) -> None:
        levels = self._levels()
        stands = {place: (level.on_hand, level.unavailable) for place, level in levels.items()}
        assert stands == {place: (self.model.on_hand[place], self.model.unavailable[place]) for place in levels}

    @invariant()
    def what_is_promised_or_short_is_what_is_wanted(self) -> None:
        reserved, short = self._covers()
        assert reserved + short == self.model.demand()
        assert reserved == +_by_sku(self._levels())

    @invariant()
    def nothing_is_promised_that_is_not_there(self) -> None:
        levels = self._levels().values()
        assert all(level.short == max(0, level.reserved - level.on_hand + level.unavailable) for level in levels)
        short = sum(level.short for level in levels)
        assert self.short_allowed or short <= self.shorts, "only truth makes promised units short"
        self.shorts, self.short_allowed = short, False

    @invariant()
    def every_level_is_the_fold_of_its_movements(self) -> None:
        rows = self.seller.rows(_FOLD)
        assert len(rows) == len(PLACES) * len(SKUS)
        assert all(row["seq"] == row["movements"] == row["last"] for row in rows)
        for name in ("on_hand", "unavailable", "reserved"):
            assert all(row[name] == row[f"d_{name}"] for row in rows), name

    @invariant()
    def the_audit_proves_the_book(self) -> None:
        if self.minute % 3 == 0:  # it takes as long as all the rest of a step
            self._is_proved()

    def _nothing_free_is_refused(self, names: Sequence[str]) -> None:
        """No line waits for a unit that one warehouse could make."""
        levels = self._levels()
        for name in names:
            order = self.model.orders[name]
            for row in self._lines(name):
                parts = order.lines[row["channel_line_id"]].parts
                if row["short"] and parts:
                    makeable = {p: min(levels[(s, p)].available // n for s, n in parts.items()) for p in PLACES}
                    assert max(makeable.values()) <= 0, f"{name} waits for a unit that is free: {makeable}"


def _by_sku(levels: Mapping[Place, Level]) -> Counter[str]:
    total: Counter[str] = Counter()
    for (sku, _), level in levels.items():
        total[sku] += level.reserved
    return total
