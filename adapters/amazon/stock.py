"""FBA stock as a `StockSource`: what Amazon's warehouses would still promise in the home marketplace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import msgspec
import structlog

from adapters.amazon.quota import INVENTORY_SUMMARIES
from adapters.amazon.settings import AmazonSettings
from adapters.amazon.sp_api import SWEEP, SpApi
from adapters.amazon.traits import fba_traits
from adapters.contract import Clock, Identity, Rejected, Rng, Transient
from adapters.http import RetryPolicy
from adapters.paging import Passed
from adapters.reading import pieces, shaped, text
from adapters.warehouse import StockPage, StockRow, WarehouseTraits

log = structlog.get_logger(__name__)
_PATH = "/fba/inventory/v1/summaries"
_LAG = timedelta(seconds=60)
"""The numbers run behind what Amazon has accepted: a page counts as so much older than the sweep that read it."""


class Pagination(msgspec.Struct, frozen=True, rename="camel"):
    next_token: str | None = None


class Payload(msgspec.Struct, frozen=True, rename="camel"):
    inventory_summaries: list[object]


class SummariesPage(msgspec.Struct, frozen=True):
    """`pagination` stands beside the payload, not in it."""

    payload: Payload
    pagination: Pagination | None = None


class Unfulfillable(msgspec.Struct, frozen=True, rename="camel"):
    total_unfulfillable_quantity: object = None


class Details(msgspec.Struct, frozen=True, rename="camel"):
    fulfillable_quantity: object = None
    unfulfillable_quantity: object = None


class Summary(msgspec.Struct, frozen=True, rename="camel"):
    seller_sku: object = None
    inventory_details: object = None


class AmazonStock:
    """Inbound and reserved units are no stock to sell, and an SKU that no page names is unknown, never zero."""

    def __init__(
        self, settings: AmazonSettings, clock: Clock, rng: Rng, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._api = SpApi(settings, clock, rng, transport)

    @property
    def traits(self) -> WarehouseTraits:
        return fba_traits(self._settings.poll_every_s, self._settings.request_timeout_real_s)

    @property
    def throttled(self) -> int:
        return self._api.throttled

    async def identify(self) -> Identity:
        await self._page(None)
        return Identity(self._settings.seller_id, (), (), "fba inventory v1")

    async def read_stock(self) -> AsyncIterator[StockPage]:
        """Every SKU's level. The pages are read back to back: a token dies 30 seconds after its page."""
        as_of = self._clock.now() - _LAG
        token: str | None = None
        passed = Passed("getInventorySummaries")
        named: set[str] = set()
        while True:
            page = await self._page(token, SWEEP)
            yield StockPage(as_of, tuple(_rows(page.payload.inventory_summaries, named)))
            token = page.pagination.next_token if page.pagination is not None else None
            if not token:
                return
            passed.note(token)

    async def close(self) -> None:
        await self._api.close()

    async def _page(self, token: str | None, policy: RetryPolicy | None = None) -> SummariesPage:
        params = {
            "details": "true",
            "granularityType": "Marketplace",
            "granularityId": self._settings.home,
            "marketplaceIds": self._settings.home,
            **({"nextToken": token} if token else {}),
        }
        try:
            return await self._api.get(INVENTORY_SUMMARIES, _PATH, params, SummariesPage, policy)
        except Rejected as err:
            if token:
                raise Transient(f"getInventorySummaries: a later page was refused ({err}); begin again") from err
            remedy = "does this account use FBA in this marketplace? Enrol, or take the FBA warehouse out"
            raise Rejected("fba", f"{err}; {remedy}") from err


def _rows(summaries: list[object], named: set[str]) -> list[StockRow]:
    rows: list[StockRow] = []
    for raw in summaries:
        summary = shaped(raw, Summary) or Summary()
        sku = text(summary.seller_sku)
        if sku is None:
            log.warning("amazon.stock_unreadable")
            continue
        rows.append(_row(sku, summary) if sku not in named else StockRow(sku, 0, problem="named twice"))
        named.add(sku)
    return rows


def _row(sku: str, summary: Summary) -> StockRow:
    details = shaped(summary.inventory_details, Details)
    free = pieces(details.fulfillable_quantity) if details is not None else None
    if details is None or free is None:
        return StockRow(sku, 0, problem="fulfillableQuantity: missing or not a number of units")
    if details.unfulfillable_quantity is None:
        return StockRow(sku, free)
    unfulfillable = shaped(details.unfulfillable_quantity, Unfulfillable) or Unfulfillable()
    unavailable = pieces(unfulfillable.total_unfulfillable_quantity)
    if unavailable is None:
        return StockRow(sku, 0, problem="totalUnfulfillableQuantity: missing or not a number of units")
    return StockRow(sku, free, unavailable)
