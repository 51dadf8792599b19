"""The shop's memory: everything a request may look up, by every key it may look it up with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from adapters.contract import Clock, Rng
from adapters.sandbox_kit.shown_log import ShownLog, Why
from adapters.shopify.sandbox.ids import Ids, gid
from adapters.shopify.sandbox.order_index import OrderIndex
from adapters.shopify.sandbox.records import Item, Level, Location, Order, Refund, RefundLine
from adapters.shopify.sandbox.seed import ItemSeed, LocationSeed, ShopSeed

FIRST_ORDER_NUMBER = 1001
ORDER_WINDOW = timedelta(days=60)  # what `read_orders` shows without `read_all_orders`


class Shop:
    """Items, levels, locations and orders of one shop, and the instants at which they change."""

    def __init__(self, seed: ShopSeed, clock: Clock, rng: Rng) -> None:
        self.seed = seed
        self.clock = clock
        self.rng = rng
        self.ids = Ids(rng)
        self.id = self.ids.deal()
        self.locations: dict[int, Location] = {}
        self.items: dict[int, Item] = {}  # by inventory item id, rising
        self.levels: dict[int, Level] = {}
        self.orders: dict[int, Order] = {}
        self.refunds: dict[int, tuple[Order, Refund]] = {}
        self.index = OrderIndex()
        self.shown = ShownLog()
        self._by_sku: dict[str, Item] = {}
        self._by_variant: dict[int, Item] = {}
        for location in seed.locations:
            self.open_location(location)
        for item in seed.items:
            self.add_item(item)

    def now(self) -> datetime:
        return self.clock.now()

    def instant(self) -> datetime:
        """Now, as the vendor prints it: in whole seconds."""
        return self.now().replace(microsecond=0)

    # --- the catalogue ------------------------------------------------------------------------------------------

    def open_location(self, seed: LocationSeed) -> Location:
        location = Location(
            self.ids.deal(),
            seed.name,
            seed.active,
            seed.fulfills_online_orders,
            seed.service,
            seed.service_owns_stock,
            seed.city,
            seed.country,
            seed.province,
            seed.zip,
            self.instant(),
        )
        self.locations[location.id] = location
        return location

    def add_item(self, seed: ItemSeed) -> Item:
        now = self.instant()
        item = Item(
            id=self.ids.deal(),
            variant_id=self.ids.deal(),
            product_id=self.ids.deal(),
            sku=seed.sku,
            title=seed.title or seed.sku,
            barcode=seed.barcode,
            price=seed.price,
            policy=seed.policy,
            tracked=seed.tracked,
            requires_components=seed.requires_components,
            requires_shipping=seed.requires_shipping,
            created_at=now,
            updated_at=now,
        )
        self.items[item.id] = item
        self._by_sku[item.sku] = item
        self._by_variant[item.variant_id] = item
        first, *others = self.locations.values()
        self.stock(item, first, seed.quantity)
        for location in others:
            if location.name in seed.elsewhere:
                self.stock(item, location, seed.elsewhere[location.name])
        return item

    def stock(self, item: Item, location: Location, available: int) -> Level:
        """Start to keep an item at a location."""
        level = Level(self.ids.deal(), item.id, location.id, self.instant())
        self.show(level, available, 0, Why.OPENING)
        item.levels[location.id] = level
        self.levels[level.id] = level
        return level

    def show(self, level: Level, available: int, committed: int, why: Why, ref: str = "") -> None:
        """Have a level's numbers be these from now on."""
        now = self.now()
        before = level.now.available if level.history else 0
        level.become(now, available, committed)
        listing = (gid("InventoryItem", level.item_id), gid("Location", level.location_id))
        self.shown.note(now, listing, before, available, why, ref)

    def item_by_sku(self, sku: str) -> Item | None:
        return self._by_sku.get(sku)

    def item_by_variant(self, variant_id: int) -> Item | None:
        return self._by_variant.get(variant_id)

    def selling_levels(self, item: Item) -> Iterator[Level]:
        """The levels that online orders draw on, in the order they are drawn on."""
        for location in self.locations.values():
            level = item.levels.get(location.id)
            if level is not None and level.active and location.active and location.fulfills_online_orders:
                yield level

    def sellable(self, item: Item) -> int:
        return sum(level.now.available for level in self.selling_levels(item))

    # --- orders -------------------------------------------------------------------------------------------------

    def next_number(self) -> int:
        return FIRST_ORDER_NUMBER + len(self.orders)

    def book_refund(self, order: Order, lines: Sequence[RefundLine]) -> Refund:
        refund = Refund(self.ids.deal(), self.instant(), tuple(lines))
        order.refunds.append(refund)
        self.refunds[refund.id] = (order, refund)
        return refund

    def changed(self, order: Order) -> None:
        """Stamp the order; searches learn of it a little later."""
        order.updated_at = max(order.updated_at, self.instant())
        lag = timedelta(seconds=self.rng.uniform(0.0, self.seed.index_lag_s))
        self.index.note(order.id, order.updated_at, self.now() + lag)

    def readable(self, order: Order) -> bool:
        """Whether the app's scopes reach back to this order."""
        return "read_all_orders" in self.seed.scopes or order.created_at > self.now() - ORDER_WINDOW
