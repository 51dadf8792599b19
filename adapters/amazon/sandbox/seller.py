"""The seller's account: everything a request may look up, by every key it may look it up with."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from adapters.amazon.sandbox.ids import Ids
from adapters.amazon.sandbox.instants import whole_second
from adapters.amazon.sandbox.marketplaces import MFN_CHANNEL, marketplace
from adapters.amazon.sandbox.records import FbaStock, Item, OfferedNumber, Order
from adapters.amazon.sandbox.seed import ItemSeed, SellerSeed
from adapters.contract import Clock, Rng
from adapters.sandbox_kit.shown_log import ShownLog, Why


class Seller:
    """SKUs and orders of one seller, and the instants at which they change."""

    def __init__(self, seed: SellerSeed, clock: Clock, rng: Rng) -> None:
        self.seed = seed
        self.clock = clock
        self.rng = rng
        self.ids = Ids(rng)
        self.marketplace = marketplace(seed.marketplace_id)
        self.zone = ZoneInfo(seed.timezone)
        self.items: dict[str, Item] = {}  # by SKU
        self.orders: dict[str, Order] = {}
        self.shown = ShownLog()
        for item in seed.items:
            self.add_item(item)

    def now(self) -> datetime:
        return self.clock.now()

    def add_item(self, seed: ItemSeed) -> Item:
        now = self.now()
        item = Item(
            sku=seed.sku,
            title=seed.title or seed.sku,
            asin=seed.asin or self.ids.asin(),
            gtin=seed.gtin or self.ids.gtin(),
            price=seed.price,
            product_type=seed.product_type,
            created_at=whole_second(now),
            updated_at=whole_second(now),
            submitted={},
            offered=None,
            fba=None,
        )
        if seed.quantity is not None:
            offer = {"fulfillment_channel_code": MFN_CHANNEL, "quantity": seed.quantity}
            if seed.lead_time_days is not None:
                offer["lead_time_to_ship_max_days"] = seed.lead_time_days
            item.submitted[MFN_CHANNEL] = offer
            self.offer(item, now, seed.quantity, Why.OPENING)
        if seed.fba_quantity is not None:
            self.stock_at_fba(item, seed.fba_quantity)
        self.items[item.sku] = item
        return item

    def stock_at_fba(self, item: Item, fulfillable: int) -> FbaStock:
        """Have FBA know the SKU."""
        channel = self.marketplace.fba_channel
        item.submitted.setdefault(channel, {"fulfillment_channel_code": channel})
        item.fba = FbaStock(self.ids.fnsku(), fulfillable, whole_second(self.now()))
        return item.fba

    def offer(
        self,
        item: Item,
        at: datetime,
        quantity: int,
        why: Why,
        ref: str = "",
        accepted_at: datetime | None = None,
    ) -> None:
        """Have the merchant's offer show a number from `at` on."""
        before = item.offered.now if item.offered is not None else 0
        self.shown.note(at, (item.sku, MFN_CHANNEL), before, quantity, why, ref, accepted_at)
        if item.offered is None:
            item.offered = OfferedNumber.of(at, quantity)
        else:
            item.offered.become(at, quantity)
        item.updated_at = max(item.updated_at, whole_second(at))

    def stamp(self, order: Order) -> None:
        """Give a changed order a later lastUpdatedTime than it had."""
        order.updated_at = max(order.updated_at + timedelta(seconds=1), whole_second(self.now()))
