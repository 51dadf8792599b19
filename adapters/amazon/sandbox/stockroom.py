"""How units move when something sells, is cancelled or leaves."""

from __future__ import annotations

from adapters.amazon.sandbox.instants import whole_second
from adapters.amazon.sandbox.marketplaces import MFN_CHANNEL
from adapters.amazon.sandbox.records import FbaStock, Item
from adapters.amazon.sandbox.seller import Seller
from adapters.amazon.sandbox.submissions import Submissions
from adapters.sandbox_kit.shown_log import Why


class Stockroom:
    """Moves units of a merchant's offer, or of FBA's stock: a sale never touches both.

    Whatever was due to take effect before has done so when a number is looked at.
    """

    def __init__(self, seller: Seller, submissions: Submissions) -> None:
        self._seller = seller
        self._submissions = submissions

    def sellable(self, item: Item, *, by_channel: bool) -> int:
        self._submissions.settle()
        if by_channel:
            return item.fba.fulfillable if item.fba is not None else 0
        return item.offered.now if item.offered is not None else 0

    def commit(self, item: Item, units: int, order_id: str, *, by_channel: bool) -> None:
        """Take sold units off what is for sale, as soon as the order is placed."""
        if by_channel:
            fba = _stock(item)
            fba.fulfillable -= units
            fba.reserved += units
            self._touch(fba)
        else:
            left = self.sellable(item, by_channel=False) - units
            self._seller.offer(item, self._seller.now(), left, Why.SALE, order_id)

    def release(self, item: Item, units: int, order_id: str, *, by_channel: bool, restock: bool) -> None:
        """Take cancelled units off the order, back on sale or not."""
        if by_channel:
            fba = _stock(item)
            fba.reserved -= units
            fba.fulfillable += units if restock else 0
            fba.unfulfillable += 0 if restock else units
            self._touch(fba)
        elif restock:
            left = self.sellable(item, by_channel=False) + units
            self._seller.offer(item, self._seller.now(), left, Why.CANCELLATION, order_id)

    def ship(self, item: Item, units: int, *, by_channel: bool) -> None:
        """Let units leave. The merchant's own shelves are no business of Amazon's."""
        if by_channel:
            fba = _stock(item)
            fba.reserved -= units
            self._touch(fba)

    def set_offered(self, item: Item, quantity: int) -> None:
        """A person types a new number. Patches accepted before and not yet applied will overwrite it."""
        self._submissions.settle()
        offer = item.submitted.setdefault(MFN_CHANNEL, {"fulfillment_channel_code": MFN_CHANNEL})
        offer["quantity"] = quantity
        self._seller.offer(item, self._seller.now(), quantity, Why.HAND)

    def count_fba(self, item: Item, fulfillable: int, unfulfillable: int | None) -> FbaStock:
        """Set what lies at FBA, for example after an inbound shipment."""
        fba = item.fba or self._seller.stock_at_fba(item, fulfillable)
        fba.fulfillable = fulfillable
        fba.unfulfillable = fba.unfulfillable if unfulfillable is None else unfulfillable
        self._touch(fba)
        return fba

    def _touch(self, fba: FbaStock) -> None:
        fba.updated_at = whole_second(self._seller.now())


def _stock(item: Item) -> FbaStock:
    assert item.fba is not None, "only SKUs that FBA stocks are sold by it"
    return item.fba
