"""What lies at FBA for a seller on Amazon."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack

from adapters.amazon import AmazonSettings, AmazonStock
from adapters.amazon.sandbox import AmazonSandbox, ItemSeed, SellerSeed
from tests.contract.suite.rigs.amazon import A_MODEL, CALM
from tests.contract.suite.rigs.channel_rig import served
from tests.contract.suite.rigs.warehouse_rig import WarehouseRig
from tests.support.specs.amazon import amazon
from tests.support.specs.shelf import at_hand
from tests.unit.shopify_sandbox.kit import SeededRng


class FbaRig(WarehouseRig):
    """MERCHANT-ONLY is a SKU that FBA does not know."""

    name = "fba"
    token_path = "/auth/o2/token"
    token_header = "x-amz-access-token"
    stock_operation = "getInventorySummaries"
    levels_a_page = 50

    async def open(self, stack: AsyncExitStack, stock: Mapping[str, int]) -> None:
        known = tuple(ItemSeed(sku, quantity=None, fba_quantity=pieces) for sku, pieces in stock.items())
        seed = SellerSeed(items=(*known, ItemSeed("MERCHANT-ONLY", quantity=9)), faults=CALM)
        sandbox = AmazonSandbox(seed, self.stepping, SeededRng(7))
        address, self.counter = await served(stack, sandbox.app)
        settings = AmazonSettings(
            address,
            f"{address}{self.token_path}",
            seed.seller_id,
            (seed.marketplace_id,),
            seed.client_id,
            seed.client_secret,
            seed.refresh_token,
            None,
            request_timeout_real_s=5.0,
        )
        self.source = AmazonStock(settings, self.clock, SeededRng(11), self.recorder)
        stack.push_async_callback(self.source.close)
        self.judge = amazon().violations if at_hand(A_MODEL) else None

    async def types(self, sku: str, free: int) -> None:
        await self.counter.post("fba", sku=sku, fulfillable=free)
