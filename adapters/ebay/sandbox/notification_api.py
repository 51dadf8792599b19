"""The Notification API: configuration, destinations, topics, subscriptions and the public key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from adapters.ebay.sandbox.calls import Answer, Call, Handler, Operation
from adapters.ebay.sandbox.deliveries import Deliveries
from adapters.ebay.sandbox.destinations import DestinationForm, Destinations
from adapters.ebay.sandbox.errors import Json, notification_error
from adapters.ebay.sandbox.seed import BASE_SCOPE, SUBSCRIPTION_SCOPE
from adapters.ebay.sandbox.signing import SigningKey
from adapters.ebay.sandbox.subscriptions import SubscriptionForm, Subscriptions
from adapters.ebay.sandbox.topics import Topic

_BASE = "/commerce/notification/v1"
_API = "commerce.notification"


class ConfigForm(msgspec.Struct, rename="camel"):
    alert_email: str = ""


class NotificationApi:
    def __init__(
        self,
        destinations: Destinations,
        subscriptions: Subscriptions,
        topics: Mapping[str, Topic],
        key: SigningKey,
        deliveries: Deliveries,
    ) -> None:
        self._destinations = destinations
        self._subscriptions = subscriptions
        self._topics = topics
        self._key = key
        self._deliveries = deliveries

    def operations(self) -> list[Operation]:
        """Setting up wants the base scope; subscribing that or a scope of its own. Each topic then wants its holder."""
        setting_up = {
            ("get_config", "GET", "/config"): self.config,
            ("update_config", "PUT", "/config"): self.configure,
            ("get_destinations", "GET", "/destination"): self.destinations,
            ("create_destination", "POST", "/destination"): self.add_destination,
            ("get_destination", "GET", "/destination/{id}"): self.destination,
            ("update_destination", "PUT", "/destination/{id}"): self.replace_destination,
            ("delete_destination", "DELETE", "/destination/{id}"): self.remove_destination,
            ("get_topics", "GET", "/topic"): self.topics,
            ("get_topic", "GET", "/topic/{id}"): self.topic,
        }
        subscribing = {
            ("get_subscriptions", "GET", "/subscription"): self.subscriptions,
            ("create_subscription", "POST", "/subscription"): self.add_subscription,
            ("get_subscription", "GET", "/subscription/{id}"): self.subscription,
            ("update_subscription", "PUT", "/subscription/{id}"): self.replace_subscription,
            ("delete_subscription", "DELETE", "/subscription/{id}"): self.remove_subscription,
            ("enable_subscription", "POST", "/subscription/{id}/enable"): self.enable_subscription,
            ("disable_subscription", "POST", "/subscription/{id}/disable"): self.disable_subscription,
            ("test_subscription", "POST", "/subscription/{id}/test"): self.test_subscription,
        }
        return [
            *_operations(setting_up, (BASE_SCOPE,)),
            *_operations(subscribing, (BASE_SCOPE, SUBSCRIPTION_SCOPE)),
            Operation(
                "get_public_key",
                "GET",
                f"{_BASE}/public_key/{{id}}",
                _API,
                (BASE_SCOPE,),
                self.public_key,
                app_only=True,
            ),
        ]

    # --- the account --------------------------------------------------------------------------------------------

    async def config(self, call: Call) -> Answer:
        if self._destinations.alert_email is None:
            raise notification_error(404, 195026, "Configuration Not Found.")
        return Answer(200, {"alertEmail": self._destinations.alert_email})

    async def configure(self, call: Call) -> Answer:
        self._destinations.configure(call.decode(ConfigForm).alert_email)
        return Answer(204)

    async def public_key(self, call: Call) -> Answer:
        if call.part("id") != self._key.id:
            raise notification_error(404, 195001, "The specified key id is invalid.")
        return Answer(200, self._key.public())

    async def topics(self, call: Call) -> Answer:
        return _page(call, "topics", [topic.view() for topic in self._topics.values()])

    async def topic(self, call: Call) -> Answer:
        topic = self._topics.get(call.part("id"))
        if topic is None:
            raise notification_error(404, 195002, "Invalid or missing topic id.")
        return Answer(200, topic.view())

    # --- destinations -------------------------------------------------------------------------------------------

    async def destinations(self, call: Call) -> Answer:
        return _page(call, "destinations", [one.view() for one in self._destinations.listed()])

    async def destination(self, call: Call) -> Answer:
        return Answer(200, self._destinations.named(call.part("id")).view())

    async def add_destination(self, call: Call) -> Answer:
        made = await self._destinations.add(call.decode(DestinationForm))
        return _created(call, made.id)

    async def replace_destination(self, call: Call) -> Answer:
        known = self._destinations.named(call.part("id"))
        await self._destinations.replace(known, call.decode(DestinationForm))
        return Answer(204)

    async def remove_destination(self, call: Call) -> Answer:
        known = self._destinations.named(call.part("id"))
        if self._subscriptions.bound_to(known):
            raise notification_error(409, 195024, "Destination is in use and cannot be deleted.")
        self._destinations.remove(known)
        return Answer(204)

    # --- subscriptions ------------------------------------------------------------------------------------------

    async def subscriptions(self, call: Call) -> Answer:
        """A token sees the subscriptions of its own kind of holder."""
        mine = [one for one in self._subscriptions.listed() if one.topic.subscriber is call.token.holder]
        return _page(call, "subscriptions", [one.view() for one in mine])

    async def subscription(self, call: Call) -> Answer:
        return Answer(200, self._subscriptions.named(call.part("id")).view())

    async def add_subscription(self, call: Call) -> Answer:
        made = self._subscriptions.add(call.decode(SubscriptionForm), call.token)
        return _created(call, made.id)

    async def replace_subscription(self, call: Call) -> Answer:
        self._subscriptions.replace(self._subscriptions.named(call.part("id")), call.decode(SubscriptionForm))
        return Answer(204)

    async def remove_subscription(self, call: Call) -> Answer:
        self._subscriptions.remove(self._subscriptions.named(call.part("id")))
        return Answer(204)

    async def enable_subscription(self, call: Call) -> Answer:
        self._subscriptions.enable(self._subscriptions.named(call.part("id")))
        return Answer(204)

    async def disable_subscription(self, call: Call) -> Answer:
        self._subscriptions.named(call.part("id")).enabled = False
        return Answer(204)

    async def test_subscription(self, call: Call) -> Answer:
        notification_id = self._deliveries.test(self._subscriptions.named(call.part("id")))
        return Answer(202, {"notificationId": notification_id})


def _operations(handlers: Mapping[tuple[str, str, str], Handler], scopes: tuple[str, ...]) -> Iterator[Operation]:
    for (name, method, path), handler in handlers.items():
        yield Operation(name, method, _BASE + path, _API, scopes, handler)


def _created(call: Call, new_id: str) -> Answer:
    return Answer(201, None, {"Location": str(call.request.url.with_query(None) / new_id)})


def _page(call: Call, name: str, views: Sequence[Json]) -> Answer:
    """10 to 100 a page, 20 if not said; the continuation token is the number of the first one on the page."""
    limit, start = call.query("limit") or "20", call.query("continuation_token") or "0"
    if not (limit.isascii() and limit.isdecimal() and len(limit) < 4 and 10 <= int(limit) <= 100):
        raise notification_error(400, 195004, "Invalid limit. Supported ranges 10 - 100.")
    if not (start.isascii() and start.isdecimal() and len(start) < 10):
        raise notification_error(400, 195005, "Invalid continuation token.")
    first, after = int(start), int(start) + int(limit)
    page: Json = {
        "total": len(views),
        "href": str(call.request.url),
        "limit": int(limit),
        name: list(views[first:after]),
    }
    if after < len(views):
        page["next"] = str(call.request.url.update_query(limit=limit, continuation_token=after))
    return Answer(200, page)
