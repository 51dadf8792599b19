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
from adapters.shopify.sandbox.errors import Json
from adapters.shopify.sandbox.faults import Faults
from adapters.shopify.sandbox.seed import ShopSeed
from adapters.shopify.sandbox.subscriptions import Subscription, Subscriptions, Topic

log = logging.getLogger(__name__)

# Eight retries over four hours (shopify.dev, webhook delivery, November 2026); how they are spread is our guess.
RETRY_DELAYS_S = (10, 30, 60, 300, 900, 1800, 3600, 7200)
ANSWER_WITHIN_S = 5.0  # real seconds, as live: 1 s of them to connect
CONNECT_WITHIN_S = 1.0
AT_ONCE = 50


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
    ) -> None:
        self._seed = seed
        self._subscriptions = subscriptions
        self._faults = faults
        self._clock = clock
        self._rng = rng
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._open = asyncio.Event()
        self._lanes = asyncio.Semaphore(AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        if self._client is None:
            limits = httpx.Timeout(ANSWER_WITHIN_S, connect=CONNECT_WITHIN_S)
            self._client = httpx.AsyncClient(transport=self._transport, timeout=limits, trust_env=False)
        self.resume()

    async def stop(self) -> None:
        self.pause()
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

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
                if self._faults.chance(self._faults.mix.webhook_drop):
                    self.counts["dropped"] += 1
                    continue
                self._send_off(delivery)
                if self._faults.chance(self._faults.mix.webhook_duplicate):
                    self.counts["duplicated"] += 1
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
        task = asyncio.create_task(self._deliver(delivery, self._faults.webhook_delay()))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, delivery: Delivery, delay_s: float) -> None:
        await self._clock.sleep(delay_s)
        for retry_delay_s in (*RETRY_DELAYS_S, None):
            await self._open.wait()
            if delivery.subscription not in self._subscriptions:
                return
            if await self._post(delivery):
                self.counts["sent"] += 1
                return
            self.counts["failed"] += 1
            if retry_delay_s is not None:
                await self._clock.sleep(retry_delay_s)
        if self._subscriptions.remove(delivery.subscription.id):
            self.counts["subscriptions_deleted"] += 1
            log.warning("webhook subscription deleted after its last retry: %s", delivery.subscription.topic.value)

    async def _post(self, delivery: Delivery) -> bool:
        """True if the subscriber took it in time."""
        if self._client is None:
            return False
        async with self._lanes:
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    answer = await self._client.post(
                        delivery.subscription.uri, content=delivery.body, headers=delivery.headers
                    )
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
                return False
        return answer.is_success
