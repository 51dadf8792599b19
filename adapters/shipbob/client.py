"""ShipBob as a `Fulfiller`: one channel of one account, and one of its locations or all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

import httpx

from adapters.contract import Clock, Identity, Rng
from adapters.shipbob import webhook
from adapters.shipbob.account import identify
from adapters.shipbob.rest import Rest
from adapters.shipbob.settings import ShipbobSettings
from adapters.shipbob.shipments import Shipments
from adapters.shipbob.stock import StockReader
from adapters.shipbob.subscriptions import ensure_subscriptions
from adapters.shipbob.traits import shipbob_traits
from adapters.subscription import Subscription
from adapters.warehouse import Cancelled, ShipmentOrder, ShipmentState, StockPage, WarehouseTraits


class ShipbobWarehouse:
    """Our goods go by SKU, which is a product's `reference_id`; a shipment's id is that of ShipBob's order."""

    def __init__(
        self, settings: ShipbobSettings, clock: Clock, rng: Rng, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._rest = Rest(settings, clock, rng, transport)
        self._stock = StockReader(self._rest, settings.location_id, clock)
        self._shipments = Shipments(self._rest, settings)

    @property
    def traits(self) -> WarehouseTraits:
        return shipbob_traits(self._settings.poll_every_s, self._settings.request_timeout_real_s)

    @property
    def throttled(self) -> int:
        return self._rest.throttled

    async def identify(self) -> Identity:
        return await identify(self._rest, self._settings)

    def read_stock(self) -> AsyncIterator[StockPage]:
        return self._stock.read()

    async def submit(self, order: ShipmentOrder) -> ShipmentState:
        return await self._shipments.submit(order)

    async def find(self, reference: str) -> ShipmentState | None:
        return await self._shipments.find(reference)

    def poll_shipments(self, since: datetime) -> AsyncIterator[Sequence[ShipmentState]]:
        return self._shipments.poll(since)

    async def cancel(self, warehouse_shipment_id: str) -> Cancelled:
        return await self._shipments.cancel(warehouse_shipment_id)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> str:
        return webhook.verify(headers, body, self._settings.webhook_secret, self._clock.now())

    async def ensure_webhooks(self, public_url: str) -> tuple[Subscription, ...]:
        """Have shipment news sent to this address; says what became of each topic."""
        return await ensure_subscriptions(self._rest, public_url, self._settings.webhook_secret)

    async def close(self) -> None:
        await self._rest.close()
