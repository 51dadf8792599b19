"""An account at ShipBob."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

from adapters.shipbob import ShipbobSettings, ShipbobWarehouse
from adapters.shipbob.sandbox import FaultMix, ItemSeed, ShipbobSandbox, WarehouseSeed
from tests.contract.suite.rigs.channel_rig import served
from tests.contract.suite.rigs.warehouse_rig import WarehouseRig
from tests.support.specs.shelf import at_hand
from tests.support.specs.shipbob import shipbob
from tests.unit.shopify_sandbox.kit import SeededRng

CALM = replace(FaultMix.none(), webhook_delay_min_s=1.0, webhook_delay_max_s=1.0)
SECRET = "whsec_dGhlLXNlY3JldC1vZi10aGUtc3VpdGU/"
PICKED_AFTER_S = 600.0


class ShipbobRig(WarehouseRig):
    name = "shipbob"
    token_path = ""
    token_header = "authorization"
    signature_header = "webhook-signature"
    stock_operation = "levels"
    submit_operation = "order.create"
    cancel_operation = "order.cancel"
    levels_a_page = 100

    async def open(self, stack: AsyncExitStack, stock: Mapping[str, int]) -> None:
        items = tuple(ItemSeed(sku, on_hand=pieces) for sku, pieces in stock.items())
        long = (86_400.0, 86_400.0)
        seed = WarehouseSeed(items=items, pick_after_s=(PICKED_AFTER_S, PICKED_AFTER_S), ship_after_s=long, faults=CALM)
        self.sandbox = ShipbobSandbox(seed, self.stepping, SeededRng(7), self.mail)
        address, self.counter = await served(stack, self.sandbox.app)
        settings = ShipbobSettings(
            address, seed.token, seed.channel_id, seed.location_id, SECRET, request_timeout_real_s=5.0
        )
        self.source = self.fulfiller = ShipbobWarehouse(settings, self.clock, SeededRng(11), self.recorder)
        stack.push_async_callback(self.fulfiller.close)
        self.judge = shipbob().violations if at_hand("threepl/shipbob-openapi-2026-01.json") else None

    async def types(self, sku: str, free: int) -> None:
        await self.counter.post("levels", sku=sku, on_hand=free)

    async def begins_to_pick(self, shipment_id: str) -> None:
        await self.passes(PICKED_AFTER_S + 1)

    async def ships(self, shipment_id: str) -> None:
        await self.counter.post(f"orders/{shipment_id}/ship")
