"""Reading orders: every page of a fixed window, or some by their ids, as raw events."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from adapters.contract import Clock, Page, RawEvent, Transient
from adapters.ebay.refusals import Refused
from adapters.ebay.rest import Call, EbayRest
from adapters.events import polled_order
from adapters.http import CALL_REAL_S, PATIENT, OutOfTime, within

log = structlog.get_logger(__name__)

ORDERS = "/sell/fulfillment/v1/order"
A_PAGE = 200  # more is refused
_IDS_A_CALL = 50
_BEHIND_NOW = timedelta(seconds=5)  # an instant ahead of eBay's own clock is refused (30850)
_REACH = timedelta(days=729)  # a range over two years is refused (30830), and older orders are gone
_ORDER_ID = re.compile(r"[0-9A-Za-z!_-]{1,64}")
# Who bought: nobody asks, and eBay wants it erased when that user goes. The parcel's address stays.
_DROPPED = ("buyer", "buyerCheckoutNotes")


class OrdersPage(msgspec.Struct, frozen=True):
    orders: list[object]
    total: int


class OrderReader:
    def __init__(self, rest: EbayRest, clock: Clock) -> None:
        self._rest = rest
        self._clock = clock

    async def poll(self, since: datetime) -> AsyncIterator[Page]:
        """Every order modified from `since` to some seconds ago.

        `offset` counts records of a set that shrinks while it is read: an order that changes leaves the window, and
        those behind it move up. Then the page is read again from that many earlier; what comes twice is one event.
        """
        asked = {"filter": self._window(since), "limit": str(A_PAGE)}
        offset, total, seen = 0, 0, set[str]()
        while True:
            page = await self._rest.ask(Call("GET", ORDERS, {**asked, "offset": str(offset)}), OrdersPage, PATIENT)
            events = tuple(event for event in map(raw_event, page.orders) if event.event_key not in seen)
            seen |= {event.event_key for event in events}
            shrunk_by, total = max(0, total - page.total), page.total
            read_to = offset + len(page.orders)
            offset, more = (max(0, offset - shrunk_by), True) if shrunk_by else (read_to, read_to < total)
            if more and not events and not shrunk_by:
                raise Transient(f"GET {ORDERS}: paging does not advance")
            yield Page(events, str(offset) if more else None)
            if not more:
                return

    async def fetch(self, order_ids: Sequence[str]) -> tuple[RawEvent, ...]:
        """The orders that exist; an id that names none is logged and left out.

        When its time is up, those that are there must do; without any it raises OutOfTime.
        """
        asked = list(dict.fromkeys(order_ids))
        known = [order_id for order_id in asked if _ORDER_ID.fullmatch(order_id)]
        events: list[RawEvent] = []
        try:
            async with within(CALL_REAL_S, f"GET {ORDERS}"):
                for start in range(0, len(known), _IDS_A_CALL):
                    async for order in self._named(known[start : start + _IDS_A_CALL]):
                        events.append(raw_event(order))
        except OutOfTime:
            if not events:
                raise
        if len(events) < len(asked):
            log.warning("ebay.orders_missing", asked=len(asked), found=len(events))
        return tuple(events)

    async def _named(self, order_ids: Sequence[str]) -> AsyncIterator[object]:
        """One bad id refuses the whole call: halve it until that one stands alone."""
        parts = [order_ids]
        while parts:
            part = parts.pop(0)
            try:
                page = await self._rest.ask(Call("GET", ORDERS, {"orderIds": ",".join(part)}), OrdersPage)
            except Refused as err:
                if len(part) == 1:
                    log.warning("ebay.order_refused", order_id=part[0], reason=err.reason)
                else:
                    parts[:0] = [part[: len(part) // 2], part[len(part) // 2 :]]
                continue
            for order in page.orders:
                yield order

    def _window(self, since: datetime) -> str:
        to = self._clock.now() - _BEHIND_NOW
        start = min(max(since, to - _REACH), to - timedelta(seconds=1))
        return f"lastmodifieddate:[{_written(start)}..{_written(to)}]"


def _written(at: datetime) -> str:
    """Milliseconds and a Z, rounded down."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def raw_event(node: object) -> RawEvent:
    """The inbox event of one order; the same state always has the same key."""
    if not isinstance(node, dict):
        return polled_order(node, None, None)
    kept = {name: value for name, value in node.items() if name not in _DROPPED}
    order_id = kept.get("orderId")
    known = isinstance(order_id, str) and _ORDER_ID.fullmatch(order_id) is not None
    return polled_order(kept, order_id if known else None, kept.get("lastModifiedDate"))
