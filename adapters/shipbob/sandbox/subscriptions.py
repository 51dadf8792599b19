"""Who wants to hear what: webhook subscriptions and their secrets."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from adapters.contract import Clock, Rng

SECRET = re.compile(r"whsec_[a-zA-Z0-9+/]{32}")


class Topic(StrEnum):
    """What can be subscribed to. The sandbox has news of the first five only."""

    ORDER_SHIPPED = "order.shipped"
    DELIVERED = "order.shipment.delivered"
    EXCEPTION = "order.shipment.exception"
    ON_HOLD = "order.shipment.on_hold"
    CANCELLED = "order.shipment.cancelled"
    RETURN_CREATED = "return.created"
    RETURN_UPDATED = "return.updated"
    RETURN_COMPLETED = "return.completed"
    CHARGE_CREATED = "billing.charge.created"
    REFUND_CREATED = "billing.refund.created"
    CREDIT_CREATED = "billing.credit.created"


@dataclass(slots=True)
class Subscription:
    id: str
    url: str
    topics: tuple[Topic, ...]
    secret: str
    description: str | None
    created_at: datetime
    enabled: bool = True


class Subscriptions:
    """The subscriptions that have been made, oldest first."""

    def __init__(self, clock: Clock, rng: Rng) -> None:
        self._clock = clock
        self._rng = rng
        self._by_id: dict[str, Subscription] = {}

    def add(self, url: str, topics: Sequence[Topic], secret: str | None, description: str | None) -> Subscription:
        made = Subscription(
            id=f"ep_{self._rng.uuid().hex}",
            url=url,
            topics=tuple(topics),
            secret=secret or self._new_secret(),
            description=description,
            created_at=self._clock.now(),
        )
        self._by_id[made.id] = made
        return made

    def remove(self, subscription_id: str) -> bool:
        return self._by_id.pop(subscription_id, None) is not None

    def listed(self) -> list[Subscription]:
        return list(self._by_id.values())

    def hearing(self, topic: Topic) -> list[Subscription]:
        return [one for one in self._by_id.values() if one.enabled and topic in one.topics]

    def lives(self, subscription: Subscription) -> bool:
        return subscription.enabled and subscription.id in self._by_id

    def _new_secret(self) -> str:
        # From the seeded stream: a run can be repeated, and the secret opens nothing but this sandbox.
        key = self._rng.uuid().bytes + self._rng.uuid().bytes[:8]
        return f"whsec_{base64.b64encode(key).decode()}"
