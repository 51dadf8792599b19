"""What buyers and staff do to purchases, and what it does to the listings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.ebay.sandbox.records import Line, Offer, Order, Shipment, ShipTo
from adapters.ebay.sandbox.seed import Format
from adapters.ebay.sandbox.seller import Seller
from adapters.sandbox_kit.control_errors import Refused
from adapters.sandbox_kit.shown_log import Why


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line that a buyer asks for."""

    offer: Offer
    quantity: int


class OrderDesk:
    """Sells, takes payments, cancels and ships. Every action either happens whole or raises Refused."""

    def __init__(self, seller: Seller, confirm: Callable[[Order], None]) -> None:
        self._seller = seller
        self._confirm = confirm

    def place(self, wanted: Sequence[Wanted], ship_to: ShipTo, *, unpaid: bool) -> Order:
        """Sell what the listings show. The listings drop at once, also for a purchase still to be paid."""
        if unpaid and self._seller.seed.immediate_payment:
            raise Refused("unpaid", "the listings require immediate payment", "pay at once: leave `unpaid` out")
        self._refuse_short(wanted)
        lines = [
            Line(self._seller.ids.line(), one.offer, one.offer.item.title, one.offer.price, one.quantity)
            for one in wanted
        ]
        order = self._seller.open_order(lines, ship_to)
        for line in lines:
            self._sell(line, order.id)
        if not unpaid:
            self.pay(order)
        return order

    def pay(self, order: Order) -> None:
        """Make a purchase an order that the seller gets to see."""
        if order.id in self._seller.dropped:
            raise Refused("id", "the purchase was dropped", "place another one")
        if order.paid_at is not None:
            raise Refused("id", "the order is paid already", "choose a purchase placed with `unpaid`")
        order.paid_at = self._seller.instant()
        self._seller.accepted(order)
        self._confirm(order)

    def cancel(self, order: Order, *, restock: bool) -> None:
        """End an order of which nothing has shipped, or drop a purchase that nobody paid."""
        if order.cancelled_at is not None:
            raise Refused("id", "the order is cancelled already", "choose an open order")
        if order.shipments:
            raise Refused("id", "parts of the order have shipped", "cancel before anything ships")
        order.cancelled_at = self._seller.instant()
        if restock:
            for line in order.lines:
                self._put_back(line, order.id)
        if order.paid_at is None:
            self._seller.dropped.add(order.id)
            order.modified_at = order.cancelled_at
            return
        order.cancel_id = self._seller.ids.other()
        self._seller.changed(order)

    def ship(
        self,
        order: Order,
        parts: Sequence[tuple[Line, int]],
        shipped_at: datetime,
        carrier: str | None = None,
        tracking: str | None = None,
    ) -> Shipment:
        """Send units of an order on their way."""
        self._refuse_unshippable(order, parts)
        for line, quantity in parts:
            line.shipped += quantity
        name = tracking or f"999{self._seller.ids.other()}"
        shipment = Shipment(name, tuple(parts), shipped_at, carrier, tracking)
        order.shipments.append(shipment)
        self._seller.changed(order)
        return shipment

    def ship_all(self, order: Order) -> Shipment:
        """Send everything that has not shipped, without a tracking number."""
        parts = [(line, line.to_ship) for line in order.lines if line.to_ship]
        return self.ship(order, parts, self._seller.instant())

    def _refuse_unshippable(self, order: Order, parts: Sequence[tuple[Line, int]]) -> None:
        if order.paid_at is None or order.cancelled_at is not None:
            raise Refused("id", "the order is not open", "choose an order that is paid and not cancelled")
        if not parts:
            raise Refused("lines", "nothing is left to ship", "choose another order")
        for line, quantity in parts:
            if quantity > line.to_ship:
                raise Refused("quantity", f"only {line.to_ship} of line {line.id} can ship", "ship fewer units")

    def _refuse_short(self, wanted: Sequence[Wanted]) -> None:
        needed: Counter[str] = Counter()
        for at, one in enumerate(wanted):
            needed[one.offer.id] += one.quantity
            if needed[one.offer.id] > one.offer.live():
                raise Refused(
                    f"lines[{at}].quantity",
                    f"{one.offer.live()} of {one.offer.item.sku} for sale, {needed[one.offer.id]} wanted",
                    "order fewer, or put more on sale",
                )

    def _sell(self, line: Line, order_id: str) -> None:
        line.offer.sold += line.quantity
        line.offer.ended = line.offer.format is Format.AUCTION
        self._move(line.offer, -line.quantity, Why.SALE, order_id)

    def _put_back(self, line: Line, order_id: str) -> None:
        """An auction does not come back to life; its unit returns to the item."""
        line.offer.sold -= line.quantity
        self._move(line.offer, line.quantity, Why.CANCELLATION, order_id)

    def _move(self, offer: Offer, units: int, why: Why, order_id: str) -> None:
        now, before = self._seller.now(), offer.live()
        if offer.cap is not None:
            offer.cap.become(now, max(0, offer.cap.now + units))
        if offer.cap is None or self._seller.seed.item_follows_sale:
            offer.item.quantity.become(now, max(0, offer.item.quantity.now + units))
        self._seller.note_shown(offer, before, why, order_id)
