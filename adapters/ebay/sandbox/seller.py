"""The account's memory: everything a request may look up, by every key it may look it up with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from adapters.contract import Clock, Rng
from adapters.ebay.sandbox.ids import Ids
from adapters.ebay.sandbox.instants import whole_ms
from adapters.ebay.sandbox.order_index import OrderIndex
from adapters.ebay.sandbox.records import Figure, Item, Line, Offer, Order, ShipTo
from adapters.ebay.sandbox.seed import Format, ItemSeed, SellerSeed
from adapters.sandbox_kit.shown_log import ShownLog, Why


class Seller:
    """Items, offers and orders of one seller, and the instants at which they change."""

    def __init__(self, seed: SellerSeed, clock: Clock, rng: Rng) -> None:
        self.seed = seed
        self.clock = clock
        self.rng = rng
        self.ids = Ids(rng)
        self.user_id = rng.uuid().hex[:11]
        self.offers: dict[str, Offer] = {}  # by offer id, oldest first
        self.orders: dict[str, Order] = {}  # unpaid purchases among them
        self.dropped: set[str] = set()  # purchases that were never paid and are gone
        self.shown = ShownLog()
        self._by_sku: dict[str, Offer] = {}
        self._listing_of_group: dict[str, str] = {}
        self._by_serial: dict[int, Order] = {}
        self._index = OrderIndex()
        for item in seed.items:
            self.list_item(item)

    def now(self) -> datetime:
        return self.clock.now()

    def instant(self) -> datetime:
        """Now, as the vendor prints it: in whole milliseconds."""
        return whole_ms(self.now())

    # --- the catalogue ------------------------------------------------------------------------------------------

    def list_item(self, seed: ItemSeed) -> Offer:
        """Make an item and publish its one offer."""
        now = self.now()
        item = Item(
            seed.sku, seed.title or seed.sku, seed.gtin, seed.group, seed.in_inventory, Figure(now, seed.quantity)
        )
        capped = seed.capped and seed.format is Format.FIXED_PRICE
        offer = Offer(
            id=self.ids.offer(),
            item=item,
            listing_id=self._listing_for(seed.group),
            variation_id=self.ids.variation() if seed.group else None,
            format=seed.format,
            price=seed.price,
            cap=Figure(now, seed.quantity) if capped else None,
        )
        self.offers[offer.id] = offer
        self._by_sku[item.sku] = offer
        self.note_shown(offer, 0, Why.OPENING)
        return offer

    def note_shown(self, offer: Offer, before: int, why: Why, ref: str = "") -> None:
        """Note what a buyer can have of it from now on."""
        if offer.item.in_inventory:
            listing = (offer.item.sku, self.seed.marketplace_id)
            self.shown.note(self.now(), listing, before, offer.live(), why, ref)

    def offer_of(self, sku: str) -> Offer | None:
        """The offer of any item, also of one that the Inventory API does not know."""
        return self._by_sku.get(sku)

    def inventory(self) -> Iterator[Offer]:
        """The offers that the Inventory API knows."""
        return (offer for offer in self.offers.values() if offer.item.in_inventory)

    def inventory_offer(self, sku: str) -> Offer | None:
        offer = self._by_sku.get(sku)
        return offer if offer is not None and offer.item.in_inventory else None

    def _listing_for(self, group: str | None) -> str:
        if group is None:
            return self.ids.listing()
        if group not in self._listing_of_group:
            self._listing_of_group[group] = self.ids.listing()
        return self._listing_of_group[group]

    # --- orders -------------------------------------------------------------------------------------------------

    def open_order(self, lines: list[Line], ship_to: ShipTo) -> Order:
        """Book a purchase; nobody sees it before it is paid."""
        now = self.instant()
        buyer = f"buyer-{self.rng.uuid().hex[:8]}"
        order = Order(len(self._by_serial), self.ids.order(), now, now, lines, ship_to, buyer)
        self.orders[order.id] = order
        self._by_serial[order.serial] = order
        return order

    def accepted(self, order: Order) -> None:
        """A paid purchase becomes an order, to be found after the index's lag."""
        order.modified_at = self.instant()
        self._note(order)

    def changed(self, order: Order) -> None:
        """Mark an order as changed now, to be found so after the index's lag."""
        order.modified_at = max(self.instant(), order.modified_at + timedelta(milliseconds=1))
        self._note(order)

    def _note(self, order: Order) -> None:
        lag = timedelta(seconds=self.rng.uniform(0.0, self.seed.index_lag_s))
        self._index.note(order.serial, order.created_at, order.modified_at, self.now() + lag)

    def visible(self, order_id: str) -> Order | None:
        """The order as a request by its id finds it: paid, and indexed."""
        self._index.catch_up(self.now())
        order = self.orders.get(order_id)
        return order if order is not None and self._index.knows(order.serial) else None

    def created_within(self, start: datetime, end: datetime) -> Sequence[Order]:
        self._index.catch_up(self.now())
        return [self._by_serial[serial] for serial in self._index.created(start, end)]

    def modified_within(self, start: datetime, end: datetime) -> Sequence[Order]:
        self._index.catch_up(self.now())
        return [self._by_serial[serial] for serial in self._index.modified(start, end)]
