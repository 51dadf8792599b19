"""A Shopify shop."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from adapters.contract import ListingRef
from adapters.shopify import ShopifyChannel, ShopifySettings
from adapters.shopify.sandbox import FaultMix, ItemSeed, ShopifySandbox, ShopSeed
from tests.contract.suite.rigs.channel_rig import ChannelRig, served
from tests.support.specs.shelf import at_hand
from tests.support.specs.shopify import shopify
from tests.unit.shopify_sandbox.kit import SeededRng

_CALM = replace(FaultMix.none(), webhook_delay_min_s=1.0, webhook_delay_max_s=1.0)


class ShopifyRig(ChannelRig):
    name = "shopify"
    token_path = "/admin/oauth/access_token"
    signature_header = "x-shopify-hmac-sha256"
    poll_operation = "orders"
    write_operation = "inventorySetQuantities"
    orders_a_page = 10
    listings_a_page = 250

    async def open(self, stack: AsyncExitStack, codes: Sequence[str], quantity: int, *, lagging: bool) -> None:
        lag = ShopSeed().index_lag_s if lagging else 0.0
        items = tuple(ItemSeed(code, quantity=quantity) for code in codes)
        seed = ShopSeed(items=items, index_lag_s=lag, write_latency_s=0.0, faults=_CALM)
        sandbox = ShopifySandbox(seed, self.stepping, SeededRng(7), self.mail)
        address, self.counter = await served(stack, sandbox.app)
        settings = ShopifySettings(
            address,
            seed.client_id,
            seed.client_secret,
            None,
            f"gid://shopify/Location/{next(iter(sandbox.shop.locations))}",
            page_size=self.orders_a_page,
            request_timeout_real_s=5.0,
        )
        self.channel = self.mail.channel = ShopifyChannel(settings, self.clock, SeededRng(11), self.recorder)
        stack.push_async_callback(self.channel.close)
        self.judge = shopify().violations if at_hand("shopify/admin_2026-10.graphql.gz") else None

    def order_id(self, told: str) -> str:
        return f"gid://shopify/Order/{told}"

    def stranger(self, like: ListingRef) -> ListingRef:
        kind, number = like.channel_sku.rsplit("/", 1)
        return ListingRef(f"{kind}/{int(number) + 424_242}", like.channel_location)
