"""Orders as the Orders API 2026-01-01 writes them, as order facts. Pure.

Every field is taken as it comes and judged on its own, so that one bad field cannot hide an order's units.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from adapters.amazon.ids import order_id
from adapters.amazon.order_state import ItemFacts, OrderFacts, order_state
from adapters.contract import Address, Ignored, News, OrderNews, Problem
from adapters.reading import Unreadable, instant, shaped, text

_OURS = "NON_AMAZON"  # our own multi-channel fulfilment orders come back as orders of this sales channel
_NOT_LEFT = frozenset(("PENDING", "CANCELLED"))  # of PackageStatus


class _Wire(msgspec.Struct, frozen=True, rename="camel"):
    """A JSON object; a field typed `object` holds whatever came."""


class WireOrder(_Wire, frozen=True):
    order_id: object
    order_items: list[object]
    created_time: object = None
    last_updated_time: object = None
    sales_channel: object = None
    recipient: object = None
    fulfillment: object = None
    packages: object = None


class WireSalesChannel(_Wire, frozen=True):
    channel_name: object = None


class WireFulfillment(_Wire, frozen=True):
    fulfillment_status: object = None
    fulfilled_by: object = None


class WireItem(_Wire, frozen=True):
    order_item_id: object = None
    quantity_ordered: object = None
    product: object = None
    fulfillment: object = None
    cancellation: object = None


class WireMoney(_Wire, frozen=True):
    amount: object = None
    currency_code: object = None


class WirePrice(_Wire, frozen=True):
    unit_price: object = None


class WireProduct(_Wire, frozen=True):
    seller_sku: object = None
    price: object = None


class WireItemFulfillment(_Wire, frozen=True):
    quantity_fulfilled: object = None
    quantity_unfulfilled: object = None


class WireCancellation(_Wire, frozen=True):
    cancellation_execution: object = None  # done; a `cancellationRequest` is only the buyer's wish


class WirePackage(_Wire, frozen=True):
    ship_time: object = None
    package_status: object = None


class WirePackageStatus(_Wire, frozen=True):
    status: object = None


class WireRecipient(_Wire, frozen=True):
    delivery_address: object = None


class WireAddress(_Wire, frozen=True):
    name: object = None
    company_name: object = None
    address_line1: object = None
    address_line2: object = None
    address_line3: object = None
    city: object = None
    state_or_region: object = None
    postal_code: object = None
    country_code: object = None


def order_of(body: bytes) -> News:
    """What a polled or fetched order is. Raises Unreadable, or a ValueError for what is not an order's JSON."""
    wire = msgspec.json.decode(body, type=WireOrder)
    known_id = order_id(wire.order_id)
    if known_id is None:
        raise Unreadable("orderId", "not the id of an order")
    channel = shaped(wire.sales_channel, WireSalesChannel) or WireSalesChannel()
    if channel.channel_name == _OURS:
        return Ignored("a multi-channel fulfilment order: its sale is another channel's")
    problems: list[Problem] = []
    fulfillment = shaped(wire.fulfillment, WireFulfillment) or WireFulfillment()
    facts = OrderFacts(
        order_id=known_id,
        version_at=instant(wire.last_updated_time),
        created_at=wire.created_time,
        status=fulfillment.fulfillment_status,
        fulfilled_by=fulfillment.fulfilled_by,
        ship_to=_address(wire.recipient, problems),
        items=[_item(raw) for raw in wire.order_items],
        parcels=_parcels(wire.packages, problems),
        problems=problems,
    )
    return OrderNews(order_state(facts))


def _item(raw: object) -> ItemFacts:
    item = shaped(raw, WireItem) or WireItem()
    product = shaped(item.product, WireProduct) or WireProduct()
    price = shaped(product.price, WirePrice) or WirePrice()
    unit = shaped(price.unit_price, WireMoney) or WireMoney()
    sent = shaped(item.fulfillment, WireItemFulfillment) or WireItemFulfillment()
    cancellation = shaped(item.cancellation, WireCancellation) or WireCancellation()
    return ItemFacts(
        item_id=item.order_item_id,
        sku=product.seller_sku,
        ordered=item.quantity_ordered,
        fulfilled=sent.quantity_fulfilled,
        unfulfilled=sent.quantity_unfulfilled,
        cancelled=cancellation.cancellation_execution is not None,
        amount=unit.amount,
        currency=unit.currency_code,
    )


def _parcels(raw: object, problems: list[Problem]) -> Sequence[object]:
    """The instants of the parcels that have left, as they came."""
    packages = shaped(raw, list[object]) if raw is not None else []
    if packages is None:
        problems.append(Problem("packages", "unreadable"))
        return ()
    found = [shaped(each, WirePackage) or WirePackage() for each in packages]
    return [
        package.ship_time
        for package in found
        if (shaped(package.package_status, WirePackageStatus) or WirePackageStatus()).status not in _NOT_LEFT
    ]


def _address(raw: object, problems: list[Problem]) -> Address | None:
    """None for a pending order, and without the role for buyers' addresses."""
    recipient = shaped(raw, WireRecipient)
    if raw is None or (recipient is not None and recipient.delivery_address is None):
        return None
    found = shaped(recipient.delivery_address, WireAddress) if recipient is not None else None
    if found is None:
        problems.append(Problem("recipient", "unreadable"))
        return None
    name, company = text(found.name), text(found.company_name)
    street = map(text, (found.address_line1, found.address_line2, found.address_line3))
    return Address(
        name=name or company,
        lines=tuple(line for line in (company if name and company != name else None, *street) if line is not None),
        city=text(found.city),
        province=text(found.state_or_region),
        postcode=text(found.postal_code),
        country=text(found.country_code),
    )
