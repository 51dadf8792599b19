"""Orders at ShipBob: placed once by reference, found again, watched and called back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from adapters.contract import OutcomeUnknown, Rejected, Transient
from adapters.reading import entries, shaped
from adapters.shipbob.mapping import shipment_state
from adapters.shipbob.order_body import checked_reference, is_reference, order_body
from adapters.shipbob.refusals import NotFound, says_reference_is_known, without_buyer
from adapters.shipbob.rest import Rest
from adapters.shipbob.settings import ShipbobSettings
from adapters.shipbob.wire import CancelledOrder, CancelledShipment, ChannelInfo, OrderView, text
from adapters.warehouse import Cancelled, ShipmentOrder, ShipmentState, ShipmentStatus

log = structlog.get_logger(__name__)

PAGE_SIZE = 250  # the most that Limit allows


class Shipments:
    """The orders of our channel. An order of ShipBob's is one shipment request of ours."""

    def __init__(self, rest: Rest, settings: ShipbobSettings) -> None:
        self._rest = rest
        self._settings = settings

    async def submit(self, order: ShipmentOrder) -> ShipmentState:
        """Place an order. A refused one is looked up first: it may be refused for being there already."""
        body = order_body(order, self._settings)
        try:
            placed = await self._rest.write("order", OrderView, body)
        except Rejected as err:
            return await self._known(order, err)
        if placed.reference_id != order.reference:
            raise OutcomeUnknown("POST order: the answer is about another reference")
        return shipment_state(placed)

    async def find(self, reference: str) -> ShipmentState | None:
        """The order of a reference; of several, one that is not cancelled."""
        params = {"ReferenceIds": checked_reference(reference), "Limit": str(PAGE_SIZE)}
        raw = await self._rest.read("order", list[object], params, urgent=True)
        found = [order for order in self._ours(raw) if order.reference_id == reference]
        states = [shipment_state(order) for order in sorted(found, key=lambda order: order.id)]
        alive = [state for state in states if state.status is not ShipmentStatus.CANCELLED]
        if len(alive) > 1:
            log.error("shipbob.reference_shipped_twice", reference=reference, orders=len(alive))
        return next(iter(alive or states[-1:]), None)

    async def poll(self, since: datetime) -> AsyncIterator[Sequence[ShipmentState]]:
        """Every order of ours changed at or after `since`.

        An order only ever joins this list, so paging may show one twice and misses none. An empty page ends it: how
        many entries a page may have is not ours to know.
        """
        after = since.astimezone(UTC).replace(microsecond=0) - timedelta(seconds=1)  # the filter says "later than"
        params = {
            "LastUpdateStartDate": after.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "SortOrder": "Oldest",
            "Limit": str(PAGE_SIZE),
        }
        before: list[object] = []
        number = 1
        while raw := await self._rest.read("order", list[object], {**params, "Page": str(number)}):
            if raw == before:
                raise Transient("GET order: paging does not advance")
            yield [shipment_state(order) for order in self._ours(raw)]
            before, number = raw, number + 1

    async def cancel(self, order_id: str) -> Cancelled:
        """Call an order back. ShipBob answers 200 also when it would not."""
        if not (order_id.isascii() and order_id.isdecimal()):
            raise Rejected("warehouse_shipment_id", "is not the id of a ShipBob order")
        try:
            result = await self._rest.write(f"order/{order_id}:cancel", CancelledOrder)
        except NotFound as err:
            raise Rejected("warehouse_shipment_id", "ShipBob has no such order") from err
        except Rejected as err:
            outcome = Cancelled(False, err.reason)
        else:
            outcome = cancellation(result)
        if outcome.done or not await self._is_cancelled(order_id):
            return outcome
        return Cancelled(True)  # it was so before

    async def _known(self, order: ShipmentOrder, refusal: Rejected) -> ShipmentState:
        found = await self.find(order.reference)
        if found is not None:
            log.info("shipbob.reference_known", reference=order.reference)
            return found
        if says_reference_is_known(refusal):
            raise OutcomeUnknown("POST order: the reference is taken, but its order does not show yet")
        raise without_buyer(refusal, order.ship_to)

    async def _is_cancelled(self, order_id: str) -> bool:
        order = await self._rest.read(f"order/{order_id}", OrderView, urgent=True)
        return shipment_state(order).status is ShipmentStatus.CANCELLED

    def _ours(self, raw: Sequence[object]) -> list[OrderView]:
        """The orders of our channel that bear a reference of our kind. One that cannot be read stops no other."""
        orders = [shaped(one, OrderView) for one in raw]
        if None in orders:
            log.warning("shipbob.orders_unreadable", count=orders.count(None))
        return [order for order in orders if order is not None and self._is_ours(order)]

    def _is_ours(self, order: OrderView) -> bool:
        channel = shaped(order.channel, ChannelInfo)
        here = channel is None or channel.id == self._settings.channel_id
        return here and is_reference(order.reference_id)


def cancellation(result: CancelledOrder) -> Cancelled:
    """What came of it: done only when every shipment says so, or there was none and the order says so."""
    results = entries(result.canceled_shipment_results)
    shipments = [shaped(raw, CancelledShipment) or CancelledShipment() for raw in results]
    refused = [one for one in shipments if one.is_success is not True or text(one.action) not in ("Cancel", None)]
    order = shaped(result.order, OrderView)
    state = shipment_state(order) if order is not None else None
    if refused:
        words = dict.fromkeys(text(one.reason) or "no reason given" for one in refused)
        return Cancelled(False, f"{len(refused)} of {len(shipments)} shipments not cancelled: {'; '.join(words)}"[:300])
    if text(result.status) not in ("Success", None):
        return Cancelled(False, f"the cancellation is a {text(result.status)}")
    if state is not None and state.shipped:
        return Cancelled(False, "a part of the order has left already")
    if not shipments and (state is None or state.status is not ShipmentStatus.CANCELLED):
        return Cancelled(False, "ShipBob names no shipment that it cancelled")
    return Cancelled(True)
