"""What one API request's resolvers work with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from graphql import GraphQLResolveInfo

from adapters.shopify.sandbox.errors import Json
from adapters.shopify.sandbox.idempotency import IdempotencyStore
from adapters.shopify.sandbox.outbox import Outbox
from adapters.shopify.sandbox.records import Level, Quantities
from adapters.shopify.sandbox.shop import Shop
from adapters.shopify.sandbox.stats import Stats
from adapters.shopify.sandbox.subscriptions import Subscriptions


@dataclass(frozen=True, slots=True)
class Context:
    """One request. `read_at` is set when a replica answers that has heard nothing since then."""

    shop: Shop
    outbox: Outbox
    subscriptions: Subscriptions
    idempotency: IdempotencyStore
    stats: Stats
    read_at: datetime | None
    variables: Json  # as they came, before coercion

    def shown(self, level: Level) -> Quantities:
        """The level's numbers as this request gets to see them."""
        return level.now if self.read_at is None else level.as_of(self.read_at)


Info: TypeAlias = GraphQLResolveInfo[Context]
