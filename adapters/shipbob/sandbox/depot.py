"""The account's memory, and how pieces move between what is there, what is committed and what is fulfillable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from adapters.contract import Clock, Rng
from adapters.shipbob.sandbox.records import Detail, Item, Json, Level, Line, Order, Quantities, Shipment, Status
from adapters.shipbob.sandbox.seed import ItemSeed, LocationSeed, WarehouseSeed

OUT_OF_STOCK = Detail(303, "OutOfStock", "No Stock On Hand For Sku")


class Depot:
    """Items, orders and shipments of one account, and the instants at which they change."""

    def __init__(self, seed: WarehouseSeed, clock: Clock, rng: Rng) -> None:
        self.seed = seed
        self.clock = clock
        self.rng = rng
        self.locations = (LocationSeed(seed.location_id, seed.location_name), *seed.more_locations)
        self.items: dict[str, Item] = {}  # by SKU
        self.orders: dict[int, Order] = {}  # by id, rising
        self.by_reference: dict[str, Order] = {}
        self._last_id = 1_000_000
        for item in seed.items:
            self.add_item(item)

    def now(self) -> datetime:
        return self.clock.now()

    def next_id(self) -> int:
        self._last_id += 1 + self.rng.randrange(9)
        return self._last_id

    # --- the shelves --------------------------------------------------------------------------------------------

    def add_item(self, seed: ItemSeed) -> Item:
        item = Item(self.next_id(), self.next_id(), seed.sku, seed.name or seed.sku, {})
        kept = {self.seed.location_name: seed.on_hand, **seed.elsewhere}
        for location in self.locations:
            if location.name in kept:
                item.levels[location.id] = Level(location.id, self.now(), kept[location.name])
        self.items[seed.sku] = item
        return item

    def level(self, item: Item, location_id: int) -> Level:
        """The level of an item at a location, which begins to keep it if need be."""
        if location_id not in item.levels:
            item.levels[location_id] = Level(location_id, self.now(), 0)
        return item.levels[location_id]

    def count(self, item: Item, location_id: int, on_hand: int) -> Quantities:
        """A person counts the shelf: this is what is there, whoever it is promised to."""
        level = self.level(item, location_id)
        level.become(self.now(), on_hand, level.now.committed)
        return level.now

    def receive(self, item: Item, location_id: int, quantity: int) -> Quantities:
        level = self.level(item, location_id)
        level.become(self.now(), level.now.on_hand + quantity, level.now.committed)
        return level.now

    # --- orders -------------------------------------------------------------------------------------------------

    def place(self, reference: str, form: Json, lines: Sequence[Line], location_id: int | None) -> Order:
        """Take an order. Its stock is committed at once; what cannot be covered waits in Exception."""
        now = self.now()
        lag = timedelta(seconds=self.rng.uniform(0.0, self.seed.index_lag_s))
        order = Order(
            id=self.next_id(),
            reference=reference,
            number=form.get("order_number") or reference,
            recipient=form["recipient"],
            shipping_method=form["shipping_method"],
            type=form["type"],
            lines=tuple(lines),
            created_at=now,
            purchased_at=form.get("purchase_date"),
            shows_from=now + lag,
        )
        for where, part in self._split(lines, location_id):
            order.shipments.append(self._shipment(where, part))
        self.orders[order.id] = order
        self.by_reference[reference] = order
        return order

    def commit(self, shipment: Shipment) -> bool:
        """Take a shipment's pieces off what is fulfillable, if all of them are."""
        if not self._covers(shipment.location_id, shipment.lines):
            return False
        self._move(shipment, on_hand=0, committed=+1)
        shipment.committed = True
        return True

    def free(self, shipment: Shipment) -> None:
        """Give a shipment's pieces back."""
        if shipment.committed:
            self._move(shipment, on_hand=0, committed=-1)
            shipment.committed = False

    def leave(self, shipment: Shipment) -> None:
        """Let a shipment's pieces go out of the door."""
        self._move(shipment, on_hand=-1, committed=-1)
        shipment.committed = False

    def lacks_pieces(self, shipment: Shipment) -> bool:
        """Whether fewer pieces are on the shelf than the shipment needs, whatever the books say."""
        return any(self.level(line.item, shipment.location_id).now.on_hand < line.quantity for line in shipment.lines)

    def change(self, shipment: Shipment, status: Status, detail: Detail | None = None) -> None:
        shipment.status, shipment.detail = status, detail
        shipment.updated_at = max(shipment.updated_at, self.now())

    def _shipment(self, location_id: int, lines: tuple[Line, ...]) -> Shipment:
        now = self.now()
        shipment = Shipment(self.next_id(), location_id, lines, Status.PROCESSING, now, now, committed=False)
        if not self.commit(shipment):
            self.change(shipment, Status.EXCEPTION, OUT_OF_STOCK)
        return shipment

    def _split(self, lines: Sequence[Line], location_id: int | None) -> list[tuple[int, tuple[Line, ...]]]:
        """Which location ships which lines: one that has it all, else several, else the first and it waits there."""
        whole = tuple(lines)
        if location_id is not None:
            return [(location_id, whole)]
        places = [location.id for location in self.locations]
        for place in places:
            if self._covers(place, whole):
                return [(place, whole)]
        taken: dict[int, list[Line]] = {place: [] for place in places}
        for line in whole:
            wanted = line.quantity
            for place in places:
                fulfillable = line.item.levels[place].now.fulfillable if place in line.item.levels else 0
                part = min(wanted, fulfillable)
                wanted -= part
                if part:
                    taken[place].append(Line(line.item, part))
            if wanted:
                return [(places[0], whole)]
        return [(place, tuple(part)) for place, part in taken.items() if part]

    def _covers(self, location_id: int, lines: Sequence[Line]) -> bool:
        wanted = Counter[str]()
        for line in lines:
            wanted[line.item.sku] += line.quantity
        return all(
            location_id in self.items[sku].levels and self.items[sku].levels[location_id].now.fulfillable >= quantity
            for sku, quantity in wanted.items()
        )

    def _move(self, shipment: Shipment, *, on_hand: int, committed: int) -> None:
        for line in shipment.lines:
            level = self.level(line.item, shipment.location_id)
            numbers = level.now
            level.become(
                self.now(), numbers.on_hand + on_hand * line.quantity, numbers.committed + committed * line.quantity
            )
