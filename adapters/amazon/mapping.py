"""Listings items and their numbers: the wire's shapes as listings and reads. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from adapters.contract import ListedItem, ListingRef, QuantityRead
from adapters.reading import pieces, shaped, text

MERCHANT = "DEFAULT"  # the fulfilment channel whose number is the merchant's to set
_FBA = "AMAZON_"  # AMAZON_NA, AMAZON_EU, ...
_GTIN_TYPES = frozenset(("gtin", "ean", "upc", "jan"))


class _Wire(msgspec.Struct, frozen=True, rename="camel"):
    """A JSON object; a field typed `object` holds whatever came."""


class Availability(_Wire, frozen=True):
    fulfillment_channel_code: str
    quantity: object = None


class Summary(_Wire, frozen=True):
    item_name: object = None
    created_date: object = None
    last_updated_date: object = None


class Identifier(msgspec.Struct, frozen=True):
    type: object = None
    value: object = None


class Attributes(msgspec.Struct, frozen=True):
    identifiers: object = msgspec.field(default=None, name="externally_assigned_product_identifier")


class Item(_Wire, frozen=True):
    sku: str
    summaries: object = None
    attributes: object = None
    fulfillment_availability: object = None


def listed_item(item: Item) -> ListedItem:
    quantity, problem = number_of(item)
    return ListedItem(
        ref=ListingRef(item.sku, MERCHANT),
        line_key=item.sku,
        code=item.sku,
        title=_first(text(summary.item_name) for summary in _summaries(item)) or item.sku,
        gtin=_first(_gtins(item)),
        quantity=quantity,
        back_orderable=False,
        budget_key=item.sku,
        unwritable=problem,
    )


def quantity_read(item: Item | None, ref: ListingRef) -> QuantityRead:
    """What a listing shows; None: Amazon has no such listing."""
    if item is None:
        return QuantityRead(ref, None, "no such listing")
    quantity, problem = number_of(item)
    return QuantityRead(ref, quantity, problem)


def number_of(item: Item) -> tuple[int | None, str | None]:
    """The live number that the merchant may set, or why there is none.

    Giving a DEFAULT number to a SKU that Amazon fulfils would turn its offer into the merchant's and strand the FBA
    stock: what shows any channel of Amazon's, or no DEFAULT, is not ours to write.
    """
    told = item.fulfillment_availability
    rows = shaped(told, list[Availability]) if told is not None else []
    if rows is None:
        return None, "unreadable fulfilment availability"
    codes = {row.fulfillment_channel_code for row in rows}
    if any(code.startswith(_FBA) for code in codes):
        return None, "fulfilled by Amazon"
    if any(code != MERCHANT for code in codes):
        return None, "stocked by supply source (multi-location inventory)"
    if not codes:
        return None, "no fulfilment channel: set its quantity once in Seller Central"
    quantity = next(pieces(row.quantity) for row in rows if row.fulfillment_channel_code == MERCHANT)
    return (quantity, None) if quantity is not None else (None, "no quantity shown")


def created_at(item: Item) -> str | None:
    """When the listing was created, as Amazon wrote it."""
    return _first(text(summary.created_date) for summary in _summaries(item))


def updated_at(item: Item) -> str | None:
    """When the listing was last changed, as Amazon wrote it."""
    return _first(text(summary.last_updated_date) for summary in _summaries(item))


def _summaries(item: Item) -> Sequence[Summary]:
    return shaped(item.summaries, list[Summary]) or []


def _gtins(item: Item) -> Iterator[str | None]:
    attributes = shaped(item.attributes, Attributes)
    for found in shaped(attributes.identifiers, list[Identifier]) or [] if attributes is not None else []:
        value = text(found.value)
        if str(found.type).lower() in _GTIN_TYPES and value is not None and value.isascii() and value.isdigit():
            yield value


def _first(values: Iterator[str | None]) -> str | None:
    return next((value for value in values if value is not None), None)
