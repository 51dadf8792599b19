"""A catalogue at Amazon is read whole over the wire, also where one instant has more of it than a search gives."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import TestServer

from adapters.amazon import AmazonChannel, AmazonSettings
from adapters.amazon.sandbox import AmazonSandbox, FaultMix, ItemSeed, SellerSeed
from adapters.contract import Rejected
from syncd.chance import SeededRng
from tests.support.shop import PatientClock
from tests.unit.shopify_sandbox.kit import SteppingClock


async def codes_of(items: int) -> list[str | None]:
    """What a walk finds of so many items, all there when the sandbox opens."""
    seed = SellerSeed(items=tuple(ItemSeed(f"SKU-{n:04}", quantity=1) for n in range(items)), faults=FaultMix.none())
    stepping = SteppingClock()  # stands still while the items are listed
    async with TestServer(AmazonSandbox(seed, stepping, SeededRng(7, "sandbox")).app) as server:
        address = str(server.make_url("/")).rstrip("/")
        settings = AmazonSettings(
            base_url=address,
            token_url=f"{address}/auth/o2/token",
            seller_id=seed.seller_id,
            marketplace_ids=(seed.marketplace_id,),
            client_id=seed.client_id,
            client_secret=seed.client_secret,
            refresh_token=seed.refresh_token,
            queue=None,
        )
        channel = AmazonChannel(settings, PatientClock(stepping), SeededRng(7, "channel"))
        try:
            return [item.code async for page in channel.list_listings() for item in page.items]
        finally:
            await channel.close()


async def test_fifteen_hundred_listings_of_one_instant_are_read() -> None:
    codes = await codes_of(1500)

    assert len(codes) == len(set(codes)) == 1500


async def test_more_than_can_be_told_apart_are_refused_with_what_to_do() -> None:
    with pytest.raises(Rejected, match="Change something of some of them there, and import again"):
        await codes_of(2001)
