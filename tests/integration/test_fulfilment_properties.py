"""Whatever happens in whatever order between us and a warehouse, no unit is promised twice, and none is lost."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.contract import OutcomeUnknown, Transient
from adapters.warehouse import ShipmentStatus, StockPage
from syncd.db.database import Database
from tests.support.builders import an_order
from tests.support.outside import Shipping, shipping

SKU = "RED-CLOCK"
OVER = (ShipmentStatus.SHIPPED, ShipmentStatus.CANCELLED)


@dataclass
class Bought:
    """An order as its channel has it."""

    order_id: str
    quantity: int
    most: int
    told: int = 0  # units the channel says have left


@dataclass
class World:
    """A seller and one warehouse, with what is on its way between them."""

    it: Shipping
    orders: list[Bought] = field(default_factory=list)
    begun: datetime | None = None  # when a snapshot was begun that is not taken yet
    taken: list[tuple[StockPage, datetime]] = field(default_factory=list)  # snapshots, and when they were taken
    losses: list[tuple[datetime, int]] = field(default_factory=list)  # pieces that counts took away there
    known_at: datetime | None = None  # of when our level is
    minute: int = 10

    # --- what can happen ---------------------------------------------------------------------------------------------

    async def buy(self, n: int) -> None:
        quantity = 1 + n % 3
        order = Bought(f"order-{len(self.orders)}", quantity, quantity)
        self.orders.append(order)
        self._tell(order)

    async def change(self, n: int) -> None:
        """A buyer wants less, nothing, or more after all."""
        if self.orders:
            order = self.orders[n % len(self.orders)]
            order.quantity = max(order.told, n % 4)
            order.most = max(order.most, order.quantity)
            self._tell(order)

    async def channel_tells(self, n: int) -> None:
        """The channel has heard of parcels before us."""
        if self.orders:
            order = self.orders[n % len(self.orders)]
            order.told = min(order.quantity, self._left(order))
            self._tell(order)

    async def submit(self, n: int) -> None:
        self._trouble("submit", n)
        await self.it.works.submit_due()

    async def cancel(self, n: int) -> None:
        self.it.warehouse.too_late = n % 3 == 0
        self._trouble("cancel", n)
        await self.it.works.cancel_due()

    async def poll(self, n: int) -> None:
        await self.it.works.poll()

    async def begin_snapshot(self, n: int) -> None:
        self.begun = self.begun or self.it.clock.now()

    async def take_snapshot(self, n: int) -> None:
        """Its numbers are of now, and it says of when it was begun."""
        page = self.it.warehouse.snapshot()
        self.taken.append((StockPage(self.begun or page.as_of, page.rows), page.as_of))
        self.begun = None

    async def hear_snapshot(self, n: int) -> None:
        if self.taken:
            page, taken_at = self.taken.pop(n % len(self.taken))
            await self._read(page, taken_at)

    async def ship(self, n: int) -> None:
        for reference, state in sorted(self.it.warehouse.shipments.items()):
            if state.status not in OVER:
                (asked,) = [line.quantity for line in self.it.warehouse.orders[reference].lines]
                pieces = 1 + n % (asked - state.shipped.get(SKU, 0))
                self.it.warehouse.ships(reference, {SKU: pieces}, f"T-{self.minute}")
                return

    async def drop(self, n: int) -> None:
        """The warehouse cancels a shipment by itself."""
        for reference, state in sorted(self.it.warehouse.shipments.items(), reverse=True):
            if state.status not in OVER:
                self.it.warehouse.drops(reference)
                return

    async def find_more(self, n: int) -> None:
        self.it.warehouse.free[SKU] += n % 4

    async def miss_some(self, n: int) -> None:
        self.it.warehouse.free[SKU] -= n % 3
        self.losses.append((self.it.clock.now(), n % 3))

    async def wait(self, n: int) -> None:
        self.it.later(10.0 + n * 5)

    # --- what must hold ----------------------------------------------------------------------------------------------

    def checks(self) -> None:
        """We never show more than the warehouse would promise, less what it does not know yet that we promised.

        But for what it found missing after the word that we go by.
        """
        unseen = sum(pieces for at, pieces in self.losses if self.known_at is None or at >= self.known_at)
        bound = self.it.warehouse.free[SKU] - self._only_ours() + unseen
        assert self.it.available() <= bound

    async def settles(self) -> None:
        """After quiet and one fresh word everything is as it is, and nothing has left twice."""
        self.it.warehouse.troubles.clear()
        for _ in range(4):
            self.it.later()
            await self.it.works.poll()
            await self.it.works.cancel_due()
            await self.it.works.submit_due()
        self.it.later()
        await self.it.works.poll()
        await self._read(self.it.warehouse.snapshot(), self.it.clock.now())
        assert self.it.available() == self.it.warehouse.free[SKU] - self._only_ours()
        for order in self.orders:
            (line,) = self.it.seller.rows(
                "SELECT l.shipped FROM order_line l JOIN sales_order o ON o.id = l.order_id"
                " WHERE o.channel_order_id = :order_id",
                order_id=order.order_id,
            )
            assert line["shipped"] == self._left(order) <= order.most
        self.it.proves()

    # --- what is so --------------------------------------------------------------------------------------------------

    def _left(self, order: Bought) -> int:
        """Pieces of an order that have left the warehouse."""
        name = f"#{order.order_id}"
        return sum(
            state.shipped.get(SKU, 0)
            for reference, state in self.it.warehouse.shipments.items()
            if self.it.warehouse.orders[reference].order_name == name
        )

    def _only_ours(self) -> int:
        """Pieces that an order wants and we reserve there, and that the warehouse does not keep for it."""
        found = self.it.seller.rows(
            "SELECT r.stage, r.quantity, q.reference, o.channel_order_id, q.cancel_wanted_at FROM reservation r"
            " JOIN order_line l ON l.id = r.order_line_id JOIN sales_order o ON o.id = l.order_id"
            " LEFT JOIN shipment_request q ON q.order_id = o.id"
            "  AND q.state IN ('planned', 'submitted', 'accepted') AND r.stage <> 'held'"
            " WHERE r.stage <> 'shipped' AND r.quantity > 0"
        )
        ours = 0
        for row in found:
            state = self.it.warehouse.shipments.get(row["reference"])
            kept = state is not None and state.status is not ShipmentStatus.CANCELLED
            if not kept and row["cancel_wanted_at"] is None:
                ours += row["quantity"]
        return ours

    def _tell(self, order: Bought) -> None:
        cancelled = order.quantity == 0
        told = an_order(
            order_id=order.order_id,
            quantity=order.quantity,
            fulfilled=order.told,
            cancelled=cancelled,
            minute=self.minute,
        )
        self.it.takes_in(told)

    def _trouble(self, method: str, n: int) -> None:
        trouble = (None, None, "lost", OutcomeUnknown("cut off"), Transient("down"))[n % 5]
        if trouble is not None:
            self.it.warehouse.next_time(method, trouble)

    async def _read(self, page: StockPage, taken_at: datetime) -> None:
        self.it.warehouse.pages = [page]
        await self.it.works.read_stock()
        if self.it.seller.level(SKU, "3pl").as_of == page.as_of:
            self.known_at = taken_at


DOINGS: dict[str, Callable[[World, int], Awaitable[None]]] = {
    name: getattr(World, name)
    for name in (
        "buy",
        "change",
        "channel_tells",
        "submit",
        "cancel",
        "poll",
        "begin_snapshot",
        "take_snapshot",
        "hear_snapshot",
        "ship",
        "drop",
        "find_more",
        "miss_some",
        "wait",
    )
}
STEPS = st.lists(st.tuples(st.sampled_from(sorted(DOINGS)), st.integers(0, 29)), min_size=1, max_size=30)


@pytest.fixture(scope="session")
def fresh_book(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """The URL of an empty book, a new one with every call."""
    folder, numbers = tmp_path_factory.mktemp("histories"), itertools.count()

    def copy() -> str:
        file = folder / f"{next(numbers)}.db"
        shutil.copyfile(sqlite_template, file)
        return f"sqlite:///{file}"

    return copy


@contextmanager
def a_world(url: str) -> Iterator[World]:
    db = Database(url)
    try:
        yield World(shipping(db, {SKU: 5}))
    finally:
        db.close()


@pytest.mark.parametrize("examples", [10, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(600)])])
def test_available_is_never_too_much_and_right_in_the_end(fresh_book: Callable[[], str], examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS)
    @example(steps=[("buy", 0), ("wait", 20), ("submit", 0), ("drop", 0), ("take_snapshot", 0), ("hear_snapshot", 0)])
    @example(
        steps=[
            ("buy", 0),
            ("wait", 20),
            ("miss_some", 2),
            ("take_snapshot", 0),
            ("submit", 0),
            ("hear_snapshot", 0),
        ]
    )
    @example(
        steps=[
            ("buy", 1),
            ("wait", 20),
            ("submit", 0),
            ("begin_snapshot", 0),
            ("change", 0),
            ("cancel", 2),
            ("take_snapshot", 0),
            ("hear_snapshot", 0),
            ("cancel", 1),
        ]
    )
    def whatever_happens(steps: list[tuple[str, int]]) -> None:
        async def run() -> None:
            with a_world(fresh_book()) as world:
                for name, n in steps:
                    world.minute += 1
                    world.it.later(1.0)
                    await DOINGS[name](world, n)
                    world.checks()
                await world.settles()

        asyncio.run(run())

    whatever_happens()
