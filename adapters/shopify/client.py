"""A Shopify shop as a `Channel`: one location's `available`, written by compare-and-set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

import httpx
import msgspec
import structlog

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
    Transient,
)
from adapters.http import CALL_REAL_S, PATIENT, RetryPolicy, within
from adapters.shopify import webhook, writes
from adapters.shopify.gids import checked_gid
from adapters.shopify.graphql import GraphqlClient, NodesData
from adapters.shopify.installation import identify
from adapters.shopify.mapping import listed_item, quantity_read
from adapters.shopify.operations import LEVELS, SET_QUANTITIES, VARIANTS
from adapters.shopify.order_reader import OrderReader
from adapters.shopify.refusals import PreviousAttemptFailed
from adapters.shopify.settings import ShopifySettings
from adapters.shopify.subscriptions import ensure_subscriptions
from adapters.shopify.traits import READ_BATCH, shopify_traits
from adapters.subscription import Subscription

log = structlog.get_logger(__name__)
_LISTINGS_A_PAGE = 250


class ShopifyChannel:
    """One shop. Order lines name listings by variant; a listing is (inventory item, location)."""

    def __init__(
        self, settings: ShopifySettings, clock: Clock, rng: Rng, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._graphql = GraphqlClient(settings, clock, rng, transport)
        self._sweeps = OrderReader(self._graphql, settings.page_size, PATIENT)
        self._orders = OrderReader(self._graphql, settings.page_size, RetryPolicy())

    @property
    def traits(self) -> ChannelTraits:
        return shopify_traits(self._settings.poll_every_s, self._settings.request_timeout_real_s)

    @property
    def throttled(self) -> int:
        return self._graphql.throttled

    @property
    def queue(self) -> NewsQueue | None:
        return None

    async def identify(self) -> Identity:
        return await identify(self._graphql, self._settings)

    def poll_orders(self, since: datetime) -> AsyncIterator[Page]:
        """Every order changed at or after `since`, whole, in pages. Ending without error means: complete."""
        return self._sweeps.poll(since)

    async def fetch_orders(self, channel_order_ids: Sequence[str]) -> tuple[RawEvent, ...]:
        return await self._orders.fetch(channel_order_ids)

    async def list_listings(self) -> AsyncIterator[ListingPage]:
        """Every variant as a listing at our location."""
        variables = {"location": self._settings.location}
        async for page in self._graphql.pages(
            VARIANTS, "productVariants", variables, _LISTINGS_A_PAGE, _later_variants, PATIENT
        ):
            items = [listed_item(node, self._settings.location) for node in page.nodes]
            if None in items:
                log.warning("shopify.variants_unreadable", count=items.count(None))
            info = page.page_info
            yield ListingPage(
                tuple(item for item in items if item is not None), info.end_cursor if info.has_next_page else None
            )

    async def read_quantities(self, refs: Sequence[ListingRef]) -> tuple[QuantityRead, ...]:
        """One result per ref, in order. A ref that is no inventory item is answered without asking."""
        if len(refs) > READ_BATCH:
            raise ValueError(f"a read has at most {READ_BATCH} refs")
        reads: dict[ListingRef, QuantityRead] = {}
        async with within(CALL_REAL_S, "read quantities"):
            for location in dict.fromkeys(ref.channel_location for ref in refs):
                here = [ref for ref in dict.fromkeys(refs) if ref.channel_location == location and _askable(ref)]
                reads.update(await self._read(location, here))
        return tuple(reads.get(ref) or QuantityRead(ref, None, "not the id of an inventory item") for ref in refs)

    async def _read(self, location: str, refs: Sequence[ListingRef]) -> dict[ListingRef, QuantityRead]:
        if not refs:
            return {}
        variables = {"ids": [ref.channel_sku for ref in refs], "location": location}
        nodes = (await self._graphql.execute(LEVELS, variables, NodesData)).nodes
        if len(nodes) != len(refs):
            raise Transient(f"{LEVELS.name}: {len(nodes)} nodes for {len(refs)} ids")
        return {ref: quantity_read(node, ref) for ref, node in zip(refs, nodes, strict=True)}

    def compose_write(self, push_id: str, rows: Sequence[QuantityWrite]) -> str:
        return writes.compose(push_id, rows)

    async def send_write(self, key: str, body: str) -> tuple[RowResult, ...]:
        """Send exactly `body` under `key`. Repeating it within 24 hours changes nothing more.

        Rows that a refusal names are STALE or REJECTED and the others NOT_WRITTEN. All NOT_WRITTEN with reason
        `writes.UNNAMED`: no row was named, so halve the batch (new keys). `writes.PREVIOUS_ATTEMPT_FAILED`: the same
        rows need a new key. Rejected is raised for what no row is to blame for, and for a key used otherwise before.
        """
        rows = writes.rows_of(body)
        variables = {"input": msgspec.Raw(body.encode()), "key": key}
        try:
            data = await self._graphql.execute(SET_QUANTITIES, variables, writes.SetData, writes.judge)
        except PreviousAttemptFailed as err:
            return writes.previous_attempt_failed(rows, err)
        return writes.results(rows, data)

    async def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> RawEvent:
        return webhook.verify(headers, body, self._settings.secrets)

    def answer_challenge(self, query: Mapping[str, str], address: str) -> bytes | None:
        return None

    def resolve(self, event: RawEvent) -> News:
        return webhook.resolve(event, self._settings.location)

    async def ensure_webhooks(self, public_url: str) -> tuple[Subscription, ...]:
        """Subscribe that address to every topic it lacks; says what became of each topic."""
        return await ensure_subscriptions(self._graphql, public_url)

    async def close(self) -> None:
        await self._graphql.close()


def _askable(ref: ListingRef) -> bool:
    # One malformed id would refuse the whole batch.
    item, location = ref.channel_sku, ref.channel_location
    return checked_gid("InventoryItem", item) is not None and checked_gid("Location", location) is not None


def _later_variants(nodes: Sequence[object], query: str) -> str | None:
    last = nodes[-1] if nodes else None
    variant = checked_gid("ProductVariant", last.get("id")) if isinstance(last, dict) else None
    return f"id:>={int(variant.rsplit('/', 1)[1]) + 1}" if variant is not None else None
