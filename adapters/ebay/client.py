"""An eBay seller on one marketplace as a `Channel`: the number of a SKU, written by a plain set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

import httpx

from adapters.contract import (
    ChannelTraits,
    Clock,
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
from adapters.ebay import webhook, writes
from adapters.ebay.installation import identify
from adapters.ebay.inventory import InventoryReader
from adapters.ebay.offers import OfferBook
from adapters.ebay.orders import OrderReader
from adapters.ebay.public_keys import PublicKeys
from adapters.ebay.quantity_writer import QuantityWriter
from adapters.ebay.rest import EbayRest
from adapters.ebay.settings import EbaySettings
from adapters.ebay.subscriptions import ensure_subscriptions
from adapters.ebay.traits import BATCH, ebay_traits
from adapters.subscription import Subscription


class EbayChannel:
    """One seller. A listing is (SKU, marketplace); order lines name it by "<listing id>/<SKU>"."""

    def __init__(
        self, settings: EbaySettings, clock: Clock, rng: Rng, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._rest = EbayRest(settings, clock, rng, transport)
        offers = OfferBook(self._rest, settings.marketplace_id)
        self._orders = OrderReader(self._rest, clock)
        self._inventory = InventoryReader(self._rest, offers, settings.marketplace_id)
        self._writer = QuantityWriter(self._rest, offers, settings.marketplace_id, settings.request_timeout_real_s)
        self._keys = PublicKeys(self._rest, clock)

    @property
    def traits(self) -> ChannelTraits:
        return ebay_traits(self._settings.poll_every_s, self._settings.request_timeout_real_s)

    @property
    def throttled(self) -> int:
        return self._rest.throttled

    @property
    def queue(self) -> NewsQueue | None:
        return None

    async def identify(self) -> Identity:
        return await identify(self._rest, self._settings)

    def poll_orders(self, since: datetime) -> AsyncIterator[Page]:
        """Every order changed at or after `since`, whole, in pages. Ending without error means: complete.

        An unpaid purchase is no order yet: it shows only as a listing's lower number.
        """
        return self._orders.poll(since)

    async def fetch_orders(self, channel_order_ids: Sequence[str]) -> tuple[RawEvent, ...]:
        return await self._orders.fetch(channel_order_ids)

    def list_listings(self) -> AsyncIterator[ListingPage]:
        """Every SKU that is on sale on our marketplace."""
        return self._inventory.listings()

    async def read_quantities(self, refs: Sequence[ListingRef]) -> tuple[QuantityRead, ...]:
        """One result per ref, in order; each costs a call for its offer besides the one for all items."""
        if len(refs) > BATCH:
            raise ValueError(f"a read has at most {BATCH} refs")
        return await self._inventory.quantities(refs)

    def compose_write(self, push_id: str, rows: Sequence[QuantityWrite]) -> str:
        return writes.compose(rows)

    async def send_write(self, key: str, body: str) -> tuple[RowResult, ...]:
        """Set the composed numbers, once. eBay knows no idempotency keys: `key` is not sent."""
        return await self._writer.write(writes.rows_of(body))

    async def ensure_webhooks(self, public_url: str) -> tuple[Subscription, ...]:
        """Have order confirmations sent to that address; says what became of each step."""
        return await ensure_subscriptions(self._rest, public_url, self._settings.verification_token)

    async def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> RawEvent:
        """The event, if eBay signed the raw bytes. Raises Forged, and AdapterError where its key cannot be had."""
        claimed = webhook.claim(headers)
        return webhook.verified(await self._keys.get(claimed.key_id), claimed, body)

    def answer_challenge(self, query: Mapping[str, str], address: str) -> bytes | None:
        return webhook.answer_challenge(query, address, self._settings.verification_token)

    def resolve(self, event: RawEvent) -> News:
        return webhook.resolve(event)

    async def close(self) -> None:
        await self._rest.close()
