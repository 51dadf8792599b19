"""Listings and their numbers: a SKU shows the lower of its item's and its offer's quantity."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec
import structlog

from adapters.contract import ListedItem, ListingPage, ListingRef, QuantityRead, Rejected, Transient
from adapters.ebay.offers import NOT_ON_SALE, OfferBook, Offered
from adapters.ebay.refusals import OWN_FAULT, Refused, vendor_errors
from adapters.ebay.rest import Call, EbayRest
from adapters.ebay.wire import Wire
from adapters.http import CALL_REAL_S, PATIENT, within
from adapters.reading import entries, pieces, shaped, text

log = structlog.get_logger(__name__)

ITEMS = "/sell/inventory/v1/inventory_item"
BULK_ITEMS = "/sell/inventory/v1/bulk_get_inventory_item"
A_PAGE = 200
_GTIN_LENGTHS = frozenset((8, 10, 12, 13, 14))  # GTIN-8 to -14, and ISBN-10


class ShipTo(Wire, frozen=True):
    quantity: object = None


class Availability(Wire, frozen=True):
    ship_to_location_availability: object = None


class Product(Wire, frozen=True):
    title: object = None
    ean: object = None
    upc: object = None
    isbn: object = None


class ItemNode(Wire, frozen=True):
    sku: object = None
    availability: object = None
    product: object = None


class ItemsPage(msgspec.Struct, frozen=True, rename="camel"):
    total: int
    inventory_items: list[object] = []


class BulkRow(Wire, frozen=True):
    sku: object = None
    status_code: object = None
    inventory_item: object = None
    errors: object = None


class BulkReply(msgspec.Struct, frozen=True):
    responses: list[object]


class Failed(str):
    """Why a row has no answer, where eBay itself failed."""


class InventoryReader:
    def __init__(self, rest: EbayRest, offers: OfferBook, marketplace_id: str) -> None:
        self._rest = rest
        self._offers = offers
        self._marketplace_id = marketplace_id

    async def listings(self) -> AsyncIterator[ListingPage]:
        """Every SKU on sale. `offset` is the number of a page here, not of a record."""
        number, read, last = 0, 0, list[object]()
        while True:
            params = {"limit": str(A_PAGE), "offset": str(number)}
            page = await self._rest.ask(Call("GET", ITEMS, params), ItemsPage, PATIENT)
            read += len(page.inventory_items)
            more = read < page.total
            if more and (not page.inventory_items or page.inventory_items == last):
                raise Transient(f"GET {ITEMS}: paging does not advance")
            number, last = number + 1, page.inventory_items
            yield ListingPage(await self._listed(page.inventory_items), str(number) if more else None)
            if not more:
                return

    async def quantities(self, refs: Sequence[ListingRef]) -> tuple[QuantityRead, ...]:
        """One result per ref, in order. The items are read before the offers, so the lower number is the newer."""
        skus = list(dict.fromkeys(ref.channel_sku for ref in refs if ref.channel_location == self._marketplace_id))
        async with within(CALL_REAL_S, "read quantities"):
            items = await self._items(skus) if skus else {}
            sold = await self._offers.read([sku for sku in skus if isinstance(items.get(sku), ItemNode)])
        return tuple(self._quantity(ref, items.get(ref.channel_sku), sold.get(ref.channel_sku)) for ref in refs)

    def _quantity(self, ref: ListingRef, item: ItemNode | str | None, sold: Offered | Rejected | None) -> QuantityRead:
        if ref.channel_location != self._marketplace_id:
            return QuantityRead(ref, None, f"not a listing on {self._marketplace_id}")
        if not isinstance(item, ItemNode):
            return QuantityRead(ref, None, item or "eBay did not answer for this SKU")
        if not isinstance(sold, Offered):
            return QuantityRead(ref, None, sold.reason if sold is not None else NOT_ON_SALE)
        if sold.fixed is None:
            return QuantityRead(ref, None, sold.unwritable)
        quantity = _shown(item, sold.fixed.quantity)
        return QuantityRead(ref, quantity, sold.unwritable if quantity is not None else _NO_NUMBER)

    async def _items(self, skus: Sequence[str]) -> dict[str, ItemNode | str]:
        """Each item, or why there is none; a row that eBay itself failed at is asked for once more."""
        found = await self._bulk(skus)
        failed = [sku for sku, each in found.items() if isinstance(each, Failed)]
        return found | (await self._bulk(failed) if failed else {})

    async def _bulk(self, skus: Sequence[str]) -> dict[str, ItemNode | str]:
        """One bad SKU refuses the whole call: halve it until that one stands alone."""
        body = {"requests": [{"sku": sku} for sku in skus]}
        try:
            reply = await self._rest.ask(Call("POST", BULK_ITEMS, body=body), BulkReply)
        except Refused as err:
            if len(skus) == 1:
                return {skus[0]: err.reason}
            middle = len(skus) // 2
            return await self._bulk(skus[:middle]) | await self._bulk(skus[middle:])
        found: dict[str, ItemNode | str] = {}
        for raw in reply.responses:
            row = shaped(raw, BulkRow) or BulkRow()
            sku = text(row.sku)
            if sku is not None:
                found[sku] = _item(row)
        return found

    async def _listed(self, raw: Sequence[object]) -> tuple[ListedItem, ...]:
        nodes = [node for node in (shaped(entry, ItemNode) for entry in raw) if node is not None]
        items = {sku: node for node in nodes if (sku := text(node.sku)) is not None}
        if len(items) < len(raw):
            log.warning("ebay.items_unreadable", count=len(raw) - len(items))
        listed = []
        for sku, sold in (await self._offers.read(list(items), PATIENT)).items():
            if isinstance(sold, Rejected):
                log.warning("ebay.offers_refused", sku=sku, reason=sold.reason)
            elif (item := _listed_item(sku, items[sku], sold, self._marketplace_id)) is not None:
                listed.append(item)
        return tuple(listed)


_NO_NUMBER = "the item has no ship-to-home quantity"


def _listed_item(sku: str, item: ItemNode, sold: Offered, marketplace_id: str) -> ListedItem | None:
    """A SKU on sale as one listing; None when nothing of it is."""
    offer = sold.fixed or sold.auction
    if offer is None:
        return None
    product = shaped(item.product, Product) or Product()
    quantity = _shown(item, offer.quantity) if sold.fixed is not None else None
    unwritable = sold.unwritable
    if unwritable is None and quantity is None:
        unwritable = _NO_NUMBER
    return ListedItem(
        ref=ListingRef(sku, marketplace_id),
        line_key=f"{offer.listing_id}/{sku}",
        code=sku,
        title=text(product.title) or sku,
        gtin=_gtin(product),
        quantity=quantity,
        back_orderable=False,
        budget_key=offer.listing_id,
        unwritable=unwritable,
    )


def _shown(item: ItemNode, offer_quantity: int | None) -> int | None:
    availability = shaped(item.availability, Availability) or Availability()
    ship_to = shaped(availability.ship_to_location_availability, ShipTo) or ShipTo()
    quantity = pieces(ship_to.quantity)
    if quantity is None or offer_quantity is None:
        return quantity
    return min(quantity, offer_quantity)


def _item(row: BulkRow) -> ItemNode | str:
    node = shaped(row.inventory_item, ItemNode)
    if row.status_code == 200 and node is not None:
        return node
    errors = vendor_errors(row.errors)
    reason = errors[0].told if errors else "no such inventory item"
    failed = isinstance(row.status_code, int) and row.status_code >= 500
    return Failed(reason) if failed or any(error.error_id in OWN_FAULT for error in errors) else reason


def _gtin(product: Product) -> str | None:
    """The first barcode; sellers write "Does not apply" where there is none."""
    for codes in (product.ean, product.upc, product.isbn):
        for code in map(text, entries(codes)):
            if code is not None and code.isascii() and code.isalnum() and len(code) in _GTIN_LENGTHS:
                return code
    return None
