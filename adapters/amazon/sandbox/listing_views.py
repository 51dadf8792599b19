"""Listings as the 2021-08-01 API shows them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from enum import StrEnum

from adapters.amazon.sandbox.errors import Json
from adapters.amazon.sandbox.instants import printed
from adapters.amazon.sandbox.marketplaces import MFN_CHANNEL
from adapters.amazon.sandbox.records import Item
from adapters.amazon.sandbox.seller import Seller


class Dataset(StrEnum):
    """What `includedData` may ask for."""

    SUMMARIES = "summaries"
    ATTRIBUTES = "attributes"
    ISSUES = "issues"
    OFFERS = "offers"
    AVAILABILITY = "fulfillmentAvailability"
    PROCUREMENT = "procurement"
    RELATIONSHIPS = "relationships"
    PRODUCT_TYPES = "productTypes"


def listing_view(seller: Seller, item: Item, asked: Collection[Dataset], read_at: datetime | None) -> Json:
    """A listing, its live numbers as a replica shows them that has heard nothing since `read_at`."""
    shows: dict[Dataset, Callable[[], object]] = {
        Dataset.SUMMARIES: lambda: [_summary(seller, item, read_at)],
        Dataset.ATTRIBUTES: lambda: _attributes(seller, item),
        Dataset.ISSUES: list,
        Dataset.OFFERS: lambda: [_offer(seller, item)],
        Dataset.AVAILABILITY: lambda: _availability(seller, item, read_at),
        Dataset.PROCUREMENT: list,
        Dataset.RELATIONSHIPS: list,
        Dataset.PRODUCT_TYPES: lambda: [
            {"marketplaceId": seller.marketplace.id, "productType": item.product_type},
        ],
    }
    return {"sku": item.sku, **{dataset.value: show() for dataset, show in shows.items() if dataset in asked}}


def statuses(item: Item, read_at: datetime | None = None) -> list[str]:
    """BUYABLE while somebody can buy it."""
    buyable = _offered(item, read_at) > 0 or (item.fba is not None and item.fba.fulfillable > 0)
    return ["BUYABLE", "DISCOVERABLE"] if buyable else ["DISCOVERABLE"]


def _offered(item: Item, read_at: datetime | None) -> int:
    if item.offered is None:
        return 0
    return item.offered.now if read_at is None else item.offered.as_of(read_at)


def _summary(seller: Seller, item: Item, read_at: datetime | None) -> Json:
    summary: Json = {
        "marketplaceId": seller.marketplace.id,
        "asin": item.asin,
        "productType": item.product_type,
        "conditionType": "new_new",
        "status": statuses(item, read_at),
        "itemName": item.title,
        "createdDate": printed(item.created_at),
        "lastUpdatedDate": printed(item.updated_at),
    }
    return summary if item.fba is None else {**summary, "fnSku": item.fba.fnsku}


def _attributes(seller: Seller, item: Item) -> Json:
    """What was last submitted, which is not what is live."""
    here = {"marketplace_id": seller.marketplace.id}
    return {
        "item_name": [{"value": item.title, "language_tag": "en_US", **here}],
        "condition_type": [{"value": "new_new", **here}],
        "externally_assigned_product_identifier": [{"type": "ean", "value": item.gtin, **here}],
        "fulfillment_availability": [{**element, **here} for element in item.submitted.values()],
    }


def _offer(seller: Seller, item: Item) -> Json:
    return {
        "marketplaceId": seller.marketplace.id,
        "offerType": "B2C",
        "price": {"currencyCode": seller.seed.currency, "amount": item.price},
        "audience": {"value": "ALL", "displayName": "Sell on Amazon"},
    }


def _availability(seller: Seller, item: Item, read_at: datetime | None) -> list[Json]:
    """FBA's channel comes without a number: that is told by the inventory API."""
    shown: list[Json] = []
    if item.offered is not None:
        shown.append({"fulfillmentChannelCode": MFN_CHANNEL, "quantity": _offered(item, read_at)})
    if seller.marketplace.fba_channel in item.submitted:
        shown.append({"fulfillmentChannelCode": seller.marketplace.fba_channel})
    return shown
