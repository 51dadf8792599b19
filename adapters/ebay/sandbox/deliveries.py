"""Carries news to subscribers over HTTP: late, out of order, sometimes twice, sometimes not at all."""

from __future__ import annotations

import logging
from collections import Counter

from adapters.ebay.sandbox.faults import Faults
from adapters.ebay.sandbox.news import News, mocked_data, order_data
from adapters.ebay.sandbox.records import Order
from adapters.ebay.sandbox.seller import Seller
from adapters.ebay.sandbox.signing import SigningKey
from adapters.ebay.sandbox.subscriptions import Subscription, Subscriptions, is_served
from adapters.ebay.sandbox.topics import ORDER_CONFIRMATION
from adapters.sandbox_kit.postman import Postman
from adapters.sandbox_kit.under_way import UnderWay

log = logging.getLogger(__name__)

# Three attempts are documented; how they are spread is our guess.
BACK_OFF_S = ((30.0, 90.0), (300.0, 900.0))


class Deliveries:
    """Delivers on tasks of its own, one a notification, until stopped."""

    def __init__(
        self, seller: Seller, subscriptions: Subscriptions, key: SigningKey, faults: Faults, postman: Postman
    ) -> None:
        self._seller = seller
        self._subscriptions = subscriptions
        self._key = key
        self._faults = faults
        self._postman = postman
        self._under_way = UnderWay()
        self.counts: Counter[str] = Counter()

    async def stop(self) -> None:
        await self._under_way.stop()

    @property
    def pending(self) -> int:
        return len(self._under_way)

    def confirm(self, order: Order) -> None:
        """Tell of a paid order, one notification a line."""
        for subscription in self._subscriptions.served(ORDER_CONFIRMATION):
            for line in order.lines:
                news = News(
                    self._new_id(), ORDER_CONFIRMATION, self._seller.instant(), order_data(self._seller, order, line)
                )
                for _ in self._faults.copies(self.counts):
                    self._send_off(subscription, news)

    def test(self, subscription: Subscription) -> str:
        """Send a mocked notification, to a disabled subscription too. Returns its id."""
        data = mocked_data(self._seller, subscription.topic.id)
        news = News(self._new_id(), subscription.topic.id, self._seller.instant(), data)
        self._send_off(subscription, news, test=True)
        return news.id

    def _new_id(self) -> str:
        return f"{self._seller.rng.uuid()}_{self._seller.rng.uuid()}"

    def _send_off(self, subscription: Subscription, news: News, *, test: bool = False) -> None:
        self._under_way.begin(self._deliver(subscription, news, self._faults.webhook_delay(), test=test))

    async def _deliver(self, subscription: Subscription, news: News, delay_s: float, *, test: bool) -> None:
        await self._seller.clock.sleep(delay_s)
        for attempt, back_off in enumerate((*BACK_OFF_S, None), start=1):
            if subscription not in self._subscriptions or not (test or is_served(subscription)):
                return
            if await self._attempt(subscription, news, attempt):
                self.counts["sent"] += 1
                return
            self.counts["failed"] += 1
            if back_off is not None:
                await self._seller.clock.sleep(self._seller.rng.uniform(*back_off))
        self.counts["given_up"] += 1
        log.warning("notification given up after its last attempt: %s", news.topic_id)

    async def _attempt(self, subscription: Subscription, news: News, attempt: int) -> bool:
        """True if the endpoint took it in time."""
        body = news.body(subscription.schema_version, self._seller.now(), attempt)
        forged = self._faults.chance(self._faults.mix.webhook_forged)
        self.counts["forged"] += forged
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "eBayNotificationService",
            "X-EBAY-SIGNATURE": self._key.forged_header(body) if forged else self._key.header(body),
        }
        return await self._postman.post(subscription.destination.endpoint, body, headers)
