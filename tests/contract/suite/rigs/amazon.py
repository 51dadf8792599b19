"""A seller on Amazon, with the queue that Amazon sends its notifications to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from adapters.amazon import AmazonChannel, AmazonSettings, QueueSettings
from adapters.amazon.sandbox import AmazonSandbox, FaultMix, ItemSeed, SellerSeed
from adapters.contract import RawEvent
from tests.contract.suite.rigs.channel_rig import ChannelRig, served
from tests.support.specs.amazon import amazon, notification_wrongs
from tests.support.specs.shelf import at_hand
from tests.unit.shopify_sandbox.kit import SeededRng

CALM = replace(FaultMix.none(), webhook_delay_min_s=1.0, webhook_delay_max_s=1.0, storm_s=0.1)
A_MODEL = "amazon/models/orders-api-model/orders_2026-01-01.json"


class AmazonRig(ChannelRig):
    name = "amazon"
    token_path = "/auth/o2/token"
    signature_header = ""
    sells_unpaid = shows_unpaid = True
    poll_operation = "searchOrders"
    write_operation = "patchListingsItem"
    invisible_s = 30.0
    orders_a_page = 100
    listings_a_page = 20

    async def open(self, stack: AsyncExitStack, codes: Sequence[str], quantity: int, *, lagging: bool) -> None:
        lag = SellerSeed().visibility_lag_s if lagging else 0.0
        items = tuple(ItemSeed(code, quantity=quantity) for code in codes)
        seed = SellerSeed(items=items, visibility_lag_s=lag, faults=CALM)
        sandbox = AmazonSandbox(seed, self.stepping, SeededRng(7))
        address, self.counter = await served(stack, sandbox.app)
        queue = QueueSettings(f"{address}/000000000000/orders", "us-east-1", address, "key", "secret", wait_real_s=0)
        settings = AmazonSettings(
            address,
            f"{address}{self.token_path}",
            seed.seller_id,
            (seed.marketplace_id,),
            seed.client_id,
            seed.client_secret,
            seed.refresh_token,
            queue,
            request_timeout_real_s=5.0,
        )
        self.channel = self.mail.channel = AmazonChannel(settings, self.clock, SeededRng(11), self.recorder)
        stack.push_async_callback(self.channel.close)
        self.judge = amazon().violations if at_hand(A_MODEL) else None

    def news_wrongs(self, event: RawEvent) -> list[str]:
        return notification_wrongs(json.loads(event.body)) if self.judge is not None else []
