"""The offers that put a SKU on sale: read one SKU a call, as getOffers demands, and their ids remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import msgspec

from adapters.contract import Rejected, Transient
from adapters.ebay.refusals import Refused
from adapters.ebay.rest import Call, EbayRest
from adapters.ebay.wire import Wire
from adapters.http import RetryPolicy
from adapters.reading import pieces, shaped, text

OFFERS = "/sell/inventory/v1/offer"
_AT_ONCE = 4
_A_PAGE = 100  # a SKU has at most one offer a marketplace and format
_LIVE = frozenset(("ACTIVE", "OUT_OF_STOCK", "INACTIVE"))
T = TypeVar("T")
U = TypeVar("U")


class Listing(Wire, frozen=True):
    listing_id: object = None
    listing_status: object = None
    listing_on_hold: object = None


class OfferNode(Wire, frozen=True):
    offer_id: str
    marketplace_id: object = None
    format: object = None
    status: object = None
    available_quantity: object = None
    listing: object = None


class OffersPage(msgspec.Struct, frozen=True):
    offers: list[object]
    total: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A published offer. `quantity` None: it has no cap of its own, the item's number alone counts."""

    offer_id: str
    listing_id: str
    quantity: int | None
    auction: bool
    unwritable: str | None


@dataclass(frozen=True, slots=True)
class Offered:
    """How one SKU is on sale on our marketplace."""

    fixed: Offer | None
    unwritable: str | None = None  # why no number of it is ours to set
    auction: Offer | None = None


NOT_ON_SALE = "no published fixed-price offer on this marketplace"


def offered(raw: Sequence[object], marketplace_id: str) -> Offered:
    """Judge the offers of one SKU. Pure. What is unpublished, ended or elsewhere is no listing of ours."""
    found = [_offer(entry, marketplace_id) for entry in raw]
    live = sorted((offer for offer in found if offer is not None), key=lambda offer: offer.offer_id)
    fixed = [offer for offer in live if not offer.auction]
    auction = next((offer for offer in live if offer.auction), None)
    if auction is not None:
        return Offered(fixed[0] if fixed else None, "an auction holds units of this SKU", auction)
    if not fixed:
        return Offered(None, NOT_ON_SALE)
    if len(fixed) > 1:
        return Offered(fixed[0], "more than one offer on this marketplace")
    return Offered(fixed[0], fixed[0].unwritable)


def _offer(raw: object, marketplace_id: str) -> Offer | None:
    node = shaped(raw, OfferNode)
    if node is None or node.marketplace_id != marketplace_id or node.status != "PUBLISHED":
        return None
    listing = shaped(node.listing, Listing) or Listing()
    listing_id, status = text(listing.listing_id), text(listing.listing_status)
    if listing_id is None or (status is not None and status not in _LIVE):
        return None
    why = "the listing is on hold for a policy violation" if listing.listing_on_hold is True else None
    if status == "INACTIVE":
        why = why or "the listing is inactive"
    return Offer(node.offer_id, listing_id, pieces(node.available_quantity), node.format == "AUCTION", why)


class OfferBook:
    """Reads offers and remembers, for the next write, which is the one of each SKU."""

    def __init__(self, rest: EbayRest, marketplace_id: str) -> None:
        self._rest = rest
        self._marketplace_id = marketplace_id
        self._ids: dict[str, str] = {}

    async def read(self, skus: Sequence[str], policy: RetryPolicy | None = None) -> dict[str, Offered | Rejected]:
        """How each SKU is on sale now, or why eBay would not say: one bad SKU does not hide the others."""
        unique = list(dict.fromkeys(skus))
        return dict(zip(unique, await at_most(_AT_ONCE, unique, partial(self._read, policy)), strict=True))

    async def ids(self, skus: Sequence[str]) -> dict[str, str | Rejected]:
        """The id of each SKU's writable offer, read where it is not remembered."""
        found: dict[str, str | Rejected] = {sku: self._ids[sku] for sku in skus if sku in self._ids}
        for sku, sold in (await self.read([sku for sku in skus if sku not in found])).items():
            if isinstance(sold, Rejected):
                found[sku] = sold
            elif sold.fixed is None or sold.unwritable is not None:
                found[sku] = Rejected("offer", sold.unwritable or NOT_ON_SALE)
            else:
                found[sku] = sold.fixed.offer_id
        return found

    def forget(self, sku: str) -> None:
        self._ids.pop(sku, None)

    async def _read(self, policy: RetryPolicy | None, sku: str) -> Offered | Rejected:
        params = {"limit": str(_A_PAGE), "offset": "0", "sku": sku}
        try:
            page = await self._rest.ask(Call("GET", OFFERS, params), OffersPage, policy)
        except Refused as err:
            self.forget(sku)
            if err.status == 404:  # a SKU without any offer
                return Offered(None, NOT_ON_SALE)
            return err
        if len(page.offers) < page.total:
            raise Transient(f"GET {OFFERS}: {len(page.offers)} of {page.total} offers came")
        found = offered(page.offers, self._marketplace_id)
        self.forget(sku)
        if found.fixed is not None and found.unwritable is None:
            self._ids[sku] = found.fixed.offer_id
        return found


async def at_most(count: int, items: Sequence[T], call: Callable[[T], Awaitable[U]]) -> list[U]:
    """Every item's result, in order, `count` calls at a time. The first failure ends the others."""
    gate = asyncio.Semaphore(count)

    async def one(item: T) -> U:
        async with gate:
            return await call(item)

    tasks = [asyncio.create_task(one(item)) for item in items]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
