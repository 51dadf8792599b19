"""inventorySetQuantities: all rows or none, and only from the quantities that the writer expects."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from adapters.sandbox_kit.shown_log import Why
from adapters.shopify.sandbox.context import Context
from adapters.shopify.sandbox.errors import Json, user_error
from adapters.shopify.sandbox.ids import gid, number_of
from adapters.shopify.sandbox.inventory_views import instant, item_view, location_view
from adapters.shopify.sandbox.records import Item, Level, Location
from adapters.shopify.sandbox.shop import Shop
from adapters.shopify.sandbox.stockroom import Stockroom

# Read verbatim from a live refusal, API 2026-04, April to July 2026.
REASONS = (
    "correction",
    "cycle_count_available",
    "damaged",
    "movement_canceled",
    "movement_created",
    "movement_received",
    "movement_updated",
    "other",
    "promotion",
    "quality_control",
    "received",
    "reservation_created",
    "reservation_deleted",
    "reservation_updated",
    "restock",
    "safety_stock",
    "shrinkage",
)
LIMIT = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Change:
    level: Level
    delta: int


def set_quantities(context: Context, arguments: Json, key: str) -> Json:
    """Check everything, then set every row; a single error leaves every row as it was."""
    request: Json = arguments["input"]
    shop = context.shop
    errors = [*_request_errors(request), *_duplicates(request)]
    for at, row in enumerate(request["quantities"]):
        errors += _row_errors(shop, request["name"], at, row)
    if not errors:
        errors = _stale_rows(shop, request)
        context.stats.rows_stale += len(errors)
    if errors:
        return {"userErrors": errors}
    changes = _apply(context, request, key)
    context.stats.writes_applied += len(changes)
    # Nothing changed: no group and no error, as live for inventoryAdjustQuantities.
    group = _group(shop, request, changes) if changes else None
    return {"inventoryAdjustmentGroup": group, "userErrors": []}


def _request_errors(request: Json) -> list[Json]:
    errors = []
    if request["name"] not in ("available", "on_hand"):
        message = "The quantity name must be either 'available' or 'on_hand'."
        errors.append(user_error(["input", "name"], message, "INVALID_NAME"))
    if request["reason"] not in REASONS:
        message = f"The specified reason is invalid. Valid values are: {', '.join(REASONS)}."
        errors.append(user_error(["input", "reason"], message, "INVALID_REASON"))
    document = request.get("referenceDocumentUri")
    if document is not None and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://\S+$", document):
        message = "The specified reference document is invalid."
        errors.append(user_error(["input", "referenceDocumentUri"], message, "INVALID_REFERENCE_DOCUMENT"))
    return errors


def _duplicates(request: Json) -> list[Json]:
    pairs = [(row["inventoryItemId"], row["locationId"]) for row in request["quantities"]]
    seen = Counter(pairs)
    message = "The combination of inventoryItemId and locationId must be unique."
    code = "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
    return [user_error(_at(at, "locationId"), message, code) for at, pair in enumerate(pairs) if seen[pair] > 1]


def _row_errors(shop: Shop, name: str, at: int, row: Json) -> list[Json]:
    errors = []
    item = _item(shop, row)
    if item is None:
        message = "The specified inventory item could not be found."
        errors.append(user_error(_at(at, "inventoryItemId"), message, "INVALID_INVENTORY_ITEM"))
    elif item.requires_components:
        message = "The specified inventory item is not allowed to be adjusted via API."
        errors.append(user_error(_at(at, "inventoryItemId"), message, "NON_MUTABLE_INVENTORY_ITEM"))
    if _location(shop, row) is None:
        message = "The specified location could not be found."
        errors.append(user_error(_at(at, "locationId"), message, "INVALID_LOCATION"))
    quantity = row["quantity"]
    if quantity > LIMIT:
        message = "The quantity can't be higher than 1,000,000,000."
        errors.append(user_error(_at(at, "quantity"), message, "INVALID_QUANTITY_TOO_HIGH"))
    elif quantity < -LIMIT:
        message = "The quantity can't be lower than -1,000,000,000."
        errors.append(user_error(_at(at, "quantity"), message, "INVALID_QUANTITY_TOO_LOW"))
    elif quantity < 0 and name == "on_hand":
        message = "The quantity can't be negative."
        errors.append(user_error(_at(at, "quantity"), message, "INVALID_QUANTITY_NEGATIVE"))
    return errors


def _stale_rows(shop: Shop, request: Json) -> list[Json]:
    """The rows whose quantity is not the expected one. Where the error points was never captured live."""
    message = "The changeFromQuantity value does not match persisted value."
    stale = []
    for at, row in enumerate(request["quantities"]):
        level = _stocked(shop, row)
        expected = row.get("changeFromQuantity")
        if level is not None and expected is not None and expected != _quantity(level, request["name"]):
            field = _at(at, "changeFromQuantity") if shop.seed.stale_names_row else None
            stale.append(user_error(field, message, "CHANGE_FROM_QUANTITY_STALE"))
    return stale


def _apply(context: Context, request: Json, key: str) -> list[Change]:
    """Set every row. A row for a place that does not stock the item succeeds and does nothing.

    The error for that case left the API with 2026-10; of the two reports of what happens instead, this is the quieter.
    """
    room = Stockroom(context.shop, Why.WRITE, key)
    changes = []
    for row in request["quantities"]:
        level = _stocked(context.shop, row)
        if level is None:
            continue
        change = row["quantity"] - _quantity(level, request["name"])
        delta = room.set_available(level, level.now.available + change)
        if delta:
            changes.append(Change(level, delta))
    context.outbox.level_news(room.moved.values())
    return changes


def _group(shop: Shop, request: Json, changes: list[Change]) -> Json:
    """Two changes a row: on_hand always moves by as much as available does."""

    def shown_changes(_: object, quantityNames: list[str] | None = None) -> list[Json]:
        return [
            {
                "name": name,
                "delta": change.delta,
                "quantityAfterChange": None,  # null in live captures
                "item": item_view(shop.items[change.level.item_id]),
                "location": location_view(shop.locations[change.level.location_id]),
            }
            for change in changes
            for name in ("available", "on_hand")
            if quantityNames is None or name in quantityNames
        ]

    return {
        "__typename": "InventoryAdjustmentGroup",
        "id": gid("InventoryAdjustmentGroup", shop.ids.deal()),
        "createdAt": instant(shop.now()),
        "reason": request["reason"],
        "referenceDocumentUri": request.get("referenceDocumentUri"),
        "changes": shown_changes,
    }


def _at(row: int, field: str) -> list[str]:
    return ["input", "quantities", str(row), field]


def _quantity(level: Level, name: str) -> int:
    return level.now.on_hand if name == "on_hand" else level.now.available


def _item(shop: Shop, row: Json) -> Item | None:
    return shop.items.get(number_of(row["inventoryItemId"], "InventoryItem") or 0)


def _location(shop: Shop, row: Json) -> Location | None:
    return shop.locations.get(number_of(row["locationId"], "Location") or 0)


def _stocked(shop: Shop, row: Json) -> Level | None:
    """The active level that a row names."""
    item, location = _item(shop, row), _location(shop, row)
    level = item.levels.get(location.id) if item is not None and location is not None else None
    return level if level is not None and level.active else None
