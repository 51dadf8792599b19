"""GraphQL nodes as order facts, listings and numbers. Pure.

Every field of a node is taken as it comes and judged on its own, so that one bad field cannot hide an order's units.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from adapters.contract import Address, ListedItem, ListingRef, OrderState, Problem, QuantityRead
from adapters.reading import Unreadable, shaped, text
from adapters.shopify.gids import checked_gid
from adapters.shopify.order_state import LineFacts, OrderFacts, ParcelFacts, RefundFacts, order_state

_NOTHING_SENT = frozenset(("UNFULFILLED", "OPEN", "RESTOCKED", "FULFILLMENT_NOT_REQUIRED"))


class _Wire(msgspec.Struct, frozen=True, rename="camel"):
    """A GraphQL object; a field typed `object` holds whatever came."""


class Ref(_Wire, frozen=True):
    id: object = None


class Nodes(_Wire, frozen=True):
    nodes: list[object]


class OrderNode(_Wire, frozen=True):
    id: object
    line_items: Nodes
    name: object = None
    created_at: object = None
    updated_at: object = None
    cancelled_at: object = None
    test: object = None
    display_financial_status: object = None
    display_fulfillment_status: object = None
    currency_code: object = None
    shipping_address: object = None
    refunds: object = None
    fulfillments: object = None


class LineNode(_Wire, frozen=True):
    id: object = None
    sku: object = None
    quantity: object = None
    current_quantity: object = None
    unfulfilled_quantity: object = None
    requires_shipping: object = None
    variant: object = None
    original_unit_price_set: object = None


class RefundNode(_Wire, frozen=True):
    refund_line_items: Nodes


class RefundLineNode(_Wire, frozen=True):
    quantity: object = None
    restock_type: object = None
    location: object = None
    line_item: object = None


class FulfillmentNode(_Wire, frozen=True):
    created_at: object = None
    status: object = None


class AddressNode(_Wire, frozen=True):
    name: object = None
    address1: object = None
    address2: object = None
    city: object = None
    province_code: object = None
    zip: object = None
    country: object = msgspec.field(default=None, name="countryCodeV2")


class MoneyNode(_Wire, frozen=True):
    amount: object = None


class MoneyBag(_Wire, frozen=True):
    shop_money: MoneyNode


def order_of_node(body: bytes, location: str) -> OrderState:
    """Read an order as a poll found it. Raises Unreadable, or a ValueError for what is not an order's JSON."""
    node = msgspec.json.decode(body, type=OrderNode)
    order_id = checked_gid("Order", node.id)
    if order_id is None:
        raise Unreadable("id", "not the id of an order")
    problems: list[Problem] = []
    nothing_sent = text(node.display_fulfillment_status) in _NOTHING_SENT
    facts = OrderFacts(
        order_id=order_id,
        name=node.name,
        updated_at=node.updated_at,
        created_at=node.created_at,
        cancelled_at=node.cancelled_at,
        test=node.test,
        currency=node.currency_code,
        financial_status=node.display_financial_status,
        ship_to=_address(node.shipping_address, problems),
        lines=[_line(raw, nothing_sent) for raw in node.line_items.nodes],
        refunds=list(_refunds(node.refunds, problems)),
        parcels=_parcels(node.fulfillments),
        problems=problems,
    )
    return order_state(facts, location)


def _line(raw: object, nothing_sent: bool) -> LineFacts:
    node = shaped(raw, LineNode) or LineNode()
    price = shaped(node.original_unit_price_set, MoneyBag)
    return LineFacts(
        line_id=checked_gid("LineItem", node.id),
        variant=_ref("ProductVariant", node.variant),
        sku=node.sku,
        ordered=node.quantity,
        current=node.current_quantity,
        unsent=node.unfulfilled_quantity,
        requires_shipping=node.requires_shipping,
        price=price.shop_money.amount if price is not None else None,
        most_sent=0 if nothing_sent else None,
    )


def _refunds(raw: object, problems: list[Problem]) -> Iterator[RefundFacts]:
    refunds = shaped(raw, list[RefundNode])
    if refunds is None:
        problems.append(Problem("refunds", "unreadable"))
        return
    for refund in refunds:
        for entry in refund.refund_line_items.nodes:
            line = shaped(entry, RefundLineNode) or RefundLineNode()
            yield RefundFacts(
                line_id=_ref("LineItem", line.line_item),
                quantity=line.quantity,
                restock_type=line.restock_type,
                location=_ref("Location", line.location),
            )


def _parcels(raw: object) -> list[ParcelFacts] | None:
    entries = shaped(raw, list[object])
    if entries is None:
        return None
    nodes = [shaped(entry, FulfillmentNode) or FulfillmentNode() for entry in entries]
    return [ParcelFacts(node.created_at, node.status) for node in nodes]


def _address(raw: object, problems: list[Problem]) -> Address | None:
    if raw is None:
        return None
    node = shaped(raw, AddressNode)
    if node is None:
        problems.append(Problem("ship_to", "unreadable"))
        return None
    return address(node.name, (node.address1, node.address2), node.city, node.province_code, node.zip, node.country)


def address(
    name: object, lines: Sequence[object], city: object, province: object, postcode: object, country: object
) -> Address:
    """An address from single values of either shape."""
    return Address(
        name=text(name),
        lines=tuple(line for line in map(text, lines) if line is not None),
        city=text(city),
        province=text(province),
        postcode=text(postcode),
        country=text(country),
    )


def _ref(kind: str, raw: object) -> str | None:
    ref = shaped(raw, Ref)
    return checked_gid(kind, ref.id) if ref is not None else None


# --- listings ----------------------------------------------------------------------------------------------------


class QuantityNode(_Wire, frozen=True):
    name: str
    quantity: int


class LevelNode(_Wire, frozen=True):
    is_active: bool
    quantities: list[QuantityNode]


class ItemNode(_Wire, frozen=True):
    id: str
    tracked: bool
    inventory_level: LevelNode | None


class VariantNode(_Wire, frozen=True):
    id: str
    inventory_policy: str
    requires_components: bool
    inventory_item: ItemNode
    sku: str | None = None
    barcode: str | None = None
    display_name: str | None = None


def listed_item(raw: object, location: str) -> ListedItem | None:
    """A variant as one listing at `location`; None when the node cannot be read."""
    node = shaped(raw, VariantNode)
    if node is None:
        return None
    item = node.inventory_item
    quantity, problem = _available(item)
    if node.requires_components:
        problem = "a bundle: its number follows from its components"
    return ListedItem(
        ref=ListingRef(item.id, location),
        line_key=node.id,
        code=text(node.sku),
        title=text(node.display_name) or text(node.sku) or node.id,
        gtin=text(node.barcode),
        quantity=quantity,
        back_orderable=node.inventory_policy == "CONTINUE",
        budget_key=item.id,
        unwritable=problem,
    )


def quantity_read(raw: object, ref: ListingRef) -> QuantityRead:
    """What an inventory item shows at the location asked for."""
    if raw is None or raw == {}:  # deleted, or not an inventory item
        return QuantityRead(ref, None, "no such inventory item")
    item = shaped(raw, ItemNode)
    if item is None or item.id != ref.channel_sku:
        return QuantityRead(ref, None, "unreadable")
    quantity, problem = _available(item)
    return QuantityRead(ref, quantity, problem)


def _available(item: ItemNode) -> tuple[int | None, str | None]:
    """The number, or why there is none. An untracked item sells for ever; a dead level still shows its old number."""
    level = item.inventory_level
    if not item.tracked:
        return None, "untracked: it sells whatever its number"
    if level is None:
        return None, "not stocked at the location"
    if not level.is_active:
        return None, "inactive at the location"
    for row in level.quantities:
        if row.name == "available":
            return row.quantity, None
    return None, "no available number"
