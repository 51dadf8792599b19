"""The query roots."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adapters.shopify.sandbox.context import Info
from adapters.shopify.sandbox.errors import Json, VendorError
from adapters.shopify.sandbox.ids import read_gid
from adapters.shopify.sandbox.inventory_views import item_view, level_view, location_view, variant_view
from adapters.shopify.sandbox.order_search import search_orders
from adapters.shopify.sandbox.order_views import order_view, refund_view
from adapters.shopify.sandbox.paging import Cursors, connection, list_connection
from adapters.shopify.sandbox.records import Item
from adapters.shopify.sandbox.scopes import KIND_SCOPES, require
from adapters.shopify.sandbox.search_terms import Term, read_terms, unknown
from adapters.shopify.sandbox.shop import Shop
from adapters.shopify.sandbox.shop_views import installation_view, shop_view, subscription_view, version_views
from adapters.shopify.sandbox.subscriptions import Subscriptions, Topic

Resolver = Callable[..., Any]  # (source, info, **arguments) -> a view, as graphql-core calls it


def orders(
    _: object,
    info: Info,
    sortKey: str,
    reverse: bool,
    first: int | None = None,
    after: str | None = None,
    query: str | None = None,
) -> Json:
    return search_orders(info.context.shop, query, sortKey, reverse=reverse, first=first, after=after)


def product_variants(
    _: object,
    info: Info,
    sortKey: str,
    first: int | None = None,
    after: str | None = None,
    query: str | None = None,
) -> Json:
    shop = info.context.shop
    terms = read_terms(query)
    cursors = Cursors("variants", query, sortKey)
    items = list(shop.items.values())  # in order of their ids
    start = bisect_right(items, cursors.read(after)[0], key=lambda item: item.variant_id) if after is not None else 0
    return connection(
        (item for item in items[start:] if all(_item_holds(term, item) for term in terms)),
        first,
        lambda item: cursors.write(item.variant_id),
        variant_view,
        has_previous=after is not None,
    )


def locations(
    _: object,
    info: Info,
    includeInactive: bool,
    includeLegacy: bool,
    first: int | None = None,
    after: str | None = None,
) -> Json:
    shown = [
        location
        for location in info.context.shop.locations.values()
        if (location.active or includeInactive) and (location.service is None or includeLegacy)
    ]
    return list_connection(shown, first, after, lambda location: location.id, location_view)


def webhook_subscriptions(
    _: object,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    topics: Sequence[str] = (),
    uri: str | None = None,
) -> Json:
    context = info.context
    shown = context.subscriptions.listed([Topic[topic] for topic in topics], uri)
    version = context.shop.seed.webhook_api_version
    return list_connection(shown, first, after, lambda one: one.id, lambda one: subscription_view(one, version))


def nodes(_: object, info: Info, ids: Sequence[str]) -> list[Json | None]:
    """Records by global id, straight from the shop: no index stands between. What is unknown is null."""
    context = info.context
    return [_record(context.shop, context.subscriptions, one) for one in ids]


def node(_: object, info: Info, id: str | None = None) -> Json | None:
    context = info.context
    return _record(context.shop, context.subscriptions, id) if id is not None else None


def _only(kind: str) -> Resolver:
    """A root that looks up one record of one kind."""

    def resolve(_: object, info: Info, id: str | None = None) -> Json | None:
        found = read_gid(id) if id is not None else None
        return node(_, info, id) if found is not None and found.kind == kind else None

    return resolve


def _record(shop: Shop, subscriptions: Subscriptions, global_id: str) -> Json | None:
    found = read_gid(global_id)
    if found is None:
        raise VendorError(f"Invalid global id '{global_id}'", "INVALID_VARIABLE")
    require(shop, KIND_SCOPES.get(found.kind))
    if found.kind == "Order":
        order = shop.orders.get(found.number)
        return order_view(order) if order is not None and shop.readable(order) else None
    if found.kind == "Refund":
        booked = shop.refunds.get(found.number)
        return refund_view(booked[1], booked[0].currency) if booked is not None else None
    if found.kind == "WebhookSubscription":
        subscription = subscriptions.get(found.number)
        return subscription_view(subscription, shop.seed.webhook_api_version) if subscription is not None else None
    if found.kind == "ProductVariant":
        item = shop.item_by_variant(found.number)
        return variant_view(item) if item is not None else None
    plain: Mapping[str, tuple[Mapping[int, Any], Callable[[Any], Json]]] = {
        "InventoryItem": (shop.items, item_view),
        "InventoryLevel": (shop.levels, level_view),
        "Location": (shop.locations, location_view),
    }
    records, view = plain.get(found.kind, ({}, item_view))
    record = records.get(found.number)
    return view(record) if record is not None else None


def _item_holds(term: Term, item: Item) -> bool:
    if term.field == "sku":
        return term.mentions(item.sku)
    if term.field == "barcode":
        return term.value == item.barcode
    if term.field == "updated_at":
        return term.holds(item.updated_at)
    if term.field in ("id", "inventory_item_id"):
        return term.holds_for_id(item.variant_id if term.field == "id" else item.id)
    raise unknown(term)


QUERIES: Mapping[str, Resolver] = {
    "currentAppInstallation": lambda _, info: installation_view(info.context.shop),
    "inventoryItem": _only("InventoryItem"),
    "inventoryLevel": _only("InventoryLevel"),
    "location": _only("Location"),
    "locations": locations,
    "node": node,
    "nodes": nodes,
    "order": _only("Order"),
    "orders": orders,
    "productVariant": _only("ProductVariant"),
    "productVariants": product_variants,
    "publicApiVersions": lambda _, info: version_views(),
    "shop": lambda _, info: shop_view(info.context.shop),
    "webhookSubscription": _only("WebhookSubscription"),
    "webhookSubscriptions": webhook_subscriptions,
}
