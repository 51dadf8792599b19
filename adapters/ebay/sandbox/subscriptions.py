"""Who is told about which topic, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from adapters.ebay.sandbox.destinations import Destination, Destinations
from adapters.ebay.sandbox.errors import Json, notification_error
from adapters.ebay.sandbox.instants import printed
from adapters.ebay.sandbox.seller import Seller
from adapters.ebay.sandbox.tokens import Token
from adapters.ebay.sandbox.topics import Topic


class PayloadForm(msgspec.Struct, rename="camel"):
    format: str | None = None
    schema_version: str | None = None
    delivery_protocol: str | None = None


class SubscriptionForm(msgspec.Struct, rename="camel"):
    topic_id: str | None = None
    status: str | None = None
    destination_id: str | None = None
    payload: PayloadForm | None = None


@dataclass(slots=True)
class Subscription:
    id: str
    topic: Topic
    destination: Destination
    schema_version: str
    enabled: bool
    created_at: datetime

    def view(self) -> Json:
        return {
            "subscriptionId": self.id,
            "topicId": self.topic.id,
            "status": "ENABLED" if self.enabled else "DISABLED",
            "creationDate": printed(self.created_at),
            "destinationId": self.destination.id,
            "payload": {"format": "JSON", "schemaVersion": self.schema_version, "deliveryProtocol": "HTTPS"},
        }


class Subscriptions:
    """One subscription a topic."""

    def __init__(self, seller: Seller, destinations: Destinations, topics: Mapping[str, Topic]) -> None:
        self._seller = seller
        self._destinations = destinations
        self._topics = topics
        self._by_id: dict[str, Subscription] = {}

    def __contains__(self, subscription: Subscription) -> bool:
        return subscription.id in self._by_id

    def listed(self) -> list[Subscription]:
        return list(self._by_id.values())

    def served(self, topic_id: str) -> list[Subscription]:
        """The subscriptions of a topic that are delivered just now."""
        return [one for one in self._by_id.values() if one.topic.id == topic_id and is_served(one)]

    def bound_to(self, destination: Destination) -> bool:
        return any(one.destination is destination for one in self._by_id.values())

    def named(self, subscription_id: str) -> Subscription:
        """Raises 404 with 195013."""
        found = self._by_id.get(subscription_id)
        if found is None:
            raise notification_error(404, 195013, "The subscription id does not exist.")
        return found

    def add(self, form: SubscriptionForm, token: Token) -> Subscription:
        self._destinations.require_config()
        topic = self._topics.get(form.topic_id or "")
        if topic is None:
            raise notification_error(400, 195027, "Invalid or missing topic id.")
        if token.holder is not topic.subscriber or token.scopes.isdisjoint(topic.scopes):
            raise notification_error(403, 195011, "Not authorized for this topic.")
        destination, version = self._checked(form, topic)
        if any(one.topic is topic for one in self._by_id.values()):
            raise notification_error(409, 195012, "Subscription already exists")
        made = Subscription(
            str(self._seller.rng.uuid()),
            topic,
            destination,
            version,
            form.status == "ENABLED",
            self._seller.instant(),
        )
        self._by_id[made.id] = made
        return made

    def replace(self, subscription: Subscription, form: SubscriptionForm) -> None:
        destination, version = self._checked(form, subscription.topic)
        subscription.destination = destination
        subscription.schema_version = version
        subscription.enabled = form.status == "ENABLED"

    def enable(self, subscription: Subscription) -> None:
        _refuse_disabled(subscription.destination)
        subscription.enabled = True

    def remove(self, subscription: Subscription) -> None:
        self._by_id.pop(subscription.id, None)

    def _checked(self, form: SubscriptionForm, topic: Topic) -> tuple[Destination, str]:
        """(destination, schema version). Raises 400 naming what is wrong, 409 for a destination out of use."""
        payload = form.payload or PayloadForm()
        if form.status not in ("ENABLED", "DISABLED"):
            raise notification_error(400, 195006, "Invalid or missing subscription status.")
        destination = self._destinations.get(form.destination_id or "")
        if destination is None:
            raise notification_error(400, 195007, "Invalid or missing destination id.")
        if payload.schema_version is None or payload.schema_version not in topic.versions:
            message = (
                "Invalid or missing schema version. Please refer to /topic/{topic_id} for supported schema versions."
            )
            raise notification_error(400, 195008, message)
        if payload.format != "JSON":
            raise notification_error(400, 195009, "Specified format is not supported for the topic.")
        if payload.delivery_protocol != "HTTPS":
            raise notification_error(400, 195010, "Invalid or missing protocol")
        if form.status == "ENABLED":
            _refuse_disabled(destination)
        return destination, payload.schema_version


def is_served(subscription: Subscription) -> bool:
    return subscription.enabled and subscription.destination.enabled


def _refuse_disabled(destination: Destination) -> None:
    if not destination.enabled:
        message = "The subscription cannot be enabled since the destination is not enabled."
        raise notification_error(409, 195015, message)
