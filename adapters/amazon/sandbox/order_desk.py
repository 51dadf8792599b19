"""What buyers, the seller's staff and Amazon do to orders, and what it does to the stock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.amazon.sandbox.instants import whole_second
from adapters.amazon.sandbox.records import Item, Order, OrderItem, Package, ShipTo, Status
from adapters.amazon.sandbox.seller import Seller
from adapters.amazon.sandbox.stockroom import Stockroom
from adapters.sandbox_kit.control_errors import Refused

CANCELLED_FOR_BUYER = "Buyer requested cancellation"
CANCELLED_NO_STOCK = "No inventory"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A position that a buyer asks for."""

    item: Item
    quantity: int


Told = Callable[[Order, str], None]  # hears of each change, with its reason


class OrderDesk:
    """Places, changes and ends orders. Every action either happens whole, and is told, or raises Refused."""

    def __init__(self, seller: Seller, stockroom: Stockroom, told: Told) -> None:
        self._seller = seller
        self._stockroom = stockroom
        self._told = told

    def place(self, wanted: Sequence[Wanted], ship_to: ShipTo, *, by_channel: bool, paid: bool) -> Order:
        """Sell, unless the offer or FBA has too little. Units are committed at once, paid or not."""
        self._refuse_short(wanted, by_channel=by_channel)
        now = whole_second(self._seller.now())
        ids = self._seller.ids
        items = [OrderItem(ids.order_item(), one.item, one.item.price, one.quantity) for one in wanted]
        order = Order(ids.order(), now, now, by_channel, paid, items, ship_to)
        for one in wanted:
            self._stockroom.commit(one.item, one.quantity, order.id, by_channel=by_channel)
        self._seller.orders[order.id] = order
        self._told(order, "OrderPlaced")
        return order

    def pay(self, order: Order) -> None:
        if order.status is not Status.PENDING:
            raise Refused("id", f"the order is {order.status}, not pending", "choose an order that is not paid")
        order.paid = True
        self._changed(order, "PaymentComplete")

    def cancel(self, order: Order, *, restock: bool) -> None:
        """End an order of which nothing has shipped."""
        self._refuse_cancelled(order)
        if any(item.shipped for item in order.items):
            raise Refused("id", "units of the order have shipped", "choose an order of which nothing has shipped")
        for item in order.items:
            self._cancel_units(order, item, item.unshipped, restock=restock)
        order.cancelled = True
        self._changed(order, "OrderCancelled")

    def reduce(self, order: Order, sku: str, quantity: int, *, restock: bool) -> None:
        """Cancel units of a SKU, from its last positions on, until `quantity` are left; none left at all cancels it."""
        self._refuse_cancelled(order)
        items = [item for item in order.items if item.item.sku == sku]
        excess = sum(item.current for item in items) - quantity
        if excess < 0 or not items:
            raise Refused("quantity", "Amazon's orders can't be added to", "place another order")
        if excess > sum(item.unshipped for item in items):
            raise Refused("quantity", "units that have shipped can't be cancelled", "leave at least what has shipped")
        for item in reversed(items):
            units = min(item.unshipped, excess)
            excess -= units
            self._cancel_units(order, item, units, restock=restock)
        order.cancelled = not any(item.current for item in order.items)
        self._changed(order, "ItemsCancelled")

    def ship(self, order: Order) -> None:
        """Let everything leave that has not: from FBA, or typed in by the seller's staff."""
        self._refuse_not_ready(order)
        contents = tuple((item, item.unshipped) for item in order.items if item.unshipped)
        if not contents:
            raise Refused("id", "nothing is left to ship", "choose another order")
        reference = str(len(order.packages) + 1)
        number = f"TRK{order.id.replace('-', '')}{reference}"
        self._leave(order, Package(reference, self._seller.now(), "UPS", "Ground", number, contents))

    def confirm(self, order: Order, package: Package) -> None:
        """Let the units of a merchant's parcel leave. The caller has made sure that they can."""
        self._leave(order, package)

    def correct(self, order: Order, package: Package) -> None:
        """Replace what is known of a parcel that has left already; its contents stay."""
        order.packages[package.reference] = package
        self._changed(order, "ShipmentCorrected")

    def _leave(self, order: Order, package: Package) -> None:
        for item, units in package.contents:
            item.shipped += units
            self._stockroom.ship(item.item, units, by_channel=order.by_channel)
        if not order.by_channel:
            order.packages[package.reference] = package
        self._changed(order, "OrderShipped")

    def _cancel_units(self, order: Order, item: OrderItem, units: int, *, restock: bool) -> None:
        if units:
            item.cancelled += units
            item.cancel_reason = CANCELLED_FOR_BUYER if restock else CANCELLED_NO_STOCK
            self._stockroom.release(item.item, units, order.id, by_channel=order.by_channel, restock=restock)

    def _changed(self, order: Order, reason: str) -> None:
        self._seller.stamp(order)
        self._told(order, reason)

    def _refuse_cancelled(self, order: Order) -> None:
        if order.cancelled:
            raise Refused("id", "the order is cancelled already", "choose an open order")

    def _refuse_not_ready(self, order: Order) -> None:
        self._refuse_cancelled(order)
        if not order.paid:
            raise Refused("id", "the order is pending", "have it paid first, POST /_control/orders/{id}/pay")

    def _refuse_short(self, wanted: Sequence[Wanted], *, by_channel: bool) -> None:
        needed: dict[str, int] = {}
        for at, one in enumerate(wanted):
            sku = one.item.sku
            needed[sku] = needed.get(sku, 0) + one.quantity
            available = self._stockroom.sellable(one.item, by_channel=by_channel)
            if needed[sku] > available:
                raise Refused(
                    f"lines[{at}].quantity",
                    f"{available} of {sku} for sale{' from FBA' if by_channel else ''}, {needed[sku]} wanted",
                    "order fewer, or put more on sale",
                    sku=sku,
                    available=available,
                )
