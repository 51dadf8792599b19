"""Orders as webhooks carry them, in the REST shape, as order facts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from adapters.contract import Address, News, OrderHint, OrderNews, Problem
from adapters.reading import Unreadable, pieces, shaped, text
from adapters.shopify.gids import gid
from adapters.shopify.mapping import address
from adapters.shopify.order_state import LineFacts, OrderFacts, ParcelFacts, RefundFacts, order_state


class OrderPayload(msgspec.Struct, frozen=True):
    """A whole order; a field typed `object` holds whatever came and is judged on its own."""

    id: int
    line_items: list[object] | msgspec.UnsetType = msgspec.UNSET
    name: object = None
    created_at: object = None
    updated_at: object = None
    cancelled_at: object = None
    test: object = None
    currency: object = None
    financial_status: object = None
    fulfillment_status: object = None
    shipping_address: object = None
    refunds: object = None
    fulfillments: object = None


class LinePayload(msgspec.Struct, frozen=True):
    id: object = None
    variant_id: object = None
    sku: object = None
    quantity: object = None
    current_quantity: object = None
    fulfillable_quantity: object = None
    requires_shipping: object = None
    price: object = None


class RefundLinePayload(msgspec.Struct, frozen=True):
    line_item_id: object = None
    quantity: object = None
    restock_type: object = None
    location_id: object = None


class RefundOfOrder(msgspec.Struct, frozen=True):
    refund_line_items: list[object]


class AddressPayload(msgspec.Struct, frozen=True):
    name: object = None
    address1: object = None
    address2: object = None
    city: object = None
    province_code: object = None
    zip: object = None
    country_code: object = None


class SentLine(msgspec.Struct, frozen=True):
    id: int
    quantity: int


class Fulfillment(msgspec.Struct, frozen=True):
    status: str | None
    line_items: list[SentLine]


class ParcelPayload(msgspec.Struct, frozen=True):
    """The same fulfilment, read for its instant alone: bad lines do not hide it, and it does not hide the lines."""

    created_at: object = None
    status: object = None


def order_of_payload(body: bytes, location: str) -> News:
    """Read a whole order; a payload trimmed of its lines is only a hint. Raises Unreadable or ValueError."""
    payload = msgspec.json.decode(body, type=OrderPayload)
    order_id = known_gid("Order", payload.id)
    if isinstance(payload.line_items, msgspec.UnsetType):  # a subscription trimmed by includeFields
        return OrderHint(order_id)
    problems: list[Problem] = []
    sent = _sent(payload)
    facts = OrderFacts(
        order_id=order_id,
        name=payload.name,
        updated_at=payload.updated_at,
        created_at=payload.created_at,
        cancelled_at=payload.cancelled_at,
        test=payload.test,
        currency=payload.currency,
        financial_status=_upper(payload.financial_status) or payload.financial_status,
        ship_to=_address(payload.shipping_address, problems),
        lines=[_line(raw, sent) for raw in payload.line_items],
        refunds=list(_refunds(payload.refunds, problems)),
        parcels=_parcels(payload.fulfillments),
        problems=problems,
    )
    return OrderNews(order_state(facts, location))


def _line(raw: object, sent: Callable[[str | None], int | None]) -> LineFacts:
    payload = shaped(raw, LinePayload) or LinePayload()
    line_id = gid("LineItem", payload.id)
    return LineFacts(
        line_id=line_id,
        variant=gid("ProductVariant", payload.variant_id),
        sku=payload.sku,
        ordered=payload.quantity,
        current=payload.current_quantity,
        unsent=payload.fulfillable_quantity,
        requires_shipping=payload.requires_shipping,
        price=payload.price,
        most_sent=sent(line_id),
    )


def _sent(payload: OrderPayload) -> Callable[[str | None], int | None]:
    """A bound on what has left, by line id.

    REST's fulfillable_quantity also falls for fulfilments that are only asked for, and to 0 with a cancellation;
    the fulfilments themselves say what was really sent.
    """
    fulfillments = shaped(payload.fulfillments, list[Fulfillment])
    if not fulfillments:
        nothing = payload.fulfillment_status in (None, "restocked", "unfulfilled")
        return lambda _: 0 if nothing else None
    units: dict[str | None, int] = {}
    for fulfillment in fulfillments:
        if fulfillment.status == "success":
            for line in fulfillment.line_items:
                line_id = gid("LineItem", line.id)
                units[line_id] = units.get(line_id, 0) + (pieces(line.quantity) or 0)
    return lambda line_id: units.get(line_id, 0)


def _refunds(raw: object, problems: list[Problem]) -> Iterator[RefundFacts]:
    refunds = shaped(raw, list[RefundOfOrder])
    if refunds is None:
        problems.append(Problem("refunds", "unreadable"))
        return
    for refund in refunds:
        for entry in refund.refund_line_items:
            line = shaped(entry, RefundLinePayload) or RefundLinePayload()
            yield RefundFacts(
                line_id=gid("LineItem", line.line_item_id),
                quantity=line.quantity,
                restock_type=_upper(line.restock_type),
                location=gid("Location", line.location_id),
            )


def _parcels(raw: object) -> list[ParcelFacts] | None:
    entries = shaped(raw, list[object])
    if entries is None:
        return None
    payloads = [shaped(entry, ParcelPayload) or ParcelPayload() for entry in entries]
    return [ParcelFacts(payload.created_at, _upper(payload.status)) for payload in payloads]


def _address(raw: object, problems: list[Problem]) -> Address | None:
    if raw is None:
        return None
    found = shaped(raw, AddressPayload)
    if found is None:
        problems.append(Problem("ship_to", "unreadable"))
        return None
    lines = (found.address1, found.address2)
    return address(found.name, lines, found.city, found.province_code, found.zip, found.country_code)


def _upper(value: object) -> str | None:
    """A word in GraphQL's spelling."""
    word = text(value)
    return word.upper() if word is not None else None


def known_gid(kind: str, number: int) -> str:
    """The global id of a numeric id that must be right. Raises Unreadable."""
    found = gid(kind, number)
    if found is None:
        raise Unreadable("id", f"not the id of a Shopify {kind}")
    return found
