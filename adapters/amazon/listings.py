"""Reading listings: the whole catalogue of the home marketplace, and the numbers of some."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import structlog

from adapters.amazon.listing_walk import Asked, ItemsPage, ListingWalk, readable
from adapters.amazon.mapping import MERCHANT, Item, listed_item, number_of, quantity_read
from adapters.amazon.quota import GET_LISTING, SEARCH_LISTINGS
from adapters.amazon.settings import AmazonSettings
from adapters.amazon.sp_api import SWEEP, NotFound, SpApi, segment
from adapters.amazon.traits import READ_BATCH
from adapters.contract import ListingPage, ListingRef, QuantityRead, Rejected
from adapters.http import CALL_REAL_S, RetryPolicy, within

log = structlog.get_logger(__name__)
_ITEMS = "/listings/2021-08-01/items"
_ITEMS_A_PAGE = 20  # the most allowed


class ListingReader:
    """Remembers which SKUs it has seen not to be the merchant's to write."""

    def __init__(self, api: SpApi, settings: AmazonSettings) -> None:
        self._api = api
        self._home = {"marketplaceIds": settings.home}
        self._path = f"{_ITEMS}/{segment(settings.seller_id)}"
        self._unwritable: dict[str, str] = {}

    def path_of(self, sku: str) -> str:
        return f"{self._path}/{segment(sku)}"

    def unwritable(self, sku: str) -> str | None:
        """Why that SKU's number must not be written, as far as it has been seen."""
        return self._unwritable.get(sku)

    async def one_page(self) -> None:
        """The cheapest call that needs the seller's consent and the marketplace to be right."""
        await self._search({"pageSize": "1"})

    async def walk(self) -> AsyncIterator[ListingPage]:
        """Every listing, oldest first. Raises Rejected where Amazon gives no way to all of them."""
        seen: set[str] = set()
        async for found in ListingWalk(lambda asked: self._search(asked, SWEEP)).pages():
            fresh = [self._noted(item) for item in found.items if item.sku not in seen]
            seen.update(item.sku for item in fresh)
            yield ListingPage(tuple(map(listed_item, fresh)), str(len(seen)) if found.more else None)

    async def read(self, refs: Sequence[ListingRef]) -> tuple[QuantityRead, ...]:
        """One result a ref, in order."""
        if len(refs) > READ_BATCH:
            raise ValueError(f"a read has at most {READ_BATCH} refs")
        skus = list(dict.fromkeys(ref.channel_sku for ref in refs if ref.channel_location == MERCHANT))
        together = [sku for sku in skus if sku and "," not in sku]  # identifiers are one list, split at commas
        async with within(CALL_REAL_S, "read quantities"):
            items = await self._together(together)
            for sku in skus:
                if sku not in items:
                    items[sku] = await self._alone(sku)
        return tuple(self._read(ref, items) for ref in refs)

    def _read(self, ref: ListingRef, items: dict[str, Item | QuantityRead | None]) -> QuantityRead:
        if ref.channel_location != MERCHANT:
            return QuantityRead(ref, None, f"not {MERCHANT}, the merchant's fulfilment channel")
        found = items[ref.channel_sku]
        return found if isinstance(found, QuantityRead) else quantity_read(found and self._noted(found), ref)

    async def _together(self, skus: Sequence[str]) -> dict[str, Item | QuantityRead | None]:
        """The ones that a search names, nothing when Amazon refuses it. A search may miss: ask for the others alone."""
        if not skus:
            return {}
        asked = {
            "identifiers": ",".join(skus),
            "identifiersType": "SKU",
            "includedData": "fulfillmentAvailability",
            "pageSize": str(_ITEMS_A_PAGE),
        }
        try:
            page = await self._search(asked)
        except Rejected as err:
            log.warning("amazon.read_refused", skus=len(skus), field=err.field)
            return {}
        found = {item.sku: item for raw in page.items if (item := readable(raw)) is not None}
        return {sku: found[sku] for sku in skus if sku in found}

    async def _alone(self, sku: str) -> Item | QuantityRead | None:
        if not sku:
            return None
        asked = {**self._home, "includedData": "fulfillmentAvailability"}
        try:
            item = readable(await self._api.get(GET_LISTING, self.path_of(sku), asked, dict[str, object]))
        except NotFound:
            return None
        except Rejected as err:
            return QuantityRead(ListingRef(sku, MERCHANT), None, str(err))
        if item is None:
            return QuantityRead(ListingRef(sku, MERCHANT), None, "an unreadable listing")
        return item if item.sku == sku else None

    async def _search(self, asked: Asked, policy: RetryPolicy | None = None) -> ItemsPage:
        return await self._api.get(SEARCH_LISTINGS, self._path, {**self._home, **asked}, ItemsPage, policy)

    def _noted(self, item: Item) -> Item:
        problem = number_of(item)[1]
        if problem is None:
            self._unwritable.pop(item.sku, None)
        else:
            self._unwritable[item.sku] = problem
        return item
