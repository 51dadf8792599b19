"""The Inventory API's reads. Here `offset` is the number of a page, not of a record."""

from __future__ import annotations

import re

import msgspec
from yarl import URL

from adapters.ebay.sandbox.calls import Answer, Call, Operation
from adapters.ebay.sandbox.errors import Json, inventory_error
from adapters.ebay.sandbox.inventory_views import item_view, offer_view
from adapters.ebay.sandbox.marketplaces import locale_of
from adapters.ebay.sandbox.price_quantity import PriceQuantity
from adapters.ebay.sandbox.records import Offer
from adapters.ebay.sandbox.seed import INVENTORY_SCOPE
from adapters.ebay.sandbox.seller import Seller

_BASE = "/sell/inventory/v1"
_LANGUAGE = re.compile(r"[A-Za-z]{2}[-_][A-Za-z]{2}")
_MAX_BULK = 25
_NOT_FOUND = "We didn't find the resource/entity you are requesting. Please verify the request"


class Wanted(msgspec.Struct):
    sku: str


class BulkGet(msgspec.Struct):
    requests: list[Wanted]


class InventoryApi:
    def __init__(self, seller: Seller, writes: PriceQuantity) -> None:
        self._seller = seller
        self._writes = writes

    def operations(self) -> list[Operation]:
        api, scope = "sell.inventory", (INVENTORY_SCOPE,)
        return [
            Operation("get_inventory_items", "GET", f"{_BASE}/inventory_item", api, scope, self.items),
            Operation("get_inventory_item", "GET", f"{_BASE}/inventory_item/{{sku}}", api, scope, self.item),
            Operation(
                "bulk_get_inventory_item", "POST", f"{_BASE}/bulk_get_inventory_item", api, scope, self.bulk_items
            ),
            Operation(
                "bulk_update_price_quantity",
                "POST",
                f"{_BASE}/bulk_update_price_quantity",
                api,
                scope,
                self._writes.write,
                bulk_write=True,
            ),
            Operation("get_offers", "GET", f"{_BASE}/offer", api, scope, self.offers),
            Operation("get_offer", "GET", f"{_BASE}/offer/{{id}}", api, scope, self.offer),
        ]

    async def items(self, call: Call) -> Answer:
        """Accept-Language is needed: production answers 400 without it."""
        if _LANGUAGE.match(call.request.headers.get("Accept-Language", "")) is None:
            raise inventory_error(400, 25709, "Invalid value for header Accept-Language.")
        page, offers, pages = _paged(call, list(self._seller.inventory()), default=25, most=200)
        views = [item_view(offer, self._seller.seed, call.read_at) for offer in offers]
        return Answer(200, {**page, "size": pages, "inventoryItems": views})

    async def item(self, call: Call) -> Answer:
        offer = self._seller.inventory_offer(call.part("sku"))
        if offer is None:
            raise inventory_error(404, 25710, _NOT_FOUND)
        return Answer(200, item_view(offer, self._seller.seed, call.read_at))

    async def bulk_items(self, call: Call) -> Answer:
        """200, or 207 where an item is not found."""
        skus = [wanted.sku for wanted in call.decode(BulkGet).requests]
        if not skus:
            raise inventory_error(400, 25709, "Invalid request. Invalid value for field requests")
        if len(skus) > _MAX_BULK:
            message = f"The number of InventoryItems in the request cannot exceed {_MAX_BULK}."
            raise inventory_error(400, 25727, message)
        if len(set(skus)) < len(skus):
            raise inventory_error(400, 25734, "SKU should be unique in the request.")
        rows = [self._bulk_row(call, sku) for sku in skus]
        status = 200 if all(row["statusCode"] == 200 for row in rows) else 207
        return Answer(status, {"responses": rows})

    async def offers(self, call: Call) -> Answer:
        """`sku` is needed, whatever the specification says; one offer a SKU here."""
        sku = call.query("sku")
        if not sku:
            raise inventory_error(400, 25709, "Invalid value for sku.")
        offer = self._seller.inventory_offer(sku)
        wanted = (call.query("marketplace_id"), call.query("format"))
        if offer is None or wanted[0] not in (None, self._seller.seed.marketplace_id):
            raise inventory_error(404, 25713, "This Offer is not available : .")
        shown = [offer] if wanted[1] in (None, offer.format.value) else []
        page, offers, _ = _paged(call, shown, default=100, most=100)
        views = [offer_view(one, self._seller.seed, call.read_at) for one in offers]
        return Answer(200, {**page, "size": len(views), "offers": views})

    async def offer(self, call: Call) -> Answer:
        offer = self._seller.offers.get(call.part("id"))
        if offer is None or not offer.item.in_inventory:
            raise inventory_error(404, 25713, "This Offer is not available : .")
        return Answer(200, offer_view(offer, self._seller.seed, call.read_at))

    def _bulk_row(self, call: Call, sku: str) -> Json:
        """The specification calls `inventoryItem` required, so a row that found nothing has a hollow one."""
        offer = self._seller.inventory_offer(sku)
        if offer is None:
            hollow = {"locale": locale_of(self._seller.seed.marketplace_id)}
            missing = inventory_error(404, 25710, _NOT_FOUND)
            return {"statusCode": 404, "sku": sku, "inventoryItem": hollow, "errors": [missing.error]}
        return {"statusCode": 200, "sku": sku, "inventoryItem": item_view(offer, self._seller.seed, call.read_at)}


def _paged(call: Call, offers: list[Offer], *, default: int, most: int) -> tuple[Json, list[Offer], int]:
    """(the frame of a page, what is on it, how many pages there are). Links are paths without a host, as live."""
    limit, number = _number(call, "limit", default, 1, most), _number(call, "offset", 0, 0, 10**9)
    pages = -(-len(offers) // limit)
    page: Json = {"href": _href(call, limit, number), "limit": limit, "total": len(offers)}
    if number + 1 < pages:
        page["next"] = _href(call, limit, number + 1)
    if number > 0:
        page["prev"] = _href(call, limit, number - 1)
    return page, offers[number * limit : (number + 1) * limit], pages


def _href(call: Call, limit: int, number: int) -> str:
    return str(URL(str(call.request.rel_url)).update_query(limit=limit, offset=number))


def _number(call: Call, name: str, default: int, least: int, most: int) -> int:
    text = call.query(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise inventory_error(400, 25706, f"You have provided invalid pagination values.  {name}={text}.")
    return int(text)
