"""Reading listings: the whole catalogue of the home marketplace, and the numbers of some."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec
import structlog

from adapters.amazon.mapping import MERCHANT, Item, created_at, listed_item, number_of, quantity_read
from adapters.amazon.quota import GET_LISTING, SEARCH_LISTINGS
from adapters.amazon.settings import AmazonSettings
from adapters.amazon.sp_api import SWEEP, NotFound, SpApi, segment
from adapters.amazon.traits import READ_BATCH
from adapters.contract import ListingPage, ListingRef, QuantityRead, Rejected
from adapters.http import CALL_REAL_S, RetryPolicy, within
from adapters.paging import Passed
from adapters.reading import instant, shaped

log = structlog.get_logger(__name__)
_ITEMS = "/listings/2021-08-01/items"
_ITEMS_A_PAGE = 20  # the most allowed
_MOST_PAGED = 1000  # the most SKUs that one search gives, however many it finds


class Pagination(msgspec.Struct, frozen=True, rename="camel"):
    next_token: str | None = None


class ItemsPage(msgspec.Struct, frozen=True):
    items: list[object]
    pagination: Pagination | None = None

    @property
    def next_token(self) -> str | None:
        return (self.pagination.next_token if self.pagination is not None else None) or None


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
        """Every listing, oldest first: an order that nobody's edits change, so that no page skips one.

        A search gives at most 1000 SKUs; the next begins at the creation of the last one. Raises Rejected where more
        than 1000 were created at the same instant.
        """
        seen: set[str] = set()
        start: str | None = None
        while True:
            found, last = 0, None
            async for page in self._window(start):
                items = [item for raw in page.items if (item := _item(raw)) is not None]
                if len(items) < len(page.items):
                    log.warning("amazon.listings_unreadable", count=len(page.items) - len(items))
                found += len(page.items)
                last = created_at(items[-1]) if items else last
                more = page.next_token is not None or found >= _MOST_PAGED
                fresh = [self._noted(item) for item in items if item.sku not in seen]
                seen.update(item.sku for item in fresh)
                yield ListingPage(tuple(map(listed_item, fresh)), str(len(seen)) if more else None)
                if found >= _MOST_PAGED:
                    break
            if found < _MOST_PAGED:
                return
            start = _later(start, last)

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
        found = {item.sku: item for raw in page.items if (item := _item(raw)) is not None}
        return {sku: found[sku] for sku in skus if sku in found}

    async def _alone(self, sku: str) -> Item | QuantityRead | None:
        if not sku:
            return None
        asked = {**self._home, "includedData": "fulfillmentAvailability"}
        try:
            item = _item(await self._api.get(GET_LISTING, self.path_of(sku), asked, dict[str, object]))
        except NotFound:
            return None
        except Rejected as err:
            return QuantityRead(ListingRef(sku, MERCHANT), None, str(err))
        if item is None:
            return QuantityRead(ListingRef(sku, MERCHANT), None, "an unreadable listing")
        return item if item.sku == sku else None

    async def _window(self, start: str | None) -> AsyncIterator[ItemsPage]:
        """The pages of one search, of listings created at or after `start`."""
        asked = {
            "includedData": "summaries,attributes,fulfillmentAvailability",
            "sortBy": "createdDate",
            "sortOrder": "ASC",
            "pageSize": str(_ITEMS_A_PAGE),
            **({"createdAfter": start} if start is not None else {}),
        }
        token: str | None = None
        passed = Passed("searchListingsItems")
        while True:
            page = await self._search({**asked, "pageToken": token} if token else asked, SWEEP)
            yield page
            token = page.next_token
            if token is None:
                return
            passed.note(token)

    async def _search(self, asked: dict[str, str], policy: RetryPolicy | None = None) -> ItemsPage:
        return await self._api.get(SEARCH_LISTINGS, self._path, {**self._home, **asked}, ItemsPage, policy)

    def _noted(self, item: Item) -> Item:
        problem = number_of(item)[1]
        if problem is None:
            self._unwritable.pop(item.sku, None)
        else:
            self._unwritable[item.sku] = problem
        return item


def _item(raw: object) -> Item | None:
    return shaped(raw, Item)


def _later(start: str | None, last: str | None) -> str:
    """Where the next search begins. Raises Rejected when that is nowhere new."""
    if instant(last) is None or last is None:
        raise Rejected("createdDate", "Amazon does not say when a listing was created: they cannot be read past 1000")
    if instant(last) == instant(start):
        raise Rejected(
            "createdDate",
            f"more than {_MOST_PAGED} listings were created at {last}, and Amazon pages through no more at once",
        )
    return last
