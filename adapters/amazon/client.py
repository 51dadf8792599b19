"""A seller in one Amazon region as a `Channel`: the merchant-fulfilled number of each seller SKU, by plain set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

import httpx

from adapters.amazon import news, writes
from adapters.amazon.listings import ListingReader
from adapters.amazon.order_reader import OrderReader
from adapters.amazon.participation import look_at_marketplaces
from adapters.amazon.queue import SqsQueue
from adapters.amazon.settings import AmazonSettings
from adapters.amazon.sp_api import SpApi
from adapters.amazon.traits import amazon_traits
from adapters.contract import (
    ChannelTraits,
    Clock,
    Forged,
    Identity,
    ListingPage,
    ListingRef,
    News,
    NewsQueue,
    Page,
    QuantityRead,
    QuantityWrite,
    RawEvent,
    Rng,
    RowResult,
)


class AmazonChannel:
    """One seller. A listing is a seller SKU's DEFAULT number; order lines name it by the seller SKU."""

    def __init__(
        self, settings: AmazonSettings, clock: Clock, rng: Rng, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._api = SpApi(settings, clock, rng, transport)
        self._orders = OrderReader(self._api, settings)
        self._listings = ListingReader(self._api, settings)
        self._writer = writes.QuantityWriter(self._api, settings, self._listings)
        self._queue = SqsQueue(settings.queue) if settings.queue is not None else None

    @property
    def traits(self) -> ChannelTraits:
        return amazon_traits(self._settings.poll_every_s, self._settings.request_timeout_real_s)

    @property
    def throttled(self) -> int:
        return self._api.throttled + (self._queue.throttled if self._queue is not None else 0)

    @property
    def queue(self) -> NewsQueue | None:
        return self._queue

    async def identify(self) -> Identity:
        """Amazon names neither the seller nor the roles granted: what answers is what was configured."""
        await self._listings.one_page()
        odd: list[str] = []
        wrongs: list[str] = []
        if len(self._settings.marketplace_ids) > 1:  # of one alone the page has told already
            odd, wrongs = await look_at_marketplaces(self._api, self._settings.marketplace_ids)
        late = f"no queue is configured: orders are seen only by polling, every {self._settings.poll_every_s:.0f} s"
        return Identity(
            name=self._settings.seller_id,
            scopes=(),
            missing_scopes=(),
            api_version="orders 2026-01-01, listings 2021-08-01",
            warnings=(*odd, late) if self._queue is None else tuple(odd),
            wrongs=tuple(wrongs),
        )

    def poll_orders(self, since: datetime) -> AsyncIterator[Page]:
        """Every order changed at or after `since`, whole, in pages. Ending without error means: complete."""
        return self._orders.poll(since)

    async def fetch_orders(self, channel_order_ids: Sequence[str]) -> tuple[RawEvent, ...]:
        return await self._orders.fetch(channel_order_ids)

    def list_listings(self) -> AsyncIterator[ListingPage]:
        return self._listings.walk()

    async def read_quantities(self, refs: Sequence[ListingRef]) -> tuple[QuantityRead, ...]:
        return await self._listings.read(refs)

    def compose_write(self, push_id: str, rows: Sequence[QuantityWrite]) -> str:
        return writes.compose(push_id, rows)

    async def send_write(self, key: str, body: str) -> tuple[RowResult, ...]:
        """Send a composed body. Amazon knows no idempotency key: never send it again, read what was left unknown."""
        return await self._writer.send(body)

    async def ensure_webhooks(self, public_url: str) -> tuple[()]:
        """Amazon sends no webhooks; its news come through the seller's own queue."""
        return ()

    async def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> RawEvent:
        raise Forged("Amazon sends no webhooks")

    def answer_challenge(self, query: Mapping[str, str], address: str) -> bytes | None:
        return None

    def resolve(self, event: RawEvent) -> News:
        return news.resolve(event)

    async def close(self) -> None:
        if self._queue is not None:
            await self._queue.close()
        await self._api.close()
