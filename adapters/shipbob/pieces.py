"""How many pieces of what was ordered are in a shipment. Pure.

Orders count products, shipments count the inventory items inside them: a pack of three is one of the first and three
of the second. One shipment alone holds the whole order; of several, the ratio between the two tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from adapters.reading import entries, shaped
from adapters.shipbob.wire import InventoryItem, OrderedProduct, OrderView, ShipmentView, ShippedProduct, text, whole

Contents = Mapping[tuple[str, object], int]  # (product, inventory item) -> inventory pieces


def ordered_pieces(order: OrderView) -> Counter[str]:
    """Products of an order, by the code they were ordered by."""
    found: Counter[str] = Counter()
    for raw in entries(order.products):
        product = shaped(raw, OrderedProduct) or OrderedProduct()
        code, quantity = text(product.reference_id) or text(product.sku), whole(product.quantity)
        if code is not None and quantity is not None and quantity > 0:
            found[code] += quantity
    return found


def contents(shipment: ShipmentView) -> Contents:
    """What a shipment says it holds."""
    found: Counter[tuple[str, object]] = Counter()
    for raw in entries(shipment.products):
        product = shaped(raw, ShippedProduct) or ShippedProduct()
        code = text(product.reference_id) or text(product.sku)
        for inner in entries(product.inventory_items):
            item = shaped(inner, InventoryItem) or InventoryItem()
            quantity = whole(item.quantity)
            if code is not None and quantity is not None and quantity > 0:
                found[code, whole(item.id)] += quantity
    return found


def pieces(
    left: Sequence[Contents], ordered: Mapping[str, int], live: Sequence[Contents], every: Sequence[Contents]
) -> list[dict[str, int]]:
    """Products in each of the shipments that left, never more than were ordered.

    `live` are the shipments that were not given up, `every` all of them.
    """
    unsent = dict(ordered)
    found = []
    for held in left:
        products = _products(held, ordered, live, every)
        sent = {code: min(number, unsent.get(code, number)) for code, number in products.items()}
        unsent = {code: number - sent.get(code, 0) for code, number in unsent.items()}
        found.append({code: number for code, number in sent.items() if number > 0})
    return found


def _products(
    held: Contents, ordered: Mapping[str, int], live: Sequence[Contents], every: Sequence[Contents]
) -> dict[str, int]:
    found: dict[str, int] = {}
    for (code, item), quantity in held.items():
        number = quantity // _inside((code, item), ordered.get(code, 0), live, every)
        found[code] = min(found.get(code, number), number)  # a kit is as whole as its scarcest part
    return found


def _inside(key: tuple[str, object], ordered: int, live: Sequence[Contents], every: Sequence[Contents]) -> int:
    """How many of an inventory item are in one product.

    Shipments that were given up may or may not have been replaced, so the total that fits the order is believed.
    """
    for shipments in (live, every):
        held = [one[key] for one in shipments if key in one]
        inside = sum(held) // ordered if ordered else 0
        if inside and sum(held) == inside * ordered and not any(quantity % inside for quantity in held):
            return inside
    return 1
