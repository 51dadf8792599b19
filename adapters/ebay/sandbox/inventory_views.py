"""Items and offers as the Inventory API prints them."""

from __future__ import annotations

from datetime import datetime

from adapters.ebay.sandbox.errors import Json
from adapters.ebay.sandbox.marketplaces import locale_of
from adapters.ebay.sandbox.records import Item, Offer
from adapters.ebay.sandbox.seed import Format, SellerSeed

_UPC_DIGITS = 12


def item_view(offer: Offer, seed: SellerSeed, read_at: datetime | None) -> Json:
    item = offer.item
    quantity = item.quantity.shown(read_at)
    view: Json = {
        "sku": item.sku,
        "locale": locale_of(seed.marketplace_id),
        "availability": {
            "shipToLocationAvailability": {
                "quantity": quantity,
                "allocationByFormat": {
                    "auction": offer.reserved,
                    "fixedPrice": max(0, quantity - offer.reserved),
                },
            }
        },
        "condition": "NEW",
        "product": _product(item),
    }
    if item.group is not None:
        view["inventoryItemGroupKeys"] = [item.group]
    return view


def offer_view(offer: Offer, seed: SellerSeed, read_at: datetime | None) -> Json:
    """`availableQuantity` is left out where the offer never had one."""
    view: Json = {
        "offerId": offer.id,
        "sku": offer.item.sku,
        "marketplaceId": seed.marketplace_id,
        "format": offer.format.value,
        "listingDuration": "GTC" if offer.format is Format.FIXED_PRICE else "DAYS_7",
        "listingDescription": offer.item.title,
        "categoryId": "30120",
        "merchantLocationKey": "main",
        "hideBuyerDetails": False,
        "includeCatalogProductDetails": True,
        "listingPolicies": {
            "paymentPolicyId": "6196932000",
            "returnPolicyId": "6196944000",
            "fulfillmentPolicyId": "6197962000",
            "eBayPlusIfEligible": False,
        },
        "pricingSummary": {_price_name(offer): {"value": offer.price, "currency": seed.currency}},
        "status": "UNPUBLISHED" if offer.ended else "PUBLISHED",
    }
    if offer.cap is not None:
        view["availableQuantity"] = offer.cap.shown(read_at)
    if not offer.ended:
        view["listing"] = {
            "listingId": offer.listing_id,
            "listingStatus": "ACTIVE" if offer.live(read_at) > 0 else "OUT_OF_STOCK",
            "soldQuantity": offer.sold,
            "listingOnHold": False,
        }
    return view


def _product(item: Item) -> Json:
    product: Json = {"title": item.title, "description": item.title, "imageUrls": []}
    if item.gtin is not None:
        product["upc" if len(item.gtin) == _UPC_DIGITS else "ean"] = [item.gtin]
    return product


def _price_name(offer: Offer) -> str:
    return "price" if offer.format is Format.FIXED_PRICE else "auctionStartPrice"
