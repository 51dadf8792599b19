"""The topics that this sandbox knows: the two that syncd's kind of app has to do with."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.ebay.sandbox.errors import Json
from adapters.ebay.sandbox.seed import BASE_SCOPE, FULFILLMENT_SCOPE
from adapters.ebay.sandbox.tokens import Holder

ORDER_CONFIRMATION = "ORDER_CONFIRMATION"
ACCOUNT_DELETION = "MARKETPLACE_ACCOUNT_DELETION"


@dataclass(frozen=True, slots=True)
class Topic:
    """`subscriber`: whose token may subscribe to it."""

    id: str
    description: str
    subscriber: Holder
    context: str
    scopes: tuple[str, ...]
    versions: tuple[str, ...]

    def view(self) -> Json:
        return {
            "topicId": self.id,
            "description": self.description,
            "authorizationScopes": list(self.scopes),
            "status": "ENABLED",
            "context": self.context,
            "scope": "USER" if self.subscriber is Holder.USER else "APPLICATION",
            "filterable": False,
            "supportedPayloads": [
                {"format": ["JSON"], "schemaVersion": version, "deliveryProtocol": "HTTPS", "deprecated": False}
                for version in self.versions
            ],
        }


def known_topics(*, order_push: bool) -> dict[str, Topic]:
    """Scopes and versions as production's getTopic told, September 2026."""
    orders = Topic(
        ORDER_CONFIRMATION,
        "Told when a buyer has paid for an order.",
        Holder.USER,
        "SELL",
        (FULFILLMENT_SCOPE, f"{FULFILLMENT_SCOPE}.readonly"),
        ("1.0", "1.1"),
    )
    deletion = Topic(
        ACCOUNT_DELETION, "Told when a user closes an account.", Holder.APPLICATION, "COMMERCE", (BASE_SCOPE,), ("1.0",)
    )
    return {topic.id: topic for topic in ((orders, deletion) if order_push else (deletion,))}
