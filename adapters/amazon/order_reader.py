"""Reading orders: every page of a sweep, and single orders by their ids, as raw events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
import structlog

from adapters.amazon.ids import order_id
from adapters.amazon.quota import GET_ORDER, SEARCH_ORDERS
from adapters.amazon.settings import AmazonSettings
from adapters.amazon.sp_api import SWEEP, SpApi, segment
from adapters.contract import AdapterError, AuthExpired, Page, RateLimited, RawEvent, Rejected, Transient
from adapters.events import polled_order
from adapters.http import CALL_REAL_S, OutOfTime, within
from adapters.paging import Passed

log = structlog.get_logger(__name__)
_PATH = "/orders/2026-01-01/orders"
# The status is in FULFILLMENT; when a parcel left is in PACKAGES; BUYER is never asked for.
_INCLUDED = "FULFILLMENT,RECIPIENT,CANCELLATION,PACKAGES"
_ORDERS_A_PAGE = 100


class Pagination(msgspec.Struct, frozen=True, rename="camel"):
    next_token: str | None = None


class OrdersPage(msgspec.Struct, frozen=True):
    orders: list[object]
    pagination: Pagination | None = None


class OneOrder(msgspec.Struct, frozen=True):
    order: object


class OrderReader:
    def __init__(self, api: SpApi, settings: AmazonSettings) -> None:
        self._api = api
        self._settings = settings

    async def poll(self, since: datetime) -> AsyncIterator[Page]:
        """Every order changed at or after `since`. Each page costs a token of Amazon's scarcest quota.

        No upper bound is sent: Amazon refuses one of the last two minutes, and applies its own.
        """
        params = {  # the same on every page, or Amazon refuses the token
            "lastUpdatedAfter": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "marketplaceIds": ",".join(self._settings.marketplace_ids),
            "includedData": _INCLUDED,
            "maxResultsPerPage": str(_ORDERS_A_PAGE),
        }
        token: str | None = None
        passed = Passed("searchOrders")
        while True:
            page = await self._page(params, token)
            events = tuple(raw_event(node) for node in page.orders)
            if events:
                passed.note(tuple(event.event_key for event in events))
            token = (page.pagination.next_token if page.pagination is not None else None) or None
            if token is not None:
                passed.note(token)
            yield Page(events, token)
            if token is None:
                return

    async def fetch(self, order_ids: Sequence[str]) -> tuple[RawEvent, ...]:
        """The orders that exist, one call each, as far as time and quota go. One that fails stops no other.

        An id that Amazon does not know or refuses is logged and left out. Raises what went wrong first when not one
        order is there.
        """
        events: list[RawEvent] = []
        failures: list[AdapterError] = []
        try:
            async with within(CALL_REAL_S, GET_ORDER.name):
                for each in dict.fromkeys(order_ids):
                    try:
                        events += await self._one(each)
                    except (AuthExpired, Transient) as err:
                        log.warning("amazon.order_unread", order=each, error=type(err).__name__)
                        failures.append(err)
        except (OutOfTime, RateLimited) as err:
            log.warning("amazon.fetch_cut_short", fetched=len(events), error=type(err).__name__)
            failures.append(err)
        if failures and not events:
            raise failures[0]
        return tuple(events)

    async def _one(self, known_id: str) -> list[RawEvent]:
        """The order's event; none where Amazon knows no such order, or refuses it as it stands."""
        try:
            found = await self._api.get(
                GET_ORDER, f"{_PATH}/{segment(known_id)}", {"includedData": _INCLUDED}, OneOrder
            )
        except Rejected as err:
            log.warning("amazon.order_missing", order=known_id, field=err.field)
            return []
        return [raw_event(found.order)]

    async def _page(self, params: Mapping[str, str], token: str | None) -> OrdersPage:
        asked = {**params, "paginationToken": token} if token else params
        return await self._api.get(SEARCH_ORDERS, _PATH, asked, OrdersPage, SWEEP)


def raw_event(node: object) -> RawEvent:
    """The inbox event of one order; the same state always has the same key."""
    known_id, version = (node.get("orderId"), node.get("lastUpdatedTime")) if isinstance(node, dict) else (None, None)
    return polled_order(node, order_id(known_id), version)
