"""Who wants to hear what: webhook subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from adapters.shopify.sandbox.shop import Shop


class Topic(StrEnum):
    """A topic as headers write it; the member's name is how the API writes it."""

    INVENTORY_LEVELS_CONNECT = "inventory_levels/connect"
    INVENTORY_LEVELS_UPDATE = "inventory_levels/update"
    ORDERS_CANCELLED = "orders/cancelled"
    ORDERS_CREATE = "orders/create"
    ORDERS_EDITED = "orders/edited"
    ORDERS_FULFILLED = "orders/fulfilled"
    ORDERS_PARTIALLY_FULFILLED = "orders/partially_fulfilled"
    ORDERS_UPDATED = "orders/updated"
    REFUNDS_CREATE = "refunds/create"


@dataclass(frozen=True, slots=True)
class Subscription:
    id: int
    topic: Topic
    uri: str
    created_at: datetime
    include_fields: tuple[str, ...] = ()
    filter: str | None = None  # kept and shown, never applied
    name: str | None = None


class Subscriptions:
    """The subscriptions that the app has made, oldest first."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._by_id: dict[int, Subscription] = {}

    def refusal(self, topic: Topic, uri: str) -> str | None:
        """Why the vendor would not take this subscription, in its words (live, except the last: community)."""
        if uri.startswith("http://") and not self._shop.seed.allow_http_uris:
            return "Address protocol http:// is not supported"
        if not uri.startswith(("https://", "http://")):
            return "Address is invalid"
        if any(known.topic is topic and known.uri == uri for known in self._by_id.values()):
            return "Address for this topic has already been taken"
        return None

    def add(
        self,
        topic: Topic,
        uri: str,
        *,
        include_fields: Sequence[str] = (),
        filter: str | None = None,
        name: str | None = None,
    ) -> Subscription:
        subscription = Subscription(
            self._shop.ids.deal(), topic, uri, self._shop.instant(), tuple(include_fields), filter, name
        )
        self._by_id[subscription.id] = subscription
        return subscription

    def remove(self, subscription_id: int) -> bool:
        return self._by_id.pop(subscription_id, None) is not None

    def get(self, subscription_id: int) -> Subscription | None:
        return self._by_id.get(subscription_id)

    def listed(self, topics: Sequence[Topic] = (), uri: str | None = None) -> list[Subscription]:
        return [
            known
            for known in self._by_id.values()
            if (not topics or known.topic in topics) and (uri is None or known.uri == uri)
        ]

    def __contains__(self, subscription: Subscription) -> bool:
        return subscription.id in self._by_id
