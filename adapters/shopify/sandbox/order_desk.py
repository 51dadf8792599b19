"""What buyers and staff do to orders, and what it does to the stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.sandbox_kit.control_errors import Refused
from adapters.sandbox_kit.shown_log import Why
from adapters.shopify.sandbox.outbox import Outbox
from adapters.shopify.sandbox.records import (
    Address,
    Fulfillment,
    Item,
    Line,
    Order,
    Refund,
    RefundLine,
    RestockType,
)
from adapters.shopify.sandbox.seed import Policy
from adapters.shopify.sandbox.shop import Shop
from adapters.shopify.sandbox.stockroom import Stockroom
from adapters.shopify.sandbox.subscriptions import Topic


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line that a buyer asks for. `item` None is something outside the catalogue, such as a gift wrap."""

    item: Item | None
    title: str
    price: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of an order that an action is about: one line, or all of an item, which may be none yet."""

    item: Item | None
    lines: tuple[Line, ...]

    def more(self, quantity: int) -> Wanted:
        title, price = (self.item.title, self.item.price) if self.item else (self.lines[0].title, self.lines[0].price)
        return Wanted(self.item, title, price, quantity)


class OrderDesk:
    """Places, changes and ends orders. Every action either happens whole, with its news, or raises Refused."""

    def __init__(self, shop: Shop, outbox: Outbox) -> None:
        self._shop = shop
        self._outbox = outbox

    def place(self, wanted: Sequence[Wanted], ship_to: Address | None, note: str | None, *, test: bool) -> Order:
        """Sell, unless an item that is tracked and not sold beyond zero shows too little."""
        self._refuse_short(wanted)
        now = self._shop.instant()
        order = Order(
            self._shop.ids.deal(), self._shop.next_number(), now, now, self._shop.seed.currency, [], ship_to, note, test
        )
        room = Stockroom(self._shop, Why.SALE, str(order.id))
        for line in wanted:
            self._add_line(order, line, room)
        self._shop.orders[order.id] = order
        self._tell(order, (Topic.ORDERS_CREATE, Topic.ORDERS_UPDATED), room)
        return order

    def cancel(self, order: Order, *, restock: bool, reason: str, record_refund: bool) -> None:
        """End an order of which nothing has shipped. Without `record_refund` nothing tells what became of the units."""
        self._refuse_cancelled(order)
        if any(line.fulfilled for line in order.lines):
            raise Refused("id", "Cannot cancel an order that has outstanding fulfillments", "refund it instead")
        room = Stockroom(self._shop, Why.CANCELLATION, str(order.id))
        kind = RestockType.CANCEL if restock else RestockType.NO_RESTOCK
        released: list[RefundLine] = []
        for line in order.lines:
            units = line.unfulfilled
            where = room.release(line, units, restock=restock)
            if units and record_refund:
                line.released += units
                where = where if restock else None
                released.append(RefundLine(self._shop.ids.deal(), line, units, kind, where))
        topics = [Topic.ORDERS_CANCELLED, Topic.ORDERS_UPDATED]
        order.cancelled_at = self._shop.instant()
        order.cancel_reason = reason
        order.financial_status = "REFUNDED" if record_refund else "VOIDED"
        if released:
            self._shop.book_refund(order, released)
            topics.append(Topic.REFUNDS_CREATE)
        self._tell(order, topics, room)

    def edit(self, order: Order, part: Part, quantity: int, *, restock: bool) -> None:
        """Bring the units of a part of the order, shipped ones included, to `quantity`.

        Units are added as a new line and taken from the youngest lines; neither says whether they went back on sale.
        """
        self._refuse_cancelled(order)
        lines = part.lines
        missing = quantity - sum(line.current for line in lines)
        room = Stockroom(self._shop, Why.EDIT, str(order.id))
        deltas: dict[int, int] = {}
        if missing > 0:
            wanted = part.more(missing)
            self._refuse_short([wanted])
            deltas[self._add_line(order, wanted, room).id] = missing
        elif -missing > sum(line.unfulfilled for line in lines):
            raise Refused("quantity", "units that have shipped can't be edited away", "refund them instead")
        for line in reversed(lines):
            units = min(line.unfulfilled, -missing)
            if units > 0:
                room.release(line, units, restock=restock)
                line.released += units
                missing += units
                deltas[line.id] = -units
        order.edited = True
        self._tell(order, (Topic.ORDERS_EDITED, Topic.ORDERS_UPDATED), room, deltas)

    def refund(self, order: Order, part: Part, quantity: int, kind: RestockType) -> Refund:
        """Take units off the order: `cancel` puts unshipped ones back on sale, `return` shipped ones."""
        can = sum(_refundable(line, kind) for line in part.lines)
        if quantity > can:
            raise Refused("quantity", f"only {can} can be refunded with {kind.lower()}", "refund fewer units")
        room = Stockroom(self._shop, Why.REFUND, str(order.id))
        refunded: list[RefundLine] = []
        for line in part.lines:
            units = min(quantity, _refundable(line, kind))
            if units:
                quantity -= units
                where = _take_off(line, units, kind, room)
                refunded.append(RefundLine(self._shop.ids.deal(), line, units, kind, where))
        refund = self._shop.book_refund(order, refunded)
        left = any(line.current for line in order.lines)
        order.financial_status = "PARTIALLY_REFUNDED" if left else "REFUNDED"
        self._tell(order, (Topic.REFUNDS_CREATE, Topic.ORDERS_UPDATED), room)
        return refund

    def fulfil(self, order: Order, wanted: Sequence[tuple[Line, int]]) -> Fulfillment:
        """Ship units of an order."""
        self._refuse_cancelled(order)
        if not wanted:
            raise Refused("lines", "nothing is left to ship", "choose another order")
        for line, _ in wanted:
            if sum(units for other, units in wanted if other is line) > line.unfulfilled:
                raise Refused("quantity", f"only {line.unfulfilled} of line {line.id} can ship", "ship fewer units")
        room = Stockroom(self._shop, Why.SALE, str(order.id))
        where = next(iter(self._shop.locations))
        for line, quantity in wanted:
            where = room.ship(line, quantity) or where
            line.fulfilled += quantity
        name = f"{order.name}.{len(order.fulfillments) + 1}"
        shipment = Fulfillment(self._shop.ids.deal(), name, self._shop.instant(), where, tuple(wanted))
        order.fulfillments.append(shipment)
        whole = order.fulfillment_status == "FULFILLED"
        progress = Topic.ORDERS_FULFILLED if whole else Topic.ORDERS_PARTIALLY_FULFILLED
        self._tell(order, (progress, Topic.ORDERS_UPDATED), room)
        return shipment

    def _add_line(self, order: Order, wanted: Wanted, room: Stockroom) -> Line:
        line = Line(self._shop.ids.deal(), wanted.item, wanted.title, wanted.price, wanted.quantity)
        order.lines.append(line)
        room.commit(line, wanted.quantity)
        return line

    def _tell(
        self, order: Order, topics: Sequence[Topic], room: Stockroom, edits: Mapping[int, int] | None = None
    ) -> None:
        self._shop.changed(order)
        self._outbox.order_news(order, topics, room.moved.values(), edits or {})

    def _refuse_cancelled(self, order: Order) -> None:
        if order.cancelled_at is not None:
            raise Refused("id", "the order has already been canceled", "choose an open order")

    def _refuse_short(self, wanted: Sequence[Wanted]) -> None:
        needed: dict[int, int] = {}
        for at, line in enumerate(wanted):
            item = line.item
            if item is None or not item.tracked or item.policy is Policy.CONTINUE:
                continue
            needed[item.id] = needed.get(item.id, 0) + line.quantity
            available = self._shop.sellable(item)
            if needed[item.id] > available:
                raise Refused(
                    f"lines[{at}].quantity",
                    f"{available} of {item.sku} for sale, {needed[item.id]} wanted",
                    "order fewer, or put more on sale",
                    sku=item.sku,
                    available=available,
                )


def _refundable(line: Line, kind: RestockType) -> int:
    if kind is RestockType.CANCEL:
        return line.unfulfilled
    if kind is RestockType.RETURN:
        return line.refundable_after_shipping
    return line.unfulfilled + line.refundable_after_shipping


def _take_off(line: Line, quantity: int, kind: RestockType, room: Stockroom) -> int | None:
    """Book refunded units, without restock the unshipped ones first. Returns where they went back, or None."""
    if kind is RestockType.RETURN:
        line.returned += quantity
        return room.put_back(line, quantity)
    unshipped = min(quantity, line.unfulfilled)
    where = room.release(line, unshipped, restock=kind is RestockType.CANCEL)
    line.released += unshipped
    line.returned += quantity - unshipped
    return where if kind is RestockType.CANCEL else None
