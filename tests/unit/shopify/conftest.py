from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.contract import Channel
from adapters.shopify import ShopifyChannel, ShopifySettings
from tests.unit.shopify.builders import LOCATION
from tests.unit.shopify.doubles import BASE_URL, FakeClock, ScriptedShop, SeededRng


def settings(**changes: object) -> ShopifySettings:
    given: dict[str, object] = {
        "base_url": BASE_URL,
        "client_id": "client-1",
        "client_secret": "hush",
        "previous_client_secret": "older-hush",
        "location": LOCATION,
        "page_size": 2,
    }
    return ShopifySettings(**{**given, **changes})  # type: ignore[arg-type] # a builder of one frozen value


@pytest.fixture
def shop() -> ScriptedShop:
    return ScriptedShop()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def channel(shop: ScriptedShop, clock: FakeClock) -> AsyncIterator[ShopifyChannel]:
    opened = ShopifyChannel(settings(), clock, SeededRng(), shop.transport)
    as_protocol: Channel = opened
    yield opened
    await as_protocol.close()
