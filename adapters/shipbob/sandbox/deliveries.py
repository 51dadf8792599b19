"""Carries news to subscribers over HTTP, signed: late, sometimes twice, sometimes not at all."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections import Counter
from dataclasses import dataclass

import httpx

from adapters.contract import Clock, Rng
from adapters.sandbox_kit.postman import Postman
from adapters.sandbox_kit.under_way import UnderWay
from adapters.shipbob.sandbox.faults import Faults
from adapters.shipbob.sandbox.records import Json
from adapters.shipbob.sandbox.subscriptions import Subscription, Subscriptions, Topic

log = logging.getLogger(__name__)

RETRY_DELAYS_S = (5, 300, 1800, 7200, 18_000, 36_000, 36_000)  # then the subscription is switched off
ANSWER_WITHIN_S = 15.0  # real seconds, as live


def sign(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """The value of webhook-signature, by Standard Webhooks."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One envelope. Retries and duplicates carry the same id and bytes; each attempt is signed at its own instant."""

    subscription: Subscription
    topic: Topic
    message_id: str
    body: bytes


class Deliveries:
    """Delivers announced news on tasks of its own, one an envelope, until stopped."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        faults: Faults,
        clock: Clock,
        rng: Rng,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._subscriptions = subscriptions
        self._faults = faults
        self._clock = clock
        self._rng = rng
        self._postman = Postman(transport, within_s=ANSWER_WITHIN_S)
        self._under_way = UnderWay()
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        self._postman.start()

    async def stop(self) -> None:
        await self._under_way.stop()
        await self._postman.stop()

    @property
    def pending(self) -> int:
        return len(self._under_way)

    def announce(self, topic: Topic, payload: Json) -> None:
        """Send what happened to everyone who subscribed to it."""
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        for subscription in self._subscriptions.hearing(topic):
            delivery = Delivery(subscription, topic, f"msg_{self._rng.uuid().hex}", body)
            for _ in self._faults.copies(self.counts):
                self._send_off(delivery)

    def _send_off(self, delivery: Delivery) -> None:
        self._under_way.begin(self._deliver(delivery, self._faults.webhook_delay()))

    async def _deliver(self, delivery: Delivery, delay_s: float) -> None:
        await self._clock.sleep(delay_s)
        for retry_delay_s in (*RETRY_DELAYS_S, None):
            if not self._subscriptions.lives(delivery.subscription):
                return
            if await self._post(delivery):
                self.counts["sent"] += 1
                return
            self.counts["failed"] += 1
            if retry_delay_s is not None:
                await self._clock.sleep(retry_delay_s)
        delivery.subscription.enabled = False
        self.counts["subscriptions_disabled"] += 1
        log.warning("webhook subscription switched off after its last retry: %s", delivery.topic.value)

    async def _post(self, delivery: Delivery) -> bool:
        """True if the subscriber took it in time."""
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": delivery.message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": sign(delivery.subscription.secret, delivery.message_id, timestamp, delivery.body),
            "x-webhook-topic": delivery.topic.value,
        }
        return await self._postman.post(delivery.subscription.url, delivery.body, headers)
