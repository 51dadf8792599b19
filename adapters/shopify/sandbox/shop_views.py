"""The shop, the app and its subscriptions as GraphQL shows them."""

from __future__ import annotations

from adapters.shopify.sandbox.errors import Json
from adapters.shopify.sandbox.ids import gid
from adapters.shopify.sandbox.inventory_views import instant
from adapters.shopify.sandbox.shop import Shop
from adapters.shopify.sandbox.subscriptions import Subscription
from adapters.shopify.sandbox.versions import VERSIONS, Version, named


def shop_view(shop: Shop) -> Json:
    return {
        "__typename": "Shop",
        "id": gid("Shop", shop.id),
        "name": shop.seed.name,
        "myshopifyDomain": shop.seed.domain,
        "currencyCode": shop.seed.currency,
        "ianaTimezone": shop.seed.timezone,
        "plan": {
            "partnerDevelopment": False,
            "publicDisplayName": shop.seed.plan,
            "shopifyPlus": shop.seed.plan == "Plus",
        },
    }


def installation_view(shop: Shop) -> Json:
    return {
        "__typename": "AppInstallation",
        "id": gid("AppInstallation", shop.id),
        "accessScopes": [{"handle": scope, "description": scope.replace("_", " ")} for scope in shop.seed.scopes],
    }


def version_views() -> list[Json]:
    return [_version_view(version) for version in VERSIONS]


def subscription_view(subscription: Subscription, api_version: str) -> Json:
    return {
        "__typename": "WebhookSubscription",
        "id": gid("WebhookSubscription", subscription.id),
        "legacyResourceId": str(subscription.id),
        "topic": subscription.topic.name,
        "uri": subscription.uri,
        "format": "JSON",
        "filter": subscription.filter,
        "includeFields": list(subscription.include_fields),
        "name": subscription.name,
        "createdAt": instant(subscription.created_at),
        "updatedAt": instant(subscription.created_at),
        "apiVersion": _version_view(named(api_version)),
    }


def _version_view(version: Version) -> Json:
    return {"handle": version.handle, "displayName": version.name, "supported": version.supported}
