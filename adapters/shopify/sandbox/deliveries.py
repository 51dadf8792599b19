"""Carries news to subscribers over HTTP: late, sometimes twice, sometimes not at all."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx

from adapters.contract import Clock, Rng
from adapters.sandbox_kit.postman import Postman
from adapters.sandbox_kit.under_way import UnderWay
from adapters.shopify.sandbox.errors import Json
from adapters.shopify.sandbox.faults import Faults
from adapters.shopify.sandbox.seed import ShopSeed
from adapters.shopify.sandbox.subscriptions import Subscription, Subscriptions, Topic

log = logging.getLogger(__name__)

# Eight retries over four hours (shopify.dev, webhook delivery, November 2026); how they are spread is our guess.
RETRY_DELAYS_S = (10, 30, 60, 300, 900, 1800, 3600, 7200)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a subscriber may take, in real seconds."""

    connect_within_s: float
    answer_within_s: float


LIVE = Patience(connect_within_s=1.0, answer_within_s=5.0)  # shopify.dev, webhook delivery, November 2026


def sign(secret: str, body: bytes) -> str:
    """The value of X-Shopify-Hmac-Sha256."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One envelope. Retries and duplicates carry the same headers and the same bytes."""

    subscription: Subscription
    headers: dict[str, str]
    body: bytes


class Deliveries:
    """Delivers announced news on tasks of its own, one an envelope, until stopped."""

    def __init__(
        self,
        seed: ShopSeed,
        subscriptions: Subscriptions,
        faults: Faults,
        clock: Clock,
        rng: Rng,
        transport: httpx.AsyncBaseTransport | None,
        patience: Patience = LIVE,
    ) -> None:
        self._seed = seed
        self._subscriptions = subscriptions
        self._faults = faults
        self._clock = clock
        self._rng = rng
        self._postman = Postman(
            transport, within_s=patience.answer_within_s, connect_within_s=patience.connect_within_s
        )
        self._open = asyncio.Event()
        self._under_way = UnderWay()
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        self._postman.start()
        self.resume()

    async def stop(self) -> None:
        self.pause()
        await self._under_way.stop()
        await self._postman.stop()

    def pause(self) -> None:
        """Hold every delivery back until `resume`; their delays run on."""
        self._open.clear()

    def resume(self) -> None:
        self._open.set()

    @property
    def pending(self) -> int:
        return len(self._under_way)

    def announce(self, news: Sequence[tuple[Topic, Json]], at: datetime) -> None:
        """Send what one action brought about to everyone who subscribed to it."""
        event_id = str(self._rng.uuid())
        for topic, payload in news:
            for subscription in self._subscriptions.listed([topic]):
                delivery = self._envelope(subscription, payload, event_id, at)
                for _ in self._faults.copies(self.counts):
                    self._send_off(delivery)

    def _envelope(self, subscription: Subscription, payload: Json, event_id: str, at: datetime) -> Delivery:
        wanted = subscription.include_fields
        shown = {key: value for key, value in payload.items() if key in wanted} if wanted else payload
        body = json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": subscription.topic.value,
            "X-Shopify-Hmac-Sha256": sign(self._seed.client_secret, body),
            "X-Shopify-Shop-Domain": self._seed.domain,
            "X-Shopify-API-Version": self._seed.webhook_api_version,
            "X-Shopify-Webhook-Id": str(self._rng.uuid()),
            "X-Shopify-Event-Id": event_id,
            "X-Shopify-Triggered-At": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        if subscription.name is not None:
            headers["X-Shopify-Name"] = subscription.name
        return Delivery(subscription, headers, body)

    def _send_off(self, delivery: Delivery) -> None:
        self._under_way.begin(self._deliver(delivery, self._faults.webhook_delay()))

    async def _deliver(self, delivery: Delivery, delay_s: float) -> None:
        await self._clock.sleep(delay_s)
        for retry_delay_s in (*RETRY_DELAYS_S, None):
            await self._open.wait()
            if delivery.subscription not in self._subscriptions:
                return
            if await self._postman.post(delivery.subscription.uri, delivery.body, delivery.headers):
                self.counts["sent"] += 1
                return
            self.counts["failed"] += 1
            if retry_delay_s is not None:
                await self._clock.sleep(retry_delay_s)
        if self._subscriptions.remove(delivery.subscription.id):
            self.counts["subscriptions_deleted"] += 1
            log.warning("webhook subscription deleted after its last retry: %s", delivery.subscription.topic.value)
