"""A seller on eBay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import ClassVar

from adapters.ebay import EbayChannel, EbaySettings
from adapters.ebay.sandbox import EbaySandbox, FaultMix, ItemSeed, SellerSeed
from tests.contract.suite.rigs.channel_rig import ChannelRig, served
from tests.support.specs.ebay import ebay
from tests.support.specs.shelf import at_hand
from tests.unit.shopify_sandbox.kit import SeededRng

CALM = replace(FaultMix.none(), webhook_delay_min_s=1.0, webhook_delay_max_s=1.0)
TOKEN = "a-verification-token-of-forty-characters"


class EbayRig(ChannelRig):
    name = "ebay"
    token_path = "/identity/v1/oauth2/token"
    signature_header = "x-ebay-signature"
    sells_unpaid = True
    own_weather: ClassVar[Mapping[str, float]] = {"row_failure": 0.15, "concurrent_access": 0.1, "forbidden_page": 0.05}
    poll_operation = "get_orders"
    write_operation = "bulk_update_price_quantity"
    orders_a_page = 200
    listings_a_page = 200

    async def open(self, stack: AsyncExitStack, codes: Sequence[str], quantity: int, *, lagging: bool) -> None:
        lag = SellerSeed().index_lag_s if lagging else 0.0
        items = tuple(ItemSeed(code, quantity=quantity) for code in codes)
        seed = SellerSeed(items=items, index_lag_s=lag, write_latency_s=0.0, faults=CALM)
        sandbox = EbaySandbox(seed, self.stepping, SeededRng(7), self.mail)
        address, self.counter = await served(stack, sandbox.app)
        settings = EbaySettings(
            address,
            seed.client_id,
            seed.client_secret,
            seed.refresh_token,
            seed.marketplace_id,
            TOKEN,
            request_timeout_real_s=5.0,
        )
        self.channel = self.mail.channel = EbayChannel(settings, self.clock, SeededRng(11), self.recorder)
        stack.push_async_callback(self.channel.close)
        self.judge = ebay().violations if at_hand("ebay/sell_inventory_v1_oas3.json") else None
