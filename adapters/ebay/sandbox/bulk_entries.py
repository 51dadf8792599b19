"""What one bulkUpdatePriceQuantity asks for, and what is wrong with its entries."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal, InvalidOperation

import msgspec

from adapters.ebay.sandbox.errors import ApiError, inventory_error
from adapters.ebay.sandbox.seed import Format
from adapters.ebay.sandbox.seller import Seller

MAX_OFFERS = 25


class Price(msgspec.Struct):
    value: str
    currency: str


class OfferPart(msgspec.Struct, rename="camel"):
    offer_id: str
    available_quantity: int | None = None
    price: Price | None = None


class ItemPart(msgspec.Struct):
    quantity: int | None = None


class Entry(msgspec.Struct, rename="camel"):
    sku: str | None = None
    ship_to_location_availability: ItemPart | None = None
    offers: list[OfferPart] = []


class Bulk(msgspec.Struct):
    requests: list[Entry]


class EntryCheck:
    """Each answer is the row's error, or None."""

    def __init__(self, seller: Seller) -> None:
        self._seller = seller

    def item_error(self, entry: Entry) -> ApiError | None:
        part = entry.ship_to_location_availability
        known = self._seller.inventory_offer(entry.sku or "")
        if part is None and not entry.offers:
            return invalid("shipToLocationAvailability or offers is needed")
        if len(entry.offers) > MAX_OFFERS:
            return invalid(f"offers: at most {MAX_OFFERS} can be updated in one call")
        if part is None:
            return None
        if not entry.sku:
            return invalid("sku")
        if known is None:
            return inventory_error(404, 25702, f"SKU {entry.sku} is not available in the system", sku=entry.sku)
        if part.quantity is None or part.quantity < 0:
            return _invalid_quantity("shipToLocationAvailability.quantity")
        if part.quantity < known.reserved:
            return inventory_error(
                400,
                25759,
                "shipToLocationAvailability quantity value should be greater than or equal to auction allocation.",
            )
        return None

    def offer_error(self, entry: Entry, part: OfferPart) -> ApiError | None:
        offer = self._seller.offers.get(part.offer_id)
        if entry.sku and self._seller.inventory_offer(entry.sku) is None:
            message = "We didn't find the resource/entity you are requesting. Please verify the request"
            return inventory_error(404, 25710, message, sku=entry.sku)
        if Counter(one.offer_id for one in entry.offers)[part.offer_id] > 1:
            return invalid("offerId: duplicate")
        if offer is None or not offer.item.in_inventory or offer.ended:
            return inventory_error(404, 25713, "This Offer is not available : .", offerId=part.offer_id)
        if entry.sku and offer.item.sku != entry.sku:
            return invalid("offerId: it belongs to another SKU")
        if part.available_quantity is None and part.price is None:
            return invalid("availableQuantity or price is needed")
        if part.price is not None and not self._is_price(part.price):
            return invalid("price")
        if part.available_quantity is not None and offer.format is Format.AUCTION:
            return inventory_error(400, 25762, "availableQuantity is not applicable for auction offer.")
        if part.available_quantity is not None and part.available_quantity < 0:
            return _invalid_quantity("availableQuantity")
        return None

    def _is_price(self, price: Price) -> bool:
        try:
            value = Decimal(price.value)
        except InvalidOperation:
            return False
        return value.is_finite() and value > 0 and price.currency == self._seller.seed.currency


def invalid(what: str) -> ApiError:
    return inventory_error(400, 25709, f"Invalid value for {what}.")


def _invalid_quantity(field: str) -> ApiError:
    return inventory_error(400, 25004, f"Invalid quantity. {field} must be a whole number from 0 on.")
