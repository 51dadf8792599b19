"""Shopify: the Admin GraphQL API 2026-10 and its webhooks, as a `Channel`."""

from adapters.shopify.client import ShopifyChannel
from adapters.shopify.settings import ShopifySettings
from adapters.shopify.traits import shopify_traits

__all__ = ["ShopifyChannel", "ShopifySettings", "shopify_traits"]
