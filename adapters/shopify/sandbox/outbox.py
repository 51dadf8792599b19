"""Turns what happened into news for subscribers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from adapters.shopify.sandbox.deliveries import Deliveries
from adapters.shopify.sandbox.errors import Json
from adapters.shopify.sandbox.payloads import Payloads
from adapters.shopify.sandbox.records import Level, Order
from adapters.shopify.sandbox.shop import Shop
from adapters.shopify.sandbox.subscriptions import Topic


class Outbox:
    """Renders each action's news at once, so that late deliveries carry the state of their time."""

    def __init__(self, shop: Shop, deliveries: Deliveries) -> None:
        self._shop = shop
        self._deliveries = deliveries
        self._payloads = Payloads(shop.seed.timezone)

    def order_news(
        self, order: Order, topics: Sequence[Topic], levels: Iterable[Level], edits: Mapping[int, int]
    ) -> None:
        """Tell about an order, and about the levels that moved with it."""
        news = [(topic, self._order_payload(order, topic, edits)) for topic in topics]
        self._announce([*news, *self._level_news(levels)])

    def level_news(self, levels: Iterable[Level], topic: Topic = Topic.INVENTORY_LEVELS_UPDATE) -> None:
        """Tell about levels that someone set: a person, or an app, this one included."""
        self._announce(self._level_news(levels, topic))

    def _order_payload(self, order: Order, topic: Topic, edits: Mapping[int, int]) -> Json:
        if topic is Topic.REFUNDS_CREATE:
            return self._payloads.refund(order, order.refunds[-1])
        if topic is Topic.ORDERS_EDITED:
            return self._payloads.edit(order, self._shop.ids.deal(), edits)
        return self._payloads.order(order)

    def _level_news(
        self, levels: Iterable[Level], topic: Topic = Topic.INVENTORY_LEVELS_UPDATE
    ) -> list[tuple[Topic, Json]]:
        return [(topic, self._payloads.level(self._shop.items[level.item_id], level)) for level in levels]

    def _announce(self, news: Sequence[tuple[Topic, Json]]) -> None:
        self._deliveries.announce(news, self._shop.now())
