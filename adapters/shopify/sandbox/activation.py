"""inventoryActivate: start to stock an item at a location."""

from __future__ import annotations

from adapters.sandbox_kit.shown_log import Why
from adapters.shopify.sandbox.context import Context
from adapters.shopify.sandbox.errors import Json, user_error
from adapters.shopify.sandbox.ids import number_of
from adapters.shopify.sandbox.inventory_views import level_view
from adapters.shopify.sandbox.records import Level
from adapters.shopify.sandbox.subscriptions import Topic


def activate(context: Context, arguments: Json, key: str) -> Json:
    """Make a level, or wake an inactive one, which keeps its quantities unless new ones are given.

    The payload's errors have no code. Wordings are from public reports, not from captures.
    """
    shop = context.shop
    item = shop.items.get(number_of(arguments["inventoryItemId"], "InventoryItem") or 0)
    location = shop.locations.get(number_of(arguments["locationId"], "Location") or 0)
    if item is None:
        return _refused("inventoryItemId", "The product couldn't be stocked because it wasn't found.")
    if location is None:
        return _refused("locationId", "The product couldn't be stocked because the location wasn't found.")
    available: int | None = arguments.get("available")
    on_hand: int | None = arguments.get("onHand")
    if available is not None and on_hand is not None:
        return _refused("available", "Cannot set both available and on hand quantities at the same time.")
    level = item.levels.get(location.id)
    if level is not None and level.active and (available is not None or on_hand is not None):
        name, argument = ("available", "available") if available is not None else ("on hand", "onHand")
        return _refused(
            argument, f"Not allowed to set {name} quantity when the item is already active at the location."
        )
    wanted = available if available is not None else on_hand
    if level is None:
        level = shop.stock(item, location, wanted or 0)
        context.outbox.level_news([level], Topic.INVENTORY_LEVELS_CONNECT)
    elif not level.active:
        _wake(context, level, wanted, key)
    return {"inventoryLevel": level_view(level), "userErrors": []}


def _wake(context: Context, level: Level, quantity: int | None, key: str) -> None:
    level.active = True
    if quantity is not None:
        context.shop.show(level, quantity, level.now.committed, Why.WRITE, key)
    context.outbox.level_news([level], Topic.INVENTORY_LEVELS_CONNECT)


def _refused(argument: str, message: str) -> Json:
    return {"userErrors": [user_error([argument], message)]}
